"""The data that are fitted: a pseudo-experiment, the Asimov sample, or the events as they are, and their likelihood."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from partonic.config.inference import InferenceConfig
from partonic.errors import EventFileError, InferenceError
from partonic.inference.coefficients.event_coefficients import EventCoefficients
from partonic.inference.likelihood.event_terms import EventTerms
from partonic.inference.likelihood.unbinned import ExtendedLikelihood
from partonic.inference.model import with_nominal
from partonic.inference.samples import Loaded
from partonic.inference.sources import read_of_source
from partonic.rng import numpy_generator

__all__ = ["Data", "ensemble_members", "make_data", "sample_likelihoods"]


@dataclass(frozen=True)
class Data:
    """What is fitted.

    Attributes:
        likelihood: its likelihood.
        kind: ``"pseudo"``, ``"asimov"`` or ``"events"``.
        truth: θ of pseudo-data, or of simulated events that are fitted as they are; None for real data.
        chosen: rows of the pool that have a weight, `(N,)`; None for real data.
    """

    likelihood: ExtendedLikelihood
    kind: str
    truth: Mapping[str, float] | None
    chosen: NDArray[np.int64] | None


def make_data(loaded: Loaded, config: InferenceConfig) -> Data:
    """Draw the pseudo-data, make the Asimov sample, or take the events as they are.

    Raises:
        InferenceError: if there are no simulated events to draw from, or no events at all.
    """
    if config.data == "events":
        return _real_data(loaded, config)
    if loaded.pool is None:
        raise InferenceError(
            f"`data: {config.data}` needs simulated events with their weights: give their event store, or set "
            "`inference.data: events` to fit the events as they are"
        )
    setup = loaded.setup
    known = loaded.generated_at if config.truth is None else config.truth
    if known is None:
        message = (
            "the events were generated at a θ that is not the nominal point of `inference.curves`: say where on the "
            "curves the pseudo-data are, with `inference.truth`"
        )
        raise InferenceError(message)
    theta = with_nominal(setup.mixture, known)
    source = loaded.pool.source(setup.mixture, setup.mixture.point(theta))
    generator = numpy_generator(setup.seed, "pseudo-data")
    sample = source.draw(generator) if config.data == "pseudo" else source.asimov()
    likelihood = setup.likelihood(loaded.pool, sample.weights, sample.without_coefficients)
    if not likelihood.total > 0:
        raise InferenceError(
            f"the pseudo-data have no event at {theta} with {setup.mixture.luminosity:g} fb⁻¹: expected one or more; "
            "raise `inference.luminosity`"
        )
    return Data(likelihood, config.data, theta, np.flatnonzero(sample.weights))


def ensemble_members(data: Data, loaded: Loaded, config: InferenceConfig) -> list[ExtendedLikelihood]:
    """Return the likelihoods of the same data with the coefficients of each member of the ensemble.

    Raises:
        EventFileError: if a member has other events.
        InferenceError: if a member lacks coefficients of events that are fitted, or another estimator made it.
    """
    members = []
    for path in config.ensemble:
        coefficients, _ = read_of_source(path, config.source, "inference.ensemble")
        if loaded.calibration is not None:
            coefficients = loaded.calibration.apply(coefficients, loaded.setup.mixture.signal)
        if not np.array_equal(coefficients.event_id, loaded.signal.event_id):
            raise EventFileError(
                f"{path} has other events than the coefficients of the signal: make both from one store"
            )
        members.append(_with_coefficients(data, loaded, config, coefficients, str(path)))
    return members


def sample_likelihoods(data: Data, loaded: Loaded, config: InferenceConfig) -> list[ExtendedLikelihood]:
    """Return the likelihoods of the same data with each set of weights of the networks that made the coefficients.

    Raises:
        InferenceError: if there are simulated events of backgrounds, which have no such sets.
    """
    found = []
    for number, (coefficients, rate) in enumerate(loaded.weight_samples, start=1):
        member = _with_coefficients(data, loaded, config, coefficients, f"set {number} of weights")
        found.append(replace(member, mixture=replace(member.mixture, signal=rate)))
    return found


def _with_coefficients(
    data: Data, loaded: Loaded, config: InferenceConfig, coefficients: EventCoefficients, where: str
) -> ExtendedLikelihood:
    """Return the likelihood of the data with other coefficients of the signal; `where` names them in messages."""
    used = _used_events(data, loaded)
    chosen = coefficients.select(used)
    if not chosen.usable().all():
        raise InferenceError(
            f"{where} has no coefficients of {int((~chosen.usable()).sum())} of {len(chosen)} events that are fitted"
        )
    backgrounds, components = ([each.select(used) for each in part] for part in (loaded.backgrounds, loaded.components))
    terms = EventTerms.of(chosen, backgrounds, config.correct_bias, config.floor, components)
    return replace(data.likelihood, events=terms)


def _used_events(data: Data, loaded: Loaded) -> NDArray[np.bool_]:
    """Return which of the events of the signal file are fitted, `(N,)`."""
    usable = np.logical_and.reduce([each.usable() for each in loaded.hypotheses])
    if data.chosen is None:
        return np.asarray(usable)
    if len(loaded.samples) > 1:
        message = (
            "an ensemble of networks (or sets of weights) is only supported without simulated events of backgrounds: "
            "leave out `inference.ensemble` and set `inference.weight_samples` to false"
        )
        raise InferenceError(message)
    used = np.zeros(len(usable), dtype=np.bool_)
    used[np.flatnonzero(usable)[data.chosen]] = True
    return used


def _real_data(loaded: Loaded, config: InferenceConfig) -> Data:
    usable = np.logical_and.reduce([each.usable() for each in loaded.hypotheses])
    if loaded.selected is not None and loaded.selected != len(usable) and not config.shape_only:
        raise InferenceError(
            f"there are coefficients of {len(usable)} events, but {loaded.selected} are selected: the number of events "
            "means nothing then. Make the coefficients of all (mem.max_events), or fit `shape_only: true`"
        )
    terms = EventTerms.of(
        loaded.signal.select(usable), [each.select(usable) for each in loaded.backgrounds], config.correct_bias,
        config.floor, [each.select(usable) for each in loaded.components],
    )  # fmt: skip
    setup = loaded.setup
    likelihood = ExtendedLikelihood(
        setup.mixture, terms, np.ones(len(terms)), float((~usable).sum()), None, setup.shape_only, setup.shape_norm
    )
    return Data(likelihood, "events", loaded.events_at, None)

"""From files to a likelihood: coefficients, rates, the pool of simulated events, and the data that are fitted."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from partonic.config.inference import BackgroundConfig, InferenceConfig
from partonic.errors import EventFileError, InferenceError
from partonic.events.store import EventStore
from partonic.inference.calibration.calibration_file import Calibration, read_calibration
from partonic.inference.coefficients.coefficients_file import CoefficientsMetadata, read_coefficients
from partonic.inference.coefficients.event_coefficients import EventCoefficients
from partonic.inference.coefficients.event_weights import weights_of
from partonic.inference.coefficients.rate import FiducialRate
from partonic.inference.coefficients.truth import truth_coefficients
from partonic.inference.experiments.pool import Pool, PoolSample
from partonic.inference.experiments.pseudo_experiments import Setup
from partonic.inference.likelihood.event_terms import EventTerms
from partonic.inference.likelihood.mixture import BackgroundRate, Mixture
from partonic.inference.likelihood.unbinned import ExtendedLikelihood
from partonic.pretrained import pretrained_folder
from partonic.rng import numpy_generator

__all__ = ["Data", "Files", "Loaded", "ensemble_members", "load", "make_data"]

Array = NDArray[np.float64]

_EQUAL = 0.99
"""Effective share of events from which on their weights count as equal: a few exceed the maximum of the unweighting."""


@dataclass(frozen=True)
class Files:
    """What is read.

    Attributes:
        store: event store that the coefficients are of; None if only the coefficients are there.
        signal: their coefficients under the signal; None for parton truth.
        backgrounds: their coefficients under each background.
    """

    store: Path | None
    signal: Path | None
    backgrounds: Mapping[str, Path]


@dataclass(frozen=True)
class Loaded:
    """What was read.

    Attributes:
        setup: signal, backgrounds and parameters.
        signal: coefficients of the events under the signal.
        backgrounds: the same under each background.
        samples: simulated events of each process with their true weights; empty for real data. Simulated events that
            are fitted as they are have them, too: expected numbers at other θ come from the same events.
        pool: the same put together; None for real data.
        generated_at: θ at which the events were generated.
        selected: number of selected events in the store; None without a store.
        calibration: what the coefficients of the signal were calibrated with; None for nothing.
        events_at: θ whose density the events of the store follow as they are; None for collision data, and for
            simulated events of unequal weights.
    """

    setup: Setup
    signal: EventCoefficients
    backgrounds: tuple[EventCoefficients, ...]
    samples: tuple[PoolSample, ...]
    pool: Pool | None
    generated_at: Mapping[str, float]
    selected: int | None
    calibration: Calibration | None = None
    events_at: Mapping[str, float] | None = None

    def status_counts(self) -> dict[str, int]:
        """Return the number of events by status, of the first hypothesis in which it is not ``"ok"``."""
        columns = zip(*(each.status for each in (self.signal, *self.backgrounds)), strict=True)
        return dict(Counter(next((word for word in words if word != "ok"), "ok") for words in columns))


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


def load(files: Files, config: InferenceConfig, seed: int) -> Loaded:
    """Read coefficients, rates and true weights.

    Raises:
        EventFileError: if a file is missing or damaged, or files are of different events.
        InferenceError: if there are no events, or a rate is not known.
        ParameterError: if a theory parameter is unknown.
    """
    store = None if files.store is None else EventStore.open(files.store)
    calibration = _calibration(config, store)
    signal, metadata = _signal(files, store)
    if not len(signal):
        raise InferenceError(f"{files.signal or files.store} has no events: expected a sample to fit")
    rate = _signal_rate(store, metadata, signal)
    signal = signal if calibration is None else calibration.apply(signal, rate)
    read = [read_coefficients(files.backgrounds[name]) for name in config.backgrounds]
    backgrounds = tuple(coefficients for coefficients, _ in read)
    _check_same_events(signal, backgrounds, files)
    mixture = Mixture(
        signal=rate,
        backgrounds=tuple(
            _background_rate(name, section, facts)
            for (name, section), (_, facts) in zip(config.backgrounds.items(), read, strict=True)
        ),
        luminosity=config.luminosity,
        luminosity_uncertainty=config.luminosity_uncertainty,
        fitted=_fitted(config, signal),
        fixed_values=config.fixed,
        free_signal_strength=config.signal_strength == "free",
        theta_constraints={name: (each.centre, each.width) for name, each in config.constraints.items()},
    )
    events_at = None if store is None else _events_at(store)
    is_real = config.data == "events" and (events_at is None or bool(config.backgrounds))
    samples = () if is_real else _samples(store, config, signal, backgrounds, calibration, rate)
    pool = Pool.of(samples, config.correct_bias, config.floor) if samples else None
    setup = Setup(mixture, mixture.fitted, config.shape_only, None, seed)
    if config.normalisation == "mean_ratios":
        setup = replace(setup, shape_norm=_mean_norm(mixture, samples))
    return Loaded(
        setup, signal, backgrounds, samples, pool, {} if store is None else store.metadata.theta, _selected(store),
        calibration, events_at,
    )  # fmt: skip


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
    theta = dict(loaded.generated_at if config.truth is None else config.truth)
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
        InferenceError: if a member lacks coefficients of events that are fitted.
    """
    members = []
    for path in config.ensemble:
        coefficients, _ = read_coefficients(path)
        if loaded.calibration is not None:
            coefficients = loaded.calibration.apply(coefficients, loaded.setup.mixture.signal)
        if not np.array_equal(coefficients.event_id, loaded.signal.event_id):
            raise EventFileError(
                f"{path} has other events than the coefficients of the signal: make both from one store"
            )
        used = _used_events(data, loaded)
        chosen = coefficients.select(used)
        if not chosen.usable().all():
            raise InferenceError(
                f"{path} has no coefficients of {int((~chosen.usable()).sum())} of {len(chosen)} events that are fitted"
            )
        backgrounds = [each.select(used) for each in loaded.backgrounds]
        terms = EventTerms.of(chosen, backgrounds, config.correct_bias, config.floor)
        members.append(replace(data.likelihood, events=terms))
    return members


def _used_events(data: Data, loaded: Loaded) -> NDArray[np.bool_]:
    """Return which of the events of the signal file are fitted, `(N,)`."""
    usable = np.logical_and.reduce([each.usable() for each in (loaded.signal, *loaded.backgrounds)])
    if data.chosen is None:
        return np.asarray(usable)
    if len(loaded.samples) > 1:
        message = "an ensemble of networks is only supported without simulated events of backgrounds"
        raise InferenceError(message)
    used = np.zeros(len(usable), dtype=np.bool_)
    used[np.flatnonzero(usable)[data.chosen]] = True
    return used


def _real_data(loaded: Loaded, config: InferenceConfig) -> Data:
    usable = np.logical_and.reduce([each.usable() for each in (loaded.signal, *loaded.backgrounds)])
    if loaded.selected is not None and loaded.selected != len(usable) and not config.shape_only:
        raise InferenceError(
            f"there are coefficients of {len(usable)} events, but {loaded.selected} are selected: the number of events "
            "means nothing then. Make the coefficients of all (mem.max_events), or fit `shape_only: true`"
        )
    terms = EventTerms.of(
        loaded.signal.select(usable), [each.select(usable) for each in loaded.backgrounds], config.correct_bias,
        config.floor,
    )  # fmt: skip
    setup = loaded.setup
    likelihood = ExtendedLikelihood(
        setup.mixture, terms, np.ones(len(terms)), float((~usable).sum()), None, setup.shape_only, setup.shape_norm
    )
    return Data(likelihood, "events", loaded.events_at, None)


def _signal(files: Files, store: EventStore | None) -> tuple[EventCoefficients, CoefficientsMetadata | None]:
    if files.signal is not None:
        return read_coefficients(files.signal)
    if store is None:
        message = "parton truth needs an event store: expected simulated events"
        raise InferenceError(message)
    return truth_coefficients(store), None


def _calibration(config: InferenceConfig, store: EventStore | None) -> Calibration | None:
    """Return the calibration that the settings name.

    Raises:
        InferenceError: if the one that ships for a process is asked for without an event store that names it.
        EventFileError: if the file is missing or damaged.
    """
    if config.calibration is None or config.source == "truth":
        return None
    if str(config.calibration) != "pretrained":
        return read_calibration(Path(config.calibration))
    if store is None:
        message = "`calibration: pretrained` needs the event store, which names the process: give it, or a file"
        raise InferenceError(message)
    return read_calibration(pretrained_folder(store.metadata.process) / "mem" / "calibration.json")


def _check_same_events(signal: EventCoefficients, backgrounds: Sequence[EventCoefficients], files: Files) -> None:
    for path, coefficients in zip(files.backgrounds.values(), backgrounds, strict=True):
        if not np.array_equal(coefficients.event_id, signal.event_id):
            raise EventFileError(
                f"{path} has other events than {files.signal}: expected the coefficients of the same events in the "
                "same order; make both from one store"
            )


def _fitted(config: InferenceConfig, signal: EventCoefficients) -> tuple[str, ...]:
    if config.parameters is not None:
        return config.parameters
    return tuple(name for name in signal.monomials.parameters if name not in config.fixed)


def _signal_rate(
    store: EventStore | None, metadata: CoefficientsMetadata | None, signal: EventCoefficients
) -> FiducialRate:
    if metadata is not None and metadata.cross_section is not None:
        return FiducialRate.from_record(metadata.monomials, metadata.cross_section)
    if store is None:
        message = "the coefficients carry no fiducial cross section: give the event store of simulated events as well"
        raise InferenceError(message)
    if store.metadata.monomials != signal.monomials:
        raise EventFileError(f"{store.path} has other monomials of θ than the coefficients of the signal")
    return FiducialRate.from_store(store)


def _background_rate(name: str, section: BackgroundConfig, metadata: CoefficientsMetadata) -> BackgroundRate:
    if section.cross_section is not None:
        return BackgroundRate(name, section.cross_section, 0.0, section.uncertainty)
    if metadata.cross_section is None:
        raise InferenceError(
            f"the cross section of the background '{name}' is not known: give `inference.backgrounds.{name}."
            "cross_section`, in pb after the selection"
        )
    record = metadata.cross_section
    return BackgroundRate(name, record.coefficients[0], float(record.covariance[0][0]) ** 0.5, section.uncertainty)


def _samples(
    store: EventStore | None, config: InferenceConfig, signal: EventCoefficients,
    backgrounds: tuple[EventCoefficients, ...], calibration: Calibration | None, rate: FiducialRate,
) -> tuple[PoolSample, ...]:  # fmt: skip
    """Return the simulated events of each process; none if those of the signal or of a background are not there."""
    if store is None:
        return ()
    if store.metadata.monomials != signal.monomials:
        raise EventFileError(
            f"{store.path} has the monomials {', '.join(store.metadata.monomials.names)}, the coefficients of the "
            f"signal {', '.join(signal.monomials.names)}: give the store that they were made from"
        )
    samples = [PoolSample(0, weights_of(store, signal.event_id), signal, backgrounds)]
    for number, (name, section) in enumerate(config.backgrounds.items(), start=1):
        if section.events is None:
            raise InferenceError(
                f"pseudo-data need simulated events of the background '{name}': give `inference.backgrounds.{name}."
                "events`, or fit real data with `inference.data: events`"
            )
        given = section.events.coefficients
        if missing := {"signal", *config.backgrounds} - set(given):
            raise InferenceError(
                f"`inference.backgrounds.{name}.events.coefficients` lacks {', '.join(sorted(missing))}: expected a "
                "file for `signal` and for each background"
            )
        of_signal = read_coefficients(given["signal"])[0]
        of_signal = of_signal if calibration is None else calibration.apply(of_signal, rate)
        others = tuple(read_coefficients(given[other])[0] for other in config.backgrounds)
        weights = weights_of(EventStore.open(section.events.store), of_signal.event_id)[:, :1]
        samples.append(PoolSample(number, weights, of_signal, others))
    return tuple(samples)


def _selected(store: EventStore | None) -> int | None:
    if store is None:
        return None
    return sum(len(batch) for batch in store.batches(["selected"], selected_only=True))


def _events_at(store: EventStore) -> Mapping[str, float] | None:
    """Return θ of simulated, unweighted events, which nothing but the figures is told."""
    if store.metadata.source != "partonic":
        return None
    weight = store.read(["weight"], selected_only=True).weight
    equal = len(weight) > 0 and weight.sum() ** 2 >= _EQUAL * len(weight) * np.square(weight).sum()
    return store.metadata.theta if equal else None


def _mean_norm(mixture: Mixture, samples: Sequence[PoolSample]) -> Array:
    """Return s′: the mean ratios of the simulated signal at θ = 0 times σ_0, and the rates of the backgrounds."""
    if not samples:
        message = "`normalisation: mean_ratios` needs simulated events of the signal with their weights"
        raise InferenceError(message)
    means = samples[0].signal.mean_ratios(samples[0].weights[:, 0])
    norm = mixture.stacked_rate.copy()
    norm[: len(means)] = norm[0] * np.array([each.value for each in means])
    return norm

"""What a fit reads: coefficients of the events, rates, and the pool of simulated events with their true weights."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from partonic.config.inference import BackgroundConfig, ComponentConfig, InferenceConfig
from partonic.errors import EventFileError, InferenceError
from partonic.events.store import EventStore
from partonic.inference.calibration.calibration_file import Calibration, read_calibration
from partonic.inference.coefficients.coefficients_file import CoefficientsMetadata
from partonic.inference.coefficients.event_coefficients import EventCoefficients
from partonic.inference.coefficients.event_weights import weights_of
from partonic.inference.coefficients.rate import FiducialRate
from partonic.inference.coefficients.truth import truth_coefficients
from partonic.inference.experiments.pool import Pool, PoolSample
from partonic.inference.experiments.pseudo_experiments import Setup
from partonic.inference.likelihood.mixture import Mixture
from partonic.inference.model import mixture_of, truth_on_curves
from partonic.inference.sources import EstimatorFiles, check_source, read_hypotheses, read_of_source
from partonic.pretrained import pretrained_folder
from partonic.processes.definition import standard_model

__all__ = ["Files", "Loaded", "WeightSample", "load"]

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
        components: the same under each further component that depends on θ.
        compared: what the estimators left that are compared, that of the fit, too, by the name of their source.
    """

    store: Path | None
    signal: Path | None
    backgrounds: Mapping[str, Path] = field(default_factory=dict)
    components: Mapping[str, Path] = field(default_factory=dict)
    compared: Mapping[str, EstimatorFiles] = field(default_factory=dict)


class WeightSample(NamedTuple):
    """What one set of weights of the networks says of the signal: coefficients of the events, and their rate."""

    coefficients: EventCoefficients
    rate: FiducialRate


class Hypotheses(NamedTuple):
    """Coefficients of the same events under all hypotheses."""

    signal: EventCoefficients
    components: tuple[EventCoefficients, ...]
    backgrounds: tuple[EventCoefficients, ...]


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
        generated_at: parameters at which the events were generated; None if that is off the curves of the fit.
        selected: number of selected events in the store; None without a store.
        calibration: what the coefficients of the signal were calibrated with; None for nothing.
        events_at: θ whose density the events of the store follow as they are; None for collision data, and for
            simulated events of unequal weights.
        components: coefficients of the events under each further component that depends on θ.
        store: path of the event store; None without one.
        weight_samples: coefficients of the signal and its rate with each set of weights of the networks, if there are
            such in its file.
    """

    setup: Setup
    signal: EventCoefficients
    backgrounds: tuple[EventCoefficients, ...]
    samples: tuple[PoolSample, ...]
    pool: Pool | None
    generated_at: Mapping[str, float] | None
    selected: int | None
    calibration: Calibration | None = None
    events_at: Mapping[str, float] | None = None
    components: tuple[EventCoefficients, ...] = ()
    store: Path | None = None
    weight_samples: "tuple[WeightSample, ...]" = ()

    @property
    def hypotheses(self) -> tuple[EventCoefficients, ...]:
        """Coefficients under signal, components and backgrounds."""
        return (self.signal, *self.components, *self.backgrounds)

    def status_counts(self) -> dict[str, int]:
        """Return the number of events by status, of the first hypothesis in which it is not ``"ok"``."""
        columns = zip(*(each.status for each in self.hypotheses), strict=True)
        return dict(Counter(next((word for word in words if word != "ok"), "ok") for words in columns))


def load(
    files: Files,
    config: InferenceConfig,
    seed: int,
    given: tuple[EventCoefficients, CoefficientsMetadata] | None = None,
) -> Loaded:
    """Read coefficients, rates and true weights.

    Args:
        files: what is read.
        config: the settings.
        seed: root seed.
        given: coefficients of the signal that are in memory already, in place of their file.

    Raises:
        EventFileError: if a file is missing or damaged, or files are of different events.
        InferenceError: if there are no events, a rate is not known, or another estimator made a file.
        ParameterError: if a theory parameter is unknown.
    """
    store = None if files.store is None else EventStore.open(files.store)
    calibration = _calibration(config, store)
    signal, metadata = given or _signal(files, store, config.source)
    if given is not None:
        check_source(given[0].source, config.source, "what is in memory", "coefficients")
    if not len(signal):
        raise InferenceError(f"{files.signal or files.store} has no events: expected a sample to fit")
    rate = _signal_rate(store, metadata, signal)
    weight_samples = _weight_samples(signal, metadata, rate, calibration) if config.weight_samples else ()
    signal = replace(signal, samples=None)
    signal = signal if calibration is None else calibration.apply(signal, rate)
    components, backgrounds = (_of_sections(files, config, kind) for kind in ("components", "backgrounds"))
    hypotheses = Hypotheses(signal, *(tuple(each for each, _ in read) for read in (components, backgrounds)))
    _check_same_events(hypotheses, files)
    standard = _standard_model(config, store)
    mixture = mixture_of(
        config, rate, [facts for _, facts in components], [facts for _, facts in backgrounds], standard
    )
    events_at = None if store is None else _events_at(store)
    is_real = config.data == "events" and (events_at is None or bool(config.backgrounds or config.components))
    samples = () if is_real else _samples(store, config, hypotheses, calibration, rate)
    pool = Pool.of(samples, config.correct_bias, config.floor) if samples else None
    setup = Setup(mixture, mixture.fitted, config.shape_only, None, seed)
    if config.normalisation == "mean_ratios":
        setup = replace(setup, shape_norm=_mean_norm(mixture, samples))
    generated_at = None if store is None else truth_on_curves(mixture, store.metadata.theta)
    return Loaded(
        setup, signal, hypotheses.backgrounds, samples, pool, generated_at, _selected(store), calibration,
        None if events_at is None else truth_on_curves(mixture, events_at), hypotheses.components, files.store,
        weight_samples,
    )  # fmt: skip


def _weight_samples(
    signal: EventCoefficients, metadata: CoefficientsMetadata | None, rate: FiducialRate,
    calibration: Calibration | None,
) -> tuple[WeightSample, ...]:  # fmt: skip
    """Return coefficients and rate of each set of weights, calibrated as those of the trained weights are."""
    if signal.samples is None:
        return ()
    records = () if metadata is None else metadata.sample_cross_sections
    found = []
    for number in range(signal.samples.count):
        of_sample = FiducialRate.from_record(signal.monomials, records[number]) if records else rate
        each = signal.sample(number)
        found.append(WeightSample(each if calibration is None else calibration.apply(each, of_sample), of_sample))
    return tuple(found)


def _signal(
    files: Files, store: EventStore | None, source: str
) -> tuple[EventCoefficients, CoefficientsMetadata | None]:
    if files.signal is not None:
        return read_of_source(files.signal, source, "inference.coefficients")
    if store is None:
        message = "parton truth needs an event store: expected simulated events"
        raise InferenceError(message)
    return truth_coefficients(store, standard_model(store.metadata.process)), None


def _of_sections(
    files: Files, config: InferenceConfig, kind: Literal["components", "backgrounds"]
) -> list[tuple[EventCoefficients, CoefficientsMetadata]]:
    """Read the coefficients under each further component, or under each background."""
    paths: Mapping[str, Path] = getattr(files, kind)
    return [
        read_of_source(paths[name], config.source, f"inference.{kind}.{name}.coefficients")
        for name in getattr(config, kind)
    ]


def _calibration(config: InferenceConfig, store: EventStore | None) -> Calibration | None:
    """Return the calibration that the settings name.

    Raises:
        InferenceError: if the one that ships for a process is asked for without an event store that names it.
        EventFileError: if the file is missing or damaged.
    """
    if config.calibration is None or not config.reads_coefficients:
        return None
    if str(config.calibration) != "pretrained":
        return read_calibration(Path(config.calibration))
    if store is None:
        message = "`calibration: pretrained` needs the event store, which names the process: give it, or a file"
        raise InferenceError(message)
    return read_calibration(pretrained_folder(store.metadata.process) / "mem" / "calibration.json")


def _check_same_events(hypotheses: Hypotheses, files: Files) -> None:
    paths = [*files.components.values(), *files.backgrounds.values()]
    for path, coefficients in zip(paths, (*hypotheses.components, *hypotheses.backgrounds), strict=True):
        if not np.array_equal(coefficients.event_id, hypotheses.signal.event_id):
            raise EventFileError(
                f"{path} has other events than {files.signal}: expected the coefficients of the same events in the "
                "same order; make both from one store"
            )


def _standard_model(config: InferenceConfig, store: EventStore | None) -> Mapping[str, float]:
    """Return what the settings say, else what the process of the events says."""
    if config.standard_model is not None or store is None:
        return config.standard_model or {}
    return standard_model(store.metadata.process)


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


def _samples(
    store: EventStore | None, config: InferenceConfig, hypotheses: Hypotheses, calibration: Calibration | None,
    rate: FiducialRate,
) -> tuple[PoolSample, ...]:  # fmt: skip
    """Return the simulated events of each process; none if those of the signal are not there."""
    signal = hypotheses.signal
    if store is None:
        return ()
    if store.metadata.monomials != signal.monomials:
        raise EventFileError(
            f"{store.path} has the monomials {', '.join(store.metadata.monomials.names)}, the coefficients of the "
            f"signal {', '.join(signal.monomials.names)}: give the store that they were made from"
        )
    weights = weights_of(store, signal.event_id)
    samples = [PoolSample(0, weights, signal, hypotheses.backgrounds, hypotheses.components)]
    sections: dict[str, Mapping[str, ComponentConfig | BackgroundConfig]] = {
        "components": config.components, "backgrounds": config.backgrounds,
    }  # fmt: skip
    named = [(kind, name, section.events) for kind, each in sections.items() for name, section in each.items()]
    for number, (kind, name, events) in enumerate(named, start=1):
        where = f"inference.{kind}.{name}.events"
        if events is None:
            raise InferenceError(
                f"pseudo-data need simulated events of '{name}': give `{where}`, or fit real data with "
                "`inference.data: events`"
            )
        read = read_hypotheses(events, config, where)
        of_signal = read["signal"] if calibration is None else calibration.apply(read["signal"], rate)
        true = weights_of(EventStore.open(events.store), of_signal.event_id)
        backgrounds, components = (tuple(read[each] for each in sections[k]) for k in ("backgrounds", "components"))
        samples.append(
            PoolSample(number, true if kind == "components" else true[:, :1], of_signal, backgrounds, components)
        )
    return tuple(samples)


def _selected(store: EventStore | None) -> int | None:
    if store is None:
        return None
    return sum(len(batch) for batch in store.batches(["selected"], accepted_only=True))


def _events_at(store: EventStore) -> Mapping[str, float] | None:
    """Return θ of simulated, unweighted events, which nothing but the figures is told."""
    if store.metadata.source != "partonic":
        return None
    weight = store.read(["weight"], accepted_only=True).weight
    equal = len(weight) > 0 and weight.sum() ** 2 >= _EQUAL * len(weight) * np.square(weight).sum()
    return store.metadata.theta if equal else None


def _mean_norm(mixture: Mixture, samples: Sequence[PoolSample]) -> Array:
    """Return s′: the mean ratios of the simulated signal at the reference times its σ there, and the other rates."""
    if not samples:
        message = "`normalisation: mean_ratios` needs simulated events of the signal with their weights"
        raise InferenceError(message)
    signal, rate = samples[0].signal, mixture.signal
    means = signal.mean_ratios(signal.reference_weights(samples[0].weights))
    norm = mixture.stacked_rate.copy()
    norm[: len(means)] = rate.sigma(signal.reference) * np.array([each.value for each in means])
    return norm

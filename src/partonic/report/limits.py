"""What the report knows of the way from events to limits: coefficients of events, fits, and how signal is told apart.

All of it was computed by earlier steps; the report reads it and adds what needs the true weights of simulated events.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from partonic.classify.roc_file import Discrimination, read_discrimination
from partonic.events.store import EventStore
from partonic.inference.calibration.each_ratio import RatioCalibration, fit_calibration
from partonic.inference.coefficients.coefficients_file import CoefficientsMetadata, read_coefficients
from partonic.inference.coefficients.event_coefficients import EventCoefficients
from partonic.inference.coefficients.event_weights import weights_of
from partonic.inference.coefficients.sum_rule import SumRule, sum_rule
from partonic.inference.record import InferenceRecord, read_result
from partonic.progress import duration_text
from partonic.report.fitted import FittedEvents, fitted_events

__all__ = ["EstimatorCost", "IntegratedEvents", "LimitFiles", "Limits", "read_limits"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class EstimatorCost:
    """The time that an estimator took, where it is known.

    Attributes:
        training: seconds of its training; None if it was trained elsewhere, or the time is not known.
        estimation: seconds in which its coefficients were made; None if they are not known.
        events: number of events that they are of.
    """

    training: float | None
    estimation: float | None
    events: int

    def training_text(self) -> str:
        """Return the time of the training in words, a dash where there is none."""
        return "–" if self.training is None else duration_text(self.training)

    def event_text(self) -> str:
        """Return the time of an event, a dash where it is not known."""
        if self.estimation is None or not self.events:
            return "–"
        seconds = self.estimation / self.events
        if seconds >= 1.0:
            return duration_text(seconds) if seconds >= 60.0 else f"{seconds:.1f} s"
        return f"{1e3 * seconds:.0f} ms" if seconds >= 0.01 else f"{1e3 * seconds:.2g} ms"

    def to_json(self) -> dict[str, float | None]:
        """Return the numbers by name."""
        return {"training": self.training, "estimation": self.estimation, "events": self.events}


@dataclass(frozen=True)
class LimitFiles:
    """Files of the steps on the way to limits.

    Attributes:
        coefficients: of the events, by the hypothesis that they were integrated under.
        store: event store that the coefficients are of; None: that of the report.
        inference: ``result.json`` of the inference, with the curves beside it; None if there is none.
        discrimination: ROC curves of signal against background; None if there are none.
        others: coefficients of events of the same store by other estimators, by the name of their source.
        seconds: of training and of estimation of each estimator, None where they are not known, by its name.
    """

    coefficients: Mapping[str, Path] = field(default_factory=dict)
    store: Path | None = None
    inference: Path | None = None
    discrimination: Path | None = None
    others: Mapping[str, Path] = field(default_factory=dict)
    seconds: Mapping[str, tuple[float | None, float | None]] = field(default_factory=dict)

    def paths(self) -> Iterator[Path]:
        """Yield all files."""
        yield from self.coefficients.values()
        yield from self.others.values()
        if self.coefficients and self.store is not None:
            yield self.store
        if self.inference is not None:
            yield self.inference
            yield self.inference.with_name("curves.parquet")
        if self.discrimination is not None:
            yield self.discrimination


@dataclass(frozen=True, eq=False)
class IntegratedEvents:
    """Events under one hypothesis.

    Attributes:
        name: of the hypothesis, usually a process.
        coefficients: of the events.
        metadata: what travels with them.
        weights: true weights c_a of the same events, pb, `(N, A)`; None where these are not simulated events of this
            hypothesis.
    """

    name: str
    coefficients: EventCoefficients
    metadata: CoefficientsMetadata
    weights: Array | None

    @cached_property
    def sum_rule(self) -> SumRule | None:
        """Mean ratios against those of the true weights; None without enough simulated events of this hypothesis."""
        if self.weights is None or not _enough(self.coefficients, self.weights):
            return None
        return sum_rule(self.coefficients, self.weights, self.metadata.cross_section)

    @cached_property
    def calibration(self) -> RatioCalibration | None:
        """Slopes of the true ratios on the estimated ones; None as for `sum_rule`."""
        if self.weights is None or not _enough(self.coefficients, self.weights):
            return None
        return fit_calibration(self.coefficients, self.weights)


@dataclass(frozen=True, eq=False)
class Limits:
    """What was read.

    Attributes:
        integrated: events under each hypothesis.
        inference: result of the inference; None if there is none.
        discrimination: ROC curves; None if there are none.
        others: events by other estimators than the one that is fitted, named after it.
        costs: the time that the estimators took, by the name of their source.
    """

    integrated: tuple[IntegratedEvents, ...] = ()
    inference: InferenceRecord | None = None
    discrimination: Discrimination | None = None
    others: tuple[IntegratedEvents, ...] = ()
    costs: Mapping[str, EstimatorCost] = field(default_factory=dict)

    @cached_property
    def fitted(self) -> FittedEvents | None:
        """The events of the inference, read when they are first needed; None if there is no inference.

        Raises:
            EventFileError: if a file that it read is missing, damaged or has changed.
            InferenceError: if nothing can be drawn from what is there now.
        """
        return None if self.inference is None else fitted_events(self.inference)


def read_limits(files: LimitFiles, events: EventStore) -> Limits:
    """Read `files`; `events` is the store of the report.

    Raises:
        EventFileError: if a file is missing, damaged, or of other events than those of the store.
        SchemaError: if a file is none of its kind, or of another format.
    """
    store = events if files.store is None or not files.coefficients else EventStore.open(files.store)
    integrated = tuple(_integrated(name, path, store) for name, path in files.coefficients.items())
    others = tuple(_integrated(name, path, store) for name, path in files.others.items())
    return Limits(
        integrated=integrated,
        others=others,
        costs=_costs(files.seconds, (*integrated[:1], *others)),
        inference=None if files.inference is None else read_result(files.inference),
        discrimination=None if files.discrimination is None else read_discrimination(files.discrimination),
    )


def _costs(
    seconds: Mapping[str, tuple[float | None, float | None]], every: tuple[IntegratedEvents, ...]
) -> dict[str, EstimatorCost]:
    """Return the costs of the estimators whose events were read."""
    numbers = {each.coefficients.source: len(each.coefficients) for each in every}
    return {name: EstimatorCost(*found, numbers[name]) for name, found in seconds.items() if name in numbers}


def _enough(coefficients: EventCoefficients, weights: Array) -> bool:
    """Return whether there are enough usable events with a weight for a calibration."""
    return int((coefficients.usable() & (weights[:, 0] > 0)).sum()) >= 2 * len(coefficients.monomials)


def _integrated(name: str, path: Path, store: EventStore) -> IntegratedEvents:
    coefficients, metadata = read_coefficients(path)
    return IntegratedEvents(name, coefficients, metadata, _true_weights(coefficients, store))


def _true_weights(coefficients: EventCoefficients, store: EventStore) -> Array | None:
    """Return the weights of the events of `coefficients`, None where they do not depend on θ as these should."""
    if store.metadata.monomials != coefficients.monomials or len(coefficients.monomials) < 2:
        return None
    weights = weights_of(store, coefficients.event_id)
    return weights if weights[:, 1:].any() else None  # data, or a background with the monomials of the signal

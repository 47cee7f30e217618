"""What is compared, and what comes out: the events that all methods look at, and the numbers of each method."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from partonic.errors import ParameterError
from partonic.inference.binned.templates import Templates
from partonic.inference.coefficients.event_coefficients import EventCoefficients
from partonic.inference.experiments.estimator_quality import directions_of
from partonic.inference.experiments.expected_curves import ExpectedCurve
from partonic.inference.likelihood.intervals import Interval
from partonic.polynomial import Monomials

__all__ = ["PARTON_TRUTH", "RATE_ONLY", "ComparedEvents", "Comparison"]

Array = NDArray[np.float64]

PARTON_TRUTH = "parton truth"
"""Name of the bound of what any method can reach."""

RATE_ONLY = "rate only"
"""Name of the method that only counts events."""


@dataclass(frozen=True)
class ComparedEvents:
    """What all methods look at.

    Attributes:
        monomials: the A monomials of θ.
        weights: true weights c_a of N accepted events, in sum the fiducial cross sections, pb, `(N, A)`.
        estimates: coefficients of these events by the name of their estimator.
        observables: one number of each event by name, each `(N,)`; NaN where an event has none.
        standard_model: values of theory parameters in the Standard Model; 0 where not named.
        histograms: templates of these events in bins of observables that the settings name, by name.
        members: coefficients of these events by each member of an ensemble, by the name of the estimator.
        groups: of the jackknife over simulated events, `(N,)`; None for one event after the other.
    """

    monomials: Monomials
    weights: Array
    estimates: Mapping[str, EventCoefficients]
    observables: Mapping[str, Array]
    standard_model: Mapping[str, float] = field(default_factory=dict)
    histograms: Mapping[str, Templates] = field(default_factory=dict)
    members: Mapping[str, Sequence[EventCoefficients]] = field(default_factory=dict)
    groups: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        for name, events in self.estimates.items():
            if events.ratios.shape != self.weights.shape or events.monomials != self.monomials:
                raise ParameterError(
                    f"the coefficients of '{name}' are of {events.ratios.shape[0]} events in "
                    f"{', '.join(events.monomials.names)}, the weights of {len(self.weights)} events in "
                    f"{', '.join(self.monomials.names)}"
                )
        for name, values in self.observables.items():
            if values.shape != (len(self.weights),):
                raise ParameterError(f"the observable '{name}' has shape {values.shape}, not one number an event")


@dataclass(frozen=True)
class Comparison:
    """Expected numbers of each method.

    Attributes:
        levels: confidence levels, ascending.
        luminosity: fb⁻¹.
        expected_events: in the Standard Model.
        simulated_events: number N that the limits are made from.
        intervals: by method and parameter, one for each level; None where no interval exists.
        failures: why, by method and parameter.
        parameters: the K theory parameters of the information.
        information: Fisher information in the Standard Model by method, `(K, K)`: of parton truth, of histograms and
            rate, and what the scores of each estimator keep.
        claimed: what the likelihood of each estimator claims in its place, `(K, K)`.
        squares: part of the information on the square of each parameter that a method keeps, relative to parton truth.
        explained: R² of each true ratio by estimator and monomial.
        values: of each parameter where `curves` are, `(T,)`.
        curves: expected q by parameter and method.
        left_out: why an estimator is not compared, by name.
    """

    levels: tuple[float, ...]
    luminosity: float
    expected_events: float
    simulated_events: int
    intervals: Mapping[str, Mapping[str, tuple[Interval, ...] | None]]
    failures: Mapping[str, Mapping[str, str]]
    parameters: tuple[str, ...] = ()
    information: Mapping[str, Array] = field(default_factory=dict)
    claimed: Mapping[str, Array] = field(default_factory=dict)
    squares: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    explained: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    values: Mapping[str, Array] = field(default_factory=dict)
    curves: Mapping[str, Mapping[str, ExpectedCurve]] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)

    @property
    def level(self) -> float:
        """The highest confidence level."""
        return self.levels[-1]

    def to_json(self) -> dict[str, Any]:
        """Return all numbers by name; the interval of the highest level is that of a row, the others are in it."""
        head = ("level", "luminosity", "expected_events", "simulated_events")
        methods = {
            method: {name: None if found is None else _records(found) for name, found in row.items()}
            for method, row in self.intervals.items()
        }
        information = {
            "parameters": list(self.parameters),
            "methods": {method: found.tolist() for method, found in self.information.items()},
            "claimed": {method: found.tolist() for method, found in self.claimed.items()},
            "squares": {method: dict(row) for method, row in self.squares.items()},
            "directions": {method: directions_of(found, self.parameters) for method, found in self.information.items()},
        }
        curves = {
            name: {
                "values": self.values[name].tolist(),
                "methods": {method: curve.to_json() for method, curve in row.items()},
            }
            for name, row in self.curves.items()
        }
        return {
            **{name: getattr(self, name) for name in head},
            "levels": list(self.levels),
            "methods": methods,
            "failures": dict(self.failures),
            "information": information,
            "explained": {name: dict(row) for name, row in self.explained.items()},
            "curves": curves,
            "left_out": dict(self.left_out),
        }


def _records(intervals: Sequence[Interval]) -> dict[str, Any]:
    """Return the interval of the highest level, and those of the others beside it."""
    *inner, outer = (_record(each) for each in intervals)
    return {**outer, "inner": inner}


def _record(interval: Interval) -> dict[str, Any]:
    return {
        "level": interval.level,
        "segments": [list(segment) for segment in interval.segments],
        "length": interval.length,
        "open_below": interval.open_below,
        "open_above": interval.open_above,
    }

"""Efficiencies of weighted events with asymmetric errors.

The efficiency is ε = Σ_passed w / Σ w with variance [(1−ε)² Σ_passed w² + ε² Σ_failed w²] / (Σw)²; for unit weights
this is ε(1−ε)/n. It gives the effective number of events n = ε(1−ε)/Var, which enters Wilson's score interval
(J. Am. Stat. Assoc. 22 (1927) 209) at one standard deviation, so that ε = 0 and ε = 1 keep a sensible error; there n is
Kish's (Σw)²/Σw². Where negative weights push ε out of [0, 1] the symmetric error is given.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from partonic.plots.axis import Axis
from partonic.plots.histogram import Histogram

__all__ = ["Efficiency", "EfficiencyHistogram", "efficiency"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Efficiency:
    """Efficiencies with their 68% intervals; NaN where nothing was there to pass.

    Attributes:
        value: ε, `(B,)`.
        below, above: distances from ε to the ends of the interval, `(B,)`.
    """

    value: Array
    below: Array
    above: Array

    def record(self) -> dict[str, object]:
        """Return the values for the JSON results, None where undefined."""
        return {
            name: [number if np.isfinite(number) else None for number in values.tolist()]
            for name, values in (("value", self.value), ("below", self.below), ("above", self.above))
        }


def efficiency(passed: tuple[Any, Any], total: tuple[Any, Any]) -> Efficiency:
    """Return passed / total, the passed events being a subset of all.

    Args:
        passed: Σw and Σw² of the events that pass, `(B,)` each.
        total: Σw and Σw² of all events, `(B,)` each.
    """
    passed_sum, passed_squares = (np.atleast_1d(np.asarray(part, dtype=np.float64)) for part in passed)
    sums, squares = (np.atleast_1d(np.asarray(part, dtype=np.float64)) for part in total)
    value = passed_sum / np.where(sums == 0, np.nan, sums)
    failed_squares = np.maximum(squares - passed_squares, 0.0)
    variance = ((1 - value) ** 2 * passed_squares + value**2 * failed_squares) / np.where(sums == 0, np.nan, sums) ** 2
    inside = (value > 0) & (value < 1) & (variance > 0)
    kish = np.where(sums == 0, np.nan, sums) ** 2 / np.where(squares > 0, squares, np.nan)
    number = np.where(inside, value * (1 - value) / np.where(inside, variance, 1.0), kish)
    low, high = _wilson(np.clip(value, 0.0, 1.0), number)
    physical = (value >= 0) & (value <= 1)
    spread = np.sqrt(variance)
    return Efficiency(value, np.where(physical, value - low, spread), np.where(physical, high - value, spread))


def _wilson(value: Array, number: Array) -> tuple[Array, Array]:
    centre = (value + 0.5 / number) / (1 + 1 / number)
    half = np.sqrt(value * (1 - value) / number + 0.25 / number**2) / (1 + 1 / number)
    # At ε = 0 and 1 the interval ends there exactly; rounding must not push it past.
    return np.minimum(centre - half, value), np.maximum(centre + half, value)


@dataclass
class EfficiencyHistogram:
    """An efficiency in bins of a variable, filled batch by batch."""

    axis: Axis
    passed: Histogram = field(init=False)
    total: Histogram = field(init=False)

    def __post_init__(self) -> None:
        self.passed, self.total = Histogram(self.axis), Histogram(self.axis)

    def fill(self, values: Any, weights: Any, passing: NDArray[np.bool_]) -> None:
        """Add one batch: values, weights and whether each passes, `(N,)` each.

        Raises:
            NonFiniteError: if a value or weight is NaN or infinite.
        """
        numbers, weight = np.asarray(values), np.asarray(weights)
        self.total.fill(numbers, weight)
        self.passed.fill(numbers[passing], weight[passing])

    @property
    def is_empty(self) -> bool:
        """Whether nothing was filled."""
        return self.total.is_empty

    def result(self, minimum_entries: float = 0.0) -> Efficiency:
        """Return the efficiency of each bin, flows folded into the outer ones.

        Args:
            minimum_entries: bins with fewer effective events (Σw)²/Σw² are undefined (NaN).
        """
        total, squares = self.total.contents, self.total.errors**2
        enough = total**2 >= minimum_entries * squares
        passed = self.passed.contents, self.passed.errors**2
        return efficiency(passed, (np.where(enough, total, 0.0), np.where(enough, squares, 0.0)))

    def overall(self) -> Efficiency:
        """Return the efficiency of everything filled, arrays of length 1."""
        return efficiency(
            (self.passed.sums.sum(), self.passed.variances.sum()), (self.total.sums.sum(), self.total.variances.sum())
        )

    def record(self) -> dict[str, object]:
        """Return the passed and total histograms and the efficiency for the JSON results."""
        return {"passed": self.passed.record(), "total": self.total.record(), "efficiency": self.result().record()}

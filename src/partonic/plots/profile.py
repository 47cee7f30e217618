"""Median and 68% half width of one variable in bins of another, from counts alone, with order-statistics errors.

Each bin of x keeps a fine histogram of y, so memory does not grow with the number of events. A quantile at level p is
read off the cumulative distribution. Its 68% interval runs between the quantiles at p ± √(p(1−p)/n): the number of
events below the true quantile is binomial (David & Nagaraja, Order Statistics, 3rd ed., 2003, ch. 7). The two
quantiles of the half width h = (q₀.₈₄ − q₀.₁₆)/2 are correlated by √(p(1−p′)/(p′(1−p))) with p < p′ (same
reference, ch. 10). With weights, n is Kish's effective number (Σw)²/Σw².
"""

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from partonic.plots.axis import Axis
from partonic.plots.histogram import finite_weights

__all__ = ["Profile", "ProfilePoints", "quantile_with_error"]

Array = NDArray[np.float64]

_ONE_SIGMA: Final = 0.15865525393145707
"""Probability below −1 standard deviation of a normal distribution."""

_CORRELATION: Final = _ONE_SIGMA / (1 - _ONE_SIGMA)
"""Correlation of the sample quantiles at p = 0.16 and 1 − p: √(p·p / ((1−p)(1−p))) = p / (1−p)."""


@dataclass(frozen=True)
class ProfilePoints:
    """Median and half width of y in each bin of x; NaN where a bin has too few entries or a quantile is out of range.

    Attributes:
        axis: binning of x, B bins.
        median, median_error: `(B,)`, in the unit of y.
        width, width_error: half of the central 68% interval, `(B,)`.
        effective_entries: (Σw)²/Σw², `(B,)`.
    """

    axis: Axis
    median: Array
    median_error: Array
    width: Array
    width_error: Array
    effective_entries: Array

    def relative_width(self) -> tuple[Array, Array]:
        """Return width / median and its error (median and width of one sample taken as independent), `(B,)` each."""
        ratio = self.width / self.median
        relative = np.hypot(self.width_error / self.width, self.median_error / self.median)
        return ratio, ratio * relative

    def record(self) -> dict[str, object]:
        """Return the points for the JSON results, None where undefined."""
        fields = ("median", "median_error", "width", "width_error", "effective_entries")
        numbers = {name: getattr(self, name).tolist() for name in fields}
        finite = {name: [x if np.isfinite(x) else None for x in values] for name, values in numbers.items()}
        return {"name": self.axis.name, "unit": self.axis.unit, "edges": list(self.axis.edges), **finite}


@dataclass
class Profile:
    """Distribution of y in bins of x, filled batch by batch.

    Attributes:
        axis: binning of x, B bins; entries outside are left out.
        values: fine binning of y, F bins; entries outside count in the cumulative distribution.
        sums: Σw, `(B, F + 2)`.
        squares: Σw², `(B,)`.
    """

    axis: Axis
    values: Axis
    sums: Array = field(init=False)
    squares: Array = field(init=False)

    def __post_init__(self) -> None:
        self.sums, self.squares = np.zeros((len(self.axis), len(self.values) + 2)), np.zeros(len(self.axis))

    def fill(self, x: Any, y: Any, weights: Any) -> None:
        """Add one batch of entries, `(N,)` each.

        Raises:
            NonFiniteError: if a value or weight is NaN or infinite.
        """
        rows, columns = self.axis.index(x) - 1, self.values.index(y)
        weight = finite_weights(weights, self.values.name)
        kept = (rows >= 0) & (rows < len(self.axis))
        flat = rows[kept] * self.sums.shape[1] + columns[kept]
        self.sums += np.bincount(flat, weight[kept], minlength=self.sums.size).reshape(self.sums.shape)
        self.squares += np.bincount(rows[kept], weight[kept] ** 2, minlength=len(self.axis))

    @property
    def is_empty(self) -> bool:
        """Whether nothing was filled."""
        return not self.squares.any()

    def points(self, minimum_entries: float = 20.0) -> ProfilePoints:
        """Return median and half width of the bins that have `minimum_entries` effective entries or more."""
        totals = self.sums.sum(axis=1)
        effective = totals**2 / np.where(self.squares > 0, self.squares, np.nan)
        rows = [
            _summary(row, self.values.array, number) if number >= minimum_entries and total > 0 else (np.nan,) * 4
            for row, number, total in zip(self.sums, effective, totals, strict=True)
        ]
        median, median_error, width, width_error = np.array(rows, dtype=np.float64).T
        number = np.where(np.isfinite(effective), effective, 0.0)
        return ProfilePoints(self.axis, median, median_error, width, width_error, number)


def _summary(sums: Array, edges: Array, number: float) -> tuple[float, float, float, float]:
    low, low_error = quantile_with_error(sums, edges, _ONE_SIGMA, number)
    median, median_error = quantile_with_error(sums, edges, 0.5, number)
    high, high_error = quantile_with_error(sums, edges, 1 - _ONE_SIGMA, number)
    variance = low_error**2 + high_error**2 - 2 * _CORRELATION * low_error * high_error
    return median, median_error, 0.5 * (high - low), 0.5 * float(np.sqrt(variance))


def quantile_with_error(sums: Array, edges: Array, level: float, number: float) -> tuple[float, float]:
    """Return a quantile of a histogram and its order-statistics error.

    Args:
        sums: Σw per bin, underflow first and overflow last, `(F + 2,)`, with a positive total.
        edges: `(F + 1,)`.
        level: p, between 0 and 1.
        number: effective number n of entries.

    Returns:
        the quantile and half of its 68% interval; NaN if either lies outside the edges, where it is not known.
    """
    # Negative weights can make the cumulative distribution fall locally; its running maximum is the monotone choice.
    cumulative = np.maximum.accumulate(np.cumsum(sums[:-1])) / sums.sum()
    step = float(np.sqrt(level * (1 - level) / number))
    found = [_invert(cumulative, edges, wanted) for wanted in (level, level - step, level + step)]
    return found[0], 0.5 * (found[2] - found[1])


def _invert(cumulative: Array, edges: Array, level: float) -> float:
    above = int(np.searchsorted(cumulative, level, side="left"))
    if above == 0 or above == len(cumulative):
        return float("nan")
    fraction = (level - cumulative[above - 1]) / (cumulative[above] - cumulative[above - 1])
    return float(edges[above - 1] + fraction * (edges[above] - edges[above - 1]))

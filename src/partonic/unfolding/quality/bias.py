"""Bias and spread of estimates in bins of the true value.

For each bin: the mean of the difference to the truth, its median, and the central 68% band. Several samples of one
event share its truth and are not independent: their mean is taken event by event, and the errors of the quantiles count
events. The error of a quantile at level p is half of the distance between the quantiles at p ± √(p(1−p)/n).

Even samples of the exact posterior are biased where events are binned in the truth: at low true pT all of them lie
above, because the posterior is spread over the spectrum. This is regression to the mean, and no fault of the sampler;
that a sampler is right is said by ranks and coverage.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["FEWEST_EVENTS", "BinnedBias", "binned_bias"]

Array = NDArray[np.float64]
AnyArray = NDArray[np.floating]

FEWEST_EVENTS: Final = 20
"""Bins with fewer events are left undefined."""

_ONE_SIGMA: Final = 0.15865525393145707
"""Probability below −1 standard deviation of a normal distribution."""


@dataclass(frozen=True, eq=False)
class BinnedBias:
    """Differences to the truth in bins of a true value; NaN where a bin has fewer than `FEWEST_EVENTS` events.

    Attributes:
        edges: of the bins, `(B + 1,)`.
        events: in each bin, `(B,)`.
        mean, mean_error: of the difference, `(B,)`.
        median, median_error: of the difference, `(B,)`.
        low, high: ends of the central 68% band of the difference, `(B,)`.
    """

    edges: Array
    events: NDArray[np.int64]
    mean: Array
    mean_error: Array
    median: Array
    median_error: Array
    low: Array
    high: Array

    def largest_median(self, low: float, high: float) -> tuple[float, float]:
        """Return the largest |median| of the bins between `low` and `high`, and its error; NaN if none is defined."""
        inside = (self.edges[:-1] >= low) & (self.edges[1:] <= high) & np.isfinite(self.median)
        if not inside.any():
            return float("nan"), float("nan")
        place = int(np.argmax(np.where(inside, np.abs(self.median), -1.0)))
        return float(abs(self.median[place])), float(self.median_error[place])


def binned_bias(truth: AnyArray, difference: AnyArray, edges: Sequence[float]) -> BinnedBias:
    """Return the bias in bins of the truth.

    Args:
        truth: `(N,)`.
        difference: estimate minus truth, or the relative one, `(N,)` or for S samples of each event `(N, S)`.
        edges: of the bins; events outside are left out.
    """
    borders = np.asarray(edges, dtype=np.float64)
    place = np.digitize(truth, borders) - 1
    rows = [_summary(difference[place == number]) for number in range(len(borders) - 1)]
    events = np.array([(place == number).sum() for number in range(len(borders) - 1)], dtype=np.int64)
    return BinnedBias(borders, events, *np.array(rows, dtype=np.float64).T)


def _summary(difference: AnyArray) -> tuple[float, ...]:
    events = len(difference)
    if events < FEWEST_EVENTS:
        return (float("nan"),) * 6
    of_event = difference.reshape(events, -1).mean(axis=1, dtype=np.float64)
    step = np.sqrt(0.25 / events)
    levels = (0.5, 0.5 - step, 0.5 + step, _ONE_SIGMA, 1.0 - _ONE_SIGMA)
    median, below, above, low, high = np.quantile(difference, levels)
    return of_event.mean(), of_event.std(ddof=1) / np.sqrt(events), median, 0.5 * (above - below), low, high

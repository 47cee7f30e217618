"""Adaptive bins of the score, in which the densities of all θ are known.

Space is halved again and again, each part along the axis in which its events lie farthest apart, at the weighted
median, as long as both halves have enough events. Where to halve depends on the score alone and not on what is averaged
in the bins, so that the averages have no bias from the choice.

In a bin, Σ c_a/Σ c_ref over its events is E[c_a|bin]/E[c_ref|bin] for every a: the histogram of the score at any θ, as
a polynomial in θ. It is positive wherever the weights of the events are, and its sum over the bins is that of the
events.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from partonic.errors import TrainingError
from partonic.sbi.weights import effective_number, targets_by_group

__all__ = ["ScoreBins", "adaptive_bins"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ScoreBins:
    """A tree of halved parts, and the averages in the L parts that were not halved again.

    Attributes:
        axis: axis along which a part is halved, −1 for a bin, `(P,)`.
        cut: where; scores at or below it are in the first half, `(P,)`.
        child: number of the first half (the second has the next), or that of the bin, `(P,)`.
        ratios: averages of the targets in units of their first, `(L, A)`.
        covariance: their covariance from the number of events, `(L, A, A)`.
        effective: effective number of events of each bin at the reference, `(L,)`.
    """

    axis: NDArray[np.int64]
    cut: Array
    child: NDArray[np.int64]
    ratios: Array
    covariance: Array
    effective: Array

    def find(self, score: Array) -> NDArray[np.int64]:
        """Return the bin of each score `(N, D)`, as `(N,)`."""
        part = np.zeros(len(score), dtype=np.int64)
        rows = np.arange(len(score))
        while True:
            axis = self.axis[part]
            inner = axis >= 0
            if not inner.any():
                return self.child[part]
            above = score[rows, np.maximum(axis, 0)] > self.cut[part]
            part = np.where(inner, self.child[part] + above, part)


def adaptive_bins(score: Array, targets: Array, group: NDArray[np.int64], fewest: float) -> ScoreBins:
    """Return bins of events with the averages of their targets.

    Args:
        score: of the events, `(N, D)`.
        targets: y; the first is the weight at the reference, of either sign, `(N, A)`.
        group: equal for copies of one event, `(N,)`.
        fewest: smallest effective number of events of a bin at the reference; copies count as one event.

    Raises:
        TrainingError: if all events together have fewer.
    """
    everything = np.arange(len(score))
    if not _enough(targets, group, everything, fewest):
        raise TrainingError(
            f"{len(score)} events to make bins of the score from count as fewer than {fewest:g}, or their weights do "
            "not sum to more than 0: give more events (sbi.score.density_fraction), or lower `sbi.score.bin_events`"
        )
    parts: list[tuple[int, float, int]] = [(-1, 0.0, 0)]
    bins: list[NDArray[np.int64]] = []
    waiting = [(0, everything)]
    while waiting:
        place, rows = waiting.pop()
        axis, cut = _halved(score[rows], targets[rows, 0])
        first = score[rows, axis] <= cut
        halves = rows[first], rows[~first]
        if all(_enough(targets, group, half, fewest) for half in halves):
            parts[place] = axis, cut, len(parts)
            waiting += [(len(parts) + number, half) for number, half in enumerate(halves)]
            parts += [(-1, 0.0, 0)] * 2
        else:
            parts[place] = -1, 0.0, len(bins)
            bins.append(rows)
    averages = [_average(targets[rows], group[rows]) for rows in bins]
    axes, cuts, children = zip(*parts, strict=True)
    return ScoreBins(
        np.array(axes, dtype=np.int64), np.array(cuts), np.array(children, dtype=np.int64),
        np.stack([each[0] for each in averages]), np.stack([each[1] for each in averages]),
        np.array([each[2] for each in averages]),
    )  # fmt: skip


def _halved(score: Array, weight: Array) -> tuple[int, float]:
    """Return the axis of the largest extent between the outer tenths, and the weighted median there."""
    low, high = np.quantile(score, [0.1, 0.9], axis=0)
    axis = int(np.argmax(high - low))
    order = np.argsort(score[:, axis], kind="stable")
    level = np.cumsum(np.abs(weight[order]))
    middle = int(np.searchsorted(level, 0.5 * level[-1]))
    return axis, float(score[order[middle], axis])


def _enough(targets: Array, group: NDArray[np.int64], rows: NDArray[np.int64], fewest: float) -> bool:
    if len(rows) < fewest:
        return False
    weight = targets_by_group(targets[rows, :1], group[rows])[:, 0]
    return bool(weight.sum() > 0) and effective_number(weight) >= fewest


def _average(targets: Array, group: NDArray[np.int64]) -> tuple[Array, Array, float]:
    """Return Σ y/Σ y_0, its covariance `(A, A)`, and the effective number of events."""
    sums = targets_by_group(targets, group)
    total = float(sums[:, 0].sum())
    ratios = sums.sum(axis=0) / total
    shift = sums - sums[:, :1] * ratios
    return ratios, shift.T @ shift / total**2, effective_number(sums[:, 0])

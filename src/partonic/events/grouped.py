"""Sums of weights and of their squares, where events that stem from one another are not independent."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["GroupedSums", "sums_of_groups"]

Array = NDArray[np.float64]


def sums_of_groups(weights: Array, groups: NDArray[np.int64]) -> Array:
    """Return the sums of weights `(N, ...)` over runs of equal numbers `(N,)`."""
    if not len(groups):
        return weights
    starts = np.flatnonzero(np.concatenate([[True], groups[1:] != groups[:-1]]))
    found: Array = np.add.reduceat(weights, starts, axis=0)
    return found


class GroupedSums:
    """Σ w and Σ w wᵀ of vectors of weights; events of one group count as one, with the sum of their weights.

    The events of a group follow one another, in one batch or in several. Without groups each event is its own.
    """

    def __init__(self, size: int) -> None:
        """Begin with no events; `size` is the length of the vectors."""
        self._first, self._second = np.zeros(size), np.zeros((size, size))
        self._groups = 0
        self._open: tuple[int, Array] | None = None

    def add(self, weights: Array, groups: NDArray[np.int64] | None = None) -> None:
        """Add the weights `(N, A)` of events, of the groups `(N,)`."""
        self._first = self._first + weights.sum(axis=0)
        if groups is None:
            self._second = self._second + weights.T @ weights
            self._groups += len(weights)
            return
        if not len(groups):
            return
        sums = sums_of_groups(weights, groups)
        if self._open is not None and self._open[0] == groups[0]:
            sums[0] += self._open[1]
        elif self._open is not None:
            sums = np.concatenate([self._open[1][None], sums])
        self._open = (int(groups[-1]), sums[-1])
        self._second = self._second + sums[:-1].T @ sums[:-1]
        self._groups += len(sums) - 1

    @property
    def first(self) -> Array:
        """Σ w, `(A,)`."""
        return self._first

    @property
    def second(self) -> Array:
        """Σ w wᵀ over groups, `(A, A)`."""
        if self._open is None:
            return self._second
        return self._second + np.outer(self._open[1], self._open[1])

    @property
    def groups(self) -> int:
        """Number of groups."""
        return self._groups + (self._open is not None)

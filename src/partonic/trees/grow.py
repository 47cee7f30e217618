"""One tree: the best split of the best leaf, again and again.

A node keeps the histogram of its events. Of two children only the smaller one is counted; the histogram of the other
is the difference to their parent's.
"""

import heapq
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8
from numpy.typing import NDArray

from partonic.config.trees import TreeSettings
from partonic.trees.engine import CODES, MISSING, Threads, kernels
from partonic.trees.objective import Objective

__all__ = ["Tree", "grow"]

_LIGHTEST = 1e-9
"""A child has at least this part of the weight of the root: what is less may be the rounding error of a difference."""


@dataclass(frozen=True)
class Tree:
    """A grown tree of M nodes, the root first.

    Attributes:
        nodes: feature (−1 in a leaf), highest code that goes left, whether missing values go left, and the numbers of
            the children, `(M, 5)`.
        values: Σd_k/Σw of each node, `(M, K)`.
        gains: by how much its split lowers the loss, `(M,)`.
    """

    nodes: NDArray[np.int32]
    values: NDArray[np.float64]
    gains: NDArray[np.float64]


@dataclass
class _Candidate:
    """A leaf that can be split."""

    node: int
    depth: int
    rows: NDArray[np.int32]
    histogram: NDArray[np.float64]
    gain: float
    split: tuple[int, int, int]
    sums: tuple[NDArray[np.float64], NDArray[np.float64]]


class _Growth:
    """A tree while it grows."""

    def __init__(
        self,
        codes: UInt8[np.ndarray, "events features"],
        statistics: Float[np.ndarray, "events channels"],
        columns: NDArray[np.int64],
        objective: Objective,
        settings: TreeSettings,
        threads: Threads,
    ) -> None:
        self.codes, self.statistics, self.settings = codes, statistics, settings
        self.objective, self.threads = objective, threads
        self.columns = [part for part in np.array_split(columns, threads.count) if len(part)]
        self.lightest = 0.0
        self.nodes: list[tuple[int, int, int, int, int]] = []
        self.sums: list[NDArray[np.float64]] = []
        self.gains: list[float] = []
        self.leaves: list[tuple[float, int, _Candidate]] = []
        self.buffer = np.empty(0, dtype=np.int32)

    def start(self, rows: NDArray[np.int32]) -> None:
        """Make the root."""
        self.buffer = np.empty(len(rows), dtype=np.int32)
        histogram = self.histogram(rows)
        total = histogram[self.columns[0][0]].sum(axis=0)
        self.lightest = max(self.settings.min_leaf_weight, _LIGHTEST) * total[1]
        self.add(rows, total, 0, histogram)

    def histogram(self, rows: NDArray[np.int32]) -> NDArray[np.float64]:
        """Return the histogram of some events."""
        found = np.zeros((self.codes.shape[1], CODES, 1 + self.statistics.shape[1]))
        fill = kernels().fill_histogram
        self.threads.share(lambda part: fill(self.codes, self.statistics, rows, part, found), self.columns)
        return found

    def add(
        self, rows: NDArray[np.int32], sums: NDArray[np.float64], depth: int, histogram: NDArray[np.float64] | None
    ) -> None:
        """Add a leaf; it waits to be split if it has a histogram with a split worth it."""
        node = len(self.nodes)
        self.nodes.append((-1, 0, 0, -1, -1))
        self.sums.append(sums)
        self.gains.append(0.0)
        if histogram is not None and (leaf := self.candidate(node, depth, rows, histogram)) is not None:
            heapq.heappush(self.leaves, (-leaf.gain, node, leaf))

    def candidate(
        self, node: int, depth: int, rows: NDArray[np.int32], histogram: NDArray[np.float64]
    ) -> _Candidate | None:
        """Return a leaf with its best split, or None if no split lowers the loss."""
        gains, choices = np.zeros(len(histogram)), np.zeros((len(histogram), 2), dtype=np.int64)
        best, limits = kernels().best_splits, (self.settings.min_leaf_events, self.lightest)
        objective = self.objective.for_kernels
        self.threads.share(lambda part: best(histogram, part, objective, limits, gains, choices), self.columns)
        feature = int(np.argmax(gains))
        if not gains[feature] > 0.0:
            return None
        highest, missing_left = int(choices[feature, 0]), int(choices[feature, 1])
        of_feature = histogram[feature]
        left = of_feature[: highest + 1].sum(axis=0) + (of_feature[MISSING] if missing_left else 0.0)
        sums = left, of_feature.sum(axis=0) - left
        return _Candidate(node, depth, rows, histogram, float(gains[feature]), (feature, highest, missing_left), sums)

    def split(self, leaf: _Candidate) -> None:
        """Turn a leaf into a node with two leaves."""
        lefts = kernels().split_rows(self.codes, leaf.rows, leaf.split, self.buffer)
        children = leaf.rows[:lefts], leaf.rows[lefts:]
        if min(map(len, children)) == 0:  # the gain was a rounding error
            return
        histograms = self.children_histograms(leaf, children)
        first = len(self.nodes)
        self.nodes[leaf.node] = (*leaf.split, first, first + 1)
        self.gains[leaf.node] = leaf.gain
        for rows, sums, histogram in zip(children, leaf.sums, histograms, strict=True):
            self.add(rows, sums, leaf.depth + 1, histogram)

    def children_histograms(
        self, leaf: _Candidate, children: tuple[NDArray[np.int32], NDArray[np.int32]]
    ) -> tuple[NDArray[np.float64] | None, NDArray[np.float64] | None]:
        """Return the histograms of two children, or None where they may not be split again."""
        if leaf.depth + 1 >= self.settings.max_depth:
            return None, None
        small = int(len(children[0]) > len(children[1]))
        counted = self.histogram(children[small])
        leaf.histogram -= counted
        return (counted, leaf.histogram) if small == 0 else (leaf.histogram, counted)

    def finish(self) -> Tree:
        """Split until nothing is left to split, and return the tree."""
        most = self.settings.max_leaves or 2**self.settings.max_depth
        while self.leaves and len(self.nodes) // 2 + 1 < most:
            self.split(heapq.heappop(self.leaves)[2])
        sums = np.stack(self.sums)
        # Only a root can have no positive weight, if few events with weights of both signs were drawn: it does nothing.
        weight = np.where(sums[:, 1:2] > 0.0, sums[:, 1:2], np.inf)
        return Tree(np.array(self.nodes, dtype=np.int32), sums[:, 2:] / weight, np.array(self.gains))


def grow(
    codes: UInt8[np.ndarray, "events features"],
    statistics: Float[np.ndarray, "events channels"],
    rows: NDArray[np.int32],
    columns: NDArray[np.int64],
    objective: Objective,
    settings: TreeSettings,
    threads: Threads,
) -> Tree:
    """Grow a tree on some events and features.

    Args:
        codes: of all events, `(N, F)`.
        statistics: weight and residuals of all events, `(N, 1 + K)`.
        rows: numbers of the events to grow on; reordered in place.
        columns: numbers of the features to split by.
        objective: what is minimised.
        settings: depth, leaves and their smallest size.
        threads: the tree does not depend on their number.
    """
    growth = _Growth(codes, statistics, columns, objective, settings, threads)
    growth.start(rows)
    return growth.finish()

"""Features as codes of one byte: intervals that hold about the same weight of events each."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Shaped, UInt8
from numpy.typing import NDArray

from partonic.errors import ModelError, NonFiniteError, TrainingError
from partonic.trees.engine import MISSING, kernels

__all__ = ["FeatureBins"]


@dataclass(frozen=True)
class FeatureBins:
    """The intervals of each feature.

    Attributes:
        names: of the features, F of them.
        edges: in rising order, of which the first `counts[f]` count; the rest is 0, `(F, E)`.
        counts: number of edges of each feature, `(F,)`.
    """

    names: tuple[str, ...]
    edges: NDArray[np.float64]
    counts: NDArray[np.int64]

    @classmethod
    def of_sample(
        cls,
        names: Sequence[str],
        features: Shaped[np.ndarray, "n F"],
        weights: Float[np.ndarray, " n"],
        bins: int = MISSING,
    ) -> "FeatureBins":
        """Place the edges by the quantiles of a sample.

        A feature with no more than `bins` different values has an interval for each of them.

        Args:
            names: of the features.
            features: values; NaN is missing, `(n, F)`.
            weights: of the events, `(n,)`; their size counts, not their sign.
            bins: most intervals of a feature, 255 at most.

        Raises:
            TrainingError: if names are not one for each column, or a feature has one value only.
            NonFiniteError: if a value is infinite.
        """
        _check_names(names, features.shape[1])
        found = []
        for name, column in zip(names, features.T, strict=True):
            if np.isinf(column).any():
                raise NonFiniteError(_infinite(name))
            found.append(_edges(name, np.asarray(column, dtype=np.float64), np.abs(weights), bins))
        counts = np.array([len(edges) for edges in found], dtype=np.int64)
        edges = np.zeros((len(found), max(int(counts.max()), 1)))
        for row, values in zip(edges, found, strict=True):
            row[: len(values)] = values
        return cls(tuple(names), edges, counts)

    def encode(self, features: Shaped[np.ndarray, "n F"]) -> UInt8[np.ndarray, "n F"]:
        """Return the codes of features `(n, F)`, float32 or float64: the interval, or 255 for NaN.

        Raises:
            ModelError: if the number of features is another one.
            NonFiniteError: if a value is infinite.
        """
        if features.ndim != 2 or features.shape[1] != len(self.names):
            raise ModelError(
                f"expected features (events, {len(self.names)}), in the order {', '.join(self.names)}; got an array of "
                f"shape {features.shape}"
            )
        codes = np.empty(features.shape, dtype=np.uint8)
        values = features if features.dtype in (np.float32, np.float64) else features.astype(np.float64)
        row = kernels().encode(values, self.edges, self.counts, codes)
        if row >= 0:
            column = int(np.flatnonzero(np.isinf(values[row]))[0])
            raise NonFiniteError(_infinite(self.names[column]))
        return codes

    def check_names(self, names: Sequence[str]) -> None:
        """Check that features are those that the trees were grown on, in their order.

        Raises:
            ModelError: naming what differs.
        """
        if tuple(names) == self.names:
            return
        missing = [name for name in self.names if name not in names]
        other = [name for name in names if name not in self.names]
        differences = [f"missing: {', '.join(missing)}"] if missing else []
        differences += [f"not known: {', '.join(other)}"] if other else []
        raise ModelError(
            f"the features are not those that the trees were grown on ({'; '.join(differences) or 'another order'}): "
            f"give {', '.join(self.names)}, in this order"
        )


def _check_names(names: Sequence[str], width: int) -> None:
    if len(names) != width or width == 0:
        raise TrainingError(f"expected a name for each feature, got {len(names)} names for {width} columns")
    if len(set(names)) != len(names):
        twice = sorted({name for name in names if list(names).count(name) > 1})
        raise TrainingError(f"the names of features must differ; listed twice: {', '.join(twice)}")


def _infinite(name: str) -> str:
    return f"feature '{name}' is infinite in an event: make it finite, or NaN if it is missing there"


def _edges(
    name: str, column: Float[np.ndarray, " n"], weights: Float[np.ndarray, " n"], bins: int
) -> NDArray[np.float64]:
    """Return the edges of one feature."""
    there = ~np.isnan(column)
    values, place = np.unique(column[there], return_inverse=True)
    if len(values) + (not there.all()) < 2:
        what = "is missing (NaN) in all events" if len(values) == 0 else f"is {values[0]:g} in all events"
        raise TrainingError(f"feature '{name}' {what}, so nothing can be learned from it: leave it out")
    middles = values[:-1] + 0.5 * (values[1:] - values[:-1])
    # Where neighbours are so close that the middle rounds to the upper one, the lower one is the edge.
    middles = np.where(middles < values[1:], middles, values[:-1])
    if len(values) <= bins:
        return middles
    weight = np.bincount(place, weights=weights[there], minlength=len(values))
    weight = weight if weight.sum() > 0.0 else np.bincount(place, minlength=len(values)).astype(np.float64)
    below = np.cumsum(weight)
    wanted = below[-1] * np.arange(1, bins) / bins
    chosen = np.unique(np.searchsorted(below, wanted))
    edges: NDArray[np.float64] = middles[chosen[chosen < len(middles)]]
    return edges

"""Bins of one or two observables, fixed once and used for simulation and data alike.

Two observables are binned one inside the other: bins of equal weight in the first, and in each of them bins of equal
weight in the second. A grid of both would leave bins empty where the observables are bound to each other, as R_1 and
R_2 are (R_1² ≤ 4 R_2 (1 − c R_2)).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from partonic.errors import ParameterError
from partonic.inference.coefficients.observables import quantile_edges

__all__ = ["Binning"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Binning:
    """J bins; the outer ones are open.

    Attributes:
        names: of the one or two observables.
        outer: edges between the bins of the first, ascending.
        inner: edges between the bins of the second in each bin of the first; empty for one observable.
        unusable: whether the last bin takes events that have no observable (NaN); without it they are refused.
    """

    names: tuple[str, ...]
    outer: tuple[float, ...]
    inner: tuple[tuple[float, ...], ...] = ()
    unusable: bool = False

    def __post_init__(self) -> None:
        if len(self.names) != (2 if self.inner else 1):
            raise ParameterError(f"bins of one or two observables need as many names, got {', '.join(self.names)}")
        if self.inner and len(self.inner) != len(self.outer) + 1:
            raise ParameterError(
                f"{len(self.outer) + 1} bins of {self.names[0]} need as many lists of edges of {self.names[1]}, got "
                f"{len(self.inner)}"
            )
        for edges in (self.outer, *self.inner):
            if not (np.isfinite(edges).all() and (np.diff(edges) > 0).all()):
                raise ParameterError(f"edges between bins must be finite and ascending, got {list(edges)}")

    @classmethod
    def quantiles(
        cls, names: tuple[str, ...], values: Array, weights: Array, bins: tuple[int, ...], symmetric: bool = False
    ) -> "Binning":
        """Choose bins of equal weight.

        Args:
            names: of the D observables, one or two.
            values: of simulated events, `(N, D)`; NaN where an event has none.
            weights: of the events, usually those of θ = 0, `(N,)`.
            bins: number for each observable.
            symmetric: make the edges of the last observable symmetric about 0.

        Raises:
            ParameterError: if the arguments do not fit to each other, or bins would be empty.
        """
        if len(names) not in (1, 2) or len(bins) != len(names) or values.shape != (len(weights), len(names)):
            raise ParameterError(
                f"expected values (events, 1 or 2) with as many names and numbers of bins, got shape {values.shape} "
                f"with {len(names)} names and {len(bins)} numbers of bins"
            )
        known = np.isfinite(values).all(axis=1)
        values, weights, unusable = values[known], weights[known], not known.all()
        if len(names) == 1:
            edges = quantile_edges(values[:, 0], weights, bins[0], symmetric)
            return cls(names, tuple(edges.tolist()), unusable=unusable)
        outer = quantile_edges(values[:, 0], weights, bins[0])
        which = np.searchsorted(outer, values[:, 0], side="right")
        inner = tuple(
            tuple(quantile_edges(values[which == number, 1], weights[which == number], bins[1], symmetric).tolist())
            for number in range(len(outer) + 1)
        )
        return cls(names, tuple(outer.tolist()), inner, unusable)

    def __len__(self) -> int:
        """Return the number J of bins."""
        return self._first[-1] + self.unusable

    def index(self, values: Array) -> NDArray[np.int64]:
        """Return the bin of each event with observables `(N, D)`, as `(N,)`.

        Raises:
            ParameterError: if the observables are not D, or an event has none and there is no bin for such events.
        """
        if values.ndim != 2 or values.shape[1] != len(self.names):
            raise ParameterError(f"expected values of {', '.join(self.names)} for each event, got {values.shape}")
        known = np.isfinite(values).all(axis=1)
        if not (known.all() or self.unusable):
            raise ParameterError(
                f"{(~known).sum()} events have no {' or no '.join(self.names)}, and there is no bin for them: choose "
                "the bins with a sample that has such events, or leave them out everywhere"
            )
        result = np.full(len(values), len(self) - 1, dtype=np.int64)
        which = np.searchsorted(self.outer, values[known, 0], side="right")
        places = np.asarray(self._first, dtype=np.int64)[which]
        for number, edges in enumerate(self.inner):
            there = which == number
            places[there] += np.searchsorted(edges, values[known, 1][there], side="right")
        result[known] = places
        return result

    def counts(self, values: Array, weights: Array | None = None) -> Array:
        """Return the number of events, or the sum of their weights `(N,)`, in each bin, `(J,)`."""
        counts: Array = np.bincount(self.index(values), weights, minlength=len(self)).astype(np.float64)
        return counts

    @property
    def _first(self) -> tuple[int, ...]:
        """Number of the first bin in each bin of the first observable, and after the last."""
        sizes = [len(edges) + 1 for edges in self.inner] or [1] * (len(self.outer) + 1)
        return (0, *np.cumsum(sizes).tolist())

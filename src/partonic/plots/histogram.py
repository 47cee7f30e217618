"""Histograms of weighted events, filled batch by batch, with their statistical error.

The content of a bin is Σ_e W_e with W_e the summed weight that event e puts there, its variance Σ_e W_e². With one
entry per event this is the usual Σw²; with several (all jets of an event) the entries of one event are fully correlated
and must be added before they are squared. Negative weights are kept.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from partonic.errors import NonFiniteError
from partonic.plots.axis import Axis

__all__ = ["Histogram", "finite_weights", "fold_overflow", "ratio_of_independent"]

Array = NDArray[np.float64]


@dataclass
class Histogram:
    """A one-dimensional histogram of weighted events.

    Attributes:
        axis: the binned variable, B bins.
        sums: Σw per bin, underflow first and overflow last, `(B + 2,)`.
        variances: variance of `sums`, `(B + 2,)`.
        entries: number of entries, `(B + 2,)`.
    """

    axis: Axis
    sums: Array = field(init=False)
    variances: Array = field(init=False)
    entries: NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        size = len(self.axis) + 2
        self.sums, self.variances = np.zeros(size), np.zeros(size)
        self.entries = np.zeros(size, dtype=np.int64)

    def fill(self, values: Any, weights: Any, event: NDArray[np.int64] | None = None) -> None:
        """Add one batch.

        Args:
            values: `(N,)`, in the unit of the axis.
            weights: weight of each entry `(N,)`.
            event: number of the event in the batch that each entry belongs to `(N,)`; None: one entry per event.

        Raises:
            NonFiniteError: if a value or weight is NaN or infinite.
        """
        bins = self.axis.index(values)
        weight = finite_weights(weights, self.axis.name)
        size = len(self.sums)
        self.entries += np.bincount(bins, minlength=size)
        self.sums += np.bincount(bins, weight, minlength=size)
        if event is None:
            self.variances += np.bincount(bins, weight**2, minlength=size)
            return
        together, inverse = np.unique(event * size + bins, return_inverse=True)
        self.variances += np.bincount(together % size, np.bincount(inverse, weight) ** 2, minlength=size)

    @property
    def contents(self) -> Array:
        """Σw of the B bins, underflow added to the first and overflow to the last."""
        return fold_overflow(self.sums)

    @property
    def errors(self) -> Array:
        """Standard error of `contents`."""
        return np.sqrt(fold_overflow(self.variances))

    @property
    def total(self) -> float:
        """Σw of everything filled."""
        return float(self.sums.sum())

    @property
    def is_empty(self) -> bool:
        """Whether nothing was filled."""
        return not self.entries.any()

    @property
    def note(self) -> str:
        """What the first and last bin hold besides their own entries, in words; empty if nothing."""
        return flow_note(bool(self.entries[0]), bool(self.entries[-1]))

    def density(self) -> tuple[Array, Array]:
        """Return contents and errors per unit of the axis (per bin for a discrete axis), `(B,)` each."""
        width = np.ones(len(self.axis)) if self.axis.discrete else self.axis.widths
        return self.contents / width, self.errors / width

    def record(self) -> dict[str, object]:
        """Return the histogram for the JSON results, flows apart."""
        return {
            "name": self.axis.name,
            "unit": self.axis.unit,
            "edges": list(self.axis.edges),
            "sum_of_weights": self.sums[1:-1].tolist(),
            "variance": self.variances[1:-1].tolist(),
            "entries": self.entries[1:-1].tolist(),
            "underflow": [float(self.sums[0]), float(self.variances[0]), int(self.entries[0])],
            "overflow": [float(self.sums[-1]), float(self.variances[-1]), int(self.entries[-1])],
        }


def fold_overflow(with_flow: Array) -> Array:
    """Return the B bins of `(B + 2, ...)` contents, underflow added to the first and overflow to the last."""
    folded = with_flow[1:-1].copy()
    folded[0] += with_flow[0]
    folded[-1] += with_flow[-1]
    return folded


def flow_note(underflow: bool, overflow: bool) -> str:
    """Return the remark that a figure needs when underflow or overflow is shown in its outer bins."""
    if underflow and overflow:
        return "first and last bin include under- and overflow"
    if underflow:
        return "first bin includes underflow"
    return "last bin includes overflow" if overflow else ""


def finite_weights(weights: Any, name: str) -> Array:
    """Return the weights as float64.

    Raises:
        NonFiniteError: if one is NaN or infinite.
    """
    values = np.asarray(weights, dtype=np.float64)
    bad = ~np.isfinite(values)
    if bad.any():
        raise NonFiniteError(
            f"{int(bad.sum())} of {values.size} event weights filled into '{name}' are not finite; the first at entry "
            f"{int(np.flatnonzero(bad.reshape(-1))[0])} of the batch. Weights must be finite numbers in pb"
        )
    return values


def ratio_of_independent(numerator: tuple[Array, Array], denominator: tuple[Array, Array]) -> tuple[Array, Array]:
    """Return ratio and error of two statistically independent (value, error) pairs; NaN where the denominator is 0."""
    top, top_error = numerator
    bottom, bottom_error = denominator
    safe = np.where(bottom == 0, np.nan, bottom)
    ratio = top / safe
    return ratio, np.sqrt(top_error**2 + (ratio * bottom_error) ** 2) / np.abs(safe)

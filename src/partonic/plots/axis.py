"""The axis of a histogram: name, label with unit, and bin edges.

Values below the first edge go to the underflow (index 0), values at or above the last edge to the overflow
(index B + 1); a value exactly at the last edge closes the last bin. Nothing that is filled is ever lost.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from partonic.errors import ConfigError, NonFiniteError

__all__ = ["Axis"]


@dataclass(frozen=True)
class Axis:
    """One binned variable.

    Attributes:
        name: identifier, used as file name and as key of `ReportConfig.binnings`.
        label: what is written on the axis, without unit; mathematics between dollar signs.
        edges: B + 1 increasing bin edges, in `unit`.
        unit: e.g. ``"GeV"``; empty for pure numbers.
        logarithmic: whether the contents are best drawn on a logarithmic scale.
        discrete: whether the bins are integers (multiplicities), so that contents are per bin and not per unit.

    Raises:
        ConfigError: if the edges are fewer than two, not finite or not increasing.
    """

    name: str
    label: str
    edges: tuple[float, ...]
    unit: str = ""
    logarithmic: bool = False
    discrete: bool = False

    def __post_init__(self) -> None:
        edges = np.asarray(self.edges, dtype=np.float64)
        if len(edges) < 2 or not np.isfinite(edges).all() or (np.diff(edges) <= 0).any():
            raise ConfigError(
                f"the bin edges of '{self.name}' must be two or more finite increasing numbers, got {list(self.edges)}"
            )

    @classmethod
    def regular(cls, name: str, label: str, span: tuple[int, float, float], unit: str = "", **options: bool) -> "Axis":
        """Return an axis of ``span = (bins, low, high)`` equal bins; `options` as the attributes of the class."""
        bins, low, high = span
        edges = tuple(float(edge) for edge in np.linspace(low, high, bins + 1))
        return cls(name, label, edges, unit, **options)

    @classmethod
    def counts(cls, name: str, label: str, span: tuple[int, int]) -> "Axis":
        """Return an axis with one bin, centred, for each integer from ``span[0]`` to ``span[1]`` included."""
        edges = tuple(number - 0.5 for number in range(span[0], span[1] + 2))
        return cls(name, label, edges, discrete=True)

    def __len__(self) -> int:
        """Return the number B of bins, without underflow and overflow."""
        return len(self.edges) - 1

    @property
    def array(self) -> NDArray[np.float64]:
        """The edges as an array `(B + 1,)`."""
        return np.array(self.edges, dtype=np.float64)

    @property
    def widths(self) -> NDArray[np.float64]:
        """Bin widths `(B,)`."""
        return np.diff(self.array)

    @property
    def centres(self) -> NDArray[np.float64]:
        """Bin centres `(B,)`."""
        return 0.5 * (self.array[1:] + self.array[:-1])

    @property
    def title(self) -> str:
        """The label with its unit, as drawn beside the axis."""
        return f"{self.label} [{self.unit}]" if self.unit else self.label

    def index(self, values: Any) -> NDArray[np.int64]:
        """Return the bin of each value: 0 underflow, 1…B the bins, B + 1 overflow.

        Args:
            values: numbers `(N,)` in `unit`.

        Raises:
            NonFiniteError: if a value is NaN or infinite; a missing value must be left out by the caller, knowingly.
        """
        numbers = np.asarray(values, dtype=np.float64)
        finite = np.isfinite(numbers)
        if not finite.all():
            first = int(np.flatnonzero(~finite)[0])
            raise NonFiniteError(
                f"{int((~finite).sum())} of {numbers.size} values of '{self.name}' are not finite; the first is "
                f"{numbers[first]} at entry {first} of the batch. Find the step that made them"
            )
        found = np.searchsorted(self.array, numbers, side="right")
        return np.where(numbers == self.edges[-1], len(self), found).astype(np.int64)

    def with_edges(self, edges: Sequence[float]) -> "Axis":
        """Return the same variable with other bin edges."""
        values = tuple(float(edge) for edge in edges)
        return Axis(self.name, self.label, values, self.unit, self.logarithmic, self.discrete)

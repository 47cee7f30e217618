"""Two-dimensional histograms and their maps."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from partonic.plots.axis import Axis
from partonic.plots.canvas import Headline, canvas
from partonic.plots.histogram import finite_weights
from partonic.plots.style import COLOUR_MAP, SIGNED_MAP

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Histogram2D", "draw_map"]

Array = NDArray[np.float64]


@dataclass
class Histogram2D:
    """A weighted histogram of two variables, filled batch by batch.

    Attributes:
        x, y: the binned variables, B and C bins.
        sums, variances: Σw and Σw², with underflow and overflow, `(B + 2, C + 2)`.
    """

    x: Axis
    y: Axis
    sums: Array = field(init=False)
    variances: Array = field(init=False)

    def __post_init__(self) -> None:
        shape = (len(self.x) + 2, len(self.y) + 2)
        self.sums, self.variances = np.zeros(shape), np.zeros(shape)

    def fill(self, x: Any, y: Any, weights: Any) -> None:
        """Add one batch of entries, `(N,)` each.

        Raises:
            NonFiniteError: if a value or weight is NaN or infinite.
        """
        flat = self.x.index(x) * self.sums.shape[1] + self.y.index(y)
        weight = finite_weights(weights, f"{self.x.name}, {self.y.name}")
        size, shape = self.sums.size, self.sums.shape
        self.sums += np.bincount(flat, weight, minlength=size).reshape(shape)
        self.variances += np.bincount(flat, weight**2, minlength=size).reshape(shape)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was filled."""
        return not self.variances.any()

    def contents(self) -> Array:
        """Return Σw of the bins, underflow and overflow added to the outer ones, `(B, C)`."""
        folded = self.sums[1:-1].copy()
        folded[0] += self.sums[0]
        folded[-1] += self.sums[-1]
        result = folded[:, 1:-1].copy()
        result[:, 0] += folded[:, 0]
        result[:, -1] += folded[:, -1]
        return result

    def shares_in_x(self) -> Array:
        """Return the contents divided by their sum in each bin of x (a migration matrix), `(B, C)`; NaN if empty."""
        contents = self.contents()
        sums = contents.sum(axis=1, keepdims=True)
        return contents / np.where(sums == 0, np.nan, sums)

    def record(self) -> dict[str, object]:
        """Return the histogram for the JSON results, with its flows (first and last row and column)."""
        return {
            "x": {"name": self.x.name, "unit": self.x.unit, "edges": list(self.x.edges)},
            "y": {"name": self.y.name, "unit": self.y.unit, "edges": list(self.y.edges)},
            "sum_of_weights": self.sums.tolist(),
            "variance": self.variances.tolist(),
        }


def draw_map(
    histogram: Histogram2D,
    values: Array,
    title: str,
    *,
    headline: Headline,
    diagonal: bool = False,
    signed: bool = False,
) -> "Figure":
    """Draw `values` `(B, C)` as a map over the axes of `histogram`.

    Args:
        histogram: gives the axes.
        values: what is coloured; NaN and, if not `signed`, zero stay white.
        title: of the colour scale.
        headline: above the figure.
        diagonal: whether to draw the line y = x.
        signed: whether the sign matters: colours on both sides of 0, which is drawn as well.
    """
    figure, (axes,) = canvas(headline, size=(6.4, 5.0))
    shown = np.ma.masked_invalid(values if signed else np.where(values == 0, np.nan, values)).T
    largest = float(np.abs(shown).max()) if signed and shown.count() else None
    mesh = axes.pcolormesh(
        histogram.x.array, histogram.y.array, shown, cmap=SIGNED_MAP if signed else COLOUR_MAP, rasterized=True,
        vmin=None if largest is None else -largest, vmax=largest,
    )  # fmt: skip
    left, bottom, width, height = axes.get_position().bounds
    axes.set_position((left, bottom, 0.88 * width, height))
    bar = figure.colorbar(
        mesh, cax=figure.add_axes((left + 0.9 * width, bottom, 0.035 * width, height), label="<colorbar>")
    )
    bar.set_label(title)
    bar.ax.tick_params(which="both", right=True, left=False)
    axes.set_xlabel(histogram.x.title)
    axes.set_ylabel(histogram.y.title)
    if diagonal:
        low, high = max(histogram.x.edges[0], histogram.y.edges[0]), min(histogram.x.edges[-1], histogram.y.edges[-1])
        axes.plot([low, high], [low, high], color="0.6", linewidth=1.0, linestyle=":")
    return figure

"""Regions of two parameters: contours of q at confidence levels, best fit and truth."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from partonic.plots.canvas import Headline, canvas
from partonic.plots.style import PALETTE, REFERENCE_COLOUR

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["COMPACT", "USUAL", "ContourMap", "draw_contours"]

Array = NDArray[np.float64]

USUAL = (6.4, 5.6)
"""Width and height of a figure, inches."""

COMPACT = (4.0, 3.9)
"""Width and height of one whose letters can be read where it is shown small."""

_EDGE = "#2f5fc4"
_SHADES = ("#5790fc", "#a9c6fd", "#dbe7fe")
"""Of the regions, from the lowest level on."""


@dataclass(frozen=True, eq=False)
class ContourMap:
    """What one figure shows.

    Attributes:
        titles: of the x and y axes.
        x, y: values of the parameters, `(M,)` and `(N,)`, ascending.
        q: over them, `(M, N)`.
        levels: heights of q by what is written in the legend, ascending.
        best: best fit.
        points: other points by legend entry, e.g. the truth; those outside of the range are left out.
    """

    titles: tuple[str, str]
    x: Array
    y: Array
    q: Array
    levels: Mapping[str, float]
    best: tuple[float, float]
    points: Mapping[str, tuple[float, float]]

    def holds(self, point: tuple[float, float]) -> bool:
        """Return whether a point lies within the range of the axes."""
        return bool(self.x[0] <= point[0] <= self.x[-1] and self.y[0] <= point[1] <= self.y[-1])


def draw_contours(contour: ContourMap, *, headline: Headline, size: tuple[float, float] = USUAL) -> "Figure":
    """Draw the regions in shades, their edges as lines, and the points.

    Args:
        contour: what is shown.
        headline: written above.
        size: `USUAL` or `COMPACT`.
    """
    from matplotlib.patches import Patch

    figure, (axes,) = canvas(headline, size=size)
    heights = list(contour.levels.values())
    shades = [_SHADES[min(number, len(_SHADES) - 1)] for number in range(len(heights))]
    q = np.maximum(contour.q, 0.0).T
    axes.contourf(contour.x, contour.y, q, [0.0, *heights], colors=shades)
    axes.contour(contour.x, contour.y, q, heights, colors=[_EDGE], linewidths=1.3)
    handles = [Patch(facecolor=shade, edgecolor=_EDGE, label=name, linewidth=1.0)
               for name, shade in zip(contour.levels, shades, strict=True)]  # fmt: skip
    (best,) = axes.plot(*contour.best, "P", color=PALETTE[2], markersize=8, label="best fit", linestyle="none")
    markers = [best]
    inside = {name: point for name, point in contour.points.items() if contour.holds(point)}
    for number, (name, point) in enumerate(inside.items()):
        markers += axes.plot(*point, "*o"[number % 2], color=REFERENCE_COLOUR, markersize=(11, 6)[number % 2],
                             markerfacecolor=("none" if number % 2 else REFERENCE_COLOUR), label=name,
                             linestyle="none")  # fmt: skip
    low, high = contour.y[0], contour.y[-1]
    axes.set_xlim(contour.x[0], contour.x[-1])
    axes.set_ylim(low, high + (0.16 if size == USUAL else 0.4) * (high - low))  # room for the legend
    axes.set_xlabel(contour.titles[0])
    axes.set_ylabel(contour.titles[1])
    columns = 3 if size == USUAL else 2
    axes.legend(handles=[*handles, *markers], loc="upper right", ncols=columns, columnspacing=1.2, fontsize=10)
    return figure

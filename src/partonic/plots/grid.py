"""Figures of several boxes of equal size, in rows and columns, with one headline above the first."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from partonic.plots.canvas import PNG_RESOLUTION, Headline

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["SHARED", "box_tag", "grid"]

SHARED: Final = (0.12, 0.12)
"""Distances of boxes that share their axes, inches."""

_LEFT, _RIGHT, _TOP, _BOTTOM = 0.82, 0.2, 0.4, 0.58


def grid(
    headline: Headline,
    shape: tuple[int, int],
    box: tuple[float, float] = (2.6, 2.4),
    distance: tuple[float, float] = SHARED,
) -> "tuple[Figure, list[Axes]]":
    """Return a figure with boxes, row by row.

    Args:
        headline: written above the first row.
        shape: rows and columns.
        box: width and height of a box, inches.
        distance: between columns and between rows, inches; with `SHARED`, only outer boxes have numbers at their axes.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    rows, columns = shape
    width = _LEFT + _RIGHT + columns * box[0] + (columns - 1) * distance[0]
    height = _TOP + _BOTTOM + rows * box[1] + (rows - 1) * distance[1]
    figure = Figure(figsize=(width, height), dpi=PNG_RESOLUTION)
    boxes: list[Axes] = []
    for row in range(rows):
        for column in range(columns):
            left = _LEFT + column * (box[0] + distance[0])
            bottom = height - _TOP - (row + 1) * box[1] - row * distance[1]
            axes = figure.add_axes((left / width, bottom / height, box[0] / width, box[1] / height))
            if distance == SHARED:
                axes.tick_params(labelbottom=row == rows - 1, labelleft=column == 0)
                # A number at the very end of an axis would run into that of the next box.
                axes.xaxis.set_major_locator(MaxNLocator(nbins=5, prune=None if column == columns - 1 else "upper"))
                axes.yaxis.set_major_locator(MaxNLocator(nbins=5, prune="upper"))
            boxes.append(axes)
    _headline(headline, boxes[:columns])
    return figure, boxes


def _headline(headline: Headline, first_row: "Sequence[Axes]") -> None:
    Headline(headline.qualifier).draw(first_row[0])
    if len(first_row) > 1:
        last = first_row[-1]
        last.annotate(headline.right, (1, 1), (0, 5), "axes fraction", "offset points", fontsize=11, ha="right")


def box_tag(axes: "Axes", text: str) -> None:
    """Write a short text in the upper left corner of a box."""
    axes.annotate(text, (0, 1), (6, -6), "axes fraction", "offset points", va="top", fontsize=10.5)

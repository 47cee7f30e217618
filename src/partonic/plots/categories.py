"""Numbers with errors against a few categories, e.g. numbers of jets: several boxes with the same categories."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from partonic.plots.canvas import Headline
from partonic.plots.grid import grid
from partonic.plots.style import PALETTE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["CategoryBox", "draw_categories"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class CategoryBox:
    """One box.

    Attributes:
        title: of the y axis.
        series: by legend entry, values and errors of each category, NaN where unknown.
        level: height of a thin line, e.g. the nominal coverage; None for no line.
    """

    title: str
    series: Mapping[str, tuple[Array, Array]]
    level: float | None = None


def draw_categories(
    categories: Sequence[str], boxes: Sequence[CategoryBox], x_title: str, *, headline: Headline, columns: int = 3
) -> "Figure":
    """Draw the boxes.

    Args:
        categories: written at the x axes.
        boxes: in the order of drawing.
        x_title: what the categories are.
        headline: above the figure.
        columns: of boxes.
    """
    rows = -(-len(boxes) // columns)
    figure, axes = grid(headline, (rows, columns), (2.5, 2.2), (0.85, 0.5))
    for box_axes, box in zip(axes, boxes, strict=False):
        _draw_box(box_axes, box, len(categories))
        box_axes.set_xticks(range(len(categories)), categories, fontsize=9.5)
        box_axes.set_xlim(-0.6, len(categories) - 0.4)
        box_axes.set_ylabel(box.title, fontsize=11)
        box_axes.tick_params(axis="x", which="minor", bottom=False, top=False)
    for box_axes in axes[len(boxes) :]:
        box_axes.set_visible(False)
    for box_axes in axes[max(0, len(boxes) - columns) : len(boxes)]:
        box_axes.set_xlabel(x_title, fontsize=11)
    return figure


def _draw_box(axes: "Axes", box: CategoryBox, categories: int) -> None:
    places = np.arange(categories, dtype=np.float64)
    if box.level is not None:
        axes.axhline(box.level, color="0.55", linewidth=0.9, zorder=0)
    for number, (label, (values, errors)) in enumerate(box.series.items()):
        shift = 0.16 * (number - 0.5 * (len(box.series) - 1))
        colour = PALETTE[number % len(PALETTE)]
        known = np.isfinite(values)
        axes.errorbar(
            places[known] + shift, values[known], yerr=errors[known], fmt="o", markersize=4.5, elinewidth=1.2,
            color=colour, label=label or None,
        )  # fmt: skip
    low, high = axes.get_ylim()
    if any(box.series):
        axes.legend(loc="upper right", fontsize=9, handletextpad=0.3)
        axes.set_ylim(low, high + (0.09 + 0.09 * len(box.series)) * (high - low))

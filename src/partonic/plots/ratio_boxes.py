"""Ratios of two distributions in bins, one box for each observable, around the line at 1."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from partonic.plots.canvas import Headline
from partonic.plots.grid import box_tag, grid
from partonic.plots.style import PALETTE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["RatioBox", "draw_ratio_boxes"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RatioBox:
    """What is drawn in one box.

    Attributes:
        x: centres of the B bins, `(B,)`.
        ratio, error: in each bin, `(B,)`.
        note: written below the name.
    """

    x: Array
    ratio: Array
    error: Array
    note: str = ""


def draw_ratio_boxes(boxes: Mapping[str, RatioBox], title: str, *, headline: Headline, columns: int = 3) -> "Figure":
    """Draw one box for each observable.

    Args:
        boxes: by the name of the observable.
        title: of the y axis.
        headline: above the figure.
        columns: of boxes.
    """
    across = min(columns, len(boxes))
    figure, axes = grid(headline, (math.ceil(len(boxes) / across), across), (2.5, 1.8), (0.58, 0.4))
    for number, (one, (name, box)) in enumerate(zip(axes, boxes.items(), strict=False)):
        one.axhline(1.0, color="0.55", linewidth=1.0, linestyle="--", zorder=0)
        one.errorbar(box.x, box.ratio, yerr=box.error, fmt="o", markersize=4.0, elinewidth=1.1, color=PALETTE[0])
        reach = max(float((np.abs(box.ratio - 1.0) + box.error).max()), 0.01)
        one.set_ylim(1.0 - 1.15 * reach, 1.0 + 2.0 * reach)
        one.locator_params(nbins=5)
        box_tag(one, f"{name}\n{box.note}" if box.note else name)
        if number % across == 0:
            one.set_ylabel(title, fontsize=11)
    for one in axes[len(boxes) :]:
        one.set_visible(False)
    return figure

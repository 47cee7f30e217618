"""Mean of one number in bins of another, with the line that a good estimate lies on: calibration curves."""

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
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["MeanProfile", "draw_mean_profiles", "mean_profile"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class MeanProfile:
    """Weighted means in B bins.

    Attributes:
        x: mean of x in each bin, `(B,)`.
        mean, error: of y, with its standard error, `(B,)`.
        line: slope and offset of a straight line through them; None for none.
        note: written in the box, e.g. the slope with its error.
    """

    x: Array
    mean: Array
    error: Array
    line: tuple[float, float] | None = None
    note: str = ""

    def record(self) -> dict[str, object]:
        """Return the points for the JSON results."""
        return {name: getattr(self, name).tolist() for name in ("x", "mean", "error")}


def mean_profile(
    x: Array,
    y: Array,
    weights: Array,
    bins: int = 12,
    line: tuple[float, float] | None = None,
    note: str = "",
) -> MeanProfile:
    """Return the means of `y` in bins of `x` that hold about equal weights.

    Args:
        x: number that is binned, `(N,)`.
        y: number whose mean is taken, `(N,)`.
        weights: not negative in sum in any bin, `(N,)`.
        bins: at most; equal values of x are never split, so there may be fewer.
        line: slope and offset to draw.
        note: to write in the box.
    """
    order = np.argsort(x, kind="stable")
    level = np.cumsum(weights[order])
    edges = np.unique(np.interp(np.arange(1, bins) / bins * level[-1], level, x[order]))
    found = np.searchsorted(edges, x, side="right")
    sums = np.bincount(found, weights, minlength=len(edges) + 1)
    kept = np.flatnonzero(sums > 0)
    safe = np.where(sums > 0, sums, 1.0)
    mean_x = np.bincount(found, weights * x, minlength=len(sums)) / safe
    mean_y = np.bincount(found, weights * y, minlength=len(sums)) / safe
    squares = np.bincount(found, (weights * (y - mean_y[found])) ** 2, minlength=len(sums))
    return MeanProfile(mean_x[kept], mean_y[kept], np.sqrt(squares[kept]) / safe[kept], line, note)


def draw_mean_profiles(
    profiles: Mapping[str, MeanProfile], titles: tuple[str, str], *, headline: Headline, columns: int = 3
) -> "Figure":
    """Draw one box for each profile: points, the diagonal (grey) and their line.

    Args:
        profiles: by what is written in the box.
        titles: of the x and y axes.
        headline: above the figure.
        columns: of boxes.
    """
    across = min(columns, len(profiles))
    figure, boxes = grid(headline, (math.ceil(len(profiles) / across), across), (2.5, 2.2), (0.58, 0.36))
    for number, (axes, (name, profile)) in enumerate(zip(boxes, profiles.items(), strict=False)):
        _draw_box(axes, profile)
        box_tag(axes, f"{name}\n{profile.note}" if profile.note else name)
        if number % across == 0:
            axes.set_ylabel(titles[1], fontsize=11)
    for axes in boxes[len(profiles) :]:
        axes.set_visible(False)
    for axes in boxes[len(profiles) - across : len(profiles)]:
        axes.set_xlabel(titles[0], fontsize=11)
    return figure


def _draw_box(axes: "Axes", profile: MeanProfile) -> None:
    low, high = float(profile.x.min()), float(profile.x.max())
    margin = 0.07 * (high - low) or 0.5
    ends = np.array([low - margin, high + margin])
    axes.plot(ends, ends, color="0.55", linewidth=1.0, linestyle="--", zorder=0)
    if profile.line is not None:
        slope, offset = profile.line
        axes.plot(ends, offset + slope * ends, color=PALETTE[2], linewidth=1.3)
    axes.errorbar(
        profile.x, profile.mean, yerr=profile.error, fmt="o", markersize=4.0, elinewidth=1.1, color=PALETTE[0]
    )
    bottom = min(ends[0], float((profile.mean - profile.error).min()))
    top = max(ends[1], float((profile.mean + profile.error).max()))
    axes.set_xlim(*ends)
    axes.set_ylim(bottom - 0.04 * (top - bottom), top + 0.32 * (top - bottom))
    axes.locator_params(nbins=5)

"""Cumulative shares of one quantity over those of another, the largest first: how concentrated it is."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from partonic.plots.canvas import Headline, canvas
from partonic.plots.style import PALETTE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw_shares"]

Array = NDArray[np.float64]

_LOWEST = 1e-4
_MOST_POINTS = 400


def draw_shares(curves: Mapping[str, tuple[Array, Array]], *, titles: tuple[str, str], headline: Headline) -> "Figure":
    """Draw the curves with a logarithmic x axis; dotted: everything evenly spread.

    Args:
        curves: x and y shares by legend entry, ascending from 0 to 1, `(N,)` each.
        titles: of the axes.
        headline: above the figure.
    """
    figure, (axes,) = canvas(headline)
    grid = np.geomspace(_LOWEST, 1.0, _MOST_POINTS)
    for number, (label, (x, y)) in enumerate(curves.items()):
        colour = PALETTE[number % len(PALETTE)]
        axes.plot(grid, np.interp(grid, np.append(0.0, x), np.append(0.0, y)), color=colour, label=label)
    axes.plot(grid, grid, color="0.55", linestyle=":", linewidth=1.2, label="evenly spread")
    axes.set_xscale("log")
    axes.set_xlim(_LOWEST, 1.0)
    axes.set_ylim(0.0, 1.05)
    axes.set_xlabel(titles[0])
    axes.set_ylabel(titles[1])
    axes.legend(loc="upper left")
    return figure

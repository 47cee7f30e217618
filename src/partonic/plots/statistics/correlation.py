"""Correlation matrices: colours from −1 to 1 with the numbers in them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from partonic.plots.canvas import Headline, canvas
from partonic.plots.style import SIGNED_MAP

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["correlation_of", "draw_correlation"]

Array = NDArray[np.float64]

_DARK = 0.6
"""|ρ| from which on a cell is so dark that its number is white."""


def correlation_of(covariance: Array) -> Array:
    """Return the correlations `(K, K)` of a covariance matrix; NaN where a variance is not positive."""
    variances = np.diag(covariance)
    errors = np.sqrt(np.where(variances > 0, variances, np.nan))
    result: Array = covariance / np.outer(errors, errors)
    return result


def draw_correlation(labels: Sequence[str], correlation: Array, *, headline: Headline) -> "Figure":
    """Draw a correlation matrix `(K, K)`; the first parameter is at the upper left."""
    number = len(labels)
    figure, (axes,) = canvas(headline, size=(6.4, 5.0), left=1.0)
    edges = np.arange(number + 1) - 0.5
    mesh = axes.pcolormesh(edges, edges, correlation, cmap=SIGNED_MAP, vmin=-1.0, vmax=1.0, rasterized=True)
    for row, column in np.ndindex(number, number):
        value = float(correlation[row, column])
        colour = "white" if abs(value) > _DARK else "black"
        text = "–" if np.isnan(value) else f"{value:.2f}".replace("-", "−")
        axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=11 if number < 7 else 8)
    axes.set_ylim(number - 0.5, -0.5)
    axes.set_xticks(range(number), labels)
    axes.set_yticks(range(number), labels)
    axes.tick_params(which="both", length=0)
    left, bottom, width, height = axes.get_position().bounds
    axes.set_position((left, bottom, 0.86 * width, height))
    bar = figure.colorbar(
        mesh, cax=figure.add_axes((left + 0.89 * width, bottom, 0.035 * width, height), label="<colorbar>")
    )
    bar.set_label("correlation")
    return figure

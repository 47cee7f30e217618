"""Histograms of pulls beside the normal distribution that they should follow, one box for each parameter and point."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from partonic.plots.canvas import Headline
from partonic.plots.grid import box_tag, grid
from partonic.plots.style import PALETTE, REFERENCE_COLOUR

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw_pulls"]

Array = NDArray[np.float64]

_LIMIT = 4.0
_BINS, _MANY = 24, 300
"""Bins, and how many experiments are needed for so many."""


def draw_pulls(pulls: Mapping[str, Array], *, headline: Headline, columns: int = 3) -> "Figure":
    """Draw one box for each set of pulls: their density with its Poisson error, and the standard normal density.

    Args:
        pulls: numbers `(N,)` by what is written in the box; those beyond ±4 are put into the outermost bins.
        headline: above the figure.
        columns: of boxes.
    """
    across = min(columns, len(pulls))
    figure, boxes = grid(headline, (math.ceil(len(pulls) / across), across), (2.6, 2.1))
    bins = _BINS if max(map(len, pulls.values())) >= _MANY else _BINS // 2
    edges, line = np.linspace(-_LIMIT, _LIMIT, bins + 1), np.linspace(-_LIMIT, _LIMIT, 161)
    centres, width = 0.5 * (edges[1:] + edges[:-1]), edges[1] - edges[0]
    highest = 0.45
    for axes, (name, values) in zip(boxes, pulls.items(), strict=False):
        counts = np.histogram(values.clip(-_LIMIT, _LIMIT), edges)[0]
        unit = max(len(values), 1) * width
        axes.plot(line, np.exp(-0.5 * line**2) / math.sqrt(2 * math.pi), color=REFERENCE_COLOUR, linewidth=1.2)
        some = counts > 0
        axes.errorbar(centres[some], counts[some] / unit, yerr=np.sqrt(counts[some]) / unit, fmt="o", markersize=3.0,
                      elinewidth=1.0, color=PALETTE[0])  # fmt: skip
        highest = max(highest, float((counts + np.sqrt(counts)).max()) / unit)
        box_tag(axes, f"{name}\n{_moments(values)}")
    for axes in boxes:
        axes.set_xlim(-_LIMIT, _LIMIT)
        axes.set_ylim(0.0, 1.4 * highest)
    for axes in boxes[len(pulls) :]:
        axes.set_visible(False)
    for axes in boxes[len(pulls) - across : len(pulls)]:
        axes.tick_params(labelbottom=True)
        axes.set_xlabel("(estimate − truth) / error", fontsize=11)
    boxes[0].set_ylabel("density")
    return figure


def _moments(values: Array) -> str:
    if len(values) < 2:
        return f"{len(values)} experiments"
    mean, width = float(values.mean()), float(values.std(ddof=1))
    error = width / math.sqrt(len(values))
    text = f"mean {mean:.2f} ± {error:.2f}\nwidth {width:.2f} ± {error / math.sqrt(2):.2f}"
    return text.replace("-", "−")

"""Bias of an estimate in bins of the true value: median, mean and 68% band, one box a particle."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from partonic.plots.canvas import Headline
from partonic.plots.grid import box_tag, grid
from partonic.plots.style import PALETTE
from partonic.unfolding.quality.bias import BinnedBias

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["BiasTitles", "draw_bias_bands"]


@dataclass(frozen=True)
class BiasTitles:
    """What is written at the axes.

    Attributes:
        x: the true value, with unit.
        y: the difference, with unit.
        limit: largest |difference| shown; None: from the data.
    """

    x: str
    y: str
    limit: float | None = None


def draw_bias_bands(biases: Mapping[str, BinnedBias], titles: BiasTitles, *, headline: Headline) -> "Figure":
    """Draw one box for each of `biases`.

    Args:
        biases: by what is written in the box.
        titles: at the axes.
        headline: above the figure.
    """
    figure, boxes = grid(headline, (1, len(biases)), (2.9, 2.9))
    limit = titles.limit or _limit(list(biases.values()))
    for number, (axes, (name, bias)) in enumerate(zip(boxes, biases.items(), strict=True)):
        _draw_box(axes, bias, PALETTE[number % len(PALETTE)])
        box_tag(axes, name)
        axes.set_xlim(bias.edges[0], bias.edges[-1])
        axes.set_ylim(-limit, 1.45 * limit)
        axes.set_xlabel(titles.x)
        if number == 0:
            axes.set_ylabel(titles.y)
        axes.legend(loc="upper right", fontsize=9)
    return figure


def _limit(biases: list[BinnedBias]) -> float:
    ends = np.concatenate([np.abs(end) for bias in biases for end in (bias.low, bias.high)])
    known = ends[np.isfinite(ends)]
    return float(1.1 * np.quantile(known, 0.9)) if known.size else 1.0


def _draw_box(axes: "Axes", bias: BinnedBias, colour: str) -> None:
    centres, widths = 0.5 * (bias.edges[1:] + bias.edges[:-1]), np.diff(bias.edges)
    low, high = (np.append(end, end[-1]) for end in (bias.low, bias.high))
    axes.axhline(0.0, color="0.55", linewidth=0.9, zorder=0)
    axes.fill_between(bias.edges, low, high, step="post", color=colour, alpha=0.25, linewidth=0, label="central 68%")
    axes.stairs(bias.mean, bias.edges, baseline=None, color=colour, linestyle="--", linewidth=1.2, label="mean")
    known = np.isfinite(bias.median)
    axes.errorbar(
        centres[known], bias.median[known], xerr=0.5 * widths[known], yerr=bias.median_error[known], fmt="o",
        markersize=3.5, elinewidth=1.1, color=colour, label="median",
    )  # fmt: skip

"""Rank histograms with the band of a uniform distribution, and coverage against the nominal level."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from partonic.plots.canvas import Headline, canvas
from partonic.plots.grid import box_tag, grid
from partonic.plots.style import PALETTE
from partonic.unfolding.quality.ranks import RankTest

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw_coverage", "draw_rank_histograms"]

Array = NDArray[np.float64]


def draw_rank_histograms(tests: Mapping[str, RankTest], *, headline: Headline, columns: int = 4) -> "Figure":
    """Draw one box for each variable: share of events in bins of the rank of the truth, 1 where uniform.

    Args:
        tests: by what is written in the box.
        headline: above the figure.
        columns: of boxes.
    """
    across = min(columns, len(tests))
    figure, boxes = grid(headline, (math.ceil(len(tests) / across), across), (2.15, 1.55))
    spread = max(float(np.abs(test.histogram - 1.0).max()) for test in tests.values())
    error = max(test.histogram_error for test in tests.values())
    limit = max(1.15 * spread, 3.0 * error)
    for axes, (name, test) in zip(boxes, tests.items(), strict=False):
        edges = np.linspace(0.0, 1.0, len(test.histogram) + 1)
        axes.axhspan(1.0 - 2.0 * test.histogram_error, 1.0 + 2.0 * test.histogram_error, color="0.88", linewidth=0)
        axes.axhspan(1.0 - test.histogram_error, 1.0 + test.histogram_error, color="0.75", linewidth=0)
        good = test.distance <= test.distance_limit
        axes.stairs(test.histogram, edges, baseline=None, color=PALETTE[0] if good else PALETTE[2])
        axes.set_xlim(0.0, 1.0)
        axes.set_ylim(1.0 - limit, 1.0 + 1.5 * limit)
        box_tag(axes, f"{name}   KS = {test.distance:.3f}")
    for axes in boxes[len(tests) :]:
        axes.set_visible(False)
    for axes in boxes[len(tests) - across : len(tests)]:
        axes.tick_params(labelbottom=True)
        axes.set_xlabel("rank of the truth / (S + 1)", fontsize=10)
    boxes[0].set_ylabel("events / uniform")
    return figure


def draw_coverage(tests: Mapping[str, RankTest], *, headline: Headline) -> "Figure":
    """Draw the share of truths inside regions of each level, minus the level.

    Args:
        tests: ranks by legend entry; the band is that of the first.
        headline: above the figure.
    """
    figure, (axes,) = canvas(headline)
    levels = np.linspace(0.0, 1.0, 201)
    first = next(iter(tests.values()))
    band = np.sqrt(levels * (1.0 - levels) / first.events)
    for factor, shade in ((2.0, "0.9"), (1.0, "0.78")):
        axes.fill_between(levels, -factor * band, factor * band, color=shade, linewidth=0)
    axes.axhline(0.0, color="0.55", linewidth=0.9)
    largest = 3.0 * float(band.max())
    for number, (name, test) in enumerate(tests.items()):
        difference = _cumulative(test.histogram, levels) - levels
        largest = max(largest, float(np.abs(difference).max()))
        axes.plot(levels, difference, color=PALETTE[number % len(PALETTE)], label=name)
    for level in (0.68, 0.95):
        axes.axvline(level, color="0.6", linewidth=0.8, linestyle=":")
    axes.set_xlim(0.0, 1.0)
    axes.set_ylim(-1.15 * largest, 1.7 * largest)
    axes.set_xlabel("level of the region")
    axes.set_ylabel("share of truths inside − level")
    axes.legend(loc="upper right")
    return figure


def _cumulative(histogram: Array, levels: Array) -> Array:
    steps = np.concatenate([[0.0], np.cumsum(histogram)]) / len(histogram)
    shares: Array = np.interp(levels, np.linspace(0.0, 1.0, len(steps)), steps)
    return shares

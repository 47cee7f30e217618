"""Distributions of several numbers of the same events: one box each, linear or logarithmic."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from partonic.plots.canvas import Headline
from partonic.plots.grid import grid
from partonic.plots.style import PALETTE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Distribution", "draw_distributions"]

Array = NDArray[np.float64]

_BINS = 40


@dataclass(frozen=True, eq=False)
class Distribution:
    """Numbers of one box.

    Attributes:
        title: of the x axis, with unit.
        values: by legend entry, `(N,)`; NaN is left out, and so are numbers that are not positive in a logarithmic box,
            whose share the box tells.
        logarithmic: whether the x axis is logarithmic.
        marks: vertical lines by what is written in the legend, e.g. a limit.
    """

    title: str
    values: Mapping[str, Array]
    logarithmic: bool = False
    marks: Mapping[str, float] = field(default_factory=dict)


def draw_distributions(
    boxes: Sequence[Distribution], y_title: str, *, headline: Headline, columns: int = 3
) -> "Figure":
    """Draw the boxes, with the median of each distribution in its legend.

    Args:
        boxes: in the order of drawing.
        y_title: what is counted, e.g. ``"events"``.
        headline: above the figure.
        columns: of boxes.
    """
    across = min(columns, len(boxes))
    figure, axes = grid(headline, (math.ceil(len(boxes) / across), across), (2.6, 2.1), (0.62, 0.68))
    for number, (box_axes, box) in enumerate(zip(axes, boxes, strict=False)):
        _draw_box(box_axes, box)
        box_axes.set_xlabel(box.title, fontsize=11)
        if number % across == 0:
            box_axes.set_ylabel(y_title)
    for box_axes in axes[len(boxes) :]:
        box_axes.set_visible(False)
    return figure


def _draw_box(axes: "Axes", box: Distribution) -> None:
    from matplotlib.ticker import NullFormatter

    shown = {label: _shown(values, box) for label, values in box.values.items()}
    edges = _edges(np.concatenate([*shown.values(), np.zeros(0)]), box)
    highest, total = 0.0, 0
    for number, (label, values) in enumerate(shown.items()):
        counts = np.histogram(values.clip(edges[0], edges[-1]), edges)[0]
        colour = PALETTE[number % len(PALETTE)]
        name = f"{label}, " if label else ""
        median = f"{name}median {_number(float(np.median(values)))}" if values.size else f"{name}none"
        axes.stairs(counts, edges, color=colour, fill=len(shown) == 1, alpha=0.45 if len(shown) == 1 else 1.0)
        axes.plot([], [], color=colour, label=median)
        highest, total = max(highest, float(counts.max())), total + values.size
    for number, (label, place) in enumerate(box.marks.items()):
        style = ("--", ":")[number % 2]
        axes.plot([place, place], [0.0, 1.1 * highest], color="0.3", linestyle=style, linewidth=1.1, label=label)
    _note_left_out(axes, box, total)
    if box.logarithmic:
        axes.set_xscale("log")
        axes.xaxis.set_minor_formatter(NullFormatter())
    else:
        axes.ticklabel_format(axis="x", useOffset=False, style="plain")
    axes.set_xlim(edges[0], edges[-1])
    axes.set_ylim(0.0, max(highest, 1.0) * (1.2 + 0.13 * (len(shown) + len(box.marks))))
    axes.legend(loc="upper right", fontsize=9, borderaxespad=0.4)


def _shown(values: Array, box: Distribution) -> Array:
    finite = values[np.isfinite(values)]
    return finite[finite > 0] if box.logarithmic else finite


def _note_left_out(axes: "Axes", box: Distribution, shown: int) -> None:
    finite = sum(int(np.isfinite(values).sum()) for values in box.values.values())
    if finite > shown:
        text = f"{(finite - shown) / finite:.2%} not > 0"
        axes.annotate(text, (0, 1), (6, -6), "axes fraction", "offset points", va="top", fontsize=9)


def _number(value: float) -> str:
    return (f"{value:,.0f}" if 1e3 <= abs(value) < 1e7 else f"{value:.3g}").replace("-", "−")


def _edges(values: Array, box: Distribution) -> Array:
    """Return equal bins, of the logarithm if the axis is logarithmic, that hold all numbers and marks.

    Of a logarithmic axis the smallest 0.2% go into the first bin, so that rounding errors do not stretch it.
    """
    ends = np.concatenate([values, list(box.marks.values())])
    if not ends.size:
        return np.geomspace(0.1, 1.0, _BINS + 1) if box.logarithmic else np.linspace(0.0, 1.0, _BINS + 1)
    low, high = float(np.quantile(ends, 0.002)) if box.logarithmic else float(ends.min()), float(ends.max())
    if box.logarithmic:
        if high < 100.0 * low:  # too narrow for two labels of whole decades
            low, high = 10.0 ** math.floor(math.log10(low)), 10.0 ** math.ceil(math.log10(high))
        return np.geomspace(low / 1.1, high * 1.1, _BINS + 1)
    margin = 0.02 * (high - low) or max(0.5, 0.05 * abs(high))
    return np.linspace(low - margin, high + margin, _BINS + 1)

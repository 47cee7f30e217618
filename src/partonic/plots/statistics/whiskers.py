"""Intervals as whiskers, one row a method or a parameter: point, inner and outer interval, and the truth."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from partonic.plots.canvas import PNG_RESOLUTION, Headline
from partonic.plots.style import PALETTE, REFERENCE_COLOUR

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Whisker", "WhiskerBox", "draw_whiskers"]

Segments = Sequence[tuple[float, float]]

_ROW, _TOP, _BOTTOM, _GAP, _RIGHT = 0.34, 0.42, 0.62, 0.22, 0.22
"""Height of a row and margins, inches."""

_BOX, _NARROW = 4.6, 2.5
"""Width of one box, and of each of several, inches."""


_LETTERS = 10.5
"""Size of the labels of the rows, points."""


@dataclass(frozen=True)
class Whisker:
    """One row of a box.

    Attributes:
        inner, outer: parts of the interval of the lower and of the higher level; empty where it is not known.
        point: best value; None for none.
        open_ends: whether the outer interval goes on below and above what is drawn.
        colour: number of the colour of the row.
    """

    inner: Segments = ()
    outer: Segments = ()
    point: float | None = None
    open_ends: tuple[bool, bool] = (False, False)
    colour: int = 0


@dataclass(frozen=True)
class WhiskerBox:
    """One box, with a row for each label of the figure.

    Attributes:
        title: of the x axis.
        rows: None where a row has nothing here.
        truth: value that the intervals should hold, drawn as a line; None for none.
        bands: half widths of shaded bands around 0, e.g. ±1 and ±2 of a pull.
    """

    title: str
    rows: Sequence[Whisker | None]
    truth: float | None = None
    bands: tuple[float, ...] = ()


def draw_whiskers(
    labels: Sequence[str], boxes: Sequence[WhiskerBox], *, headline: Headline, legend: tuple[str, str] = ("", "")
) -> "Figure":
    """Draw the boxes side by side, rows from the top down, their labels at the left.

    Args:
        labels: of the rows.
        boxes: each with as many rows.
        headline: above the figure.
        legend: what the inner and the outer interval are; empty for no legend.
    """
    from matplotlib.figure import Figure

    width = _BOX if len(boxes) == 1 else _NARROW
    left = 0.25 + _width(labels)
    total = left + len(boxes) * width + (len(boxes) - 1) * _GAP + _RIGHT
    inner = _ROW * (len(labels) + 0.4) + (0.34 if any(legend) else 0.0)
    height = inner + _TOP + _BOTTOM
    figure = Figure(figsize=(total, height), dpi=PNG_RESOLUTION)
    drawn = []
    for number, box in enumerate(boxes):
        place = ((left + number * (width + _GAP)) / total, _BOTTOM / height, width / total, inner / height)
        axes = figure.add_axes(place)
        _draw_box(axes, box, len(labels), headroom=0.34 / _ROW if any(legend) else 0.0)
        axes.set_yticks(range(len(labels)), labels if number == 0 else [""] * len(labels), fontsize=_LETTERS)
        drawn.append(axes)
    Headline(headline.qualifier, headline.right if len(boxes) == 1 else "").draw(drawn[0])
    if len(drawn) > 1:
        drawn[-1].annotate(headline.right, (1, 1), (0, 5), "axes fraction", "offset points", fontsize=11, ha="right")
    if any(legend):
        _legend(drawn[0], legend, truth=boxes[0].truth is not None)
    return figure


def _width(labels: Sequence[str]) -> float:
    """Return the width of the longest label, inches."""
    from matplotlib.backends import backend_agg
    from matplotlib.cbook import is_math_text
    from matplotlib.font_manager import FontProperties

    maker: Any = backend_agg.RendererAgg
    renderer, font = maker(10, 10, PNG_RESOLUTION), FontProperties(size=_LETTERS)
    texts = [(label, is_math_text(label)) for label in labels]
    widths = [renderer.get_text_width_height_descent(text, font, is_math)[0] for text, is_math in texts]
    return float(max(widths, default=0.0)) / PNG_RESOLUTION


def _draw_box(axes: "Axes", box: WhiskerBox, rows: int, headroom: float) -> None:
    from matplotlib.ticker import MaxNLocator

    for number, half in enumerate(sorted(box.bands, reverse=True)):
        axes.axvspan(-half, half, color=("0.93", "0.86")[min(number, 1)], linewidth=0, zorder=0)
    if box.bands:
        axes.axvline(0.0, color="0.55", linewidth=0.9, zorder=0)
    if box.truth is not None:
        axes.axvline(box.truth, color=REFERENCE_COLOUR, linewidth=1.1, linestyle="--", zorder=1)
    for place, row in enumerate(box.rows):
        if row is not None:
            _draw_row(axes, place, row)
    axes.set_ylim(rows - 0.3, -0.7 - headroom)
    axes.margins(x=0.06)
    axes.tick_params(axis="y", which="both", left=False, right=False)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=4, prune="both"))
    axes.set_xlabel(box.title)


def _draw_row(axes: "Axes", place: int, row: Whisker) -> None:
    colour = PALETTE[row.colour % len(PALETTE)]
    for low, high in row.outer:
        axes.plot([low, high], [place, place], color=colour, linewidth=1.6, solid_capstyle="butt", zorder=2)
    for low, high in row.inner:
        axes.plot([low, high], [place, place], color=colour, linewidth=5.0, solid_capstyle="butt", alpha=0.75, zorder=3)
    segments = row.outer or row.inner
    for end, is_open, marker in ((0, row.open_ends[0], "<"), (1, row.open_ends[1], ">")):
        if is_open and segments:
            axes.plot(segments[-end][end], place, marker, color=colour, markersize=6, zorder=4)
    if row.point is not None:
        axes.plot(row.point, place, "o", color=REFERENCE_COLOUR, markersize=4.5, zorder=5)


def _legend(axes: "Axes", legend: tuple[str, str], *, truth: bool) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color="0.35", linewidth=5.0, alpha=0.75, label=legend[0]),
        Line2D([], [], color="0.35", linewidth=1.6, label=legend[1]),
    ]
    if truth:
        handles.append(Line2D([], [], color=REFERENCE_COLOUR, linewidth=1.1, linestyle="--", label="truth"))
    shown = [handle for handle in handles if handle.get_label()]
    axes.legend(handles=shown, loc="upper left", ncols=len(shown), fontsize=9, columnspacing=0.9, handlelength=1.3,
                frameon=True, facecolor="white", edgecolor="none", framealpha=1.0)  # fmt: skip

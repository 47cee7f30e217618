"""Several methods side by side: expected q over each parameter with bands, and below it the intervals as whiskers.

Each parameter has two boxes with one x axis. The rows of the whiskers are the legend of the curves: a method has one
colour in both.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from partonic.plots.canvas import PNG_RESOLUTION, Headline
from partonic.plots.statistics.whiskers import Whisker
from partonic.plots.style import PALETTE, REFERENCE_COLOUR

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["ComparedCurve", "ComparisonPanel", "MethodStyle", "draw_comparison", "styles_of"]

Array = NDArray[np.float64]

_MOST_COLUMNS = 3
_WIDTH, _CURVES, _ROW, _GAP, _TOP, _BOTTOM, _RIGHT = 3.7, 3.3, 0.30, 0.28, 0.42, 0.66, 0.22
"""Width of a box, height of the curves and of a row of whiskers, gaps and margins, inches."""

_LETTERS: Final = 10.5
_PER_LETTER: Final = 0.088
"""Width of a letter of the labels, inches."""

_MORE_COLOURS: Final = ("#a96b59", "#b9ac70", "#92dadd")
"""For more methods than the palette has colours: from the set of ten of the same author."""

_HEADROOM: Final = 1.9
"""Height of the curves in units of the highest level."""


@dataclass(frozen=True)
class MethodStyle:
    """How a method is drawn.

    Attributes:
        colour: of curve, band and whisker.
        line: style of the curve.
        width: of the curve, points.
    """

    colour: str
    line: str = "-"
    width: float = 1.7


@dataclass(frozen=True, eq=False)
class ComparedCurve:
    """Expected q of a method.

    Attributes:
        q: at the values of its panel, `(T,)`.
        statistical: its error from the number of simulated events, `(T,)`; None for none.
        ensemble: its error from the scatter of an ensemble, `(T,)`; None for none.
    """

    q: Array
    statistical: Array | None = None
    ensemble: Array | None = None


@dataclass(frozen=True, eq=False)
class ComparisonPanel:
    """One parameter.

    Attributes:
        title: of the x axis.
        values: where the curves are, `(T,)`.
        curves: by method.
        whiskers: by method; None where a method has no interval.
        standard_model: value that is marked.
    """

    title: str
    values: Array
    curves: Mapping[str, ComparedCurve]
    whiskers: Mapping[str, Whisker | None]
    standard_model: float = 0.0


def styles_of(methods: Sequence[str], reference: str, last: str) -> dict[str, MethodStyle]:
    """Return a style for each method: black for the reference, grey for the last, colours for the others.

    Args:
        methods: in their order.
        reference: that others are measured by.
        last: that others should be better than.
    """
    colours = [colour for colour in PALETTE if colour != "#9c9ca1"] + list(_MORE_COLOURS)
    styles = {reference: MethodStyle(REFERENCE_COLOUR, "--"), last: MethodStyle("#9c9ca1", ":")}
    others = [name for name in methods if name not in styles]
    lines = ("-", "-.", (0, (3, 1)))
    for number, name in enumerate(others):
        line = lines[number // len(colours) % len(lines)]
        styles[name] = MethodStyle(colours[number % len(colours)], line if isinstance(line, str) else "--")
    return {name: styles[name] for name in methods}


def draw_comparison(
    panels: Sequence[ComparisonPanel],
    styles: Mapping[str, MethodStyle],
    levels: Sequence[tuple[str, float]],
    *,
    headline: Headline,
) -> "Figure":
    """Draw the panels side by side, at most three in a row.

    Args:
        panels: one for each parameter, all with the methods of `styles`.
        styles: of the methods, in the order of the rows from the top down.
        levels: name and height of q of each confidence level, ascending.
        headline: above the figure.
    """
    from matplotlib.figure import Figure

    columns = min(len(panels), _MOST_COLUMNS)
    lines = -(-len(panels) // columns)
    left = 0.35 + max(0.45, _PER_LETTER * max(len(name) for name in styles))
    below = _ROW * (len(styles) + 0.4)
    height_of_line = _TOP + _CURVES + below + _BOTTOM
    width = left + columns * _WIDTH + (columns - 1) * _GAP + _RIGHT
    height = lines * height_of_line
    figure = Figure(figsize=(width, height), dpi=PNG_RESOLUTION)
    for number, panel in enumerate(panels):
        row, column = divmod(number, columns)
        x, top = (left + column * (_WIDTH + _GAP)) / width, height - row * height_of_line - _TOP
        curves = figure.add_axes((x, (top - _CURVES) / height, _WIDTH / width, _CURVES / height))
        place = (x, (top - _CURVES - below) / height, _WIDTH / width, below / height)
        whiskers = figure.add_axes(place, sharex=curves)
        _draw_curves(curves, panel, styles, levels, is_first=column == 0)
        _draw_whiskers(whiskers, panel, styles, is_first=column == 0)
        if number == 0:
            Headline(headline.qualifier, headline.right if columns == 1 else "").draw(curves)
        elif number == columns - 1:
            curves.annotate(headline.right, (1, 1), (0, 5), "axes fraction", "offset points", fontsize=11, ha="right")
    return figure


def _draw_curves(
    axes: "Axes",
    panel: ComparisonPanel,
    styles: Mapping[str, MethodStyle],
    levels: Sequence[tuple[str, float]],
    *,
    is_first: bool,
) -> None:
    for label, level in levels:
        axes.axhline(level, color="0.7", linewidth=0.8, zorder=0)
        axes.annotate(label, (0, level), (4, 2), ("axes fraction", "data"), "offset points", fontsize=8.5, color="0.35")
    for name, curve in panel.curves.items():
        style = styles[name]
        for error, opacity in ((_both(curve), 0.18), (curve.statistical, 0.22)):
            if error is not None:
                low, high = np.maximum(curve.q - error, 0.0), curve.q + error
                axes.fill_between(panel.values, low, high, color=style.colour, alpha=opacity, linewidth=0)
        axes.plot(panel.values, curve.q, color=style.colour, linestyle=style.line, linewidth=style.width)
    axes.axvline(panel.standard_model, color="0.55", linewidth=0.8, zorder=0)
    axes.set_xlim(panel.values[0], panel.values[-1])
    axes.set_ylim(0.0, _HEADROOM * max(level for _, level in levels))
    axes.tick_params(labelbottom=False)
    if is_first:
        axes.set_ylabel(r"expected $-2\,\log r$")
    else:
        axes.tick_params(labelleft=False)


def _both(curve: ComparedCurve) -> Array | None:
    """Return the errors of a curve from simulation and ensemble together; None without an ensemble."""
    if curve.ensemble is None:
        return None
    statistical = np.zeros_like(curve.q) if curve.statistical is None else curve.statistical
    found: Array = np.hypot(statistical, curve.ensemble)
    return found


def _draw_whiskers(axes: "Axes", panel: ComparisonPanel, styles: Mapping[str, MethodStyle], *, is_first: bool) -> None:
    from matplotlib.ticker import MaxNLocator

    for place, (name, style) in enumerate(styles.items()):
        row = panel.whiskers.get(name)
        if row is None:
            continue
        for segments, width, opacity in ((row.outer, 1.6, 1.0), (row.inner, 5.0, 0.75)):
            for low, high in segments:
                axes.plot([low, high], [place, place], color=style.colour, linewidth=width, alpha=opacity,
                          solid_capstyle="butt")  # fmt: skip
    axes.axvline(panel.standard_model, color="0.55", linewidth=0.8, zorder=0)
    axes.set_ylim(len(styles) - 0.3, -0.7)
    axes.set_yticks(range(len(styles)), list(styles) if is_first else [""] * len(styles), fontsize=_LETTERS)
    for label, style in zip(axes.get_yticklabels(), styles.values(), strict=True):
        label.set_color(style.colour)
    axes.tick_params(axis="y", which="both", left=False, right=False)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=5, prune="both"))
    axes.set_xlabel(panel.title)

"""Curves over one variable: a main panel and, below it, panels of ratios.

The same drawing serves spectra (steps with an error band), efficiencies and profiles (points with error bars) and
functions (lines). The legend sits in room made above the data, in as many columns as it takes.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
from numpy.typing import NDArray

from partonic.plots.axis import Axis
from partonic.plots.canvas import Headline, canvas, remark
from partonic.plots.style import REFERENCE_COLOUR
from partonic.units import PB_TO_FB

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Curve", "Panel", "draw_panels", "spectrum_panel"]

Array = NDArray[np.float64]

_MOST_DECADES: Final = 1e7
"""Largest ratio of the ends of a logarithmic axis that is not set by hand."""

_SUPERSCRIPTS: Final = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

_UNITS: Final = (("pb", 1.0, 1.0), ("fb", PB_TO_FB, 1e-5), ("ab", PB_TO_FB**2, 0.0))
"""Units of cross sections: name, factor from pb, and the smallest maximum in pb that is drawn in it."""


@dataclass(frozen=True)
class Curve:
    """One curve of a panel.

    Attributes:
        label: in the legend; empty for none.
        values: one per bin, `(B,)`; for a line, one per `x`. NaN is left out.
        below, above: error downwards and upwards, `(B,)`; `above` defaults to `below`.
        colour: any matplotlib colour.
        kind: steps with a band, points with error bars, or a line.
        x: where a line's values are, `(M,)`; None: at the bin centres.
        dashed: whether the line is dashed.
    """

    label: str
    values: Array
    below: Array | None = None
    above: Array | None = None
    colour: str = REFERENCE_COLOUR
    kind: Literal["steps", "points", "line"] = "steps"
    x: Array | None = None
    dashed: bool = False

    @property
    def span(self) -> tuple[Array, Array]:
        """Lower and upper end of the errors, `(B,)` each."""
        below = np.zeros_like(self.values) if self.below is None else self.below
        return self.values - below, self.values + (below if self.above is None else self.above)


@dataclass(frozen=True)
class Panel:
    """Curves drawn together.

    Attributes:
        curves: drawn in this order.
        title: label of the y axis.
        level: height of a thin horizontal line, e.g. 1 in a ratio; None for no line.
        logarithmic: logarithmic y axis; ignored when a value is negative.
        limits: of the y axis; None: from the data.
        minimum: the lowest start of a linear y axis that the data may have; None: from the data.
        shift: horizontal distance between the points of successive curves, in bin widths.
        tag: short text in the upper left corner.
    """

    curves: tuple[Curve, ...]
    title: str
    level: float | None = None
    logarithmic: bool = False
    limits: tuple[float, float] | None = None
    minimum: float | None = None
    shift: float = 0.0
    tag: str = ""


def spectrum_panel(axis: Axis, curves: Sequence[Curve], weight_unit: str = "pb") -> Panel:
    """Return the main panel of differential cross sections, or of numbers of events, in `axis`.

    Args:
        axis: the variable; a discrete one is not divided by the bin width.
        curves: in `weight_unit` per unit of the axis; cross sections are drawn in pb, fb or ab, whichever gives handy
            numbers.
        weight_unit: ``"pb"``, or ``"events"`` for collision data.
    """
    if weight_unit != "pb":
        per = "bin" if axis.discrete else axis.unit or "unit"
        return Panel(tuple(curves), f"{weight_unit} per {per}", logarithmic=axis.logarithmic, minimum=0.0)
    largest = max((float(np.nanmax(np.abs(curve.values), initial=0.0)) for curve in curves), default=0.0)
    unit, factor = _unit(largest)
    scaled = tuple(
        replace(
            curve,
            values=curve.values * factor,
            below=None if curve.below is None else curve.below * factor,
            above=None if curve.above is None else curve.above * factor,
        )
        for curve in curves
    )
    per = f"/{axis.unit}" if axis.unit else ""
    title = rf"$\sigma$ per bin [{unit}]" if axis.discrete else rf"d$\sigma$ / d{axis.label} [{unit}{per}]"
    return Panel(scaled, title, logarithmic=axis.logarithmic, minimum=0.0)


def _unit(largest: float) -> tuple[str, float]:
    """Return the unit for a spectrum whose maximum is `largest` pb, and the factor to it."""
    return next((name, factor) for name, factor, smallest in _UNITS if largest >= smallest)


def draw_panels(
    axis: Axis, main: Panel, lower: Sequence[Panel] = (), *, headline: Headline, note: str = ""
) -> "Figure":
    """Draw `main` and the `lower` panels over `axis`.

    Args:
        axis: the variable on the x axis.
        main: the upper panel, which gets the legend.
        lower: flat panels below it, e.g. ratios; each shows its own legend entries, if any.
        headline: above the figure.
        note: remark on the first or last bin.
    """
    figure, panels = canvas(headline, len(lower))
    for axes, panel in zip(panels, (main, *lower), strict=True):
        _draw_panel(axes, axis, panel, is_main=panel is main)
    panels[0].set_xlim(axis.edges[0], axis.edges[-1])
    panels[-1].set_xlabel(axis.title)
    if axis.discrete:
        _integer_ticks(panels[-1], axis)
    if note:
        remark(panels[0], note)
    for axes in panels:
        axes.yaxis.set_label_coords(-0.115, 1.0 if axes is panels[0] else 0.5)
    return figure


def _draw_panel(axes: "Axes", axis: Axis, panel: Panel, *, is_main: bool) -> None:
    from matplotlib.ticker import MaxNLocator

    if panel.level is not None:
        axes.axhline(panel.level, color="0.55", linewidth=0.9, zorder=0)
    for number, curve in enumerate(panel.curves):
        _DRAW[curve.kind](axes, axis, curve, panel.shift * (number - 0.5 * (len(panel.curves) - 1)))
    if panel.tag:
        axes.annotate(panel.tag, (0, 1), (8, -9), "axes fraction", "offset points", va="top", fontsize=11)
    axes.set_ylabel(panel.title, loc="top" if is_main else "center", fontsize=None if is_main else 11)
    labels = sum(bool(curve.label) for curve in panel.curves)
    columns = min(labels, 2 if is_main else 4)
    rows = math.ceil(labels / columns) if columns else int(bool(panel.tag))
    _set_limits(axes, panel, (0.06 if is_main else 0.21) * rows + 0.05)
    if labels:
        axes.legend(loc="upper right", ncols=columns, borderaxespad=0.7, columnspacing=1.2)
    if not is_main:
        axes.yaxis.set_major_locator(MaxNLocator(nbins=4, prune="both"))


def _integer_ticks(axes: "Axes", axis: Axis) -> None:
    from matplotlib.ticker import NullLocator

    axes.set_xticks(axis.centres[:: 1 + len(axis) // 20])
    axes.xaxis.set_minor_locator(NullLocator())


def _steps(axes: "Axes", axis: Axis, curve: Curve, shift: float) -> None:
    style = "--" if curve.dashed else "-"
    # Without a baseline no vertical lines are drawn to the bottom at the ends and at bins without a value.
    axes.stairs(curve.values, axis.array, baseline=None, color=curve.colour, linestyle=style, label=curve.label or None)
    if curve.below is not None:
        low, high = (np.append(end, end[-1]) for end in curve.span)
        axes.fill_between(axis.array, low, high, step="post", color=curve.colour, alpha=0.25, linewidth=0)


def _points(axes: "Axes", axis: Axis, curve: Curve, shift: float) -> None:
    low, high = curve.span
    errors = np.stack([curve.values - low, high - curve.values])
    known = np.isfinite(curve.values)
    axes.errorbar(
        (axis.centres + shift * axis.widths)[known],
        curve.values[known],
        yerr=errors[:, known],
        xerr=None if shift else 0.5 * axis.widths[known],
        fmt="o",
        markersize=4.5,
        elinewidth=1.2,
        color=curve.colour,
        label=curve.label or None,
    )


def _line(axes: "Axes", axis: Axis, curve: Curve, shift: float) -> None:
    style = "--" if curve.dashed else "-"
    x = axis.centres if curve.x is None else curve.x
    axes.plot(x, curve.values, color=curve.colour, linestyle=style, linewidth=1.3, label=curve.label or None)
    if curve.below is not None:
        axes.fill_between(x, *curve.span, color=curve.colour, alpha=0.25, linewidth=0)


_DRAW = {"steps": _steps, "points": _points, "line": _line}


def _power_of_ten(value: float, position: int | None) -> str:
    """Return e.g. ``"10⁻³"``, as plain text: matplotlib's mathematics takes most of the time of a figure."""
    power = round(math.log10(value))
    return {0: "1", 1: "10"}.get(power, "10" + str(power).translate(_SUPERSCRIPTS))


def _set_limits(axes: "Axes", panel: Panel, headroom: float) -> None:
    """Set the range of y so that the uppermost share `headroom` of the panel stays free for the legend."""
    from matplotlib.ticker import FuncFormatter

    if panel.limits is not None:
        axes.set_ylim(*panel.limits)
        return
    values = np.concatenate([curve.values for curve in panel.curves] or [np.zeros(0)])
    values = values[np.isfinite(values)]
    ratio = panel.level is not None
    ends = np.concatenate([_shown_ends(curve, ratio=ratio) for curve in panel.curves] or [values])
    if panel.logarithmic and (values > 0).any() and (values >= 0).all():
        high = max(ends.max(), values.max())
        low = max(0.5 * values[values > 0].min(), high / _MOST_DECADES)
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(FuncFormatter(_power_of_ten))
        axes.set_ylim(low, low * (high / low) ** (1.06 / (1 - headroom)))
        return
    ends = np.append(ends, [] if panel.level is None else panel.level)
    if not ends.size or ends.max() == ends.min():
        return
    low = min(ends.min(), np.inf if panel.minimum is None else panel.minimum)
    margin = 0.0 if low == panel.minimum else 0.08 * (ends.max() - low)
    axes.set_ylim(low - margin, low - margin + (ends.max() - low + margin) * 1.06 / (1 - headroom))


def _shown_ends(curve: Curve, *, ratio: bool) -> Array:
    """Return the ends of the error bars that the range of y must hold.

    Bins that are much less precise than the others do not stretch the range of a ratio, nor do their error bars that of
    points: of a step the line then leaves the panel, of a point the bar only.
    """
    low, high = curve.span
    known = np.isfinite(low) & np.isfinite(high)
    low, high, values = low[known], high[known], curve.values[known]
    if not values.size or (curve.kind != "points" and not ratio):
        return np.concatenate([low, high])
    precise = high - low <= 5.0 * np.median(high - low)
    ends = np.concatenate([low[precise], high[precise]])
    return np.concatenate([ends, values]) if curve.kind == "points" else ends

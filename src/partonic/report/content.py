"""What a section of the report hands to the page: paragraphs, tables, plots and numbers."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from partonic.plots.canvas import Headline

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Content", "Plot", "Table", "number_with_error", "percent_with_error"]

_EXACT: Final = 1e-9
"""Relative error below which a number is exact to rounding and shown without its error."""


@dataclass(frozen=True)
class Table:
    """A table of the page.

    Attributes:
        caption: what it shows, one or two sentences.
        columns: headings.
        rows: cells as text, one per column.
    """

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Plot:
    """A figure of the page, drawn only when it is its turn, so that one figure at a time is in memory.

    Attributes:
        name: file name without ending; unique on the page.
        caption: what it shows.
        draw: makes the figure with the headline given.
        compact: makes a small one with large letters for the first screen; None if the figure is never shown there.
    """

    name: str
    caption: str
    draw: "Callable[[Headline], Figure]"
    compact: "Callable[[Headline], Figure] | None" = None


@dataclass(frozen=True)
class Content:
    """All that a section shows.

    Attributes:
        paragraphs: text above the tables and plots.
        missing: what the section could not show, and why.
        tables, plots: shown in this order.
        details: long texts that are folded away, by their heading.
        results: numbers and histograms for `report.json`, JSON-like.
    """

    paragraphs: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    plots: tuple[Plot, ...] = ()
    details: Mapping[str, str] = field(default_factory=dict)
    results: Mapping[str, object] = field(default_factory=dict)


def number_with_error(value: float, error: float, unit: str = "") -> str:
    """Return e.g. ``"0.4013 ± 0.0012 pb"``: the error with two digits, the value to the same decimal place."""
    ending = f" {unit}" if unit else ""
    if error <= _EXACT * abs(value):
        return f"{value:.6g}{ending}".replace("-", "−")
    if not 1e-4 <= max(abs(value), error) < 1e6:
        power = int(f"{max(abs(value), error):e}".split("e")[1])
        return f"({number_with_error(value / 10.0**power, error / 10.0**power)})·10{_superscript(power)}{ending}"
    places = max(0, 1 - int(f"{error:.1e}".split("e")[1]))
    return f"{value:.{places}f} ± {error:.{places}f}{ending}".replace("-", "−")


def percent_with_error(value: float, below: float, above: float) -> str:
    """Return e.g. ``"12.3 +0.4 −0.3 %"``, or with ± when both errors round alike; a dash where undefined."""
    if math.isnan(value):  # nothing was there to pass
        return "–"
    smallest = min(error for error in (below, above, 1.0) if error > 0)
    places = min(6, max(0, 1 - int(f"{100 * smallest:.1e}".split("e")[1])))
    down, up = f"{100 * below:.{places}f}", f"{100 * above:.{places}f}"
    middle = f"{100 * value:.{places}f}"
    return f"{middle} ± {up} %" if down == up else f"{middle} +{up} −{down} %"


def _superscript(power: int) -> str:
    return str(power).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))

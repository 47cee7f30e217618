"""q over one parameter: profile with a band, other curves beside it, the levels it crosses, best fit and truth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from partonic.plots.canvas import Headline, canvas
from partonic.plots.style import PALETTE, REFERENCE_COLOUR

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Crossing", "LikelihoodCurve", "draw_likelihood_curve"]

Array = NDArray[np.float64]

_STYLES = ((PALETTE[1], "--"), (PALETTE[3], "-."), (PALETTE[4], ":"), (PALETTE[2], "--"))
_SHARE = 0.68
"""Of the height that curves may fill; the legend is above."""


@dataclass(frozen=True)
class Crossing:
    """A level of q and where the curve is below it.

    Attributes:
        label: e.g. ``"68%"``.
        height: of q.
        segments: lower and upper ends.
    """

    label: str
    height: float
    segments: Sequence[tuple[float, float]] = ()


@dataclass(frozen=True, eq=False)
class LikelihoodCurve:
    """What one figure shows.

    Attributes:
        title: of the x axis.
        values: of the parameter, `(M,)`.
        profile: q there, `(M,)`.
        band: error of q, `(M,)`; None where it has none.
        band_label: what the error is.
        outer: a second error of q, drawn as a hatched band, `(M,)`; None where there is none.
        outer_label: what it is.
        others: more curves by legend entry, values and q each.
        crossings: levels.
        best: best fit.
        truth: true value; None where it is not known.
    """

    title: str
    values: Array
    profile: Array
    crossings: Sequence[Crossing]
    best: float
    truth: float | None = None
    band: Array | None = None
    band_label: str = ""
    outer: Array | None = None
    outer_label: str = ""
    others: Mapping[str, tuple[Array, Array]] = field(default_factory=dict)


def draw_likelihood_curve(curve: LikelihoodCurve, *, headline: Headline) -> "Figure":
    """Draw the curve, its band, the others, and the intervals as bars under the level that they belong to."""
    figure, (axes,) = canvas(headline, left=0.8)
    axes.plot(curve.values, curve.profile, color=PALETTE[0], linewidth=2.0, label="profile")
    if curve.band is not None:
        low = np.maximum(curve.profile - curve.band, 0.0)
        axes.fill_between(
            curve.values, low, curve.profile + curve.band, color=PALETTE[0], alpha=0.3, linewidth=0,
            label=curve.band_label,
        )  # fmt: skip
    if curve.outer is not None:
        low = np.maximum(curve.profile - curve.outer, 0.0)
        axes.fill_between(
            curve.values, low, curve.profile + curve.outer, facecolor="none", edgecolor=PALETTE[1], hatch="////",
            alpha=0.6, linewidth=0.6, label=curve.outer_label,
        )  # fmt: skip
    for number, (label, (x, q)) in enumerate(curve.others.items()):
        colour, style = _STYLES[number % len(_STYLES)]
        axes.plot(x, q, color=colour, linestyle=style, linewidth=1.4, label=label)
    axes.axvline(curve.best, color=PALETTE[0], linewidth=1.0, linestyle=":", label="best fit")
    if curve.truth is not None:
        axes.axvline(curve.truth, color=REFERENCE_COLOUR, linewidth=1.2, linestyle="--", label="truth")
    _draw_crossings(axes, curve)
    _leave_room(axes)
    highest = max((crossing.height for crossing in curve.crossings), default=4.0)
    axes.set_xlim(curve.values[0], curve.values[-1])
    axes.set_ylim(0.0, 1.5 * highest / _SHARE)
    axes.set_xlabel(curve.title)
    axes.set_ylabel(r"$-2\,\Delta\log L$")
    axes.legend(loc="upper center", ncols=2, columnspacing=1.5, fontsize=10, borderaxespad=0.4)
    return figure


def _leave_room(axes: "Axes") -> None:
    """Cut all curves off below the legend."""
    from matplotlib.patches import Rectangle

    below = Rectangle((0.0, 0.0), 1.0, _SHARE, transform=axes.transAxes)
    for artist in (*axes.lines, *axes.collections):
        artist.set_clip_path(below)


def _draw_crossings(axes: "Axes", curve: LikelihoodCurve) -> None:
    for crossing in curve.crossings:
        axes.axhline(crossing.height, color="0.55", linewidth=0.9, zorder=0)
        axes.annotate(
            crossing.label, (1, crossing.height), (3, 0), ("axes fraction", "data"), "offset points",
            va="center", fontsize=9, color="0.35",
        )  # fmt: skip
        for segment in crossing.segments:
            for end in segment:
                axes.plot([end, end], [0.0, crossing.height], color=PALETTE[0], linewidth=0.9, alpha=0.75)

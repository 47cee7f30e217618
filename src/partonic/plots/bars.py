"""Horizontal bars: what is left of the events after each cut."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from partonic.plots.canvas import Headline, canvas
from partonic.plots.efficiency import Efficiency
from partonic.plots.style import PALETTE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw_cut_flow"]


def draw_cut_flow(names: Sequence[str], remaining: Efficiency, *, headline: Headline) -> "Figure":
    """Draw one bar a cut with the share of all events that is left after it.

    Args:
        names: of the steps, the first being all events.
        remaining: share of all events left after each step, `(steps,)`.
        headline: above the figure.
    """
    margin = 0.3 + 0.085 * max(map(len, names))
    figure, (axes,) = canvas(headline, size=(margin + 4.3, 1.4 + 0.42 * len(names)), left=margin)
    places = np.arange(len(names))
    axes.barh(places, remaining.value, height=0.66, color=PALETTE[0], alpha=0.8)
    axes.errorbar(
        remaining.value, places, xerr=np.stack([remaining.below, remaining.above]), fmt="none", ecolor="black"
    )
    for place, value, above in zip(places, remaining.value, remaining.above, strict=True):
        axes.annotate(f"{100 * value:.3g}%", (value + above, place), (5, 0), textcoords="offset points", va="center")
    axes.set_yticks(places, names)
    axes.invert_yaxis()
    axes.tick_params(axis="y", which="both", length=0)
    axes.minorticks_off()
    axes.set_xlim(0, 1.18)
    axes.set_xticks(np.linspace(0, 1, 6))
    axes.set_xlabel("share of all generated events left")
    return figure

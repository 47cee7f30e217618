"""ROC curves: efficiency of the signal against that of the background."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from partonic.classify.roc import RocCurve
from partonic.plots.canvas import Headline, canvas
from partonic.plots.style import PALETTE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw_roc_curves"]


def draw_roc_curves(
    curves: Sequence[RocCurve], processes: tuple[str, str] = ("signal", "background"), *, headline: Headline
) -> "Figure":
    """Draw all curves and the diagonal of a number that tells nothing.

    Args:
        curves: with their area in the legend.
        processes: names of signal and background.
        headline: above the figure.
    """
    figure, (axes,) = canvas(headline, size=(6.0, 5.6))
    axes.plot([0.0, 1.0], [0.0, 1.0], color="0.55", linewidth=0.9, linestyle=":")
    for number, curve in enumerate(curves):
        # The points stand for events: between them the curve is the straight line of a random choice.
        signal, background = (np.append(0.0, x) for x in (curve.signal_efficiency, curve.background_efficiency))
        label = f"{curve.name}: area {curve.auc}"
        axes.plot(background, signal, color=PALETTE[number % len(PALETTE)], linewidth=1.8, label=label)
    axes.set_xlim(0.0, 1.0)
    axes.set_ylim(0.0, 1.0)
    axes.set_xlabel(f"efficiency of {processes[1]}")
    axes.set_ylabel(f"efficiency of {processes[0]}")
    axes.legend(loc="lower right", borderaxespad=0.8)
    return figure

"""The course of a training phase: losses, constrained values and their multipliers, epoch by epoch."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from partonic.plots.canvas import Headline
from partonic.plots.grid import grid
from partonic.plots.style import PALETTE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_training"]

Array = NDArray[np.float64]

_MULTIPLIER = "multiplier."
_LOSSES = ("loss", "validation")
_OTHERS = ("epoch", "step", "learning_rate", "skipped", "gradient", "lagrangian")


def draw_training(figures: Mapping[str, Array], targets: Mapping[str, float], *, headline: Headline) -> "Figure":
    """Draw the boxes of one phase.

    Args:
        figures: by name, one number an epoch: ``epoch``, ``loss``, ``validation``, the constrained values, and
            ``multiplier.<name>`` of each.
        targets: of the constraints, drawn as dashed lines.
        headline: above the figure.
    """
    losses = {name: figures[name] for name in _LOSSES if name in figures}
    multipliers = {name.removeprefix(_MULTIPLIER): values for name, values in figures.items() if _is_multiplier(name)}
    values = {name: figures[name] for name in multipliers if name in figures}
    boxes = [("loss", losses), ("constrained value", values), ("multiplier", multipliers)]
    shown = [(title, curves) for title, curves in boxes if curves]
    figure, axes = grid(headline, (1, len(shown)), (3.1, 2.6), (0.85, 0.5))
    for box, (title, curves) in zip(axes, shown, strict=True):
        _draw_box(box, figures["epoch"], curves, targets if title.startswith("constrained") else {})
        box.set_ylabel(title)
        box.set_xlabel("epoch")
    return figure


def _is_multiplier(name: str) -> bool:
    return name.startswith(_MULTIPLIER)


def _draw_box(axes: "Axes", epochs: Array, curves: Mapping[str, Array], targets: Mapping[str, float]) -> None:
    from matplotlib.ticker import MaxNLocator

    for number, (name, values) in enumerate(curves.items()):
        colour = PALETTE[number % len(PALETTE)]
        label = {"loss": "training", "validation": "validation"}.get(name, name.replace("_", " "))
        axes.plot(epochs, values, color=colour, marker="o" if len(epochs) < 3 else "", markersize=4, label=label)
        if name in targets:
            axes.axhline(targets[name], color=colour, linestyle="--", linewidth=0.9)
    if targets and all((values > 0).all() for values in curves.values()):
        axes.set_yscale("log")
    low, high = axes.get_ylim()
    if axes.get_yscale() == "linear":
        axes.set_ylim(low, high + 0.35 * (high - low))
    else:
        axes.set_ylim(low, high * (high / low) ** 0.35)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(loc="upper right", fontsize=9)

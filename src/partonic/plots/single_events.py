"""Samples of single events beside the truth: directions, transverse momenta, and their correlations."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
from numpy.typing import NDArray

from partonic.plots.canvas import Headline
from partonic.plots.grid import box_tag, grid
from partonic.plots.style import PALETTE
from partonic.unfolding.quality.single_event import SingleEvent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_correlations", "draw_directions", "draw_momenta"]

_LABELS: Final = ("H", r"$\mathrm{t_{had}}$", r"$\mathrm{t_{lep}}$")
_LEVELS: Final = (0.95, 0.68)
_ETA: Final = 4.0
_PT: Final = 500.0

Array = NDArray[np.float64]
AnyArray = NDArray[np.floating]


def draw_directions(events: Sequence[SingleEvent], *, headline: Headline) -> "Figure":
    """Draw regions that hold 68% and 95% of the sampled directions in η and φ, and the truth as crosses."""
    figure, boxes = grid(headline, _shape(len(events)), (2.9, 2.5))
    edges = (np.linspace(-_ETA, _ETA, 41), np.linspace(-math.pi, math.pi, 33))
    for axes, event in zip(boxes, events, strict=False):
        for number, label in enumerate(_LABELS):
            eta, phi = event.samples[:, number, 1], event.samples[:, number, 2]
            _regions(axes, (eta, phi), edges, PALETTE[number])
            _truth(axes, event.truth[number, 1:], PALETTE[number], label)
        axes.set_xlim(-_ETA, _ETA)
        axes.set_ylim(-math.pi, math.pi)
        box_tag(axes, f"event {event.event}, {event.jets} jets")
    _outer(boxes, events, r"$\eta$", r"$\phi$")
    return figure


def draw_momenta(events: Sequence[SingleEvent], *, headline: Headline) -> "Figure":
    """Draw the distributions of the sampled transverse momenta, and the truth as vertical lines."""
    figure, boxes = grid(headline, _shape(len(events)), (2.9, 2.3))
    edges = np.linspace(0.0, _PT, 51)
    for axes, event in zip(boxes, events, strict=False):
        highest = 0.0
        for number, label in enumerate(_LABELS):
            counts = np.histogram(event.samples[:, number, 0], edges)[0] / len(event.samples) / np.diff(edges)
            axes.stairs(counts, edges, color=PALETTE[number], label=label)
            axes.axvline(event.truth[number, 0], color=PALETTE[number], linestyle="--", linewidth=1.2)
            highest = max(highest, float(counts.max()))
        axes.set_xlim(0.0, _PT)
        axes.set_ylim(0.0, 1.5 * highest)
        axes.tick_params(labelleft=False)
        box_tag(axes, f"event {event.event}, {event.jets} jets")
    _outer(boxes, events, r"$p_\mathrm{T}$ [GeV]", "samples per GeV")
    return figure


def draw_correlations(event: SingleEvent, kind: Literal["pt", "eta"], *, headline: Headline) -> "Figure":
    """Draw a matrix of the sampled pT or η of the three particles of one event: distributions and pairs.

    Args:
        event: with its samples.
        kind: what is drawn.
        headline: above the figure.
    """
    column, title, unit = {"pt": (0, r"$p_\mathrm{T}$", " [GeV]"), "eta": (1, r"$\eta$", "")}[kind]
    values, truth = event.samples[:, :, column], event.truth[:, column]
    spans = [_span(values[:, number], truth[number]) for number in range(3)]
    figure, boxes = grid(headline, (3, 3), (2.0, 2.0))
    for place, axes in enumerate(boxes):
        row, across = divmod(place, 3)
        if across > row:
            axes.set_visible(False)
            continue
        axes.set_xlim(*spans[across])
        if row == across:
            edges = np.linspace(*spans[row], 41)
            axes.stairs(np.histogram(values[:, row], edges)[0], edges, color=PALETTE[row])
            axes.axvline(truth[row], color=PALETTE[2], linewidth=1.2)
            axes.tick_params(labelleft=False)
        else:
            bins = (np.linspace(*spans[across], 31), np.linspace(*spans[row], 31))
            _regions(axes, (values[:, across], values[:, row]), bins, PALETTE[0])
            axes.plot([truth[across]], [truth[row]], "x", color=PALETTE[2], markersize=8, markeredgewidth=2)
            axes.set_ylim(*spans[row])
            axes.annotate(f"r = {np.corrcoef(values[:, across], values[:, row])[0, 1]:.2f}".replace("-", "−"), (1, 0),
                          (-6, 6), "axes fraction", "offset points", ha="right", fontsize=9.5)  # fmt: skip
            if across == 0:
                axes.set_ylabel(f"{title}({_LABELS[row]}){unit}", fontsize=11)
        if row == 2:
            axes.set_xlabel(f"{title}({_LABELS[across]}){unit}", fontsize=11)
    return figure


def _shape(boxes: int) -> tuple[int, int]:
    columns = min(3, max(boxes, 1))
    return math.ceil(max(boxes, 1) / columns), columns


def _outer(boxes: "Sequence[Axes]", events: Sequence[SingleEvent], x: str, y: str) -> None:
    """Write titles and legend, and hide boxes without an event."""
    columns = _shape(len(events))[1]
    for number, axes in enumerate(boxes):
        axes.set_visible(number < len(events))
        if len(events) - columns <= number < len(events):
            axes.tick_params(labelbottom=True)
            axes.set_xlabel(x)
    boxes[0].set_ylabel(y)
    boxes[0].legend(loc="upper right", fontsize=9.5, handletextpad=0.4)


def _truth(axes: "Axes", place: Array, colour: str, label: str) -> None:
    axes.plot([place[0]], [place[1]], "x", color="white", markersize=10, markeredgewidth=4.5)
    axes.plot([place[0]], [place[1]], "x", color=colour, markersize=9, markeredgewidth=2.2, label=label)


def _regions(axes: "Axes", values: tuple[AnyArray, AnyArray], edges: tuple[Array, Array], colour: str) -> None:
    """Fill the densest bins that hold 95% and 68% of the samples."""
    counts = np.histogram2d(*values, bins=edges)[0]
    centres = [0.5 * (axis[1:] + axis[:-1]) for axis in edges]
    ordered = np.sort(counts.ravel())[::-1]
    inside = np.cumsum(ordered) / max(counts.sum(), 1.0)
    thresholds = [float(ordered[min(int(np.searchsorted(inside, level)), len(ordered) - 1)]) for level in _LEVELS]
    levels = [*dict.fromkeys(max(threshold, 0.5) for threshold in thresholds), float(counts.max()) + 1.0]
    if len(levels) == 3 and levels[0] < levels[1] < levels[2]:
        axes.contourf(*centres, counts.T, levels=levels, colors=[colour, colour], alpha=0.3)
        axes.contour(*centres, counts.T, levels=levels[:-1], colors=[colour], linewidths=[0.7, 1.2])
    else:  # all samples in very few bins
        axes.plot(values[0][:500], values[1][:500], ".", color=colour, markersize=1.5, alpha=0.5)


def _span(values: AnyArray, truth: float) -> tuple[float, float]:
    low, high = np.quantile(values, (0.003, 0.997))
    margin = 0.06 * (high - low) + 1e-6
    return min(float(low), truth) - margin, max(float(high), truth) + margin

"""Expected events in the bins of a template, process upon process, with control regions beside the signal region."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from partonic.plots.canvas import Headline, canvas
from partonic.plots.style import PALETTE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw_template_bins"]

Array = NDArray[np.float64]


def draw_template_bins(
    regions: Mapping[str, int],
    processes: Mapping[str, Array],
    signals: Mapping[str, Array],
    counts: Array,
    *,
    headline: Headline,
) -> "Figure":
    """Draw one bar a bin with the processes upon each other, further signals as lines, and the data as points.

    Args:
        regions: number of bins by name, in their order.
        processes: expected events of each process in J bins, `(J,)`, the lowest first.
        signals: expected signal at other θ, on top of the other processes, by name, `(J,)`.
        counts: data, `(J,)`.
        headline: above the figure.
    """
    bins = len(counts)
    figure, (axes,) = canvas(headline, size=(2.2 + 0.55 * max(bins, 6), 4.2))
    places, below = np.arange(bins), np.zeros(bins)
    for number, (name, values) in enumerate(processes.items()):
        axes.bar(places, values, width=1.0, bottom=below, color=PALETTE[number % len(PALETTE)], alpha=0.75, label=name)
        below = below + values
    edges = np.arange(bins + 1) - 0.5
    for number, (name, values) in enumerate(signals.items()):
        colour = PALETTE[(len(processes) + number) % len(PALETTE)]
        axes.stairs(values, edges, color=colour, linewidth=1.6, label=name, baseline=None)
    axes.errorbar(places, counts, yerr=np.sqrt(counts), fmt="o", color="black", markersize=3.5, label="data")
    _mark_regions(axes, regions)
    largest = max(float(counts.max(initial=1.0)), float(below.max(initial=1.0)))
    smallest = [each[each > 0].min() for each in (*processes.values(), *signals.values()) if (each > 0).any()]
    axes.set_ylim(max(0.3 * min(smallest, default=1.0), 1e-3), 40.0 * largest)  # first: a log axis scales to nothing
    axes.set_yscale("log")
    axes.set_xlim(-0.5, bins - 0.5)
    axes.set_xticks(places, _numbers(regions))
    axes.minorticks_off()
    axes.set_xlabel("bin of the ratio, by region")
    axes.set_ylabel("expected events")
    axes.legend(ncols=3, loc="upper left", fontsize="small")
    return figure


def _mark_regions(axes: "object", regions: Mapping[str, int]) -> None:
    """Draw a line between regions, and their names."""
    start = 0
    for name, bins in regions.items():
        if start:
            axes.axvline(start - 0.5, color="0.4", linewidth=0.8, linestyle="--")  # type: ignore[attr-defined]
        axes.annotate(  # type: ignore[attr-defined]
            name, (start + 0.5 * bins - 0.5, 0.8), xycoords=("data", "axes fraction"), ha="center", fontsize="small",
            rotation=0 if bins > 1 else 90, va="top",
        )  # fmt: skip
        start += bins


def _numbers(regions: Mapping[str, int]) -> Sequence[str]:
    return [str(number + 1) for bins in regions.values() for number in range(bins)]

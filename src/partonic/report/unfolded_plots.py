"""Figures that several sections on unfolding share."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from partonic.plots.axis import Axis
from partonic.plots.bias_bands import BiasTitles
from partonic.plots.canvas import Headline
from partonic.plots.histogram import ratio_of_independent
from partonic.plots.panels import Curve, Panel, draw_panels
from partonic.plots.style import PALETTE, REFERENCE_COLOUR
from partonic.report.labels import unfolded_label
from partonic.unfolding.quality.bias import BinnedBias
from partonic.unfolding.quality.observables import PARTICLES
from partonic.unfolding.quality.spectra import Spectra

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["bias_boxes", "spectra_figure"]

_SOURCE_COLOURS = {"truth": REFERENCE_COLOUR, "samples": PALETTE[0], "objects": PALETTE[1], "regression": PALETTE[2]}
_SOURCE_LABELS = {"objects": "sum of objects"}
_PT_LIMIT, _ETA_LIMIT = 1.0, 2.0


def bias_boxes(
    biases: Mapping[str, BinnedBias], kind: str, frame: str, estimate: str
) -> tuple[dict[str, BinnedBias], BiasTitles]:
    """Return one box for each particle, and the titles of the axes.

    Args:
        biases: by ``"<kind> <frame> <particle>"``.
        kind: ``"pt"`` or ``"eta"``.
        frame: ``"lab"`` or ``"cm"``.
        estimate: what is compared with the truth, one word.
    """
    boxes = {unfolded_label(particle): biases[f"{kind} {frame} {particle}"] for particle in PARTICLES}
    suffix = ", CM" if frame == "cm" else ""
    if kind == "pt":
        return boxes, BiasTitles(
            rf"true $p_\mathrm{{T}}$ [GeV]{suffix}", rf"{estimate} $p_\mathrm{{T}}$ / true − 1", _PT_LIMIT
        )
    return boxes, BiasTitles(rf"true $\eta${suffix}", rf"{estimate} $\eta$ − true $\eta$", _ETA_LIMIT)


def spectra_figure(spectra: Spectra, label: str, headline: Headline) -> "Figure":
    """Draw the distributions of all sources, normalised to 1, and their ratios to the truth."""
    axis = Axis("variable", label, tuple(spectra.edges.tolist()), "GeV")
    truth = spectra.shares["truth"], spectra.errors["truth"]
    curves, ratios = [], []
    for source, shares in spectra.shares.items():
        colour, errors = _SOURCE_COLOURS[source], spectra.errors[source]
        name = _SOURCE_LABELS.get(source, source)
        curves.append(Curve(name, shares / axis.widths, errors / axis.widths, colour=colour))
        if source == "truth":
            safe = np.where(shares > 0, shares, np.nan)
            ratios.append(Curve("", shares / safe, errors / safe, colour=colour))
        else:
            ratios.append(Curve("", *ratio_of_independent((shares, errors), truth), colour=colour))
    main = Panel(tuple(curves), "events / GeV, normalised", minimum=0.0)
    below = Panel(tuple(ratios), "ratio to truth", level=1.0, limits=(0.5, 1.5))
    note = "first and last bin include under- and overflow"
    return draw_panels(axis, main, [below], headline=headline, note=note)

"""b-tag efficiency of jets by true flavour, measured where the selection does not bias it.

A selection with at least k tags favours events whose jets happen to be tagged. A jet is therefore used only if the
other jets of its event have k tags already: whether it is tagged itself then makes no difference to the selection. k is
the smallest number of tags of any selected event, which is never below what the selection asked for.
"""

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from partonic.config.detector import FlavourTagConfig
from partonic.events.batch import EventBatch
from partonic.plots.axis import Axis
from partonic.plots.canvas import Headline
from partonic.plots.efficiency import EfficiencyHistogram
from partonic.plots.panels import Curve, Panel, draw_panels
from partonic.plots.style import PALETTE
from partonic.report.content import Content, Plot
from partonic.report.section import Sample
from partonic.report.views import BatchObjects, selection_of
from partonic.simulation.tagging import tag_probability

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["TaggingSection"]

_AXIS = Axis(
    "tagged_jet_pt",
    r"$p_\mathrm{T}$(jet)",
    (20.0, 30.0, 40.0, 50.0, 60.0, 75.0, 90.0, 110.0, 140.0, 180.0, 240.0, 320.0, 450.0),
    "GeV",
)
_FLAVOURS = {"b jets": 5, "c jets": 4, "light jets": 0}
_MOST_TAGS = 6


class TaggingSection:
    """b-tag efficiency against pT, with the input of the embedded detector response."""

    name: ClassVar[str] = "b_tagging"
    title: ClassVar[str] = "b tagging"
    columns: ClassVar[tuple[str, ...]] = ("weight", "selected", "jet_pt", "jet_tagged", "jet_flavour")

    def __init__(self, sample: Sample) -> None:
        """Prepare for `sample`."""
        self.sample = sample
        self.fewest_tags = _MOST_TAGS
        axis = sample.axis(_AXIS)
        self.histograms = {
            (label, tags): EfficiencyHistogram(axis) for label in _FLAVOURS for tags in range(_MOST_TAGS + 1)
        }

    def fill(self, batch: EventBatch) -> None:
        """Add one batch of events."""
        known = selection_of(batch) & batch.valid("jet_flavour") & batch.valid("jet_tagged")
        view = BatchObjects(batch.filter(known))
        if not len(view):
            return
        tags = view.tagged.sum(axis=1)
        self.fewest_tags = min(self.fewest_tags, int(tags.min()))
        others = tags[:, None] - view.tagged
        weights = np.broadcast_to(view.batch.weight[:, None], others.shape)
        flavour = view.jet("flavour")
        for (label, needed), histogram in self.histograms.items():
            rows = view.jet_mask & (flavour == _FLAVOURS[label]) & (others >= needed)
            histogram.fill(view.jet_pt[rows], weights[rows], view.tagged[rows])

    def content(self) -> Content:
        """Return the figure of the efficiencies."""
        found = {label: self.histograms[label, self.fewest_tags] for label in _FLAVOURS}
        found = {label: histogram for label, histogram in found.items() if not histogram.is_empty}
        if not found:
            return Content(missing=("No jets with known flavour and b-tag decision in selected events.",))
        curves = _input_curves(self.sample)
        text = (
            f"All selected events have {self.fewest_tags} b-tagged jets or more. So that this does not bias the "
            f"efficiency, a jet counts only if the other jets of its event have {self.fewest_tags} tags."
        )
        return Content(
            paragraphs=(text if self.fewest_tags else "All jets of the selected events count.",),
            missing=()
            if curves
            else ("The efficiencies put into the detector response are not recorded with these events.",),
            plots=(
                Plot(
                    "b_tag_efficiency",
                    "b-tag efficiency against the reconstructed pT by true flavour"
                    + (" (points), and the probabilities put into the detector response (dashed)." if curves else "."),
                    _Drawer(found, curves),
                ),
            ),
            results={label: histogram.record() for label, histogram in found.items()},
        )


def _input_curves(sample: Sample) -> dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Return (pT, probability) of the embedded response for each flavour; empty if the response was another."""
    section = sample.metadata.config.get("simulation", sample.metadata.config)
    detector = section.get("detector") if isinstance(section, dict) else None
    if not isinstance(detector, dict) or "b_tagging" not in detector:
        return {}
    config = FlavourTagConfig.model_validate(detector["b_tagging"])
    pt = np.linspace(_AXIS.edges[0], _AXIS.edges[-1], 200)
    return {label: (pt, tag_probability(pt, np.full(len(pt), flavour), config)) for label, flavour in _FLAVOURS.items()}


class _Drawer:
    def __init__(
        self,
        histograms: dict[str, EfficiencyHistogram],
        inputs: dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]],
    ) -> None:
        self.histograms = histograms
        self.inputs = inputs

    def __call__(self, headline: Headline) -> "Figure":
        curves = []
        for number, (label, histogram) in enumerate(self.histograms.items()):
            result = histogram.result()
            curves.append(Curve(label, result.value, result.below, result.above, PALETTE[number], kind="points"))
            if label in self.inputs:
                pt, probability = self.inputs[label]
                curves.append(Curve("", probability, colour=PALETTE[number], kind="line", x=pt, dashed=True))
        axis = next(iter(self.histograms.values())).axis
        return draw_panels(axis, Panel(tuple(curves), "b-tag efficiency", minimum=0.0), headline=headline)

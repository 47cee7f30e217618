"""Jet level: all jets of the selected events, by true flavour where it is known."""

from typing import ClassVar

import numpy as np

from partonic.events.batch import EventBatch
from partonic.plots.axis import Axis
from partonic.plots.histogram import Histogram
from partonic.report.content import Content, Plot
from partonic.report.section import Sample
from partonic.report.sections.selected import HistogramDrawer
from partonic.report.views import BatchObjects, selection_of

__all__ = ["JetsSection"]

_PI = float(np.float32(np.pi))
"""π rounded to single precision, in which azimuths are stored; it is slightly larger than π."""

_AXES = (
    Axis.regular("jet_pt", r"$p_\mathrm{T}$(jet)", (30, 0.0, 450.0), "GeV", logarithmic=True),
    Axis.regular("jet_eta", r"$\eta$(jet)", (30, -3.0, 3.0)),
    Axis.regular("jet_phi", r"$\phi$(jet)", (32, -_PI, _PI), "rad"),
    Axis.regular("jet_mass", r"$m$(jet)", (30, 0.0, 60.0), "GeV", logarithmic=True),
)
_FLAVOURS = {"all jets": None, "b jets": 5, "c jets": 4, "light jets": 0}


class JetsSection:
    """Spectra of the jets; an event enters once for each of its jets."""

    name: ClassVar[str] = "jets"
    title: ClassVar[str] = "Jets"
    columns: ClassVar[tuple[str, ...]] = (
        "weight",
        "selected",
        "jet_flavour",
        "jet_pt",
        "jet_eta",
        "jet_phi",
        "jet_mass",
    )

    def __init__(self, sample: Sample) -> None:
        """Prepare for `sample`."""
        self.sample = sample
        self.histograms = {
            (axis.name, flavour): Histogram(sample.axis(axis)) for axis in _AXES for flavour in _FLAVOURS
        }

    def fill(self, batch: EventBatch) -> None:
        """Add one batch of events."""
        chosen = BatchObjects(batch.filter(selection_of(batch))).batch
        counts = chosen.counts("jet_pt")
        event = np.repeat(np.arange(len(chosen)), counts)
        weight = chosen.weight[event]
        known = chosen.flat("jet_flavour") if chosen.has("jet_flavour") else None
        for axis in _AXES:
            values = chosen.flat(axis.name)
            for label, flavour in _FLAVOURS.items():
                if flavour is None:
                    self.histograms[axis.name, label].fill(values, weight, event)
                elif known is not None:
                    rows = known == flavour
                    self.histograms[axis.name, label].fill(values[rows], weight[rows], event[rows])

    def content(self) -> Content:
        """Return one figure per variable."""
        if self.histograms["jet_pt", "all jets"].is_empty:
            return Content(missing=("There are no jets of selected events.",))
        filled = {key: histogram for key, histogram in self.histograms.items() if not histogram.is_empty}
        with_flavour = any(label != "all jets" for _, label in filled)
        return Content(
            paragraphs=(
                "All jets of the selected events. Jets of one event are correlated: the errors add the weights of an "
                "event in a bin before they are squared.",
            ),
            missing=() if with_flavour else ("The true flavour of the jets is not known.",),
            plots=tuple(
                Plot(
                    f"jets_{axis.name}",
                    "Jets of the selected events, by true flavour." if with_flavour else "Jets of the selected events.",
                    self._drawer(axis.name, filled),
                )
                for axis in _AXES
            ),
            results={f"{name} {label}": histogram.record() for (name, label), histogram in filled.items()},
        )

    def _drawer(self, name: str, filled: dict[tuple[str, str], Histogram]) -> HistogramDrawer:
        curves = [(label, histogram) for (axis, label), histogram in filled.items() if axis == name]
        return HistogramDrawer(curves, self.sample.weight_unit)

"""Selected events: multiplicities, leptons, missing transverse momentum and event-wide sums."""

from typing import TYPE_CHECKING, ClassVar

from partonic.events.batch import EventBatch
from partonic.plots.canvas import Headline
from partonic.plots.histogram import Histogram
from partonic.plots.panels import Curve, draw_panels, spectrum_panel
from partonic.plots.style import PALETTE
from partonic.report.content import Content, Plot
from partonic.report.labels import plain
from partonic.report.object_observables import OBJECT_SENTENCES
from partonic.report.observables import reco_observables
from partonic.report.section import Sample
from partonic.report.views import BatchObjects, selection_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["HistogramDrawer", "SelectedSection"]

_SENTENCES = {
    "jet_multiplicity": "Number of jets",
    "tag_multiplicity": "Number of b-tagged jets",
    "jet1_pt": "Transverse momentum of the leading jet",
    "jet4_pt": "Transverse momentum of the fourth jet",
    "ht": "Scalar sum of the transverse momenta of the jets",
    "lepton_pt": "Transverse momentum of the lepton",
    "lepton_eta": "Pseudorapidity of the lepton",
    "met": "Missing transverse momentum",
    "transverse_mass": "Transverse mass of lepton and missing transverse momentum",
    "closest_pair_mass": "Mass of the two b-tagged jets that are closest in ΔR",
    **OBJECT_SENTENCES,
}


class SelectedSection:
    """Spectra of reconstructed quantities, one entry per selected event."""

    name: ClassVar[str] = "selected"
    title: ClassVar[str] = "Selected events"
    columns: ClassVar[tuple[str, ...]] = ("weight", "selected", *BatchObjects.columns, *BatchObjects.optional)

    def __init__(self, sample: Sample) -> None:
        """Prepare for `sample`."""
        self.sample = sample
        self.observables = reco_observables(sample.metadata)
        self.histograms = [Histogram(sample.axis(observable.axis)) for observable in self.observables]

    def fill(self, batch: EventBatch) -> None:
        """Add one batch of events."""
        view = BatchObjects(batch.filter(selection_of(batch)))
        if not len(view):
            return
        weight = view.batch.weight
        for observable, histogram in zip(self.observables, self.histograms, strict=True):
            values, defined = observable.evaluate(view)
            histogram.fill(values[defined], weight[defined])

    def content(self) -> Content:
        """Return one figure per observable."""
        filled = [histogram for histogram in self.histograms if not histogram.is_empty]
        if not filled:
            return Content(missing=("No event is selected.",))
        return Content(
            plots=tuple(
                Plot(
                    f"selected_{histogram.axis.name}",
                    f"{_SENTENCES.get(histogram.axis.name, plain(histogram.axis.label))}, selected events.",
                    HistogramDrawer([("selected events", histogram)], self.sample.weight_unit),
                )
                for histogram in filled
            ),
            results={histogram.axis.name: histogram.record() for histogram in filled},
        )


class HistogramDrawer:
    """Draws histograms of one variable over each other."""

    def __init__(self, histograms: list[tuple[str, Histogram]], weight_unit: str) -> None:
        """Keep the histograms with their legend entries, and the unit of their contents."""
        self.histograms = histograms
        self.weight_unit = weight_unit

    def __call__(self, headline: Headline) -> "Figure":
        """Draw them."""
        axis = self.histograms[0][1].axis
        curves = []
        for number, (label, histogram) in enumerate(self.histograms):
            values, errors = histogram.density()
            curves.append(Curve(label, values, below=errors, colour=PALETTE[number % len(PALETTE)]))
        note = next((histogram.note for _, histogram in self.histograms if histogram.note), "")
        return draw_panels(axis, spectrum_panel(axis, curves, self.weight_unit), headline=headline, note=note)

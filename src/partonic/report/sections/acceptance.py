"""Acceptance: the share of events that is selected, as a function of the partons."""

from typing import TYPE_CHECKING, ClassVar

from partonic.events.batch import EventBatch
from partonic.plots.canvas import Headline
from partonic.plots.efficiency import EfficiencyHistogram
from partonic.plots.panels import Curve, Panel, draw_panels
from partonic.plots.style import PALETTE
from partonic.report.content import Content, Plot, percent_with_error
from partonic.report.labels import plain
from partonic.report.observables import parton_observables
from partonic.report.section import Sample
from partonic.report.views import BatchPartons, selection_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["FEWEST_EVENTS", "AcceptanceSection"]

_MOST_FIGURES = 4

FEWEST_EVENTS = 8.0
"""Effective events that a bin must have for its efficiency to be drawn."""


class AcceptanceSection:
    """Share of selected events against parton-level observables."""

    name: ClassVar[str] = "acceptance"
    title: ClassVar[str] = "Acceptance"
    columns: ClassVar[tuple[str, ...]] = ("weight", "selected", *BatchPartons.columns)

    def __init__(self, sample: Sample) -> None:
        """Prepare for `sample`."""
        self.sample = sample
        self.observables = parton_observables(sample.metadata)[:_MOST_FIGURES] if sample.metadata.parton_names else ()
        self.histograms = [EfficiencyHistogram(sample.axis(observable.axis)) for observable in self.observables]

    def fill(self, batch: EventBatch) -> None:
        """Add one batch of events; those to which no selection applies do not count."""
        view = BatchPartons(batch.filter(batch.valid("selected")))
        if not len(view):
            return
        weight, chosen = view.batch.weight, selection_of(view.batch)
        for observable, histogram in zip(self.observables, self.histograms, strict=True):
            values, defined = observable.evaluate(view)
            histogram.fill(values[defined], weight[defined], chosen[defined])

    def content(self) -> Content:
        """Return one figure per observable."""
        filled = [histogram for histogram in self.histograms if not histogram.is_empty]
        if not filled:
            return Content(missing=("No selected or rejected events with partons: there is no acceptance to show.",))
        overall = filled[0].overall()
        share = percent_with_error(float(overall.value[0]), float(overall.below[0]), float(overall.above[0]))
        return Content(
            paragraphs=(
                f"Of all events in the store, {share} are selected. Error bars are 68% Wilson intervals with the "
                f"effective number of events of each bin; bins with fewer than {FEWEST_EVENTS:.0f} are left out.",
            ),
            plots=tuple(_plot(histogram) for histogram in filled),
            results={histogram.axis.name: histogram.record() for histogram in filled},
        )


def _plot(histogram: EfficiencyHistogram) -> Plot:
    caption = f"Share of selected events against {plain(histogram.axis.label)}."
    return Plot(f"acceptance_{histogram.axis.name}", caption, _Drawer(histogram))


class _Drawer:
    def __init__(self, histogram: EfficiencyHistogram) -> None:
        self.histogram = histogram

    def __call__(self, headline: Headline) -> "Figure":
        result = self.histogram.result(FEWEST_EVENTS)
        curve = Curve("", result.value, result.below, result.above, PALETTE[0], kind="points")
        panel = Panel((curve,), "acceptance", minimum=0.0)
        return draw_panels(self.histogram.axis, panel, headline=headline, note=self.histogram.total.note)

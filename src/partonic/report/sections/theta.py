"""The effect of θ on distributions: ratios to the reference with the error of the very same events."""

from typing import TYPE_CHECKING, ClassVar

from partonic.events.batch import EventBatch
from partonic.plots.canvas import Headline
from partonic.plots.panels import Curve, Panel, draw_panels, spectrum_panel
from partonic.plots.polynomial_histogram import PolynomialHistogram
from partonic.report.content import Content, Plot
from partonic.report.labels import parameter_label, plain
from partonic.report.object_observables import OBJECT_SENTENCES
from partonic.report.observables import parton_observables, reco_observables
from partonic.report.section import Sample, ThetaPoint
from partonic.report.views import BatchObjects, BatchPartons, selection_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["PartonThetaSection", "SelectedThetaSection"]

_EXPLANATION = (
    "Every event carries its weight as a polynomial in θ, so the spectra at all θ points are the same events "
    "reweighted. The error of a ratio takes this correlation into account; bands are one standard deviation."
)


class PartonThetaSection:
    """Effect of θ on the hard process, all events."""

    name: ClassVar[str] = "theta_partons"
    title: ClassVar[str] = "Effect of θ at parton level"
    columns: ClassVar[tuple[str, ...]] = ("coefficients", *BatchPartons.columns)

    def __init__(self, sample: Sample) -> None:
        """Prepare for `sample`."""
        self.sample = sample
        usable = sample.depends_on_theta and bool(sample.metadata.parton_names)
        self.observables = parton_observables(sample.metadata) if usable else ()
        self.histograms = [
            PolynomialHistogram(sample.axis(observable.axis), sample.metadata.monomials)
            for observable in self.observables
        ]

    def fill(self, batch: EventBatch) -> None:
        """Add one batch of events."""
        view = BatchPartons(batch)
        if not len(view):
            return
        table = view.batch.coefficients
        for observable, histogram in zip(self.observables, self.histograms, strict=True):
            values, defined = observable.evaluate(view)
            histogram.fill(values[defined], table[defined])

    def content(self) -> Content:
        """Return one figure per observable."""
        return _theta_content(self.sample, self.histograms, "partons and coefficients", "parton level")


class SelectedThetaSection:
    """Effect of θ on reconstructed, selected events."""

    name: ClassVar[str] = "theta_selected"
    title: ClassVar[str] = "Effect of θ on selected events"
    columns: ClassVar[tuple[str, ...]] = ("coefficients", "selected", *BatchObjects.columns, *BatchObjects.optional)
    shown: ClassVar[frozenset[str]] = frozenset(
        {"jet_multiplicity", "jet1_pt", "ht", "lepton_pt", "met", "closest_pair_mass", *OBJECT_SENTENCES}
    )

    def __init__(self, sample: Sample) -> None:
        """Prepare for `sample`."""
        self.sample = sample
        found = reco_observables(sample.metadata) if sample.depends_on_theta else ()
        self.observables = tuple(observable for observable in found if observable.axis.name in self.shown)
        self.histograms = [
            PolynomialHistogram(sample.axis(observable.axis), sample.metadata.monomials)
            for observable in self.observables
        ]

    def fill(self, batch: EventBatch) -> None:
        """Add one batch of events."""
        view = BatchObjects(batch.filter(selection_of(batch)))
        if not self.observables or not len(view):
            return
        table = view.batch.coefficients
        for observable, histogram in zip(self.observables, self.histograms, strict=True):
            values, defined = observable.evaluate(view)
            histogram.fill(values[defined], table[defined])

    def content(self) -> Content:
        """Return one figure per observable."""
        return _theta_content(self.sample, self.histograms, "a selection, jets and coefficients", "selected events")


def _theta_content(sample: Sample, histograms: list[PolynomialHistogram], needed: str, where: str) -> Content:
    if not sample.depends_on_theta:
        return Content(missing=("The events carry no dependence on theory parameters.",))
    filled = [histogram for histogram in histograms if not histogram.is_empty]
    if not filled:
        return Content(missing=(f"No event has what this needs ({needed}).",))
    level = "parton" if where == "parton level" else "selected"
    return Content(
        paragraphs=(_EXPLANATION,),
        plots=tuple(_plot(sample, histogram, where, f"theta_{level}_{histogram.axis.name}") for histogram in filled),
        results={histogram.axis.name: histogram.record() for histogram in filled},
    )


def _plot(sample: Sample, histogram: PolynomialHistogram, where: str, name: str) -> Plot:
    reference = sample.reference_text
    label = plain(histogram.axis.label)
    caption = f"Distribution of {label} at {reference} and at the θ points, and ratios to {reference} ({where})."
    return Plot(name, caption, _ThetaDrawer(sample, histogram))


class _ThetaDrawer:
    """Draws spectra at all θ points above, and one panel of ratios for each parameter below."""

    def __init__(self, sample: Sample, histogram: PolynomialHistogram) -> None:
        self.sample = sample
        self.histogram = histogram

    def __call__(self, headline: Headline) -> "Figure":
        axis, reference = self.histogram.axis, self.sample.reference
        widths = 1.0 if axis.discrete else axis.widths
        values, errors = self.histogram.at(reference)
        spectra = [Curve(self.sample.reference_text, values / widths, below=errors / widths)]
        for point in self.sample.points:
            values = self.histogram.at(point.values)[0]
            spectra.append(Curve(point.label, values / widths, colour=point.colour, dashed=point.dashed))
        return draw_panels(
            axis, spectrum_panel(axis, spectra), self._ratios(), headline=headline, note=self.histogram.note
        )

    def _ratios(self) -> list[Panel]:
        name, panels = self.sample.reference_text, []
        for parameter, points in _grouped(self.sample.points).items():
            curves = []
            for point in points:
                ratio, error = self.histogram.ratio(point.values, self.sample.reference)
                curves.append(Curve("", ratio, below=error, colour=point.colour, dashed=point.dashed))
            tag = parameter_label(parameter) if parameter else "several"
            panels.append(Panel(tuple(curves), f"ratio to {name}", level=1.0, tag=tag))
        return panels


def _grouped(points: tuple[ThetaPoint, ...]) -> dict[str, list[ThetaPoint]]:
    """Return the points by the parameter that they vary; those that vary several come last, under the empty name."""
    groups: dict[str, list[ThetaPoint]] = {}
    for point in sorted(points, key=lambda point: not point.parameter):
        groups.setdefault(point.parameter, []).append(point)
    return groups

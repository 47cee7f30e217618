"""Cross sections as coefficients of θ: of the sample, of its selected part, and of the integrator."""

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from partonic.events.batch import EventBatch
from partonic.plots.axis import Axis
from partonic.plots.canvas import Headline
from partonic.plots.panels import Curve, Panel, draw_panels
from partonic.plots.polynomial_histogram import PolynomialHistogram
from partonic.plots.style import PALETTE
from partonic.report.content import Content, Plot, Table, number_with_error
from partonic.report.labels import parameter_label
from partonic.report.section import Sample
from partonic.report.views import selection_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CrossSectionSection"]

_ONE_BIN = Axis("all_events", "all events", (0.0, 1.0))


class CrossSectionSection:
    """The cross section and its dependence on θ."""

    name: ClassVar[str] = "cross_section"
    title: ClassVar[str] = "Cross section"
    columns: ClassVar[tuple[str, ...]] = ("coefficients", "selected")

    def __init__(self, sample: Sample) -> None:
        """Prepare for `sample`."""
        self.sample = sample
        monomials = sample.metadata.monomials
        self.all_events = PolynomialHistogram(_ONE_BIN, monomials)
        self.selected = PolynomialHistogram(_ONE_BIN, monomials)

    def fill(self, batch: EventBatch) -> None:
        """Add one batch of events."""
        chosen, table = selection_of(batch), batch.coefficients
        self.all_events.fill(np.full(len(table), 0.5), table)
        self.selected.fill(np.full(int(chosen.sum()), 0.5), table[chosen])

    def content(self) -> Content:
        """Return the tables of coefficients and of ratios."""
        if self.all_events.is_empty:
            return Content(missing=("No event has a weight: no cross section can be given.",))
        if self.sample.is_data:
            return Content(missing=("These are collision data: their weights count events, not a cross section.",))
        results = {"all": self.all_events.record(), "selected": self.selected.record()}
        if not self.sample.depends_on_theta:
            missing = "The events carry no dependence on theory parameters: no coefficients and no θ points are shown."
            return Content(missing=(missing,), tables=(self._coefficients(),), results=results)
        return Content(
            paragraphs=(
                "The cross section is a polynomial in θ, σ(θ) = Σ σ_a m_a(θ). The coefficients are sums over the "
                "events, so their errors are those of the sample; ratios at two θ points come from the same events and "
                "are much more precise than either cross section. Branching fractions of forced decays are included.",
            ),
            missing=() if not self.selected.is_empty else ("No event is selected: fiducial numbers are left out.",),
            tables=(self._coefficients(), self._ratios()),
            plots=(Plot("cross_section_theta", self._caption(), self._draw),),
            results=results | {"ratios": self._ratio_results()},
        )

    def _coefficients(self) -> Table:
        sources = {"all events": self.all_events.total_coefficients()}
        if not self.selected.is_empty:
            sources["selected"] = self.selected.total_coefficients()
        rows = tuple(
            (name, *(_coefficient(values, errors, a) for values, errors in sources.values()))
            for a, name in enumerate(self.sample.metadata.monomials.names)
        )
        headings = ("monomial", *(f"σ_a [pb], {name}" for name in sources))
        return Table("Coefficients of the cross section, in pb, with the error √Σc² of the sample.", headings, rows)

    def _ratios(self) -> Table:
        reference, name = self.sample.reference, self.sample.reference_text
        histograms = [self.all_events] if self.selected.is_empty else [self.all_events, self.selected]
        rows = [
            (point.text, *(cell for histogram in histograms for cell in self._cells(histogram, point.values)))
            for point in self.sample.points
        ]
        first = tuple(
            cell for histogram in histograms for cell in (number_with_error(*histogram.total(reference)), "1")
        )
        headings = ("θ", "σ [pb]", f"σ/σ({name})", "σ selected [pb]", f"σ/σ({name}) selected")
        return Table(
            f"Cross sections at θ points and their ratio to {name}. The errors of the ratios know that the same events "
            "enter both cross sections.",
            headings[: 1 + 2 * len(histograms)],
            ((name, *first), *rows),
        )

    def _cells(self, histogram: PolynomialHistogram, theta: NDArray[np.float64]) -> tuple[str, str]:
        ratio = histogram.total_ratio(theta, self.sample.reference)
        return number_with_error(*histogram.total(theta)), number_with_error(*ratio)

    def _ratio_results(self) -> list[dict[str, object]]:
        return [
            {
                "theta": point.values.tolist(),
                "cross_section": list(self.all_events.total(point.values)),
                "ratio": list(self.all_events.total_ratio(point.values, self.sample.reference)),
            }
            for point in self.sample.points
        ]

    def _caption(self) -> str:
        return (
            f"σ(θ)/σ({self.sample.reference_text}) when one parameter varies and the others stay: all events (full "
            "lines, with error bands) and selected events (dashed)."
        )

    def _draw(self, headline: Headline) -> "Figure":
        axis = Axis.regular("theta", r"value of one parameter of $\theta$", (40, -1.0, 1.0))
        shown = (
            [(self.all_events, False)] if self.selected.is_empty else [(self.all_events, False), (self.selected, True)]
        )
        curves = tuple(
            self._line(histogram, axis, number, dashed=dashed)
            for histogram, dashed in shown
            for number in range(len(self.sample.metadata.parameters))
        )
        title = rf"$\sigma(\theta)\,/\,\sigma$({self.sample.reference_text})"
        return draw_panels(axis, Panel(curves, title, level=1.0), headline=headline)

    def _line(self, histogram: PolynomialHistogram, axis: Axis, number: int, *, dashed: bool) -> Curve:
        points = np.tile(self.sample.reference, (len(axis.edges), 1))
        points[:, number] = axis.array
        ratios = np.array([histogram.total_ratio(point, self.sample.reference) for point in points])
        return Curve(
            "" if dashed else parameter_label(self.sample.metadata.parameters[number]),
            ratios[:, 0],
            below=ratios[:, 1],
            colour=PALETTE[number % len(PALETTE)],
            kind="line",
            x=axis.array,
            dashed=dashed,
        )


def _coefficient(values: NDArray[np.float64], errors: NDArray[np.float64], index: int) -> str:
    """Return one coefficient as text; what is left of a sum that cancels exactly in every event is called that."""
    if np.abs(values).max() * 1e-12 > max(abs(values[index]), errors[index]):
        return "0 (to rounding)"
    return number_with_error(float(values[index]), float(errors[index]))

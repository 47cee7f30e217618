"""Optimal observables R_1 and R_2 of each parameter: what is expected at several θ, and the data over it."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from partonic.errors import EventFileError, InferenceError, ParameterError
from partonic.events.batch import EventBatch
from partonic.plots.axis import Axis
from partonic.plots.canvas import Headline
from partonic.plots.histogram import Histogram, ratio_of_independent
from partonic.plots.panels import Curve, Panel, draw_panels
from partonic.plots.polynomial_histogram import PolynomialHistogram
from partonic.report.content import Content, Plot
from partonic.report.labels import parameter_label
from partonic.report.limits import Limits
from partonic.report.predicted import PredictedEvents, predicted_by_coefficients, predicted_by_inference
from partonic.report.section import Sample, ThetaPoint

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["OptimalObservablesSection"]

Array = NDArray[np.float64]

_ROUNDING = 1e-9
"""Observables that vary less than this are constants."""


class OptimalObservablesSection:
    """Distributions of the observables that a likelihood in one parameter needs."""

    name: ClassVar[str] = "optimal_observables"
    title: ClassVar[str] = "Optimal observables"
    columns: ClassVar[tuple[str, ...]] = ()

    def __init__(self, sample: Sample) -> None:
        """Prepare for `sample`, whose events and data are in its coefficients."""
        self.sample = sample
        self.axes = {
            name: [sample.axis(axis) for axis in _axes(name)] for name in sample.metadata.parameters
        }  # known to the configuration before anything is read

    def fill(self, batch: EventBatch) -> None:
        """Ignore the events: what is drawn are coefficients of theirs."""

    def content(self) -> Content:
        """Return two figures for each parameter."""
        try:
            events = _predicted(self.sample.limits or Limits())
        except (EventFileError, InferenceError, ParameterError) as error:
            return Content(missing=(f"The events of the fit cannot be read any more: {error}.",))
        if events is None:
            return Content(missing=("There are no coefficients of simulated events of the signal.",))
        if events.monomials != self.sample.metadata.monomials:
            return Content(missing=("The coefficients are of another process than the events of this report.",))
        found = list(self._histograms(events))
        shown = [histogram for histogram in found if not (histogram.is_empty or histogram.is_constant)]
        return Content(
            paragraphs=(
                "For one parameter, P(x|θ) = P_0 + 2 (θ/θ_0) P_01 + (θ/θ_0)² P_1, and R_1 = 2 P_01/(P_0 + P_1), "
                "R_2 = P_1/(P_0 + P_1) hold all that an event says of it when the others are 0. θ_0, the scale of the "
                "parameter, is where both parts of the cross section are equal. Curves: the simulated events with "
                "their true weights at each θ, backgrounds included, and further components as in the Standard Model; "
                "only the observables come from the estimate.",
            ),
            missing=tuple(_remarks(found)),
            plots=tuple(_plot(self.sample, histogram) for histogram in shown),
            results={histogram.axis.name: histogram.record() for histogram in found},
        )

    def _histograms(self, events: PredictedEvents) -> Iterator["_Observable"]:
        for name in events.monomials.parameters:
            simulated, data = events.observables(name)
            for number, axis in enumerate(self.axes.get(name) or _axes(name)):
                yield _Observable(axis, name, events, simulated[:, number], data[:, number])


def _remarks(histograms: "list[_Observable]") -> Iterator[str]:
    constant = [histogram.text for histogram in histograms if histogram.is_constant]
    if constant:
        yield f"The same for all events, so that nothing is to be drawn: {', '.join(constant)}."
    for histogram in histograms[::2]:  # R_1 and R_2 are undefined together
        if histogram.undefined or histogram.undefined_data:
            yield (
                f"{histogram.parameter}: R1 and R2 of {histogram.undefined:,} simulated events and "
                f"{histogram.undefined_data:,g} of the data are not defined, for P_0 + P_1 is not positive there."
            )


def _axes(name: str) -> tuple[Axis, Axis]:
    label = parameter_label(name)
    return (
        Axis.regular(f"R1_{name}", rf"$R_1$({label})", (20, -1.0, 1.0)),
        Axis.regular(f"R2_{name}", rf"$R_2$({label})", (20, 0.0, 1.0)),
    )


def _predicted(limits: Limits) -> PredictedEvents | None:
    if limits.fitted is not None:
        return predicted_by_inference(limits.fitted)
    found = (predicted_by_coefficients(events) for events in limits.integrated)
    return next((events for events in found if events is not None), None)


class _Observable:
    """Histograms of one observable."""

    def __init__(self, axis: Axis, parameter: str, events: PredictedEvents, simulated: Array, data: Array) -> None:
        self.axis, self.parameter, self.events = axis, parameter, events
        self.scale = events.scale(parameter)
        self.expected = PolynomialHistogram(axis, events.monomials)
        self.data = Histogram(axis)
        known, known_data = np.isfinite(simulated), np.isfinite(data)
        self.expected.fill(simulated[known], events.weights[known])
        self.data.fill(data[known_data], events.counts[known_data])
        every = np.concatenate([simulated[known], data[known_data]])
        self.is_constant = bool(every.size and np.ptp(every) < _ROUNDING)
        self.undefined = int((~known).sum())
        self.undefined_data = float(events.counts[~known_data].sum())

    @property
    def is_empty(self) -> bool:
        return self.expected.is_empty and self.data.is_empty

    @property
    def text(self) -> str:
        """Name without mathematics, as in the results of an inference, e.g. ``R1[c_tG]``."""
        return f"{self.axis.name[:2]}[{self.parameter}]"

    def record(self) -> dict[str, object]:
        return {
            "scale": self.scale,
            "unit": self.events.unit,
            "expected": self.expected.record(),
            "data": None if self.data.is_empty else self.data.record(),
            "undefined": self.undefined,
            "undefined_data": self.undefined_data,
        }


def _plot(sample: Sample, histogram: _Observable) -> Plot:
    caption = (
        f"{histogram.text} at {sample.reference_text} and other values of {histogram.parameter}, and "
        f"ratios to {sample.reference_text}; θ_0 = {histogram.scale:.3g}."
    )
    return Plot(f"optimal_{histogram.axis.name}", caption, _Drawer(sample, histogram))


class _Drawer:
    """Draws spectra at the θ points of one parameter and the data, and their ratios to the reference."""

    def __init__(self, sample: Sample, histogram: _Observable) -> None:
        self.sample = sample
        self.histogram = histogram

    def __call__(self, headline: Headline) -> "Figure":
        axis, expected = self.histogram.axis, self.histogram.expected
        main, ratios = [], []
        if not expected.is_empty:
            values, errors = expected.at(self.sample.reference)
            main.append(Curve(self.sample.reference_text, values, below=errors))
        for point in self._points():
            values, colour, dashed = expected.at(point.values)[0], point.colour, point.dashed
            main.append(Curve(point.label, values, colour=colour, dashed=dashed))
            ratio, error = expected.ratio(point.values, self.sample.reference)
            ratios.append(Curve("", ratio, below=error, colour=colour, dashed=dashed))
        if not self.histogram.data.is_empty:
            points, to_reference = self._data()
            main.append(points)
            ratios += [] if expected.is_empty else [to_reference]
        lower = [Panel(tuple(ratios), f"ratio to {self.sample.reference_text}", level=1.0)] if ratios else []
        scaled, title = self._scaled(main)
        return draw_panels(axis, Panel(tuple(scaled), title, minimum=0.0), lower, headline=headline, note=self._note())

    def _points(self) -> list[ThetaPoint]:
        if self.histogram.expected.is_empty:
            return []
        return [point for point in self.sample.points if point.parameter == self.histogram.parameter]

    def _data(self) -> tuple[Curve, Curve]:
        """Return the data with Poisson errors, and their ratio to the reference."""
        counts = self.histogram.data.contents
        errors = np.sqrt(counts)
        reference = self.histogram.expected.at(self.sample.reference)
        shown = np.where((counts > 0) | (reference[0] > 0), counts, np.nan)
        curve = Curve(self.histogram.events.data_name, shown, below=errors, kind="points")
        ratio, error = ratio_of_independent((np.where(counts > 0, counts, np.nan), errors), reference)
        return curve, Curve("", ratio, below=error, kind="points")

    def _scaled(self, curves: list[Curve]) -> tuple[list[Curve], str]:
        if self.histogram.events.unit == "events":
            return curves, "events per bin"
        factor = 1000.0
        return [
            replace(curve, values=factor * curve.values, below=None if curve.below is None else factor * curve.below)
            for curve in curves
        ], r"$\sigma$ per bin [fb]"

    def _note(self) -> str:
        return self.histogram.expected.note or self.histogram.data.note

"""The data with the expectation of the best fit: optimal observables, and three that one knows without any method."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from partonic.errors import EventFileError, InferenceError, ParameterError
from partonic.events.batch import EventBatch
from partonic.plots.axis import Axis
from partonic.plots.canvas import Headline
from partonic.plots.histogram import Histogram, ratio_of_independent
from partonic.plots.panels import Curve, Panel, draw_panels
from partonic.plots.style import PALETTE
from partonic.report.content import Content, Plot, Table
from partonic.report.labels import parameter_label, plain
from partonic.report.observables import reco_observables
from partonic.report.post_fit import PostFit, post_fit
from partonic.report.section import Sample

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["PostFitSection"]

Array = NDArray[np.float64]

_CONSTANT = 1e-9
"""Observables that vary less are the same for all events."""

_ENOUGH = 5.0
"""Expected events of a bin from which on its χ² is near that of a Gaussian."""


class PostFitSection:
    """Distributions after the fit."""

    name: ClassVar[str] = "post_fit"
    title: ClassVar[str] = "Data and best fit"
    columns: ClassVar[tuple[str, ...]] = ()

    def __init__(self, sample: Sample) -> None:
        """Prepare for `sample`."""
        self.sample = sample
        self.axes = {each.axis.name: sample.axis(each.axis) for each in reco_observables(sample.metadata)}

    def fill(self, batch: EventBatch) -> None:
        """Ignore the events: those of the fit are read when they are drawn."""

    def content(self) -> Content:
        """Return one figure for each observable, and how well it is described."""
        limits = self.sample.limits
        if limits is None or limits.inference is None:
            return Content(missing=("There is no result of an inference; run `partonic infer`.",))
        best = {name: float(found["value"]) for name, found in limits.inference.result["best_fit"].items()}
        try:
            fit = None if limits.fitted is None else post_fit(limits.fitted, best)
        except (EventFileError, InferenceError, ParameterError) as error:
            return Content(missing=(f"The events of the fit cannot be read any more: {error}.",))
        if fit is None:
            text = "There are no simulated events with weights to expect from; real data are fitted without them."
            return Content(missing=(text,))
        found = [each for each in self._distributions(fit) if not each.is_constant]
        return Content(
            paragraphs=tuple(_paragraphs(fit)),
            tables=(_table(fit, found),),
            plots=tuple(_plot(each) for each in found),
            results={each.axis.name: each.record() for each in found},
        )

    def _distributions(self, fit: PostFit) -> Iterator["_Distribution"]:
        for name in fit.events.monomials.parameters:
            simulated, data = fit.events.observables(name)
            for column, (low, bins) in enumerate(((-1.0, 20), (0.0, 20))):
                label = rf"$R_{column + 1}$({parameter_label(name)})"
                axis = self.sample.axis(Axis.regular(f"R{column + 1}_{name}", label, (bins, low, 1.0)))
                yield _Distribution(axis, f"R{column + 1}({name})", fit, simulated[:, column], data[:, column])
        for name, (values, of_data) in fit.plain.items():
            yield _Distribution(self.axes[name], plain(self.axes[name].label), fit, values, of_data)


def _paragraphs(fit: PostFit) -> Iterator[str]:
    yield (
        "Points: the data that were fitted. Line with band: all processes at the best fit, with the statistical error "
        "of the simulation; dashed: the Standard Model and nominal normalisations. χ² is of bins with 5 or more "
        "expected events, with the errors of data and simulation; parameters that were fitted are not subtracted."
    )
    if fit.same_events:
        yield (
            "The data are drawn from the simulated events that the expectation is made of, so that both fluctuate "
            "together and χ² is smaller than for independent data. It says that the fit is consistent, no more."
        )


@dataclass
class _Distribution:
    """One observable: what is expected of each process, and the data; `text` is its name without mathematics."""

    axis: Axis
    text: str
    fit: PostFit
    simulated: Array
    of_data: Array

    def __post_init__(self) -> None:
        known, known_data = np.isfinite(self.simulated), np.isfinite(self.of_data)
        every = np.concatenate([self.simulated[known], self.of_data[known_data]])
        self.is_constant = not every.size or bool(np.ptp(every) < _CONSTANT)
        self.total, self.reference = (
            self._filled(known, weights) for weights in (self.fit.expected, self.fit.reference)
        )
        self.others = {
            name: self._filled(known & (self.fit.component == number), self.fit.expected)
            for number, name in enumerate(self.fit.names)
            if number
        }
        self.data = Histogram(self.axis)
        self.data.fill(self.of_data[known_data], self.fit.events.counts[known_data])

    def _filled(self, chosen: NDArray[np.bool_], weights: Array) -> Histogram:
        histogram = Histogram(self.axis)
        histogram.fill(self.simulated[chosen], weights[chosen])
        return histogram

    @property
    def chi_square(self) -> tuple[float, int]:
        """χ² and the number of bins that it is of."""
        expected, data = self.total.contents, self.data.contents
        enough = expected >= _ENOUGH
        variance = expected[enough] + self.total.errors[enough] ** 2
        return float((np.square(data[enough] - expected[enough]) / variance).sum()), int(enough.sum())

    def record(self) -> dict[str, object]:
        chi_square, bins = self.chi_square
        others = {name: histogram.record() for name, histogram in self.others.items()}
        return {
            "best_fit": self.total.record(), "reference": self.reference.record(), "others": others,
            "data": self.data.record(), "chi_square": chi_square, "bins": bins,
        }  # fmt: skip


def _table(fit: PostFit, found: list[_Distribution]) -> Table:
    rows = tuple(
        (each.text, f"{each.data.total:,.6g}", f"{each.total.total:,.6g}", f"{each.reference.total:,.6g}",
         f"{each.chi_square[0]:.1f} / {each.chi_square[1]}")
        for each in found
    )  # fmt: skip
    headings = ("observable", fit.events.data_name, "best fit", "SM", "χ² / bins")
    return Table("Events with a value, and how well the best fit describes their distribution.", headings, rows)


def _plot(found: _Distribution) -> Plot:
    chi_square, bins = found.chi_square
    caption = f"{found.text}: data, best fit and Standard Model (SM); below, ratios to the best fit. χ²/bins = "
    return Plot(f"post_fit_{found.axis.name}", f"{caption}{chi_square:.1f}/{bins}.", partial(_draw, found))


def _draw(found: _Distribution, headline: Headline) -> "Figure":
    total = (found.total.contents, found.total.errors)
    reference = found.reference.contents
    curves = [
        Curve("best fit", total[0], below=total[1], colour=PALETTE[0]),
        Curve("SM", reference, colour=PALETTE[1], dashed=True),
    ]
    curves += [
        Curve(name, histogram.contents, colour=PALETTE[2 + number % 4])
        for number, (name, histogram) in enumerate(found.others.items())
    ]
    counts, errors = found.data.contents, np.sqrt(found.data.contents)
    shown = np.where((counts > 0) | (total[0] > 0), counts, np.nan)
    curves.append(Curve(found.fit.events.data_name, shown, below=errors, kind="points"))
    safe = np.where(total[0] > 0, total[0], np.nan)
    ratio, error = ratio_of_independent(
        (np.where(counts > 0, counts, np.nan), errors), (total[0], np.zeros_like(errors))
    )
    ratios = (
        Curve("", np.where(np.isfinite(safe), 1.0, np.nan), below=total[1] / safe, colour=PALETTE[0]),
        Curve("", reference / safe, colour=PALETTE[1], dashed=True),
        Curve("", ratio, below=error, kind="points"),
    )
    lower = [Panel(ratios, "ratio to best fit", level=1.0)]
    main = Panel(tuple(curves), "events per bin", minimum=0.0)
    return draw_panels(found.axis, main, lower, headline=headline, note=found.total.note or found.data.note)

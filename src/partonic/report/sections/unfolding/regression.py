"""Unfolding, regression: bias and spread of the regressed partons, and the longitudinal boost."""

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from partonic.plots.axis import Axis
from partonic.plots.bias_bands import BiasTitles, draw_bias_bands
from partonic.plots.canvas import Headline
from partonic.plots.maps import Histogram2D, draw_map
from partonic.report.content import Content, Plot, Table, number_with_error
from partonic.report.labels import unfolded_label
from partonic.report.section import ModelSection
from partonic.report.unfolded import UnfoldedModel
from partonic.report.unfolded_plots import bias_boxes, spectra_figure
from partonic.unfolding.quality.result import ValueWithError, json_ready
from partonic.unfolding.quality.spectra import Correlation

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["UnfoldingRegressionSection"]

_FRAMES = {"lab": "in the laboratory", "cm": "in the centre-of-mass frame"}
_SOURCES = {"objects": "sum of objects", "regression": "regression"}
_BOOST_LIMIT = 1000.0


class UnfoldingRegressionSection(ModelSection):
    """What the conditioning network regresses, against the truth."""

    name: ClassVar[str] = "unfolding_regression"
    title: ClassVar[str] = "Unfolding: regression"

    def content(self) -> Content:
        """Return bias, spread and boost of each model."""
        return Content(
            paragraphs=(
                "Partons regressed by the conditioning network, against the true ones. Points: median of the "
                "difference with its error; dashed: mean; band: central 68%. The regressed boost p_z takes the "
                "regressed partons to the centre-of-mass frame; it is along the beam, so that pT is the same in both.",
            ),
            tables=(_table(self.models),),
            plots=tuple(plot for model in self.models for plot in _plots(model)),
            results={
                model.view: json_ready(
                    {
                        "largest_median_pt_bias": model.quality.largest_regression_bias(),
                        "regression": model.quality.regression,
                        "boost": model.quality.boost,
                    }
                )
                for model in self.models
            },
        )


def _table(models: tuple[UnfoldedModel, ...]) -> Table:
    rows = []
    for model in models:
        largest: ValueWithError = model.quality.largest_regression_bias()
        correlations = (
            number_with_error(found.coefficient, found.error) for found in model.quality.boost.correlations.values()
        )
        rows.append((model.title, f"{model.quality.events:,}", _percent(largest), *correlations))
    return Table(
        "Regression on the events of this page: largest |median bias| of pT in bins of true pT from 50 to 400 GeV, and "
        "correlation of p_z with the true one.",
        ("view", "events", "largest bias of pT", "p_z of the sum of objects", "p_z regressed"),
        tuple(rows),
    )


def _percent(number: ValueWithError) -> str:
    return f"{100 * number.value:.1f} ± {100 * number.error:.1f} %" if number.value == number.value else "–"


def _plots(model: UnfoldedModel) -> Iterator[Plot]:
    for frame, where in _FRAMES.items():
        for kind in ("pt", "eta"):
            yield Plot(
                f"unfolding_{model.view}_regression_{kind}_{frame}",
                f"Bias of the regressed {'pT' if kind == 'pt' else 'η'} {where}, {model.title}.",
                partial(_draw_bias, model, kind, frame),
            )
    for source, name in _SOURCES.items():
        yield Plot(
            f"unfolding_{model.view}_boost_{source}",
            f"p_z of the whole event from the {name} against the true one, {model.title}.",
            partial(_draw_boost, model.quality.boost.correlations[source], name),
        )
    yield Plot(
        f"unfolding_{model.view}_boost_bias",
        f"Bias of p_z from the sum of objects with |η| < 2.4 and from the regression, {model.title}.",
        partial(_draw_boost_bias, model),
    )
    yield Plot(
        f"unfolding_{model.view}_boost_spectrum",
        f"Distribution of p_z: truth, sum of objects, regression; {model.title}.",
        partial(_draw_boost_spectrum, model),
    )


def _draw_bias(model: UnfoldedModel, kind: str, frame: str, headline: Headline) -> "Figure":
    boxes, titles = bias_boxes(model.quality.regression, kind, frame, "regressed")
    return draw_bias_bands(boxes, titles, headline=headline)


def _draw_boost(found: Correlation, name: str, headline: Headline) -> "Figure":
    edges = tuple(found.edges.tolist())
    histogram = Histogram2D(
        Axis("true_p_z", r"true $p_z$", edges, "GeV"), Axis("p_z", rf"$p_z$ of the {name}", edges, "GeV")
    )
    histogram.sums[1:-1, 1:-1] = found.counts
    return draw_map(histogram, found.counts, f"events (correlation {found.coefficient:.3f})", headline=headline,
                    diagonal=True)  # fmt: skip


def _draw_boost_bias(model: UnfoldedModel, headline: Headline) -> "Figure":
    boxes = {_SOURCES[source]: bias for source, bias in model.quality.boost.biases.items()}
    titles = BiasTitles(r"true $p_z$ [GeV]", r"$p_z$ − true $p_z$ [GeV]", _BOOST_LIMIT)
    return draw_bias_bands(boxes, titles, headline=headline)


def _draw_boost_spectrum(model: UnfoldedModel, headline: Headline) -> "Figure":
    return spectra_figure(model.quality.boost.spectra, unfolded_label("p_z"), headline)

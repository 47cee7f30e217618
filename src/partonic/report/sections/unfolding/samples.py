"""Unfolding, samples: bias of the sampled partons, spectra of the whole event, and single events seen closely."""

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Literal

from partonic.plots.bias_bands import draw_bias_bands
from partonic.plots.canvas import Headline
from partonic.plots.single_events import draw_correlations, draw_directions, draw_momenta
from partonic.report.content import Content, Plot, Table
from partonic.report.labels import unfolded_label
from partonic.report.section import ModelSection
from partonic.report.unfolded import UnfoldedModel
from partonic.report.unfolded_plots import bias_boxes, spectra_figure
from partonic.unfolding.quality.assess import PT_RANGES
from partonic.unfolding.quality.observables import PARTICLES
from partonic.unfolding.quality.result import MeanBias, json_ready
from partonic.unfolding.quality.table import KEPT_SAMPLES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["UnfoldingSamplesSection"]


class UnfoldingSamplesSection(ModelSection):
    """What the flow samples, against the truth."""

    name: ClassVar[str] = "unfolding_samples"
    title: ClassVar[str] = "Unfolding: samples"

    def content(self) -> Content:
        """Return bias, spectra and single events of each model."""
        return Content(
            paragraphs=(
                f"Bias of {KEPT_SAMPLES} sampled sets of partons for each event, in bins of the true value in the "
                "centre-of-mass frame. Samples of the exact posterior are biased here too, upwards at small true pT "
                "and downwards at large: they are spread over all that the event allows. Whether they are right is "
                "said by the calibration.",
            ),
            tables=tuple(_table(model) for model in self.models),
            plots=tuple(plot for model in self.models for plot in _plots(model)),
            results={
                model.view: json_ready(
                    {
                        name: getattr(model.quality, name)
                        for name in ("sample_pt_bias", "sampled", "spectra", "single_events")
                    }
                )
                for model in self.models
            },
        )


def _table(model: UnfoldedModel) -> Table:
    found = model.quality.sample_pt_bias
    rows = tuple((name, *(_bias(found[span][name]) for span in PT_RANGES)) for name in PARTICLES)
    headings = (f"true pT {low:.0f} to {high:.0f} GeV" for low, high in PT_RANGES.values())
    caption = (
        f"Mean relative bias of the sampled pT, {model.title}; in brackets the bias of the mean pT, which does not "
        "weight soft particles more."
    )
    return Table(caption, ("particle", *headings), rows)


def _bias(bias: MeanBias) -> str:
    if bias.mean.value != bias.mean.value:
        return "–"
    text = f"{100 * bias.mean.value:+.1f} ± {100 * bias.mean.error:.1f} % ({100 * bias.of_means:+.1f} %)"
    return text.replace("-", "−")


def _plots(model: UnfoldedModel) -> Iterator[Plot]:
    for kind, name in (("pt", "pT"), ("eta", "η")):
        caption = f"Bias of the sampled {name} in the centre-of-mass frame, {model.title}."
        yield Plot(f"unfolding_{model.view}_samples_{kind}", caption, partial(_draw_bias, model, kind))
    for variable, name in (("sqrt_s", "√ŝ"), ("p_z", "p_z")):
        caption = f"Distribution of {name} of all partons: truth, samples, regression; {model.title}."
        yield Plot(f"unfolding_{model.view}_{variable}", caption, partial(_draw_spectra, model, variable))
    events = model.quality.single_events
    if not events:
        return
    count = f"{len(events[0].samples):,} samples of each of {len(events)} events"
    yield Plot(
        f"unfolding_{model.view}_directions",
        f"{count}: regions that hold 68% and 95% of the directions; crosses: truth; {model.title}.",
        partial(_draw_directions, model),
    )
    yield Plot(
        f"unfolding_{model.view}_momenta",
        f"{count}: transverse momenta; dashed: truth; {model.title}.",
        partial(_draw_momenta, model),
    )
    names: dict[Literal["eta", "pt"], str] = {"eta": "η", "pt": "pT"}
    for which, name in names.items():
        yield Plot(
            f"unfolding_{model.view}_correlations_{which}",
            f"{name} of the samples of event {events[-1].event}: regions that hold 68% and 95%; red: truth; "
            f"{model.title}.",
            partial(_draw_correlations, model, which),
        )


def _draw_bias(model: UnfoldedModel, kind: str, headline: Headline) -> "Figure":
    boxes, titles = bias_boxes(model.quality.sampled, kind, "cm", "sampled")
    return draw_bias_bands(boxes, titles, headline=headline)


def _draw_spectra(model: UnfoldedModel, variable: str, headline: Headline) -> "Figure":
    return spectra_figure(model.quality.spectra[variable], unfolded_label(variable), headline)


def _draw_directions(model: UnfoldedModel, headline: Headline) -> "Figure":
    return draw_directions(model.quality.single_events, headline=headline)


def _draw_momenta(model: UnfoldedModel, headline: Headline) -> "Figure":
    return draw_momenta(model.quality.single_events, headline=headline)


def _draw_correlations(model: UnfoldedModel, kind: Literal["pt", "eta"], headline: Headline) -> "Figure":
    return draw_correlations(model.quality.single_events[-1], kind, headline=headline)

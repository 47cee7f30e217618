"""Parton truth, all estimators, histograms and rate side by side: one figure and one table."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from partonic.inference.experiments.compared import PARTON_TRUTH, RATE_ONLY
from partonic.inference.likelihood.intervals import threshold
from partonic.inference.record import InferenceRecord, interval_of
from partonic.plots.canvas import Headline
from partonic.plots.statistics.comparison import ComparedCurve, ComparisonPanel, draw_comparison, styles_of
from partonic.plots.statistics.whiskers import Whisker
from partonic.report.content import Content, Plot, Table
from partonic.report.labels import axis_label, named
from partonic.report.limits import EstimatorCost
from partonic.report.section import FitSection, Sample
from partonic.report.sections.inference_likelihood import interval_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["ComparisonSection"]

_UNBINNED = ", unbinned"


class ComparisonSection(FitSection):
    """What each method is expected to know, from the same simulated events."""

    name: ClassVar[str] = "comparison"
    title: ClassVar[str] = "Parton truth, estimators, histograms and rate side by side"

    def __init__(self, sample: Sample) -> None:
        """Prepare for `sample`."""
        super().__init__(sample)
        self.costs: Mapping[str, EstimatorCost] = sample.limits.costs if sample.limits else {}

    def content(self) -> Content:
        """Return the figure, the table, and what it means in directions of the parameters."""
        comparison = None if self.record is None else self.record.result.get("comparison")
        if self.record is None or not comparison or not comparison.get("curves"):
            return Content(missing=("No methods were compared: set `inference.compare: true`.",))
        left_out = [f"'{name}' is not compared: {why}." for name, why in comparison["left_out"].items()]
        figure = Plot(
            "comparison",
            "Expected −2 log r of each parameter by itself, the others as in the Standard Model, and the intervals of "
            "the lower (thick) and the higher level (thin). Bands: error from the number of simulated events "
            "(jackknife), and lighter, with the scatter of the ensemble of networks or trees.",
            partial(_draw, self.record, comparison),
        )
        return Content(
            paragraphs=tuple(_paragraphs(comparison)),
            missing=tuple(left_out),
            tables=(_table(comparison, self.costs), *_directions(comparison)),
            plots=(figure,),
            results={"comparison": comparison, "costs": {name: each.to_json() for name, each in self.costs.items()}},
        )


def _paragraphs(comparison: Mapping[str, Any]) -> Iterator[str]:
    yield (
        f"All methods read the same {comparison['simulated_events']:,} simulated events, for "
        f"{comparison['expected_events']:.4g} expected ones at {comparison['luminosity']:g} fb⁻¹. Parton truth knows "
        "the partons of each event, a bound that no method from reconstructed objects can pass; the rate counts events "
        "only. Estimators are calibrated as they would be fitted, and normalised with their own mean over these events."
    )
    yield (
        "Information kept: the Fisher information in the number of events and in the sum of the estimated scores, as "
        "part of that of parton truth; it is a projection of the true scores, so that a wrong estimator cannot claim "
        "more. In brackets: what the likelihood of the estimator claims. Of a parameter that enters squared only it is "
        "that on the square. R²: part of the variance of the true linear, "
        "quadratic ratio of the parameter that the estimated one explains; the partons are not known, so that even the "
        "best estimator stays below 1."
    )


def _methods(comparison: Mapping[str, Any]) -> dict[str, str]:
    """Return the methods that have curves, by the name of their row of intervals."""
    first: Mapping[str, Any] = next(iter(comparison["curves"].values()))["methods"]
    return {name if name in comparison["methods"] else f"{name}{_UNBINNED}": name for name in first}


def _draw(record: InferenceRecord, comparison: Mapping[str, Any], headline: Headline) -> "Figure":
    methods = _methods(comparison)
    panels = [
        ComparisonPanel(
            axis_label(name),
            _array(found["values"]),
            {method: _curve(curve) for method, curve in found["methods"].items()},
            {method: _whisker(name, comparison["methods"][row].get(name)) for row, method in methods.items()},
            record.standard_model(name),
        )
        for name, found in comparison["curves"].items()
    ]
    levels = [(f"{level:.0%}", threshold(level)) for level in comparison["levels"]]
    styles = styles_of(list(methods.values()), PARTON_TRUTH, RATE_ONLY)
    return draw_comparison(panels, styles, levels, headline=headline)


_UNLIMITED = 1e6
"""What is drawn of values of −2 log r that are not finite: far beyond every axis."""


def _array(values: list[float | None]) -> np.ndarray:
    """Return numbers of the result; what was not finite is infinite again."""
    found: np.ndarray = np.array([np.inf if value is None else value for value in values], dtype=np.float64)
    return found


def _curve(content: Mapping[str, Any]) -> ComparedCurve:
    # an error that is not finite fills the panel: nothing is known there
    statistical, ensemble = (
        None if content[name] is None else np.nan_to_num(_array(content[name]), posinf=_UNLIMITED)
        for name in ("statistical", "ensemble")
    )
    return ComparedCurve(np.nan_to_num(_array(content["q"]), posinf=_UNLIMITED), statistical, ensemble)


def _whisker(name: str, found: Mapping[str, Any] | None) -> Whisker | None:
    if found is None:
        return None
    outer = interval_of({"name": name, "kind": "", **found})
    inner = found["inner"][0]["segments"] if found["inner"] else ()
    ends = (outer.open_below, outer.open_above)
    return Whisker([(low, high) for low, high in inner], outer.segments, None, ends)


def _table(comparison: Mapping[str, Any], costs: Mapping[str, EstimatorCost]) -> Table:
    names, levels = list(comparison["curves"]), comparison["levels"]
    columns = ["method"]
    columns += [f"{named(name)}, {level:.0%}" for name in names for level in reversed(levels)]
    columns += [f"{named(name)}, {what}" for name in names for what in ("information kept", "R²")]
    columns += ["training", "per event"]
    rows = []
    for method, row in comparison["methods"].items():
        short = method.removesuffix(_UNBINNED)
        cells = [_interval(name, row.get(name), number) for name in names for number in range(len(levels))]
        cells += [text for name in names for text in _knowledge(comparison, short, name)]
        cost = costs.get(short)
        cells += ["–", "–"] if cost is None else [cost.training_text(), cost.event_text()]
        rows.append((method, *cells))
    caption = (
        f"Expected intervals of each parameter by itself at {comparison['luminosity']:g} fb⁻¹, what each method knows, "
        "and the time that it took: of the training, and of the coefficients, for each event that has some."
    )
    return Table(caption, tuple(columns), tuple(rows))


def _interval(name: str, found: Mapping[str, Any] | None, number: int) -> str:
    """Return the interval of one level, the highest first."""
    if found is None:
        return "none"
    chosen = found if number == 0 else found["inner"][-number]
    return interval_text(interval_of({"name": name, "kind": "", **chosen}))


def _knowledge(comparison: Mapping[str, Any], method: str, name: str) -> tuple[str, str]:
    """Return the part of the information that a method keeps, and the R² of its ratios; a dash where it has none."""
    information = comparison["information"]
    place = information["parameters"].index(name)
    of_truth = information["methods"][PARTON_TRUTH][place][place]
    largest = max(abs(row[number]) for number, row in enumerate(information["methods"][PARTON_TRUTH]))
    kept = "–"
    if of_truth > 1e-6 * largest and method in information["methods"]:
        kept = f"{information['methods'][method][place][place] / of_truth:.1%}"
        if method in information["claimed"]:
            kept += f" ({information['claimed'][method][place][place] / of_truth:.1%})"
    elif name in (squares := information["squares"].get(method, {})):
        kept = f"{squares[name]:.1%} (of θ²)"
    row = comparison["explained"].get(method, {})
    ratios = [f"{row[each]:.2f}".replace("-", "−") if each in row else "–" for each in (name, f"{name}^2")]
    return kept, ", ".join(ratios) if row else "–"


def _directions(comparison: Mapping[str, Any]) -> Iterator[Table]:
    """Yield the eigen-directions of the information of each method, where there are several parameters."""
    names = comparison["information"]["parameters"]
    if len(names) < 2:
        return
    rows = []
    for method, found in comparison["information"]["directions"].items():
        for number, each in enumerate(found):
            parts = [f"{each['direction'][name]:+.2f} {named(name)}" for name in names]
            error = "–" if each["error"] is None else f"{each['error']:.3g}"
            rows.append((method if number == 0 else "", " ".join(parts).replace("-", "−"), error))
    yield Table(
        "Which combination of parameters is known how well: eigen-directions of the Fisher information in the "
        "Standard Model (unit vectors in the units of the parameters) with the smallest error along each, the others "
        "known. Quadratic terms have no part in it.",
        ("method", "direction", "error"),
        tuple(rows),
    )

"""Intervals of all methods beside each other, pulls and correlations of the fit."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from partonic.inference.likelihood.intervals import Interval
from partonic.inference.record import InferenceRecord, interval_of
from partonic.plots.canvas import Headline
from partonic.plots.statistics.correlation import correlation_of, draw_correlation
from partonic.plots.statistics.whiskers import Whisker, WhiskerBox, draw_whiskers
from partonic.report.content import Content, Plot, Table
from partonic.report.fitted_value import FittedValue, fitted_values
from partonic.report.labels import axis_label, parameter_label, with_unit
from partonic.report.section import FitSection

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["IntervalsSection"]

_KINDS = {"asymptotic": "data, likelihood only", "total": "data, all errors", "toys": "data, pseudo-experiments"}
"""Rows of what was found, in the order of the figure."""


class IntervalsSection(FitSection):
    """What was found and what was expected, at one sight."""

    name: ClassVar[str] = "intervals"
    title: ClassVar[str] = "Intervals of all methods, pulls and correlations"

    def content(self) -> Content:
        """Return the whiskers, the pulls and the correlation matrix."""
        if self.record is None:
            return Content(missing=("There is no result of an inference; run `partonic infer`.",))
        record = self.record
        names = [value.name for value in fitted_values(record)]
        correlation = correlation_of(_covariance(record, names))
        pulls = dict(_pulls(record))
        plots = [_whiskers(record), *([_pull_plot(pulls)] if pulls else [])]
        if len(names) > 1:
            text = "Correlations of the fitted parameters, from the curvature of the likelihood at the best fit."
            plots.append(Plot("correlation", text, partial(_draw_correlation, names, correlation)))
        return Content(
            paragraphs=tuple(_paragraphs(record)),
            tables=(_correlations(names, correlation),) if len(names) > 1 else (),
            plots=tuple(plots),
            results={"correlation": _plain(correlation), "parameters": names, "pulls": pulls},
        )


def _paragraphs(record: InferenceRecord) -> Iterator[str]:
    yield (
        "Rows of data are what was found, all fitted parameters free. Rows of expectation are what the Standard Model "
        "should give on average: 'expected' with all parameters free, and the methods of the comparison with each "
        "parameter by itself, the others 0. Parton truth is a bound that no method from reconstructed objects can pass."
    )


def _whiskers(record: InferenceRecord) -> Plot:
    return Plot(
        "interval_summary",
        "Intervals of all methods: best fit (point), lower level (thick) and higher level (thin); dashed: the truth. "
        "Arrows: the interval goes on beyond the scan.",
        partial(_draw_whiskers, record),
    )


def _draw_whiskers(record: InferenceRecord, headline: Headline) -> "Figure":
    rows = _rows(record)
    boxes = [
        WhiskerBox(axis_label(name), [row.get(name) for row in rows.values()], record.truth(name))
        for name in record.fitted
    ]
    levels = sorted(record.levels)
    legend = (f"{levels[0]:.0%}", f"{levels[-1]:.0%}" if len(levels) > 1 else "")
    return draw_whiskers(list(rows), boxes, headline=headline, legend=legend)


def _rows(record: InferenceRecord) -> dict[str, dict[str, Whisker]]:
    """Return the rows of the figure by their label, each with a whisker by parameter."""
    rows: dict[str, dict[str, Whisker]] = {}
    for kind, label in _KINDS.items():
        found = {name: record.intervals(name, kind) for name in record.fitted}
        rows[label] = {
            name: _whisker(intervals, record.result["best_fit"][name]["value"], 0)
            for name, intervals in found.items()
            if intervals
        }
    for entry in record.result["expected"][:1]:
        moved = ", ".join(
            f"{parameter_label(name)} = {value:g}{with_unit(name)}" for name, value in entry["theta"].items() if value
        )
        rows[f"expected, {moved or 'SM'}"] = {
            name: _whisker(tuple(interval_of(each) for each in intervals), None, 1)
            for name, intervals in entry["intervals"].items()
        }
    comparison: Mapping[str, Any] = record.result.get("comparison") or {}
    for method, row in comparison.get("methods", {}).items():
        rows[method] = {
            name: _whisker((interval_of({"name": name, "level": comparison["level"], "kind": "", **each}),), None, 2)
            for name, each in row.items()
            if each is not None and name in record.fitted
        }
    return {label: row for label, row in rows.items() if row}


def _whisker(intervals: tuple[Interval, ...], point: float | None, colour: int) -> Whisker:
    """Return a row of intervals of one or more levels; a single one is drawn thin."""
    ordered = sorted(intervals, key=lambda interval: interval.level)
    outer = ordered[-1]
    inner = ordered[0].segments if len(ordered) > 1 else ()
    return Whisker(inner, outer.segments, point, (outer.open_below, outer.open_above), colour)


def _pulls(record: InferenceRecord) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield pulls: to the truth of theory parameters, and to the constraint of what has one."""
    settings = record.result["settings"]
    for value in fitted_values(record):
        if not value.error:
            continue
        centre, width = _constraint(settings, value)
        if width is not None:
            away = (value.value - centre) / width
            yield value.name, {"pull": away, "width": value.error / width, "to": "constraint"}
        elif (pull := _to_truth(record, value)) is not None:
            yield value.name, {"pull": pull, "width": 1.0, "to": "truth"}


def _to_truth(record: InferenceRecord, value: FittedValue) -> float | None:
    """Return √q at the truth with the sign of best fit − truth; None where it was not scanned.

    It is (best fit − truth)/error if the likelihood is a parabola, and says what that should where it is none.
    """
    values, q = record.curve("total", value.name)
    if value.truth is None or not len(values) or not values[0] <= value.truth <= values[-1]:
        return None
    here = max(float(np.interp(value.truth, values, q)), 0.0)
    return float(np.copysign(np.sqrt(here), value.value - value.truth))


def _constraint(settings: Mapping[str, Any], value: FittedValue) -> tuple[float, float | None]:
    """Return centre and width of the Gaussian constraint of a parameter; None where it is free."""
    given = settings.get("constraints", {}).get(value.name)
    if given:
        return float(given["centre"]), float(given["width"])
    if value.name == "luminosity_scale":
        return 1.0, float(settings["luminosity_uncertainty"]) or None
    section = settings.get("backgrounds", {}).get(value.name.removesuffix("_normalisation"), {})
    return 1.0, section.get("uncertainty") or None


def _pull_plot(pulls: Mapping[str, Mapping[str, Any]]) -> Plot:
    return Plot(
        "fit_pulls",
        "Pulls. Theory parameters: ±√q at the truth with all errors, which is (best fit − truth)/error if the "
        "likelihood is a parabola. What has a Gaussian constraint: (best fit − centre)/width, with what is left of the "
        "width. Bands: ±1 and ±2.",
        partial(_draw_pulls, pulls),
    )


def _draw_pulls(pulls: Mapping[str, Mapping[str, Any]], headline: Headline) -> "Figure":
    rows = [
        Whisker(((found["pull"] - found["width"], found["pull"] + found["width"]),), (), found["pull"])
        for found in pulls.values()
    ]
    labels = [parameter_label(name) for name in pulls]
    return draw_whiskers(labels, [WhiskerBox("pull", rows, bands=(1.0, 2.0))], headline=headline)


def _covariance(record: InferenceRecord, names: list[str]) -> np.ndarray:
    order = list(record.result["best_fit"])
    places = [order.index(name) for name in names]
    covariance = np.array(record.result["covariance"], dtype=np.float64)  # None, where it was not finite, becomes NaN
    chosen: np.ndarray = covariance[np.ix_(places, places)]
    return chosen


def _draw_correlation(names: list[str], correlation: np.ndarray, headline: Headline) -> "Figure":
    return draw_correlation([parameter_label(name) for name in names], correlation, headline=headline)


def _correlations(names: list[str], correlation: np.ndarray) -> Table:
    rows = tuple(
        (name, *("–" if np.isnan(value) else f"{value:.3f}".replace("-", "−") for value in row))
        for name, row in zip(names, correlation, strict=True)
    )
    return Table("Correlations of the fitted parameters at the best fit.", ("parameter", *names), rows)


def _plain(correlation: np.ndarray) -> list[list[float | None]]:
    return [[None if np.isnan(value) else float(value) for value in row] for row in correlation]

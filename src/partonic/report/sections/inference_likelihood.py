"""The likelihood of the data: best fit, intervals, curves and contours."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from partonic.inference.likelihood.intervals import Interval, threshold
from partonic.inference.record import InferenceRecord, interval_of
from partonic.plots.canvas import Headline
from partonic.plots.statistics.contours import COMPACT, USUAL, ContourMap, draw_contours
from partonic.plots.statistics.likelihood_curve import Crossing, LikelihoodCurve, draw_likelihood_curve
from partonic.report.content import Content, Plot, Table
from partonic.report.labels import axis_label, named, parameter_label, with_unit
from partonic.report.section import FitSection

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["InferenceLikelihoodSection", "interval_text"]

Array = NDArray[np.float64]

_CAUSES = ("statistical", "integration", "rate", "calibration", "training", "total")
_KINDS = {"asymptotic": "likelihood only", "total": "with all errors", "toys": "pseudo-experiments"}
_DATA = {"pseudo": "a pseudo-experiment drawn from simulated events", "asimov": "the Asimov sample: every simulated "
         "event with its expected number", "events": "the events of the sample, each once"}  # fmt: skip


class InferenceLikelihoodSection(FitSection):
    """What the data say of θ."""

    name: ClassVar[str] = "inference_likelihood"
    title: ClassVar[str] = "Likelihood and intervals"

    def content(self) -> Content:
        """Return tables, curves and contours."""
        if self.record is None:
            return Content(missing=("There is no result of an inference; run `partonic infer`.",))
        record = self.record
        return Content(
            paragraphs=(_description(record),),
            missing=tuple(_warnings(record)),
            tables=(
                _best_fit(record),
                _intervals(record),
                *_expected(record),
            ),
            plots=(*_curves(record), *_contours(record)),
            results=_results(record),
        )


def interval_text(interval: Interval) -> str:
    """Return e.g. ``"[−0.12, 0.31] ∪ [0.8, > 1.2]"``, with a sign at ends that the scan did not reach."""
    pieces = []
    for number, (low, high) in enumerate(interval.segments):
        below = "< " if interval.open_below and number == 0 else ""
        above = "> " if interval.open_above and number == len(interval.segments) - 1 else ""
        pieces.append(f"[{below}{low:.4g}, {above}{high:.4g}]")
    return " ∪ ".join(pieces).replace("-", "−")


def _description(record: InferenceRecord) -> str:
    result = record.result
    data = result["data"]
    how = "without the number of events" if result["shape_only"] else "with the number of events"
    return (
        f"Fitted is {_DATA[data['kind']]}: {data['events']:,.6g} events for {result['luminosity']:g} fb⁻¹, with the "
        f"coefficients of '{result['source']}', {how}. q = −2 Δlog L is the difference to the best fit, the other "
        "fitted parameters at their best values (profile). The errors of the integration, of the simulated cross "
        "sections and of the training of the networks are no part of the likelihood: their variance V of log L "
        "gives the band ±2√V of q, and the intervals with all errors come from q/(1 + V/q)."
    )


def _warnings(record: InferenceRecord) -> Iterator[str]:
    result, data = record.result, record.result["data"]
    if not result["valid"]:
        yield "The fit is no verified maximum."
    if data["non_positive"]:
        yield (
            f"{data['non_positive']:,} events have a density that is not positive at the best fit, a matter of the "
            "noise of the coefficients; they count with the floor of the likelihood."
        )
    if data["without_coefficients"]:
        yield f"{data['without_coefficients']:,.4g} of the events have no coefficients; only their number enters."
    near = [each for each in result["maxima"][1:] if each["q"] < threshold(max(record.levels))]
    for each in near:
        point = ", ".join(f"{name} = {_number(each['values'][name])}{with_unit(name)}" for name in record.fitted)
        yield f"There is another maximum at {point}, q = {each['q']:.3g}."


def _best_fit(record: InferenceRecord) -> Table:
    rows = []
    for name, found in record.result["best_fit"].items():
        if found["free"]:
            truth = record.truth(name) if name in record.result["parameters"] else None
            errors = (_error(found[cause]) for cause in _CAUSES)
            rows.append((named(name), _number(found["value"]), *errors, "–" if truth is None else _number(truth)))
    fixed = ", ".join(
        f"{name} = {_number(found['value'])}" for name, found in record.result["best_fit"].items() if not found["free"]
    )
    return Table(
        "Best fit and standard errors by their cause" + (f"; fixed: {fixed}." if fixed else "."),
        ("parameter", "best fit", *_CAUSES, "truth"),
        tuple(rows),
    )


def _intervals(record: InferenceRecord) -> Table:
    rows = []
    for name in record.fitted:
        truth = record.truth(name)
        for kind, words in _KINDS.items():
            for interval in record.intervals(name, kind):
                inside = "–" if truth is None else f"{_number(truth)} {'inside' if truth in interval else 'outside'}"
                rows.append((named(name), words, f"{interval.level:.0%}", interval_text(interval), inside))
    return Table(
        "Confidence intervals. < and >: the interval goes on beyond the scan.",
        ("parameter", "errors", "level", "interval", "truth"),
        tuple(rows),
    )


def _expected(record: InferenceRecord) -> Iterator[Table]:
    rows = [
        (
            _theta_text(record, entry["theta"]),
            f"{entry['events']:.5g}",
            named(name),
            *(interval_text(interval_of(each)) for each in intervals),
        )
        for entry in record.result["expected"]
        for name, intervals in entry["intervals"].items()
    ]
    if rows:
        levels = tuple(f"{level:.0%}" for level in record.levels)
        caption = "Expected intervals: those of the Asimov sample at θ, statistical errors only."
        yield Table(caption, ("θ", "expected events", "parameter", *levels), tuple(rows))


def _curves(record: InferenceRecord) -> Iterator[Plot]:
    for name in record.fitted:
        if len(record.curve("profile", name)[0]):
            yield Plot(
                f"likelihood_{name}",
                f"−2 Δlog L against {name}: profile, with the errors of integration, rate, calibration and training as "
                "band; the intervals with all errors are where the dashed curve is below the levels, those of the "
                "likelihood only have vertical lines.",
                partial(_draw_curve, record, name),
            )


def _draw_curve(record: InferenceRecord, name: str, headline: Headline) -> "Figure":
    values, profile = record.curve("profile", name)
    total = record.curve("total", name)[1]
    others = {"with all errors": (values, total), "others fixed": record.curve("fixed", name)}
    x, q = record.curve("expected", name)
    if len(x):
        others[f"expected, {_theta_text(record, record.result['expected'][0]['theta'], short=True)}"] = (x, q)
    training = record.curve("training_band", name)[1]
    band = _band(profile, total)
    if len(training):  # two bands: what the training does not know, and the rest
        band = np.sqrt(np.maximum(band**2 - training**2, 0.0))
    curve = LikelihoodCurve(
        title=axis_label(name),
        values=values,
        profile=profile,
        crossings=[
            Crossing(f"{each.level:.0%}", threshold(each.level), each.segments)
            for each in record.intervals(name, "asymptotic")
        ],
        best=record.result["best_fit"][name]["value"],
        truth=record.truth(name),
        band=band if band.any() else None,
        band_label="error of integration, rate,\ncalibration" + ("" if len(training) else " and training"),
        outer=training if len(training) else None,
        outer_label="error of training",
        others=others
        if band.any() or len(training)
        else {key: each for key, each in others.items() if key != "with all errors"},
    )
    return draw_likelihood_curve(curve, headline=headline)


def _band(profile: Array, total: Array) -> Array:
    """Return 2√V, with V from q_total = q/(1 + V/q)."""
    q, reduced = np.maximum(profile, 0.0), np.maximum(total, 1e-300)
    variance = np.where((total > 0) & (q > 0), q * np.maximum(q / reduced - 1.0, 0.0), 0.0)
    band: Array = 2.0 * np.sqrt(variance)
    return band


def _contours(record: InferenceRecord) -> Iterator[Plot]:
    for number, names in enumerate(record.pairs()):
        yield Plot(
            f"contour_{names[0]}_{names[1]}",
            f"Regions of {names[0]} and {names[1]}, the other fitted parameters at their best values, statistical "
            "errors only.",
            partial(_draw_contour, record, names),
            compact=None if number else partial(_draw_contour, record, names, size=COMPACT),
        )


def _draw_contour(
    record: InferenceRecord, names: tuple[str, str], headline: Headline, size: tuple[float, float] = USUAL
) -> "Figure":
    x, y, q = record.contour(names)
    best = record.result["best_fit"]
    truth = (record.truth(names[0]), record.truth(names[1]))
    points = {} if truth[0] is None or truth[1] is None else {"truth": (truth[0], truth[1])}
    standard = (record.standard_model(names[0]), record.standard_model(names[1]))
    if standard not in points.values():
        points["SM"] = standard
    contour = ContourMap(
        titles=(axis_label(names[0]), axis_label(names[1])),
        x=x,
        y=y,
        q=q,
        levels={f"{level:.0%}": threshold(level, 2) for level in sorted(record.levels)},
        best=(best[names[0]]["value"], best[names[1]]["value"]),
        points=points,
    )
    return draw_contours(contour, headline=headline, size=size)


def _results(record: InferenceRecord) -> dict[str, object]:
    names = ("source", "luminosity", "data", "best_fit", "intervals", "expected", "expected_events", "maxima", "valid")
    results = {name: record.result.get(name) for name in names}
    curves = {
        name: {kind: [each.tolist() for each in record.curve(kind, name)] for kind in ("profile", "fixed", "total")}
        for name in record.fitted
    }
    return results | {"curves": curves, "toys": record.result["toys"]}


def _theta_text(record: InferenceRecord, theta: Mapping[str, float], *, short: bool = False) -> str:
    moved = {name: value for name, value in theta.items() if value != record.standard_model(name)}
    if not moved:
        return "SM"
    label = parameter_label if short else str
    return ", ".join(f"{label(name)} = {_number(value)}{with_unit(name)}" for name, value in moved.items())


def _number(value: float) -> str:
    return f"{value:.4g}".replace("-", "−")


def _error(value: float | None) -> str:
    return "–" if value is None else f"{value:.2g}"

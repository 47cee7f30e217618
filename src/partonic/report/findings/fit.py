"""What to look at in a fit: is it a maximum, do its errors say what its intervals say, and does the method hold?"""

from collections.abc import Iterator
from typing import Any, Final

from partonic.inference.likelihood.intervals import threshold
from partonic.inference.record import InferenceRecord, interval_of
from partonic.report.findings.finding import Finding, count_and_share, level_of
from partonic.report.fitted_value import FittedValue, fitted_values

__all__ = ["fit_findings"]

_SECTION: Final = "inference_likelihood"

FEW_EVENTS: Final = 30
"""Events below which log L is not near a parabola, and the asymptotic formula is not to be trusted."""

NON_POSITIVE: Final = 0.01
"""Share of events whose density is not positive at the best fit, which count with a floor that is no physics."""

OTHER_CAUSES: Final = 0.5
"""Error of one cause over the statistical one from which on it matters: the total grows by 12%."""

LINEAR: Final = 0.02
"""|σ_1| over √(σ_0 σ_2) below which the cross section depends on a parameter through its square only."""

COVERAGE: Final = 0.05
"""Deviation of the coverage from its level that matters, where it is three of its errors."""

BETTER_THAN_TRUTH: Final = 0.97
"""Length of an expected interval over that of the partons themselves, below which it promises what nobody can know."""


def fit_findings(record: InferenceRecord) -> Iterator[Finding]:
    """Yield the findings on the fit, each parameter, the comparison with other methods and the coverage."""
    yield from _maximum(record)
    yield from _events(record)
    values = [value for value in fitted_values(record) if value.intervals]
    for value in values:
        yield from _parameter(record, value)
    yield from _comparison(record)
    yield from _coverage(record)


def _maximum(record: InferenceRecord) -> Iterator[Finding]:
    result = record.result
    if not result["valid"]:
        yield Finding("fault", "fit", "The fit is no maximum.", _SECTION)
    elif not result.get("verified_by_minuit", True):
        yield Finding("attention", "fit", "The maximum was not verified by Minuit.", _SECTION)
    bound = threshold(max(record.levels))
    for each in result["maxima"][1:]:
        if each["q"] < bound:
            point = ", ".join(f"{name} = {_number(each['values'][name])}" for name in record.fitted)
            text = f"Another maximum at {point} is only q = {each['q']:.2g} away (bound {bound:.3g} for the interval)."
            yield Finding("attention", "fit", text, _SECTION)


def _events(record: InferenceRecord) -> Iterator[Finding]:
    data, settings = record.result["data"], record.result["settings"]
    events = data["events"]
    if events < FEW_EVENTS:
        text = f"{events:.3g} events are few for the asymptotic formula (bound {FEW_EVENTS})"
        yield Finding("attention", "fit", f"{text}: take `inference.toys`.", _SECTION)
    if data["non_positive"]:
        level = level_of(is_fault=data["non_positive"] > NON_POSITIVE * events)
        found = count_and_share(data["non_positive"], events)
        text = f"The density of {found} is not positive at the best fit (bound 1%)."
        yield Finding(level, "fit", text, _SECTION)
    if data["without_coefficients"]:
        text = (
            f"{count_and_share(data['without_coefficients'], events)} have no coefficients: only their number enters."
        )
        yield Finding("attention", "fit", text, "mem_integrals")
    if count := data.get("not_positive_at_reference"):
        text = (
            f"{count:,} events have a weight at the reference point that is not positive, as negative parton densities "
            "give: they have no coefficients. With `data: events` each counts as one event; pseudo-data have as many "
            "of them as their weights sum to, none where that is negative."
        )
        yield Finding("attention", "fit", text, "mem_integrals")
    if record.result["source"] == "mem" and settings.get("calibration") is None:
        text = "The ratios were fitted as integrated, without `inference.calibration`: intervals may be too short."
        yield Finding("attention", "fit", text, "mem_integrals")
    for name, value in settings.get("fixed", {}).items():
        if value:
            yield Finding("attention", "fit", f"{name} is fixed at {_number(value)}.", _SECTION)


def _parameter(record: InferenceRecord, value: FittedValue) -> Iterator[Finding]:
    name, widest = value.name, value.widest
    if widest is None:
        return
    if widest.open_below or widest.open_above:
        text = f"The {widest.level:.0%} interval of {name} goes on beyond the scan: set `inference.scan.ranges`."
        yield Finding("attention", "fit", text, _SECTION)
    elif value.parabola_misleads:
        text = f"Best fit ± error of {name} is not what its intervals say: {_why(value)}. Quote the intervals."
        yield Finding("attention", "fit", text, _SECTION)
    if value.kind != "toys" and _through_its_square(record, name) and 0.0 in widest:
        text = f"{name} = 0 is inside the interval, where the asymptotic formula fails (68% intervals cover too often)"
        yield Finding("attention", "fit", f"{text}: take `inference.toys`.", _SECTION)
    if value.truth_inside is False:
        text = f"The {widest.level:.0%} interval of {name} does not hold the truth {_number(value.truth or 0.0)}"
        yield Finding("attention", "fit", f"{text}: expected in {1 - widest.level:.0%} of experiments.", _SECTION)
    statistical = value.errors["statistical"] or 0.0
    for cause in ("integration", "rate", "calibration", "training"):
        error = value.errors[cause]
        if error is not None and error > OTHER_CAUSES * statistical:
            text = (
                f"The error of {name} from {cause}, {error:.2g}, is more than half the statistical {statistical:.2g}."
            )
            yield Finding("attention", "fit", text, _SECTION)


def _why(value: FittedValue) -> str:
    most = max(value.intervals, key=lambda interval: len(interval.segments))
    if len(most.segments) > 1:
        return f"the {most.level:.0%} interval has {len(most.segments)} parts"
    pieces = ((interval.level, *interval.segments[0]) for interval in value.intervals if interval.segments)
    sides = (f"{low - value.value:+.2g} {high - value.value:+.2g} at {level:.0%}" for level, low, high in pieces)
    error = value.error
    return f"{', '.join(sides)}, ± {error:.2g}".replace("-", "−") if error is not None else "the error is not known"


def _through_its_square(record: InferenceRecord, name: str) -> bool:
    """Return whether the cross section behind the cuts hardly has a term linear in `name`."""
    rate = record.result.get("rate")
    if not rate:
        return False
    sigma = dict(zip(rate["monomials"], rate["coefficients"], strict=True))
    constant, linear, squared = (abs(sigma.get(key, 0.0)) for key in ("1", name, f"{name}^2"))
    return bool(squared > 0 and linear < LINEAR * (constant * squared) ** 0.5)


def _comparison(record: InferenceRecord) -> Iterator[Finding]:
    methods: dict[str, dict[str, Any]] = (record.result.get("comparison") or {}).get("methods", {})
    truth = methods.get("parton truth, unbinned", {})
    for method, row in methods.items():
        if "parton truth" in method:
            continue
        for name, found in row.items():
            best = truth.get(name)
            if found is None or best is None:
                continue
            share = interval_of({"name": name, "level": 0.95, "kind": "", **found}).length / best["length"]
            if share < BETTER_THAN_TRUTH:
                text = f"'{method}' expects an interval of {name} that is {share:.0%} of that of the partons themselves"
                yield Finding("fault", "fit", f"{text}: no method can know that much.", "intervals")


def _coverage(record: InferenceRecord) -> Iterator[Finding]:
    for point in record.result["coverage"]:
        for found in point["parameters"]:
            for level, each in found["coverage_total"].items():
                off = each["value"] - float(level)
                if abs(off) > max(COVERAGE, 3 * each["error"]):
                    text = (
                        f"{each['value']:.1%} ± {each['error']:.1%} of the {float(level):.0%} intervals of "
                        f"{found['name']} hold the truth at {_theta(point['theta'])}."
                    )
                    yield Finding(level_of(is_fault=off < 0), "fit", text, "inference_coverage")


def _theta(theta: dict[str, float]) -> str:
    return ", ".join(f"{name} = {_number(value)}" for name, value in theta.items() if value) or "the SM"


def _number(value: float) -> str:
    return f"{value:.3g}".replace("-", "−")

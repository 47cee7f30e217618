"""The result in a box: what the report says first, and the terminal last.

Intervals come first and ± second: with two valleys of the likelihood, or nearly so, the curvature at its maximum is no
measure of where they end. Without an inference the box says how many events there are and what cross section.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from partonic.events.schema import StoreMetadata
from partonic.inference.likelihood.intervals import Interval
from partonic.parameter_names import with_symbols
from partonic.plain_text import in_encoding
from partonic.report.content import number_with_error
from partonic.report.event_counts import EventCounts
from partonic.report.findings import Finding
from partonic.report.fitted_value import CAUSES, FittedValue, fitted_values
from partonic.report.labels import named, plain, produced_particles
from partonic.report.section import Sample

__all__ = ["ResultBox", "result_box"]

KINDS: Final[Mapping[str, str]] = {
    "toys": "from pseudo-experiments",
    "total": "asymptotic, with all errors",
    "asymptotic": "asymptotic, likelihood only",
}
"""Kinds of intervals in words."""

_DATA: Final = {
    "pseudo": "events of a pseudo-experiment", "asimov": "expected events (Asimov sample)", "events": "events",
}  # fmt: skip

_SHORT: Final = {"statistical": "stat", "calibration": "calib"}


@dataclass(frozen=True)
class ResultBox:
    """What is said first.

    Attributes:
        title: of the report.
        facts: name and text of what was looked at: process, events, luminosity, cross section.
        values: parameters of the theory that were fitted, with intervals.
        others: normalisations that were fitted beside them.
        data: what was fitted, in words; empty without an inference.
        contour: names of the two parameters of the main contour; None if there is none.
        findings: what to look at.
    """

    title: str
    facts: tuple[tuple[str, str], ...]
    values: tuple[FittedValue, ...]
    others: tuple[FittedValue, ...]
    data: str
    contour: tuple[str, str] | None
    findings: tuple[Finding, ...]

    @property
    def levels(self) -> tuple[float, ...]:
        """Levels of the intervals, highest first."""
        levels = {interval.level for value in self.values for interval in value.intervals}
        return tuple(sorted(levels, reverse=True))

    @property
    def kind(self) -> str:
        """Where the intervals come from, in words; the kinds of all parameters where they differ."""
        names: dict[str, list[str]] = {}
        for value in self.values:
            if value.kind:
                names.setdefault(value.kind, []).append(value.name)
        told = (KINDS[kind] + (f" ({', '.join(names[kind])})" if len(names) > 1 else "") for kind in names)
        return "; ".join(told)

    @property
    def has_truth(self) -> bool:
        """Whether the true values are known."""
        return any(value.truth is not None for value in self.values)

    @property
    def warning(self) -> str:
        """What the asterisk in the table means; empty where there is none."""
        if any(value.parabola_misleads for value in self.values):
            return "(*) Best fit ± error is not what the interval says: quote the interval."
        return ""

    def columns(self) -> tuple[str, ...]:
        """Return the headings of the table of values."""
        head = ("parameter", *(f"{level:.0%} interval" for level in self.levels), "best fit ± error")
        return (*head, "errors by cause", *(["truth"] if self.has_truth else []))

    def rows(self) -> tuple[tuple[str, ...], ...]:
        """Return the cells of the table of values, theory parameters first."""
        return tuple(self._row(value) for value in (*self.values, *self.others))

    def text(self, unicode: bool = True) -> str:
        """Return the box as plain text.

        Args:
            unicode: whether there may be other characters than ASCII.
        """
        lines = [self.title, *(f"  {name}: {text}" for name, text in self.facts)]
        if self.values or self.others:
            lines += ["", *(f"  {line}" for line in self._table(unicode)), ""]
            lines += [f"  Intervals: {self.kind}. {self.warning}"] if self.values else []
        lines += ["", *self._findings()]
        return "\n".join(_plain(line, unicode).rstrip() for line in lines)

    def to_json(self) -> dict[str, Any]:
        """Return everything by name, JSON-like; numbers of the fit with all digits."""
        return {
            "title": self.title,
            "facts": dict(self.facts),
            "data": self.data,
            "values": [_record(value) for value in (*self.values, *self.others)],
            "contour": self.contour,
            "findings": [finding.to_json() for finding in self.findings],
            "text": {"unicode": self.text(), "ascii": self.text(unicode=False)},
        }

    def _row(self, value: FittedValue) -> tuple[str, ...]:
        found = {interval.level: interval for interval in value.intervals}
        cells = [_interval(found.get(level), value.error) for level in self.levels]
        number = number_with_error(value.value, value.error) if value.error else f"{value.value:.4g}"
        fit = f"{number} (*)" if value.parabola_misleads else number
        row = (named(value.name), *cells, fit.replace("-", "−"), _causes(value))
        return (*row, *([_truth(value)] if self.has_truth else []))

    def _table(self, unicode: bool) -> list[str]:
        heading, *rows = [self.columns(), *self.rows()]
        cells = [[_plain(cell, unicode) for cell in row] for row in (heading, *rows)]
        widths = [max(_width(row[column]) for row in cells) for column in range(len(heading))]
        return ["  ".join(cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True))
                for row in cells]  # fmt: skip

    def _findings(self) -> list[str]:
        if not self.findings:
            return ["Nothing to look at: no warning of any step."]
        signs = {"fault": "!!", "attention": " !"}
        return ["What to look at", *(f" {signs[finding.level]} {finding.text}" for finding in self.findings)]


def result_box(sample: Sample, counts: EventCounts, title: str, findings: Sequence[Finding]) -> ResultBox:
    """Return the box of a report: `counts` are those of its events, `findings` what to look at."""
    record = sample.limits.inference if sample.limits else None
    values = () if record is None else fitted_values(record)
    pairs = () if record is None else record.pairs()
    return ResultBox(
        title=title,
        facts=tuple(_facts(sample, counts)),
        values=tuple(value for value in values if value.intervals),
        others=tuple(value for value in values if not value.intervals),
        data="" if record is None else _data(record.result),
        contour=pairs[0] if pairs else None,
        findings=tuple(findings),
    )


def _facts(sample: Sample, counts: EventCounts) -> list[tuple[str, str]]:
    metadata = sample.metadata
    energy = f" at {metadata.collider_energy / 1000:g} TeV" if metadata.collider_energy else ""
    facts = [("Process", f"{_reaction(metadata)}{energy}")]
    record = sample.limits.inference if sample.limits else None
    if record is not None:
        result = record.result
        rate = "shape only" if result["shape_only"] else "shape and rate"
        facts.append(("Luminosity", f"{result['luminosity']:g} fb⁻¹"))
        facts.append(("Fitted", f"{result['data']['events']:,.6g} {_data(result)}, {rate}"))
    selected = f"of these {counts.selected:,} selected" if counts.judged else "without a selection"
    facts.append(("Events", f"{counts.events:,}, {selected}"))
    what = "Sum of weights" if sample.is_data else "Cross section"
    facts.append((f"{what}{_point(sample)}", number_with_error(*counts.weight, sample.weight_unit)))
    if counts.selected and counts.selected != counts.events:
        facts.append((f"{what}, selected", number_with_error(*counts.selected_weight, sample.weight_unit)))
    return facts


def _reaction(metadata: StoreMetadata) -> str:
    """Return e.g. ``"pp → H t t̄"``, or the name of the process where no partons are known."""
    partons = " ".join(plain(symbol) for symbol, _ in produced_particles(metadata))
    return f"pp → {partons}" if partons else metadata.process


def _point(sample: Sample) -> str:
    """Say what a cross section is of, where it is not that of the process at θ = 0."""
    theta = [f"{name} = {value:g}" for name, value in sample.metadata.theta.items() if value]
    decays = " with decays" if sample.generation is not None else ""
    point = f" at {', '.join(theta)}" if sample.depends_on_theta and theta else ""
    return f"{decays}{point}"


def _data(result: Mapping[str, Any]) -> str:
    data = result["data"]
    if data["kind"] == "events" and data["truth"] is not None:
        return "simulated events taken as data"
    return _DATA[data["kind"]]


def _interval(interval: Interval | None, error: float | None) -> str:
    """Return an interval with the decimal places of the error."""
    if interval is None:
        return "–"
    places = _places(error if error else interval.length / 4)
    pieces = []
    for number, (low, high) in enumerate(interval.segments):
        below = "< " if interval.open_below and number == 0 else ""
        above = "> " if interval.open_above and number == len(interval.segments) - 1 else ""
        pieces.append(f"[{below}{low:.{places}f}, {above}{high:.{places}f}]")
    return " ∪ ".join(pieces).replace("-", "−") or "empty"


def _places(error: float) -> int:
    """Return the decimal places that show two digits of `error`."""
    return min(8, max(0, 1 - int(f"{error:.1e}".split("e")[1]))) if error > 0 else 4


def _causes(value: FittedValue) -> str:
    """Return the errors by cause, largest first; those below a tenth of the total are left out."""
    total = value.error or 0.0
    found = {cause: value.errors[cause] or 0.0 for cause in CAUSES if cause != "total"}
    told = sorted((cause for cause in found if found[cause] > 0.1 * total), key=lambda cause: -found[cause])
    return ", ".join(f"{_SHORT.get(cause, cause)} {found[cause]:.2g}" for cause in told) or "–"


def _truth(value: FittedValue) -> str:
    if value.truth is None:
        return "–"
    inside = {True: ", in", False: ", outside", None: ""}[value.truth_inside]
    level = f" {value.widest.level:.0%}" if value.widest is not None and inside else ""
    return f"{value.truth:.4g}{inside}{level}".replace("-", "−")


def _record(value: FittedValue) -> dict[str, Any]:
    intervals = [
        {"level": each.level, "segments": each.segments, "open_below": each.open_below, "open_above": each.open_above}
        for each in value.intervals
    ]
    return {
        "name": value.name, "value": value.value, "errors": dict(value.errors), "kind": value.kind,
        "intervals": intervals, "truth": value.truth, "truth_inside": value.truth_inside,
        "parabola_misleads": value.parabola_misleads,
    }  # fmt: skip


def _plain(text: str, unicode: bool) -> str:
    """Return a text with the symbols of the parameters, or in ASCII."""
    if unicode:
        return with_symbols(text)
    return in_encoding(text, "ascii")


def _width(text: str) -> int:
    """Return how many columns of a terminal a text takes: marks that combine with a letter take none."""
    import unicodedata

    return sum(not unicodedata.combining(letter) for letter in text)

"""What to look at in the events themselves: how they were read, generated and selected, and what their weights are."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from partonic.report.event_counts import EventCounts
from partonic.report.findings.finding import Finding, count_and_share, percent
from partonic.report.section import Sample

__all__ = ["event_findings", "generation_findings"]

MOST_NEGATIVE: Final = 0.05
"""Share of events with a negative weight to tell of: n events are then worth (1 − 2 · 0.05)² = 81% of n."""

FEWEST_EFFECTIVE: Final = 100.0
"""Effective number of selected simulated events below which the cross section behind the cuts is not known to 10%."""

SMALLEST_EFFECTIVE_SHARE: Final = 0.5
"""Effective over actual number of events: below, half of the simulation is lost on unequal weights."""

LARGEST_SHARE: Final = 0.02
"""Share of one event in the sum of the weights of many: above, a bin may be made of it alone."""

MANY: Final = 500
"""Events from which on one of them must not have `LARGEST_SHARE`."""

LOST_IN_SHOWER: Final = 0.001
"""Share of events that the shower lost, from which on the cross section is in doubt."""

MOST_WARNINGS: Final = 8
"""Warnings of the reader that are told one by one."""

LOWEST_UNWEIGHTING: Final = 0.01
"""Efficiency of unweighting below which the sampler did not learn the peaks of the process."""

LARGEST_OVER_MAXIMUM: Final = 5.0
"""Largest over maximum weight: one event that should have been that many."""


def event_findings(sample: Sample, counts: EventCounts) -> Iterator[Finding]:
    """Yield what the reader warned of, then what the weights and the selection tell."""
    told = [str(text) for text in sample.metadata.facts.get("warnings") or ()]
    for text in told[:MOST_WARNINGS]:
        yield Finding("attention", "import", _sentence(text), "summary")
    if len(told) > MOST_WARNINGS:
        text = f"{len(told) - MOST_WARNINGS} more warnings of the reader are among the facts of the source."
        yield Finding("attention", "import", text, "summary")
    if not counts.events:
        yield Finding("fault", "events", "There is no event.", "summary")
        return
    yield from _selected(counts)
    yield from _weights(sample, counts)
    yield from _shower(sample)


def _sentence(text: str) -> str:
    """Return the words of a reader as a sentence; what begins with a name of a file or a column stays."""
    begin = text.split(maxsplit=1)[0] if text.strip() else ""
    text = text[:1].upper() + text[1:] if begin.isalpha() else text
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _selected(counts: EventCounts) -> Iterator[Finding]:
    if counts.judged and not counts.selected:
        yield Finding("fault", "events", f"None of {counts.events:,} events is selected.", "cut_flow")


def _weights(sample: Sample, counts: EventCounts) -> Iterator[Finding]:
    row, words = (1, "selected events") if counts.selected else (0, "events")
    number, negative = counts.sums[row, 0], int(counts.negative[row])
    if negative / number > MOST_NEGATIVE:
        text = (
            f"{negative:,} of {number:,.0f} {words} ({percent(negative / number)}) have a negative weight (bound 5%)."
        )
        yield Finding("attention", "events", f"{text} They dilute what the others know.", "summary")
    if sample.is_data:
        return
    effective = counts.effective(selected=bool(row))
    if effective < FEWEST_EFFECTIVE:
        text = f"The {words} are worth {effective:.0f} events of equal weight (bound 100): {_error(effective)}."
        yield Finding("attention", "events", text, "summary")
    elif effective < SMALLEST_EFFECTIVE_SHARE * number:
        text = f"Unequal weights: {number:,.0f} {words} are worth {effective:,.0f} of equal weight (bound: half)."
        yield Finding("attention", "events", text, "summary")
    share = counts.largest[row] / abs(counts.sums[row, 1]) if counts.sums[row, 1] else 0.0
    if number >= MANY and share > LARGEST_SHARE:
        text = f"One event has {percent(share)} of the summed weights of {number:,.0f} {words} (bound 2%)."
        yield Finding("attention", "events", text, "summary")


def _error(effective: float) -> str:
    return f"their cross section is known to {effective**-0.5:.0%}" if effective > 0 else "nothing is known of them"


def _shower(sample: Sample) -> Iterator[Finding]:
    found = {step.name: step.events for step in sample.metadata.cut_flow}
    generated, showered = found.get("generated", 0), found.get("showered")
    if showered is not None and generated and 1 - showered / generated > LOST_IN_SHOWER:
        text = f"{count_and_share(generated - showered, generated)} could not be showered (bound 0.1%)."
        yield Finding("attention", "simulation", text, "cut_flow")


def generation_findings(record: Mapping[str, Any] | None) -> Iterator[Finding]:
    """Yield what the record of a generation tells; nothing for events that were not generated here."""
    figures = (record or {}).get("unweighting")
    if not isinstance(figures, Mapping):
        return
    over, limit = figures.get("overweight_fraction"), figures.get("overweight_limit")
    if over is not None and limit is not None and over > limit:
        text = f"{percent(over)} of the cross section lies above the maximum weight (bound {percent(limit)})."
        yield Finding(
            "attention", "generation", f"{text} Spectra are too low there unless weights are kept.", "generation"
        )
    largest, maximum = figures.get("largest_weight"), figures.get("maximum_weight")
    if largest and maximum and largest > LARGEST_OVER_MAXIMUM * maximum:
        text = f"An event weighs {largest / maximum:.3g} times the maximum of the unweighting (bound 5)."
        yield Finding("attention", "generation", text, "generation")
    efficiency = figures.get("unweighting_efficiency")
    if efficiency is not None and efficiency < LOWEST_UNWEIGHTING:
        text = f"Only {percent(efficiency)} of the points became events (bound 1%): the sampler missed the peaks."
        yield Finding("attention", "generation", text, "generation")

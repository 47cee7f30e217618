"""Quality of the generation: the cross section of the integrator, and how well the sampler unweights."""

from collections.abc import Mapping
from typing import Any, ClassVar

from partonic.events.batch import EventBatch
from partonic.report.content import Content, Table, number_with_error
from partonic.report.section import Sample

__all__ = ["GenerationSection"]

_QUALITY = {
    "Events": ("events",),
    "Cross section [pb]": ("cross_section",),
    "Points tried": ("unweighting", "points"),
    "Unweighting efficiency ⟨w⟩/w_max [%]": ("unweighting", "unweighting_efficiency"),
    "The same of the VEGAS grid alone [%]": ("unweighting", "vegas_unweighting_efficiency"),
    "Cross section above the maximum weight [%]": ("unweighting", "overweight_fraction"),
    "Events above the maximum weight [%]": ("unweighting", "overweight_event_fraction"),
    "Largest over maximum weight": ("unweighting", "largest_weight"),
    "Points above the maximum weight": ("unweighting", "overweight_policy"),
}
"""What is shown of the record, and where it is there; everything is in the JSON results."""


class GenerationSection:
    """What ``generation.json`` says."""

    name: ClassVar[str] = "generation"
    title: ClassVar[str] = "Generation"
    columns: ClassVar[tuple[str, ...]] = ()

    def __init__(self, sample: Sample) -> None:
        """Prepare for `sample`."""
        self.sample = sample

    def fill(self, batch: EventBatch) -> None:
        """Ignore the events: everything is known from the generation."""

    def content(self) -> Content:
        """Return the numbers of the generation as tables."""
        record = self.sample.generation
        if record is None:
            return Content(missing=("No record of a generation (generation.json) belongs to these events.",))
        return Content(
            paragraphs=(
                "Cross sections of the generation are those of the hard process, before branching fractions and "
                "selection.",
            ),
            tables=(*_quality(record), *_sampling(record), *_coefficients(record), *_channels(record)),
            results={"generation": dict(record)},
        )


def _quality(record: Mapping[str, Any]) -> tuple[Table, ...]:
    found = {label: _entry(record, path) for label, path in _QUALITY.items()}
    maximum, largest = _entry(record, ("unweighting", "maximum_weight")), found["Largest over maximum weight"]
    found["Largest over maximum weight"] = largest / maximum if largest and maximum else None
    rows = tuple((label, _text(label, value)) for label, value in found.items() if value is not None)
    caption = "How the events were generated, and how well they were unweighted."
    return (Table(caption, ("quantity", "value"), rows),) if rows else ()


def _entry(record: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    """Return the entry at `path` in nested mappings, or None."""
    found: Any = record
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _sampling(record: Mapping[str, Any]) -> tuple[Table, ...]:
    """Return what each channel of the sampling brought in the pilot; nothing if there was only one."""
    channels = _entry(record, ("sampling", "channels"))
    if not isinstance(channels, Mapping):
        return ()
    dropped = _entry(record, ("sampling", "dropped")) or ()
    rows = tuple(
        (
            name,
            f"{100 * one['share']:.1f} %",
            f"{one['points']:,.0f}",
            f"{one['weight_spread']:.2f}",
            f"{100 * one['unweighting_efficiency']:.3g} %",
            f"{one['not_finite']:.0f}",
        )
        for name, one in channels.items()
        if name not in dropped
    )
    caption = "Channels of the sampling, in the pilot points."
    if dropped:
        caption += f" Dropped, for others reach what they would have brought: {', '.join(dropped)}."
    headings = ("channel", "share of σ", "points", "standard deviation / mean of weights", "efficiency", "not finite")
    return (Table(caption, headings, rows),)


def _channels(record: Mapping[str, Any]) -> tuple[Table, ...]:
    channels = record.get("channels")
    if not isinstance(channels, Mapping) or not all(map(_is_estimate, channels.values())):
        return ()
    total = sum(one["value"] for one in channels.values())
    rows = tuple(
        (name, number_with_error(one["value"], one["error"]), f"{100 * one['value'] / total:.2f} %" if total else "–")
        for name, one in channels.items()
    )
    headings = ("initial partons (PDG ids)", "σ [pb]", "share")
    return (Table("Cross section by initial state, at the θ of generation.", headings, rows),)


def _coefficients(record: Mapping[str, Any]) -> tuple[Table, ...]:
    coefficients = record.get("coefficients")
    if not isinstance(coefficients, Mapping) or not all(map(_is_estimate, coefficients.values())):
        return ()
    scale = max((abs(one["value"]) for one in coefficients.values()), default=0.0)
    rows = tuple((name, _coefficient(one, scale)) for name, one in coefficients.items())
    return (Table("Coefficients of the cross section of the hard process.", ("monomial", "σ_a [pb]"), rows),)


def _coefficient(one: Mapping[str, float], scale: float) -> str:
    if max(abs(one["value"]), one["error"]) < 1e-12 * scale:
        return "0 (to rounding)"
    return number_with_error(one["value"], one["error"])


def _is_estimate(value: Any) -> bool:
    return isinstance(value, Mapping) and {"value", "error"} <= set(value)


def _text(label: str, value: Any) -> str:
    if _is_estimate(value):
        return number_with_error(value["value"], value["error"])
    if isinstance(value, float):
        return f"{100 * value:.3g}" if label.endswith("[%]") else f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)

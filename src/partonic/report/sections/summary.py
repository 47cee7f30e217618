"""Summary: what was run, with which configuration, versions and seed, and what came out."""

import json
from typing import ClassVar

from partonic.events.batch import EventBatch
from partonic.provenance import package_versions
from partonic.report.content import Content, Table, number_with_error
from partonic.report.event_counts import EventCounts
from partonic.report.section import Sample

__all__ = ["SummarySection"]


class SummarySection:
    """What was run and how many events it gave."""

    name: ClassVar[str] = "summary"
    title: ClassVar[str] = "What was run"
    columns: ClassVar[tuple[str, ...]] = EventCounts.columns

    def __init__(self, sample: Sample) -> None:
        """Prepare for `sample`."""
        self.sample = sample
        self.counts = EventCounts()

    def fill(self, batch: EventBatch) -> None:
        """Add one batch of events."""
        self.counts.fill(batch)

    def content(self) -> Content:
        """Return the facts of the run."""
        facts = {**self._origin(), **self._numbers()}
        rows = tuple((name, text) for name, text in facts.items())
        metadata = self.sample.metadata
        versions = {**metadata.versions} or package_versions()
        return Content(
            tables=(Table("Process, events and weights.", ("", ""), rows),),
            details={
                "Configuration": json.dumps(metadata.config, indent=2) if metadata.config else "not recorded",
                "Package versions": "\n".join(f"{name} {version}" for name, version in sorted(versions.items())),
                **({"Further facts of the source": json.dumps(metadata.facts, indent=2)} if metadata.facts else {}),
            },
            results={
                "events": self.counts.events,
                "selected": self.counts.selected,
                "sum_of_weights": self.counts.sums[:, 1].tolist(),
                "sum_of_squared_weights": self.counts.sums[:, 2].tolist(),
                "negative_weights": int(self.counts.negative[0]),
                "metadata": metadata.model_dump(mode="json"),
            },
        )

    def _origin(self) -> dict[str, str]:
        metadata = self.sample.metadata
        theta = ", ".join(f"{name} = {value:g}" for name, value in metadata.theta.items() if value) or "SM"
        return {
            "Process": f"{metadata.process} ({', '.join(metadata.parton_names) or 'no partons known'})",
            "Collision energy": f"√S = {metadata.collider_energy / 1000:g} TeV"
            if metadata.collider_energy
            else "unknown",
            "Source of the events": metadata.source,
            "Theory parameters": ", ".join(metadata.parameters) or "none",
            "θ of generation": theta if metadata.parameters else "–",
            "Root seed": "not recorded" if metadata.seed is None else str(metadata.seed),
        }

    def _numbers(self) -> dict[str, str]:
        counts, unit = self.counts, self.sample.weight_unit
        numbers = {
            "Events": f"{counts.events:,}",
            "Sum of weights": number_with_error(*counts.weight, unit),
            "Effective number of events (Σw)²/Σw²": f"{counts.effective(selected=False):,.0f}",
            "Negative weights": f"{counts.negative[0]:,}",
            "Selected events": f"{counts.selected:,}",
        }
        if counts.selected:
            numbers["Sum of weights of selected events"] = number_with_error(*counts.selected_weight, unit)
        return numbers

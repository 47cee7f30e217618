"""Summary: what was run, with which configuration, versions and seed, and what came out."""

import json
from typing import ClassVar

import numpy as np

from partonic.events.batch import EventBatch
from partonic.plots.histogram import finite_weights
from partonic.provenance import package_versions
from partonic.report.content import Content, Table, number_with_error
from partonic.report.section import Sample
from partonic.report.views import selection_of

__all__ = ["SummarySection"]


class SummarySection:
    """What was run and how many events it gave."""

    name: ClassVar[str] = "summary"
    title: ClassVar[str] = "Summary"
    columns: ClassVar[tuple[str, ...]] = ("weight", "selected")

    def __init__(self, sample: Sample) -> None:
        """Prepare for `sample`."""
        self.sample = sample
        self.sums = np.zeros((2, 3))
        self.negative = 0

    def fill(self, batch: EventBatch) -> None:
        """Add one batch of events."""
        weight = finite_weights(batch.weight, "weight")
        self.negative += int((weight < 0).sum())
        for row, chosen in enumerate((weight, weight[selection_of(batch)])):
            self.sums[row] += (len(chosen), chosen.sum(), (chosen**2).sum())

    def content(self) -> Content:
        """Return the facts of the run."""
        facts = {**self._origin(), **self._numbers()}
        rows = tuple((name, text) for name, text in facts.items())
        metadata = self.sample.metadata
        versions = {**metadata.versions} or package_versions()
        return Content(
            tables=(Table("What was run.", ("", ""), rows),),
            details={
                "Configuration": json.dumps(metadata.config, indent=2) if metadata.config else "not recorded",
                "Package versions": "\n".join(f"{name} {version}" for name, version in sorted(versions.items())),
                **({"Further facts of the source": json.dumps(metadata.facts, indent=2)} if metadata.facts else {}),
            },
            results={
                "events": int(self.sums[0, 0]),
                "selected": int(self.sums[1, 0]),
                "sum_of_weights": self.sums[:, 1].tolist(),
                "sum_of_squared_weights": self.sums[:, 2].tolist(),
                "negative_weights": self.negative,
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
        (events, weight, squares), (selected, kept, kept_squares) = self.sums
        effective = weight**2 / squares if squares > 0 else 0.0
        numbers = {
            "Events": f"{int(events):,}",
            "Sum of weights": number_with_error(weight, float(np.sqrt(squares)), self.sample.weight_unit),
            "Effective number of events (Σw)²/Σw²": f"{effective:,.0f}",
            "Negative weights": f"{self.negative:,}",
            "Selected events": f"{int(selected):,}",
        }
        if selected:
            error = float(np.sqrt(kept_squares))
            numbers["Sum of weights of selected events"] = number_with_error(kept, error, self.sample.weight_unit)
        return numbers

"""What a generation reports: cross sections with errors, and how well the points were unweighted."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from partonic.estimate import Estimate

__all__ = ["GenerationResult"]


@dataclass(frozen=True)
class GenerationResult:
    """The result of a generation, as in ``generation.json``.

    Attributes:
        events_file: the Les Houches event file.
        summary_file: ``generation.json``.
        events: number of events in the file.
        cross_section: at the θ of generation, pb.
        coefficients: of each monomial in the cross section, by name, pb.
        unweighting_efficiency: ⟨w⟩/w_max of the trained sampler.
        vegas_unweighting_efficiency: the same of the VEGAS grid that it started from, at the same overweight limit.
        overweight_fraction: fraction of the cross section carried by points above w_max.
        summary: the whole content of ``generation.json``.
    """

    events_file: Path
    summary_file: Path
    events: int
    cross_section: Estimate
    coefficients: Mapping[str, Estimate]
    unweighting_efficiency: float
    vegas_unweighting_efficiency: float
    overweight_fraction: float
    summary: Mapping[str, Any]

    @classmethod
    def from_summary(cls, events_file: Path, summary_file: Path, summary: Mapping[str, Any]) -> "GenerationResult":
        """Return the result that `summary` describes.

        Raises:
            KeyError: if the summary lacks an entry.
        """
        unweighting = summary["unweighting"]
        return cls(
            events_file=events_file,
            summary_file=summary_file,
            events=summary["events"],
            cross_section=Estimate.from_json(summary["cross_section"]),
            coefficients={name: Estimate.from_json(one) for name, one in summary["coefficients"].items()},
            unweighting_efficiency=unweighting["unweighting_efficiency"],
            vegas_unweighting_efficiency=unweighting["vegas_unweighting_efficiency"],
            overweight_fraction=unweighting["overweight_fraction"],
            summary=summary,
        )

    def __str__(self) -> str:
        """Return one line for people."""
        return (
            f"{self.events:,} events, σ = {self.cross_section} pb, unweighting efficiency "
            f"{self.unweighting_efficiency:.1%} (VEGAS {self.vegas_unweighting_efficiency:.1%}), "
            f"{self.overweight_fraction:.2%} of σ above the maximum weight: {self.events_file}"
        )

"""What a reweighting says of itself, in the metadata of its store and on the screen."""

from dataclasses import dataclass
from pathlib import Path

from partonic.events.schema import CrossSection
from partonic.events.store import EventStore

__all__ = ["FACTS", "ReweightResult"]

FACTS = "reweighting"
"""Key in `StoreMetadata.facts`: engine, version, fingerprint of the model, settings, basis, residual, subprocesses."""


@dataclass(frozen=True)
class ReweightResult:
    """A store with coefficients from a matrix element.

    Attributes:
        path: the event store.
        num_events: number of its events.
        engine: name and version of who evaluated |M|².
        subprocesses: number of partonic subprocesses.
        points: number of θ points of the basis.
        largest_residual: of all events, at θ points that were not used, in units of the largest |M|² there.
        median_residual: its median.
        without_alpha_s: number of events without α_s, from whose ratios it cancels.
        cross_section: sum of the coefficients, pb.
    """

    path: Path
    num_events: int
    engine: str
    subprocesses: int
    points: int
    largest_residual: float
    median_residual: float
    without_alpha_s: int
    cross_section: CrossSection | None

    @classmethod
    def of_store(cls, path: Path) -> "ReweightResult":
        """Return what the store at `path` says.

        Raises:
            EventFileError: if it is none, or was not made by a reweighting.
        """
        store = EventStore.open(path)
        facts = store.metadata.facts[FACTS]
        return cls(
            path,
            store.num_events,
            f"{facts['engine']} {facts['version']}".strip(),
            len(facts["subprocesses"]),
            len(facts["basis"]),
            facts["residual"]["largest"],
            facts["residual"]["median"],
            facts["events_without_alpha_s"],
            store.metadata.cross_section,
        )

    def __str__(self) -> str:
        """Return one line for the terminal, and one for what should be known."""
        line = (
            f"{self.num_events} events reweighted by {self.engine}, {self.subprocesses} subprocesses at {self.points} "
            f"θ points, residual at others at most {self.largest_residual:.1e} (median {self.median_residual:.1e}): "
            f"{self.path}"
        )
        if not self.without_alpha_s:
            return line
        return f"{line}\n  attention: {self.without_alpha_s} events have no α_s; it cancels in the ratios of their |M|²"

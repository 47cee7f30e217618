"""The section `classical` of an analysis file: the matrix element method with parametric transfer functions."""

from pydantic import Field

from partonic.config.base import StrictModel
from partonic.config.paths import LocalPath, NameOrPath

__all__ = ["ClassicalConfig", "ClassicalTransferConfig"]


class ClassicalTransferConfig(StrictModel):
    """The transfer functions: those that ship, those of a file, or fitted to simulated events here."""

    file: NameOrPath = "pretrained"
    """``pretrained`` for those that ship with the process, or a JSON file."""

    fit_to: LocalPath | None = None
    """Event store of simulated, selected events that they are fitted to, in place of `file`; use other events than
    those that are integrated. They must have passed the cuts of `simulation.selection`."""

    events: int = Field(100_000, ge=100)
    """Selected events of that store that are used at most."""


class ClassicalConfig(StrictModel):
    """The classical matrix element method: P_a(x) from VEGAS over the assignments of jets to quarks.

    It knows final states with a top pair, of which one top decays leptonically, and b b̄ or H → b b̄.
    """

    transfer: ClassicalTransferConfig = ClassicalTransferConfig()
    """Transfer functions."""

    points: int = Field(20_000, ge=100)
    """Points of the final pass of an event, shared among its assignments."""

    adaptation_points: int = Field(200, ge=10)
    """Points of one iteration of VEGAS for one assignment, per dimension beyond three."""

    adaptation_iterations: int = Field(4, ge=1)
    """Iterations of VEGAS that adapt its grid and are not used otherwise."""

    pilot_points: int = Field(150, ge=10)
    """Points from which each assignment's share of the final points is estimated."""

    max_jets: int = Field(8, ge=6)
    """Leading jets that may belong to quarks; further ones are radiation."""

    max_lost: int = Field(2, ge=0, le=2)
    """Quarks that may be without a jet."""

    max_assignments: int = Field(48, ge=1)
    """Assignments of jets to quarks that are integrated at most, best first."""

    neglected_share: float = Field(0.02, ge=0.0, lt=1.0)
    """Share of P_0 that may be neglected if fewer do."""

    normalisation_store: LocalPath | None = None
    """Simulated store whose accepted events give the fiducial cross section; null for the one whose events are
    integrated, or, if those are no simulated events of the process, none: a fit then needs another source of it."""

    store: LocalPath | None = None
    """Event store with the events; null for the events of this analysis."""

    max_events: int | None = Field(None, ge=1)
    """Integrate at most this many selected events; null for all."""

    batch_events: int = Field(16, ge=1)
    """Events that are worked on together; each has random numbers of its own, so that this changes nothing else."""

    workers: int | None = Field(None, ge=1)
    """Number of worker processes; null: one for each core. 1 without a `scheduler` works in the calling process."""

    scheduler: str | None = None
    """Address of a running Dask scheduler, e.g. ``"tcp://host:8786"``; null: a local cluster of `workers`."""

    @property
    def device(self) -> str:
        """Where it runs: there is no network, so on the processor."""
        return "cpu"

    def physics(self) -> dict[str, object]:
        """Return everything that the coefficients depend on: all but how the work is shared out, and paths."""
        return self.model_dump(
            mode="json",
            exclude={
                "workers": True, "scheduler": True, "batch_events": True, "max_events": True, "store": True,
                "normalisation_store": True,
            },
        )  # fmt: skip

    def work(self) -> dict[str, int | float]:
        """Return how much work an event is worth, as the options of the integrator have it."""
        names = (
            "points", "adaptation_points", "adaptation_iterations", "pilot_points", "max_jets", "max_lost",
            "max_assignments", "neglected_share",
        )  # fmt: skip
        return {name: getattr(self, name) for name in names}

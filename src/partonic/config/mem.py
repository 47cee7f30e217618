"""The section `mem` of an analysis file: the integrals P_a(x) of the matrix element method over partons."""

from typing import Literal

from pydantic import Field, field_validator, model_validator

from partonic.config.base import SettingError, StrictModel
from partonic.config.paths import LocalPath, NameOrPath

__all__ = ["BaseConfig", "DominatedConfig", "MemConfig", "NormalisationConfig", "PointsConfig", "ProposalConfig"]


class PointsConfig(StrictModel):
    """How many points the integral of an event gets."""

    first: int = Field(1_000, ge=16)
    """Points of the first round; every further round doubles the number of points so far."""

    maximum: int = Field(10_000, ge=16)
    """Points of an event at most."""

    relative_error: float | None = Field(None, gt=0.0)
    """An event is done when its error is smaller; null: every event gets the maximum. Stopping at an error that is
    itself estimated favours points of small weight: values below some 0.1 keep that bias small."""

    target: Literal["reference", "ratios"] = "reference"
    """Whose error: the relative one of P_0, or the largest of the ratios P_a/P_0, each in units of the root mean square
    of c_a(z)/c_0(z) over the partons that the event may come from."""

    at_once: int = Field(16_384, ge=16)
    """Points evaluated at a time; bounds the memory and changes nothing else."""

    @model_validator(mode="after")
    def _first_round_fits(self) -> "PointsConfig":
        if self.first > self.maximum:
            message = f"the first round has {self.first} points, more than the maximum of {self.maximum}"
            raise SettingError(("first",), message)
        return self


class BaseConfig(StrictModel):
    """The base numbers that the proposal maps to partons, and their density."""

    kind: Literal["gaussian", "defensive", "fitted", "sobol", "vegas"] = "fitted"
    """``gaussian``: those of the proposal as it was trained; ``defensive``: mixed with a wider Gaussian, so that the
    weights of its tails stay bounded; ``fitted``: those two mixed with Gaussians fitted to each event; ``sobol``:
    scrambled quasi-random Gaussian numbers; ``vegas``: a grid for each event, refined on its own weights."""

    width: float = Field(1.0, gt=0.0)
    """Factor of the standard deviation of the Gaussian."""

    share: float = Field(0.1, gt=0.0, lt=0.5)
    """Share of the wider Gaussian (defensive, fitted), and of the proposal's own one (fitted)."""

    wider: float = Field(1.5, gt=1.0)
    """How many times wider it is (defensive, fitted)."""

    scramblings: int = Field(16, ge=4)
    """Independent scramblings that the points of an event are made of; their scatter is the error (sobol)."""

    bins: int = Field(12, ge=2)
    """Bins of the grid in each dimension (vegas)."""

    components: int = Field(6, ge=1, le=16)
    """How many Gaussians are fitted to each event (fitted)."""

    iterations: int = Field(4, ge=1)
    """Rounds that refine grid or Gaussians; their points count, but are not in the integral (vegas, fitted)."""

    iteration_points: int = Field(700, ge=16)
    """Points of each of them (vegas, fitted)."""

    damping: float = Field(0.5, gt=0.0, le=2.0)
    """Exponent that damps each refinement (vegas)."""


class ProposalConfig(StrictModel):
    """Where the partons of the integral are drawn from."""

    kind: Literal["auto", "network", "unfolding", "uniform"] = "auto"
    """``network``: one trained with the other parts of the method; ``unfolding``: the flow of the section `unfolding`;
    ``auto``: the network if there is one beside the other parts, else the flow; ``uniform``: the unit cube of the
    partons (useful only with `base.kind: vegas`, and slow)."""

    model: NameOrPath | None = None
    """``pretrained``, or a folder: for ``unfolding`` one that has the view ``hard``; for ``network`` one that has
    ``proposal``. Null: for ``unfolding`` the model of the section `unfolding`, for ``network`` that of `mem.model`."""


class DominatedConfig(StrictModel):
    """Integrals that hang on a single point: their value and their error are not to be trusted."""

    limit: float = Field(0.3, gt=0.0, le=1.0)
    """Largest share of one point in P_0 of an event that is not called dominated."""

    policy: Literal["flag", "exclude"] = "flag"
    """``flag``: keep such an event, count it, its share is in the file; ``exclude``: give it no coefficients."""


class NormalisationConfig(StrictModel):
    """The fiducial cross section σ_a that the P_a are normalised to."""

    method: Literal["accepted", "acceptance", "process"] = "accepted"
    """``accepted``: the weights of the accepted events of a simulated store; ``acceptance``: those of all its events
    times ε(z); ``process``: the integral of dσ/dz times ε(z) over phase space, which needs no store."""

    store: LocalPath | None = None
    """Simulated store; null for the one whose events are integrated."""

    points: int = Field(200_000, ge=1_000)
    """Points of phase space (process)."""


class MemConfig(StrictModel):
    """The matrix element method: P_a(x) = ∫ dz [dσ/dz]_a ε(z) p_T(x|z) for each selected event."""

    model: NameOrPath | None = None
    """Transfer function and acceptance: ``pretrained``, or a folder that holds ``transfer`` and ``acceptance``, perhaps
    ``initial_state`` and ``proposal``, too. Null: those trained here, if there is a section `mem_training`, else
    ``pretrained``."""

    initial_state: bool = True
    """Tell gluons from quarks in the initial state, if the folder of the models has a network for that. A calibration
    belongs to coefficients of the same choice."""

    proposal: ProposalConfig = ProposalConfig()
    """Where points are drawn from."""

    base: BaseConfig = BaseConfig()
    """The base numbers of the proposal."""

    points: PointsConfig = PointsConfig()
    """Number of points."""

    dominated: DominatedConfig = DominatedConfig()
    """What becomes of integrals that hang on one point."""

    normalisation: NormalisationConfig = NormalisationConfig()
    """The fiducial cross section."""

    weight_samples: int = Field(0, ge=0)
    """Sets of weights that are drawn for transfer function and acceptance, where these were trained with an
    `uncertainty`: each gives coefficients of its own, whose scatter is the error of the training. 0 for the trained
    weights alone."""

    weight_sample_points: int = Field(400, ge=32)
    """Points of an event at which the sets are evaluated, drawn by their weights from all points of the integral."""

    store: LocalPath | None = None
    """Event store with the events; null for the events of this analysis."""

    max_events: int | None = Field(None, ge=1)
    """Integrate at most this many selected events; null for all."""

    batch_events: int = Field(32, ge=1)
    """Events that are worked on together; each has random numbers of its own, so that this changes nothing else."""

    workers: int | None = Field(None, ge=1)
    """Number of worker processes; null: one for each core. 1 without a `scheduler` works in the calling process."""

    scheduler: str | None = None
    """Address of a running Dask scheduler, e.g. ``"tcp://host:8786"``; null: a local cluster of `workers`."""

    device: str = Field("cpu", pattern=r"^(auto|cpu|cuda(:\d+)?)$")
    """Where the networks run: ``cpu``, ``cuda``, ``cuda:1``, or ``auto``: ``cuda`` if there is one."""

    @field_validator("weight_samples")
    @classmethod
    def _samples_have_a_scatter(cls, count: int) -> int:
        if count == 1:
            message = "one set of weights has no scatter: expected 2 or more, or 0 for the trained weights alone"
            raise ValueError(message)
        return count

    def physics(self) -> dict[str, object]:
        """Return everything that the coefficients depend on: all but how the work is shared out."""
        return self.model_dump(
            mode="json",
            exclude={
                "workers": True, "scheduler": True, "batch_events": True, "max_events": True, "store": True,
                "points": {"at_once"},
            },
        )  # fmt: skip

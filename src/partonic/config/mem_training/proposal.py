"""The learned proposal of the matrix element method: its networks and their training.

Two sets of sizes are ready: ``small`` (trains on one core in half an hour) and ``tiny`` (tests). A preset fills what a
section leaves out; what is written in the file wins.
"""

from typing import Any, Literal

from pydantic import Field, model_validator

from partonic.config.base import StrictModel
from partonic.config.mem_training.transfer import MemTrainingConfig
from partonic.config.networks import Presets, check_heads, filled_from_preset
from partonic.config.paths import NameOrPath
from partonic.config.unfolding import FlowConfig

__all__ = [
    "PROPOSAL_PRESETS",
    "DrawnEventsConfig",
    "ProposalEncoderConfig",
    "ProposalNetworkConfig",
    "ProposalTrainingConfig",
]


class ProposalEncoderConfig(StrictModel):
    """The transformer over the reconstructed objects of an event."""

    width: int = Field(64, ge=4)
    """Numbers per object inside the network."""

    layers: int = Field(3, ge=1)
    """Attention layers over all objects."""

    decoder_layers: int = Field(1, ge=1)
    """Attention layers before the mean over objects, for the regression and for the latent vector each."""

    heads: int = Field(4, ge=1)
    """Attention heads; must divide `width`."""

    feedforward: int = Field(128, ge=4)
    """Hidden units of the network after each attention."""

    hidden: int = Field(128, ge=4)
    """Hidden units between the mean over objects and what the flow is given."""

    latent: int = Field(24, ge=1)
    """Length of the free latent vector handed to the flow beside the regressed numbers."""

    dropout: float = Field(0.0, ge=0.0, lt=1.0)
    """Fraction of units dropped in training."""

    max_jets: int = Field(16, ge=4, le=16)
    """Jets of an event that are looked at, hardest first."""

    @model_validator(mode="after")
    def _heads_divide_width(self) -> "ProposalEncoderConfig":
        check_heads("heads", self.heads, self.width)
        return self


class ProposalTrainingConfig(MemTrainingConfig):
    """Training in phases: regression alone, then regression and flow, then the flow alone on finished conditions."""

    epochs: int = Field(10, ge=1)
    """Epochs of encoder and flow together."""

    regression_epochs: int = Field(1, ge=0)
    """Epochs of the regression alone, before."""

    flow_epochs: int = Field(10, ge=0)
    """Epochs of the flow alone, after, on conditions that are computed once."""

    regression_weight: float = Field(1.0, ge=0.0)
    """Weight of the regression beside −log q while both are trained."""

    reflections: bool = False
    """Train on the mirror image of each event in the plane of beam and reference, too: twice the events. The densities
    are equal at tree level where the couplings conserve CP; elsewhere a proposal is a little worse for it."""


class DrawnEventsConfig(StrictModel):
    """Training events drawn from trained acceptance and transfer function, for partons of the simulated events.

    Their posterior is the one that the integral is over, so that nothing suits it better as a proposal.
    """

    events: int = Field(1_000_000, ge=100)
    """Number of events."""

    model: NameOrPath | None = None
    """Folder of the two models, or ``pretrained``; null for those that are trained beside the proposal."""


PROPOSAL_PRESETS: Presets = {
    "small": {
        "flow": {
            "transforms": 6, "bins": 16, "hidden": (160, 160), "bound": 5.0, "base_scale": 1.0, "data_scale": 1.0,
        },
    },
    "tiny": {
        "encoder": {"width": 16, "layers": 1, "heads": 2, "feedforward": 32, "hidden": 32, "latent": 4},
        "flow": {
            "transforms": 2, "bins": 8, "hidden": (32, 32), "bound": 5.0, "base_scale": 1.0, "data_scale": 1.0,
        },
        "training": {
            "batch_size": 64, "epochs": 2, "regression_epochs": 1, "flow_epochs": 1, "learning_rate": 3e-3,
            "average": None,
        },
    },
}  # fmt: skip
"""Sizes by preset: section → setting → value; what is not named keeps its default."""


class ProposalNetworkConfig(StrictModel):
    """A network that proposes partons for the integral over them, for any process and decay channel."""

    preset: Literal["small", "tiny"] = "small"
    """Sizes of networks and training that hold where nothing else is said."""

    encoder: ProposalEncoderConfig = ProposalEncoderConfig()
    """The transformer over reconstructed objects."""

    flow: FlowConfig = FlowConfig()
    """The normalizing flow."""

    training: ProposalTrainingConfig = ProposalTrainingConfig()
    """Training."""

    drawn: DrawnEventsConfig | None = None
    """Train on events drawn from the transfer function instead of the simulated ones; null for the simulated ones."""

    start: NameOrPath | None = None
    """Folder of models, or ``pretrained``, whose proposal the training goes on from: one of the same sizes for another
    transfer function or selection needs fewer steps than from nothing. Its scales are kept, and `regression_epochs` are
    left out. Null to start from random weights."""

    @model_validator(mode="before")
    @classmethod
    def _fill_from_preset(cls, data: Any) -> Any:
        """Put the preset's values under those of the file."""
        return filled_from_preset(data, PROPOSAL_PRESETS)

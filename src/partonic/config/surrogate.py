"""The learned detector: its key in the section `simulation`, and the section `surrogate_training`."""

from typing import Annotated, Literal

from pydantic import Field

from partonic.config.base import StrictModel
from partonic.config.generative import GenerativeConfig, GenerativeTrainingConfig
from partonic.config.generative.flows import AutoregressiveFlowConfig
from partonic.config.mem_training.transfer import AcceptanceConfig, MemTrainingConfig
from partonic.config.paths import LocalPath, NameOrPath

__all__ = ["SurrogateConfig", "SurrogateTrainingConfig", "TransferEngineConfig"]


class SurrogateConfig(StrictModel):
    """Networks in place of shower, detector response and selection: events in seconds."""

    model: NameOrPath = "pretrained"
    """``pretrained``: acceptance and transfer function of the matrix element method that ship for the process; or a
    folder: one that `partonic train` wrote for a section `surrogate_training` (<output>/train_surrogate), or one that
    holds ``acceptance`` and ``transfer`` (<output>/train_mem)."""


class TransferEngineConfig(StrictModel):
    """Objects from a transfer function of the matrix element method that is there already.

    Nothing is trained, the stores are for the closure alone: take others than the networks were trained on.
    """

    kind: Literal["transfer"] = "transfer"
    """Name of the model."""

    model: NameOrPath = "pretrained"
    """``pretrained``, or a folder that holds ``acceptance`` and ``transfer``."""


_Engine = Annotated[TransferEngineConfig | GenerativeConfig, Field(discriminator="kind")]


class SurrogateTrainingConfig(StrictModel):
    """Training of a surrogate on simulated events, and its closure on those that it was not trained on."""

    stores: tuple[LocalPath, ...] = ()
    """Event stores to train on, selected and rejected events; empty for the events of this analysis."""

    model: _Engine = AutoregressiveFlowConfig()
    """What draws the reconstructed objects given the partons: a generative model, or ``{kind: transfer}`` with the
    networks of the matrix element method, of which the closure is made then."""

    jets: int = Field(8, ge=1, le=16)
    """Jets of an event that a generative model draws, the hardest ones; further jets are left out."""

    training: GenerativeTrainingConfig = GenerativeTrainingConfig()
    """Training of the generative model, on the selected events."""

    acceptance: AcceptanceConfig = AcceptanceConfig()
    """The acceptance, the probability that an event is selected given its partons."""

    acceptance_training: MemTrainingConfig = MemTrainingConfig(
        epochs=15, batch_size=2048, learning_rate=3e-3, validation_fraction=0.15
    )
    """Its training, on all events."""

    held_out: float = Field(0.2, gt=0.0, lt=1.0)
    """Share of the events, the last ones of the stores, that is kept for the closure."""

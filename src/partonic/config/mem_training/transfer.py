"""The learned parts of the matrix element method: transfer function and acceptance, their sizes and their training."""

from typing import Literal

from pydantic import Field, PositiveInt, model_validator

from partonic.config.base import SettingError, StrictModel
from partonic.config.mem_training.uncertainty import UncertaintyConfig
from partonic.config.networks import NetworkTrainingConfig, check_heads
from partonic.config.paths import NameOrPath

__all__ = ["AcceptanceConfig", "ConsistencyConfig", "MemTrainingConfig", "TransferConfig"]


class TransferConfig(StrictModel):
    """The transfer function p_T(x|z): a causal transformer over reconstructed objects with spline heads."""

    width: int = Field(64, ge=4)
    """Numbers per object inside the network."""

    layers: int = Field(3, ge=1)
    """Causal attention layers."""

    heads: int = Field(4, ge=1)
    """Attention heads; must divide `width`."""

    feedforward: int = Field(128, ge=4)
    """Hidden units of the network after each attention."""

    head_hidden: int = Field(96, ge=4)
    """Hidden units of the small network of each component (pT, η, φ, tag)."""

    bins: int = Field(12, ge=2)
    """Bins of the spline of each component."""

    candidates: int = Field(0, ge=0)
    """Length of the keys of candidates, the momenta that partons leave after the objects before are subtracted; each
    object may lie near one of them. 0 for none."""

    dropout: float = Field(0.0, ge=0.0, lt=1.0)
    """Fraction of units dropped in training."""

    uncertainty: UncertaintyConfig = UncertaintyConfig()
    """How the error of its training is learned."""

    @model_validator(mode="after")
    def _heads_divide_width(self) -> "TransferConfig":
        check_heads("heads", self.heads, self.width)
        return self


class AcceptanceConfig(StrictModel):
    """The acceptance ε(z): a classifier of accepted and rejected events by their partons."""

    hidden: tuple[PositiveInt, ...] = Field((128, 128, 64), min_length=1)
    """Hidden units of each layer."""

    uncertainty: UncertaintyConfig = UncertaintyConfig()
    """How the error of its training is learned."""


class ConsistencyConfig(StrictModel):
    """Further training of the transfer function on proposed partons, beside true ones."""

    epochs: int = Field(3, ge=1)
    """Passes over the training events."""

    proposals: int = Field(8, ge=1)
    """Partons proposed for each event, once before the training."""

    used: int = Field(4, ge=1)
    """Number of them in a step, chosen anew in each."""

    share: float = Field(1.0, gt=0.0)
    """Weight of the cross entropy of the truth among them, beside −log p_T."""

    learning_rate: float = Field(1e-3, gt=0.0)
    """Largest learning rate."""

    source: Literal["unfolding", "network"] = "unfolding"
    """Where they come from: a model of unfolding, view ``hard``, or the part `proposal`."""

    model: NameOrPath = "pretrained"
    """The model of unfolding: ``pretrained``, or a folder."""

    @model_validator(mode="after")
    def _used_are_there(self) -> "ConsistencyConfig":
        if self.used > self.proposals:
            message = f"not more can be used than are proposed ({self.proposals}), got {self.used}"
            raise SettingError(("used",), message)
        return self


class MemTrainingConfig(NetworkTrainingConfig):
    """Training of one of the networks of the matrix element method, on Lightning."""

    epochs: int = Field(40, ge=1)
    """Passes over the training events."""

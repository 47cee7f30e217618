"""The learned parts of the matrix element method: transfer function and acceptance, their sizes and their training."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, PositiveInt, model_validator

from partonic.config.base import SettingError, StrictModel
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

    @model_validator(mode="after")
    def _heads_divide_width(self) -> "TransferConfig":
        if self.width % self.heads:
            message = f"the number of heads must divide the width, got {self.heads} heads of width {self.width}"
            raise SettingError(("heads",), message)
        return self


class AcceptanceConfig(StrictModel):
    """The acceptance ε(z): a classifier of accepted and rejected events by their partons."""

    hidden: tuple[PositiveInt, ...] = Field((128, 128, 64), min_length=1)
    """Hidden units of each layer."""


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


class MemTrainingConfig(StrictModel):
    """Training of one of the networks of the matrix element method, on Lightning."""

    epochs: int = Field(40, ge=1)
    """Passes over the training events."""

    batch_size: int = Field(512, ge=2)
    """Events per step, on each device."""

    learning_rate: float = Field(2e-3, gt=0.0)
    """Largest learning rate; it warms up and falls along a cosine."""

    weight_decay: float = Field(1e-4, ge=0.0)
    """Weight decay of AdamW."""

    gradient_clip: float | None = Field(1.0, gt=0.0)
    """Largest norm of the gradient; null for none."""

    average: float | None = Field(0.999, gt=0.0, lt=1.0)
    """Decay of a moving average of the weights, which validation and the final model use; null for none."""

    patience: int | None = Field(None, ge=1)
    """Stop after this many epochs without improvement in validation; null to run all epochs."""

    validation_fraction: float = Field(0.05, gt=0.0, lt=0.5)
    """Part of the events kept apart for validation."""

    max_events: int | None = Field(None, ge=10)
    """Use at most this many events; null for all."""

    accelerator: str = "auto"
    """Lightning's accelerator: ``auto``, ``cpu``, ``gpu``."""

    devices: int | Literal["auto"] = "auto"
    """Devices per node."""

    nodes: int = Field(1, ge=1)
    """Nodes."""

    precision: Literal["32-true", "16-mixed", "bf16-mixed"] = "32-true"
    """Arithmetic of the networks."""

    @classmethod
    def with_defaults(cls, given: Any, **defaults: Any) -> Any:
        """Return a mapping with `defaults` where `given` says nothing; anything else is left to validation."""
        return {**defaults, **given} if isinstance(given, Mapping) else given

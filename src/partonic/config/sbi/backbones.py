"""Settings of the networks that look at the objects of an event: `sbi.network.set_transformer`, `lgatr`, `lloca`."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, model_validator

from partonic.config.base import StrictModel
from partonic.config.networks import check_heads

__all__ = ["OBJECT_BACKBONES", "BackboneName", "LgatrConfig", "LlocaConfig", "Reference", "SetTransformerConfig"]

BackboneName = Literal["mlp", "set_transformer", "lgatr", "lgatr_slim", "lloca"]

OBJECT_BACKBONES = ("set_transformer", "lgatr", "lgatr_slim", "lloca")
"""Backbones that are given the objects of an event."""

Reference = Literal["beam", "time"]


class SetTransformerConfig(StrictModel):
    """A transformer over objects whose attention is told of pairs."""

    width: int = Field(48, ge=4)
    """Numbers per object inside the network."""

    heads: int = Field(4, ge=1)
    """Heads of attention; must divide the width."""

    layers: int = Field(2, ge=1)
    """Layers of attention."""

    feedforward: int = Field(96, ge=1)
    """Hidden units of the network in each layer."""

    pair_hidden: int = Field(16, ge=0)
    """Hidden units between the features of a pair (distances, kT, mass) and its bias in each head; 0 for none."""

    dropout: float = Field(0.0, ge=0.0, lt=1.0)
    """Part of the units of each layer that is dropped in training."""

    @model_validator(mode="after")
    def _heads_divide(self) -> "SetTransformerConfig":
        check_heads("heads", self.heads, self.width)
        return self


class _Covariant(StrictModel):
    """What networks that transform with the event share."""

    blocks: int = Field(2, ge=1)
    """Layers of attention."""

    heads: int = Field(4, ge=1)
    """Heads of attention."""

    references: tuple[Reference, ...] = ("beam", "time")
    """Directions that are told to the network and break its symmetry: with ``beam`` it is invariant under rotations
    about the beam and boosts along it, with ``time`` besides under rotations alone, with none of them under all Lorentz
    transformations."""

    momentum_unit: float | None = Field(None, gt=0.0)
    """GeV that momenta are given in units of; null: the mean pT of the objects of the training events."""


class LgatrConfig(_Covariant):
    """L-GATr (arXiv:2405.14806, 2411.00446): a transformer of multivectors; the slim one has vectors in their place."""

    vectors: int = Field(8, ge=1)
    """Channels of multivectors, or of vectors, per object; a multiple of the heads."""

    scalars: int = Field(16, ge=1)
    """Channels of scalars per object; a multiple of the heads."""

    @model_validator(mode="after")
    def _heads_divide(self) -> "LgatrConfig":
        check_heads("heads", self.heads, self.vectors)
        check_heads("heads", self.heads, self.scalars)
        return self


class LlocaConfig(_Covariant):
    """LLoCa (arXiv:2505.20280): a transformer in which each object has a learned frame of its own."""

    scalars: int = Field(8, ge=1)
    """Scalars of each head."""

    vectors: int = Field(2, ge=0)
    """Vectors of each head, which turn from frame to frame."""

    frame_hidden: int = Field(32, ge=1)
    """Hidden units of the network that predicts the frames."""


def backbone_defaults(data: Any) -> dict[str, dict[str, Any]]:
    """Return what holds for the backbone of a section as it is written in a file, by sub-section, under its preset.

    Networks over objects are larger than the perceptrons, and want smaller steps.
    """
    network = data.get("network") if isinstance(data, Mapping) else None
    name = network.get("backbone") if isinstance(network, Mapping) else None
    return {"training": {"batch_size": 256, "learning_rate": 2e-3}} if name in OBJECT_BACKBONES else {}

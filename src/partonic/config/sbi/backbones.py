"""The networks of the section `sbi`: perceptrons of named features, or networks over the objects of an event."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, PositiveInt, model_validator

from partonic.config.base import StrictModel
from partonic.config.networks import check_heads

__all__ = [
    "OBJECT_BACKBONES",
    "BackboneName",
    "LgatrConfig",
    "LlocaConfig",
    "Reference",
    "SbiNetworkConfig",
    "SetTransformerConfig",
    "backbone_defaults",
]

BackboneName = Literal["mlp", "set_transformer", "lgatr", "lgatr_slim", "lloca"]

OBJECT_BACKBONES = ("set_transformer", "lgatr", "lgatr_slim", "lloca")
"""Backbones that are given the objects of an event."""

Reference = Literal["beam", "time"]


class SetTransformerConfig(StrictModel):
    """A transformer over objects whose attention is told of pairs."""

    width: int = Field(32, ge=4)
    """Numbers per object inside the network."""

    heads: int = Field(4, ge=1)
    """Heads of attention; must divide the width."""

    layers: int = Field(2, ge=1)
    """Layers of attention."""

    feedforward: int = Field(64, ge=1)
    """Hidden units of the network in each layer."""

    pair_hidden: int = Field(16, ge=0)
    """Hidden units between the features of a pair (distances, kT, mass) and its bias in each head; 0 for none."""

    dropout: float = Field(0.1, ge=0.0, lt=1.0)
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
    """Channels of multivectors, or of vectors, per object; a multiple of the heads. 4 for ``lgatr`` where nothing is
    said, since a multivector costs four times a vector."""

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


class SbiNetworkConfig(StrictModel):
    """The networks: one for each derivative, or basis point, and member of the ensemble, all trained in one pass."""

    backbone: BackboneName = "mlp"
    """What looks at an event: ``mlp``, perceptrons of the named features; or, with these, networks over its jets,
    leptons, photons and missing momentum: ``set_transformer``, ``lgatr``, ``lgatr_slim`` (package `lgatr`), ``lloca``
    (package `lloca`). Networks over objects have defaults of their own: ``hidden: [32]``, batches of 256, a learning
    rate of 0.002 and 12 epochs. Trees see named features whatever it says."""

    hidden: tuple[PositiveInt, ...] = Field((64, 64, 64), min_length=1)
    """Hidden units of each layer of the perceptrons; those that follow a network over objects among them."""

    named_features: bool = True
    """Whether networks over objects are given `sbi.features`, too."""

    shared: bool = True
    """Whether derivatives, or basis points, of a member share one network over the objects; else each has its own."""

    max_jets: int = Field(12, ge=0, le=16)
    """Hardest jets that networks over objects are given."""

    set_transformer: SetTransformerConfig = SetTransformerConfig()
    """Sizes of the backbone ``set_transformer``."""

    lgatr: LgatrConfig = LgatrConfig()
    """Sizes of the backbones ``lgatr`` and ``lgatr_slim``."""

    lloca: LlocaConfig = LlocaConfig()
    """Sizes of the backbone ``lloca``."""

    members: int = Field(4, ge=1)
    """Networks of the ensemble, from different first weights. Their scatter is the covariance of the coefficients."""

    repulsion: float = Field(1.0, ge=0.0)
    """Strength of the repulsion of the members in function space, in units of one event's share of the loss; 0 for a
    plain ensemble."""

    bootstrap: bool = False
    """Train each member on a bootstrap sample of the groups of events, so that the scatter of the members holds the
    error from the number of training events; can cost accuracy, for each sees fewer events. Trees always do."""

    error: Literal["ensemble", "laplace"] = "ensemble"
    """Covariance of the coefficients: the scatter of the members (``ensemble``); or that and the Laplace approximation
    of the last layer (``laplace``: ``derivatives`` and ``morphing``, of one member or more)."""

    @property
    def sees_objects(self) -> bool:
        """Whether the networks look at the objects of events."""
        return self.backbone in OBJECT_BACKBONES

    @property
    def momentum_unit(self) -> float | None:
        """GeV that momenta are given in units of; None for the mean pT of the training events."""
        sizes = {"lgatr": self.lgatr, "lgatr_slim": self.lgatr, "lloca": self.lloca}
        return sizes[self.backbone].momentum_unit if self.backbone in sizes else None


def backbone_defaults(data: Any) -> dict[str, dict[str, Any]]:
    """Return what holds for the backbone of a section as it is written in a file, by sub-section, under its preset.

    Networks over objects are larger than perceptrons: they need smaller steps, learn what a sample holds in fewer
    epochs, and leave less to the perceptrons behind them.
    """
    network = data.get("network") if isinstance(data, Mapping) else None
    name = network.get("backbone") if isinstance(network, Mapping) else None
    if name not in OBJECT_BACKBONES:
        return {}
    sizes = {"lgatr": {"vectors": 4}} if name == "lgatr" else {}
    return {"network": {"hidden": (32,), **sizes}, "training": {"batch_size": 256, "learning_rate": 2e-3, "epochs": 12}}

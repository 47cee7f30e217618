"""What turns the inputs of events into the outputs of many networks at once."""

from typing import Protocol, runtime_checkable

from jaxtyping import Float
from torch import Tensor

__all__ = ["Backbone", "ConditionalBackbone"]


@runtime_checkable
class Backbone(Protocol):
    """G networks of one number each, over the same events: an `nn.Module`.

    Members of an ensemble, and networks of different derivatives or basis points, are networks of one backbone, so
    that all are computed together. `partonic.sbi.ensemble_mlp.EnsembleMLP` shares nothing between them;
    `partonic.sbi.backbones.object_backbone.ObjectBackbone` looks at the objects of an event once a member. Each is
    a `ConditionalBackbone`, too.
    """

    @property
    def networks(self) -> int:
        """Number G of networks."""

    def __call__(self, inputs: Float[Tensor, "events inputs"]) -> Float[Tensor, "networks events"]:
        """Return the output of every network for every event."""


@runtime_checkable
class ConditionalBackbone(Protocol):
    """G networks of (x, θ). A call is `decide(encode(inputs), theta)`: what does not depend on θ is computed once."""

    @property
    def networks(self) -> int:
        """Number G of networks."""

    def __call__(
        self, inputs: Float[Tensor, "events inputs"], theta: Float[Tensor, "networks events parameters"]
    ) -> Float[Tensor, "networks events"]:
        """Return the output of every network for every event, at the θ of each."""

    def encode(self, inputs: Float[Tensor, "events inputs"]) -> Float[Tensor, "*networks events seen"]:
        """Return what the networks see of the events, without θ."""

    def decide(
        self, seen: Float[Tensor, "*networks events seen"], theta: Float[Tensor, "networks events parameters"]
    ) -> Float[Tensor, "networks events"]:
        """Return the outputs from what `encode` returned and θ."""

"""What turns the inputs of events into the outputs of many networks at once."""

from typing import Protocol, runtime_checkable

from jaxtyping import Float
from torch import Tensor

__all__ = ["Backbone"]


@runtime_checkable
class Backbone(Protocol):
    """G networks of one number each, with weights of their own, over the same events: an `nn.Module`.

    Members of an ensemble, and networks of different derivatives or basis points, are networks of one backbone, so
    that all are computed together. `partonic.sbi.ensemble_mlp.EnsembleMLP` is the first of them; others take the same
    inputs.
    """

    @property
    def networks(self) -> int:
        """Number G of networks."""

    def __call__(self, inputs: Float[Tensor, "*networks events inputs"]) -> Float[Tensor, "networks events"]:
        """Return the output of every network for every event; inputs are common, or each network has its own."""

"""What draws the reconstructed objects of accepted events given their partons."""

from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.events.batch import RecoEvents

__all__ = ["ObjectEngine"]


@runtime_checkable
class ObjectEngine(Protocol):
    """Draws objects: a transfer function of the matrix element method, or a generative model."""

    def sample(self, momenta: Float[Tensor, "events partons 4"], generator: torch.Generator) -> RecoEvents:
        """Draw one accepted event for each set of partons.

        Args:
            momenta: partons in the order of the decay channel, laboratory, GeV.
            generator: of the random numbers.
        """

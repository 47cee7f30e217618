"""Reconstructed objects drawn by a generative model given the partons."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.events.batch import RecoEvents
from partonic.nn.generative import GenerativeModel
from partonic.surrogate.object_numbers import ObjectNumbers

__all__ = ["GenerativeObjects"]


@dataclass(frozen=True)
class GenerativeObjects:
    """A generative model of the numbers of events. Satisfies the `ObjectEngine` protocol.

    Attributes:
        model: draws numbers given conditions.
        numbers: the map between events and numbers.
    """

    model: GenerativeModel
    numbers: ObjectNumbers

    def sample(self, momenta: Float[Tensor, "events partons 4"], generator: torch.Generator) -> RecoEvents:
        """Draw one accepted event for each set of partons; see `ObjectEngine.sample`."""
        drawn = self.model.sample(self.numbers.conditions(momenta), generator)
        return self.numbers.decode(drawn.cpu(), momenta)

"""The interface of a head: the density of one kind of object given the state before it, to be evaluated and drawn from.

An object is t of pT and of η, and φ, as `partonic.mem.transfer.objects` maps them to the real line and the circle; a
jet has a tag, too, which comes first and is the same Bernoulli number in all heads.
"""

from abc import ABC, abstractmethod

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from partonic.mem.transfer.components import SmallNetwork
from partonic.mem.transfer.heads.objects_of_kind import ObjectsOfKind

__all__ = ["DrawnObjects", "ObjectHead"]

DrawnObjects = tuple[Tensor, Tensor, Tensor]
"""pT in GeV, η and φ of drawn objects, `(N,)` each; not yet held within the cuts."""


class ObjectHead(nn.Module, ABC):
    """Density of one kind of object.

    Attributes:
        tag: log-odds of the tag; None for objects without tags.
    """

    tag: SmallNetwork | None

    @abstractmethod
    def fit_scales(self, line: Float[Tensor, "events slots 2"], mask: Bool[Tensor, "events slots"]) -> None:
        """Take means and standard deviations of t of pT and η from a sample.

        Args:
            line: t of pT and η.
            mask: real objects.
        """

    @abstractmethod
    def log_prob(self, objects: ObjectsOfKind) -> Float[Tensor, "events samples slots"]:
        """Return the log-density of (t_pT, t_η, φ) given the tag; anything where there is no object."""

    @abstractmethod
    def sample(
        self, objects: ObjectsOfKind, tagged: Bool[Tensor, " events"], generator: torch.Generator
    ) -> DrawnObjects:
        """Draw the object in the first slot, for one set of partons an event."""

    def loss(self, objects: ObjectsOfKind, generator: torch.Generator) -> Float[Tensor, "events samples slots"]:
        """Return what the training minimises in the place of −log p; its minimum is the true density, too."""
        return -self.log_prob(objects)

    def log_prob_of_tag(self, objects: ObjectsOfKind) -> Float[Tensor, "events samples slots"] | None:
        """Return the log-probability of the tags, 0 of those that had to be; None for objects without tags."""
        if self.tag is None:
            return None
        rows, shape = objects.rows(), objects.states.shape[:3]
        sign = 2.0 * objects.column(objects.table.tagged).to(rows.dtype) - 1.0
        forced = objects.column(objects.table.forced)
        return torch.where(forced, 0.0, functional.logsigmoid(sign * self.tag(rows)[0])).view(shape)

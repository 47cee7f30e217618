"""The broadest proposal: all points of the unit cube alike, whatever the event.

As a map of Gaussian base numbers, u = Φ(n), it can be refined like any other: with a VEGAS grid it is the classical way
to integrate.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.events.batch import RecoEvents
from partonic.mem.points.latent import gaussian_log_density
from partonic.mem.protocols import PartonMap

__all__ = ["UniformProposal"]


class UniformProposal:
    """The uniform density on the unit cube of any partons; a `LatentProposal`."""

    base_scale = 1.0

    def __init__(self, view: PartonMap) -> None:
        """Draw from the cube of `view`."""
        self.view = view

    def sample_and_log_density(
        self, x: RecoEvents, n: int, generator: torch.Generator
    ) -> tuple[Float[Tensor, "events samples dimensions"], Float[Tensor, "events samples"]]:
        """Draw `n` points for each event; log q = 0."""
        shape = (len(x), n, self.view.dimensions)
        numbers = torch.rand(shape, generator=generator, dtype=torch.float64, device=generator.device)
        return numbers, torch.zeros_like(numbers[..., 0])

    def transport(
        self, x: RecoEvents, noise: Float[Tensor, "events samples dimensions"]
    ) -> tuple[Float[Tensor, "events samples dimensions"], Float[Tensor, "events samples"]]:
        """Map base numbers to the cube, with log |d(noise)/du|."""
        return torch.special.ndtr(noise), -gaussian_log_density(noise, 1.0)

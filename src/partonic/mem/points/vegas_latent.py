"""A VEGAS grid for each event in the base space of a proposal, refined on the weights of that event.

What the proposal gets wrong about an event is, to a first approximation, a product of distortions of the single base
numbers. A grid in v = Φ(n/s) of each number (Φ is the normal distribution) learns them: it starts uniform, that is with
the Gaussian base, and a few rounds of points move its edges (`partonic.generation.vegas`). The rounds that refine the
grid are not in the integral, so that its points are independent and equally distributed, and its error is honest.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.config.mem import BaseConfig
from partonic.generation.vegas import refined_edges
from partonic.mem.points.latent import NoiseDraw, gaussian_log_density, normal_of_uniform

__all__ = ["VegasBase"]


class VegasBase:
    """Base numbers drawn from one grid for each event.

    Attributes:
        edges: of the bins, ascending from 0 to 1, `(E, D, bins + 1)`.
    """

    block = 1

    def __init__(
        self, generators: Sequence[torch.Generator], dimensions: int, scale: float, config: BaseConfig
    ) -> None:
        """Start with equal bins for events with these generators, around Gaussian numbers of this `scale`."""
        self.generators = generators
        self.scale = scale
        self.bins = config.bins
        self.damping = config.damping
        self.refinements = (config.iteration_points,) * config.iterations
        edges = torch.linspace(0.0, 1.0, config.bins + 1, dtype=torch.float64)
        self.edges = edges.expand(len(generators), dimensions, -1).clone()

    def draw(self, rows: Sequence[int], n: int) -> NoiseDraw:
        """Draw `n` points for each event."""
        edges = self.edges[list(rows)]
        shape = (n, edges.shape[1])
        uniform = [torch.rand(shape, generator=self.generators[row], dtype=torch.float64) for row in rows]
        position = torch.stack(uniform).mT * self.bins
        index = position.long().clamp(max=self.bins - 1)
        left, right = edges.gather(2, index), edges.gather(2, index + 1)
        cube = (left + (position - index) * (right - left)).mT
        noise = self.scale * normal_of_uniform(cube)
        log_grid = -((right - left) * self.bins).log().sum(dim=1)
        return NoiseDraw(noise, log_grid + gaussian_log_density(noise, self.scale))

    def refine(
        self,
        rows: Sequence[int],
        noise: Float[Tensor, "events points dimensions"],
        log_weight: Float[Tensor, "events points"],
    ) -> None:
        """Move the edges of these events towards their weights; an event without any weight keeps its grid."""
        largest = log_weight.amax(dim=1, keepdim=True)
        squares = torch.exp(2.0 * (log_weight - torch.where(largest.isfinite(), largest, 0.0)))
        edges = self.edges[list(rows)].flatten(0, 1)
        cube = torch.special.ndtr(noise / self.scale).mT.flatten(0, 1).contiguous()
        index = torch.searchsorted(edges[:, 1:-1].contiguous(), cube, right=True)
        each = squares[:, None].expand(-1, noise.shape[2], -1).flatten(0, 1)
        moved = refined_edges(edges, index, each, self.damping)
        self.edges[list(rows)] = moved.view(len(rows), -1, self.bins + 1)

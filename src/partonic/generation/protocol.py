"""The two things that meet in a generation: what is sampled, and what samples it."""

from collections.abc import Callable
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["Integrand", "Sampler"]

Integrand = Callable[[Float[Tensor, "points dimensions"]], Float[Tensor, " points"]]
"""Maps points of the unit cube to non-negative values, float64."""


@runtime_checkable
class Sampler(Protocol):
    """Anything that draws points of the unit cube and knows its density."""

    @property
    def dimensions(self) -> int:
        """The dimension D of the unit cube."""

    def sample(
        self, n: int, generator: torch.Generator
    ) -> tuple[Float[Tensor, "points dimensions"], Float[Tensor, " points"]]:
        """Draw `n` points (float64) with their log-density."""

    def log_density(self, points: Float[Tensor, "points dimensions"]) -> Float[Tensor, " points"]:
        """Return the log-density at `points`."""

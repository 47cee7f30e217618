"""Base numbers of a proposal: Gaussian, a defensive mixture of Gaussians, or scrambled Sobol points.

A `LatentProposal` maps base numbers n to the unit cube with a known Jacobian, so that they may be drawn from another
density b(n) than the one that the flow was trained with: log q(u) = log b(n) + log |dn/du|, without another pass of the
network. The mixture b = (1 − α) N(0, s²) + α N(0, (ks)²) bounds the weights that the tails of the flow would give
(defensive importance sampling; T. Hesterberg, Technometrics 37 (1995) 185).

Scrambled Sobol points (A. B. Owen, J. Complexity 14 (1998) 466) fill the space more evenly than random ones, and are
mapped to Gaussian numbers by the inverse normal distribution. Points of one scrambling are not independent; those of
different scramblings are, so that an error is the scatter of the means of the scramblings: of *blocks* of points.

Every event has a generator of its own: what it draws depends neither on the other events nor on how many there are.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.config.mem import BaseConfig, PointsConfig

__all__ = [
    "Base",
    "DefensiveBase",
    "GaussianBase",
    "NoiseDraw",
    "SobolBase",
    "gaussian_log_density",
    "normal_of_uniform",
]

_SMALLEST = 2.0**-33
"""Uniform numbers are kept so far from 0 and 1: half the step of the Sobol points."""


class NoiseDraw(NamedTuple):
    """Base numbers of some events.

    Attributes:
        noise: `(e, n, D)`, float64.
        log_density: logarithm of the density that they were drawn from, `(e, n)`.
    """

    noise: Float[Tensor, "events points dimensions"]
    log_density: Float[Tensor, "events points"]


@runtime_checkable
class Base(Protocol):
    """A source of base numbers for a batch of events."""

    @property
    def block(self) -> int:
        """Points that belong together: only means of whole blocks are independent of each other."""

    @property
    def refinements(self) -> tuple[int, ...]:
        """Points of each of the rounds after which `refine` is called, before the integral begins."""

    def draw(self, rows: Sequence[int], n: int) -> NoiseDraw:
        """Draw `n` points, whole blocks, for the events with the numbers `rows` in the batch."""

    def refine(
        self,
        rows: Sequence[int],
        noise: Float[Tensor, "events points dimensions"],
        log_weight: Float[Tensor, "events points"],
    ) -> None:
        """Learn from the weights of points that were drawn."""


class GaussianBase:
    """Independent Gaussian numbers."""

    block = 1
    refinements: tuple[int, ...] = ()

    def __init__(self, generators: Sequence[torch.Generator], dimensions: int, scale: float) -> None:
        """Draw for events with these generators, with standard deviation `scale`."""
        self.generators = generators
        self.dimensions = dimensions
        self.scale = scale

    def draw(self, rows: Sequence[int], n: int) -> NoiseDraw:
        """Draw `n` points for each event."""
        noise = self.scale * torch.stack([self._normal(row, n) for row in rows])
        return NoiseDraw(noise, gaussian_log_density(noise, self.scale))

    def refine(self, rows: Sequence[int], noise: Tensor, log_weight: Tensor) -> None:
        """Learn nothing."""

    def _normal(self, row: int, n: int) -> Tensor:
        return torch.randn((n, self.dimensions), generator=self.generators[row], dtype=torch.float64)


class DefensiveBase(GaussianBase):
    """A mixture of two Gaussians, of which each point is of the wider one with a small probability."""

    def __init__(
        self, generators: Sequence[torch.Generator], dimensions: int, scale: float, share: float, wider: float
    ) -> None:
        """Mix the Gaussian of standard deviation `scale` with a share of one that is `wider` times as wide."""
        super().__init__(generators, dimensions, scale)
        self.share = share
        self.wider = wider

    def draw(self, rows: Sequence[int], n: int) -> NoiseDraw:
        """Draw `n` points for each event."""
        noise = self.scale * torch.stack([self._mixed(row, n) for row in rows])
        narrow = math.log1p(-self.share) + gaussian_log_density(noise, self.scale)
        wide = math.log(self.share) + gaussian_log_density(noise, self.scale * self.wider)
        return NoiseDraw(noise, torch.logaddexp(narrow, wide))

    def _mixed(self, row: int, n: int) -> Tensor:
        is_wide = torch.rand((n, 1), generator=self.generators[row], dtype=torch.float64) < self.share
        return self._normal(row, n) * torch.where(is_wide, self.wider, 1.0)


class SobolBase(GaussianBase):
    """Gaussian numbers of scrambled Sobol points; a block is one scrambling."""

    def __init__(
        self, generators: Sequence[torch.Generator], dimensions: int, scale: float, points_of_a_scrambling: int
    ) -> None:
        """Make scramblings of so many points, best a power of two."""
        super().__init__(generators, dimensions, scale)
        self.block = points_of_a_scrambling

    @staticmethod
    def block_size(config: BaseConfig, points: PointsConfig) -> int:
        """Return the power of two of which about `scramblings` fit into the largest number of points."""
        return int(2 ** math.floor(math.log2(max(points.maximum / config.scramblings, 1.0))))

    def _normal(self, row: int, n: int) -> Tensor:
        blocks = [self._scrambled(self.generators[row]) for _ in range(n // self.block)]
        return normal_of_uniform(torch.cat(blocks))

    def _scrambled(self, generator: torch.Generator) -> Tensor:
        seed = int(torch.randint(2**31 - 1, (1,), generator=generator))
        engine = torch.quasirandom.SobolEngine(self.dimensions, scramble=True, seed=seed)  # type: ignore[no-untyped-call]
        drawn: Tensor = engine.draw(self.block, dtype=torch.float64)
        return drawn


def gaussian_log_density(noise: Float[Tensor, "*batch dimensions"], scale: float) -> Float[Tensor, "*batch"]:
    """Return the log-density of independent Gaussian numbers of this standard deviation."""
    constant = noise.shape[-1] * (math.log(scale) + 0.5 * math.log(2.0 * math.pi))
    return -0.5 * (noise / scale).square().sum(dim=-1) - constant


def normal_of_uniform(numbers: Float[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
    """Return the standard normal numbers below which a normal number is with these probabilities; finite at 0 and 1."""
    normal: Tensor = torch.special.ndtri(numbers.clamp(_SMALLEST, 1.0 - _SMALLEST))
    return normal

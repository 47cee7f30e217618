"""Points of the unit cube for the events of a batch, with their density, from any proposal.

A `LatentProposal` is given base numbers of one's own choice (`partonic.mem.points.latent`). A plain `Proposal` is asked
for its own samples, event by event, so that here too an event does not depend on the others.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.config.mem import BaseConfig, PointsConfig
from partonic.errors import ConfigError
from partonic.events.batch import RecoEvents
from partonic.mem.points.fitted_latent import FittedBase
from partonic.mem.points.latent import Base, DefensiveBase, GaussianBase, SobolBase
from partonic.mem.points.vegas_latent import VegasBase
from partonic.mem.protocols import LatentProposal, Proposal

__all__ = ["CubePoints", "LatentPoints", "PlainPoints", "PointSource", "make_base", "point_source"]


class CubePoints(NamedTuple):
    """Points of some events.

    Attributes:
        numbers: in the unit cube, `(e, n, D)`; NaN for events that the proposal cannot handle.
        log_density: log q, `(e, n)`.
        noise: the base numbers that they come from, empty for a plain proposal.
    """

    numbers: Float[Tensor, "events points dimensions"]
    log_density: Float[Tensor, "events points"]
    noise: Tensor


class LatentPoints:
    """Points of a map of base numbers."""

    def __init__(self, proposal: LatentProposal, base: Base) -> None:
        """Map the numbers of `base` with `proposal`."""
        self.proposal = proposal
        self.base = base
        self.block = base.block
        self.refinements = base.refinements

    def draw(self, x: RecoEvents, rows: Sequence[int], n: int) -> CubePoints:
        """Draw `n` points for each of the events `x`, which have the numbers `rows` in the batch."""
        drawn = self.base.draw(rows, n)
        numbers, log_slope = self.proposal.transport(x, drawn.noise)
        return CubePoints(numbers.double().cpu(), drawn.log_density + log_slope.double().cpu(), drawn.noise)

    def refine(self, rows: Sequence[int], points: CubePoints, log_weight: Float[Tensor, "events points"]) -> None:
        """Learn from log |w_0| of points that were drawn."""
        self.base.refine(rows, points.noise, log_weight)


class PlainPoints:
    """Points as a proposal draws them."""

    block = 1
    refinements: tuple[int, ...] = ()

    def __init__(self, proposal: Proposal, generators: Sequence[torch.Generator]) -> None:
        """Draw from `proposal` with a generator for each event of the batch."""
        self.proposal = proposal
        self.generators = generators

    def draw(self, x: RecoEvents, rows: Sequence[int], n: int) -> CubePoints:
        """Draw `n` points for each of the events `x`, which have the numbers `rows` in the batch."""
        drawn = [
            self.proposal.sample_and_log_density(x.select(torch.tensor([place])), n, self.generators[row])
            for place, row in enumerate(rows)
        ]
        numbers, log_density = (torch.cat(parts).double().cpu() for parts in zip(*drawn, strict=True))
        return CubePoints(numbers, log_density, numbers.new_zeros(0))

    def refine(self, rows: Sequence[int], points: CubePoints, log_weight: Float[Tensor, "events points"]) -> None:
        """Learn nothing."""


PointSource = LatentPoints | PlainPoints
"""Where the points of an integral come from."""


def point_source(
    proposal: Proposal, config: BaseConfig, points: PointsConfig, generators: Sequence[torch.Generator]
) -> PointSource:
    """Return the source of points that the settings ask for, for events with these generators.

    Raises:
        ConfigError: if the proposal is no map of base numbers, and base numbers other than its own are asked for.
    """
    if isinstance(proposal, LatentProposal):
        scale = config.width * proposal.base_scale
        return LatentPoints(proposal, make_base(config, points, generators, proposal.view.dimensions, scale))
    if config.kind != "gaussian" or config.width != 1.0:
        raise ConfigError(
            f"base numbers of the kind '{config.kind}' (width {config.width:g}) need a proposal that is a map of base "
            f"numbers (`transport`); {type(proposal).__name__} is none: set mem.base.kind to gaussian and width to 1"
        )
    return PlainPoints(proposal, generators)


def make_base(
    config: BaseConfig, points: PointsConfig, generators: Sequence[torch.Generator], dimensions: int, scale: float
) -> Base:
    """Return the source of base numbers that the settings ask for."""
    if config.kind == "defensive":
        return DefensiveBase(generators, dimensions, scale, config.share, config.wider)
    if config.kind == "sobol":
        return SobolBase(generators, dimensions, scale, SobolBase.block_size(config, points))
    if config.kind == "fitted":
        return FittedBase(generators, dimensions, scale, config)
    if config.kind == "vegas":
        return VegasBase(generators, dimensions, scale, config)
    return GaussianBase(generators, dimensions, scale)

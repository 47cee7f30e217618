"""VEGAS with several channels: a grid for each, adapted together with the shares of points.

Grids and priors depend on each other: a point that another map reaches better weighs less here. So the weights α of the
maps are those of the grids of the last iteration (T. Ohl, hep-ph/9806432), and the share of points of a channel follows
the root of the second moment of its weights, which minimises the variance of the sum.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from partonic.config.generation import SamplerConfig
from partonic.errors import GenerationError
from partonic.generation.bias import Bias
from partonic.generation.channels.densities import ChannelDensities, stratified_channels
from partonic.generation.channels.space import ChannelSpace
from partonic.generation.channels.tally import ChannelTally
from partonic.generation.vegas import refined_edges
from partonic.rng import torch_generator

__all__ = ["AdaptedGrids", "adapt_grids", "log_target"]

_LEAST_SHARE = 0.2
"""Of the equal share of the points: what a channel gets at least while the grids are adapted."""


@dataclass(frozen=True)
class AdaptedGrids:
    """What the adaptation leaves.

    Attributes:
        edges: of the grids, `(C, D, bins + 1)`.
        log_shares: log of the shares of points, `(C,)`.
        tally: of the last iteration.
    """

    edges: Tensor
    log_shares: Tensor
    tally: ChannelTally


def adapt_grids(
    spaces: Sequence[ChannelSpace], target: Tensor, bias: Bias, config: SamplerConfig, seed: int
) -> AdaptedGrids:
    """Adapt grids of all channels to |dσ/du| at `target`, the monomials `(A,)`.

    Raises:
        GenerationError: if the process vanishes at all points.
    """
    count, dimensions = len(spaces), spaces[0].dimensions
    edges = torch.linspace(0.0, 1.0, config.vegas_bins + 1, dtype=torch.float64).repeat(count, dimensions, 1)
    shares = torch.full((count,), 1.0 / count, dtype=torch.float64)
    names = [space.channel.name for space in spaces]
    everything = torch.ones(count, dtype=torch.bool)
    tally = ChannelTally.of(names, torch.zeros(0, dtype=torch.int64), torch.zeros(0, dtype=torch.float64))
    for iteration in range(config.vegas_iterations):
        generator = torch_generator(seed, "channel grids", iteration)
        channels = stratified_channels(shares, config.channels.vegas_points, generator)
        latent = torch.rand((len(channels), dimensions), generator=generator, dtype=torch.float64)
        densities = ChannelDensities(spaces, edges, shares.log())
        parts = []
        for place in range(count):
            y = latent[channels == place]
            log_values, prior, seen = log_target(densities, place, y, target, bias, everything)
            values = (log_values + densities.log_weight(None, place, prior, seen)).exp()
            parts.append(values / shares[place])
            edges = _refined(edges, place, y, values.nan_to_num(0.0), config.vegas_damping)
        tally = ChannelTally.of(names, channels, torch.cat(parts))
        if not bool((tally.total > 0).any()):
            raise GenerationError(f"the process vanished at all {len(channels)} points of an adaptation of the grids")
        shares = _shares(tally, shares)
    return AdaptedGrids(edges, shares.log(), tally)


def log_target(
    densities: ChannelDensities, channel: int, y: Tensor, target: Tensor, bias: Bias, active: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return log g|dσ/dy| without the weight of the map (NaN where the process is), log priors, what residuals see."""
    points = densities.points(channel, y, torch.zeros_like(y[:, 0]), active)
    if not len(y):
        return points.log_jacobian, points.log_prior, points.seen
    sizes = densities.spaces[channel].sizes(points.events, target, bias)
    return sizes.log() + points.log_jacobian, points.log_prior, points.seen


def _refined(edges: Tensor, place: int, y: Tensor, values: Tensor, damping: float) -> Tensor:
    """Return all edges, those of one channel adapted to the values at its latent points."""
    if not bool((values > 0).any()):
        return edges
    bins = edges.shape[2] - 1
    index = (y.T * bins).long().clamp(0, bins - 1)
    squares = values.square().expand(len(index), -1).contiguous()
    edges = edges.clone()
    edges[place] = refined_edges(edges[place], index, squares, damping)
    return edges


def _shares(tally: ChannelTally, used: Tensor) -> Tensor:
    """Return shares ∝ √⟨(βw)²⟩ with a least one; w are weights that were divided by the share `used`."""
    sizes = (tally.squares / tally.points.clamp(min=1.0)).sqrt() * used
    least = _LEAST_SHARE / len(sizes)
    return sizes / sizes.sum() * (1.0 - _LEAST_SHARE) + least

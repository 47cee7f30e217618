"""What a multi-channel sampler consists of: grids, one flow for all channels, weights of maps, and shares of points.

A point of channel i has the latent numbers y from the flow, x from the smooth grid of the channel, and the event z from
its map. Its weight is that of the sum over channels,

    w = α_i(z) f_i(z) |dz/du| |dx/dy| / (β_i q_i(y)),

with f_i the cross section of the partonic channels of i, α_i its share among the maps of these, and β_i the share of
the points that it gets. The mean of w is the cross section whatever α, β and q are, as long as no β_i vanishes that
belongs to an α_i > 0: every channel that is kept has a least share, and a channel that is dropped has α_i = 0 for all z
while the α of the others sum to one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from partonic.generation.channels.flow import ChannelFlow, ChannelFlowShape
from partonic.generation.channels.map_weights import ResidualWeights, log_map_weights
from partonic.generation.channels.smooth_grid import SmoothGrid
from partonic.generation.channels.space import ChannelSpace, families
from partonic.physics.process import PartonEvents

__all__ = ["ChannelDensities", "ChannelNetworks", "ChannelPoints", "stratified_channels"]


class ChannelNetworks(torch.nn.Module):
    """All that is learned by gradients."""

    def __init__(
        self, shape: ChannelFlowShape, members: Sequence[Sequence[int]], least_share: float, dtype: torch.dtype
    ) -> None:
        """Build the networks.

        Args:
            shape: of the flow.
            members: which channels share partonic channels, as `families` gives them.
            least_share: least share of the points of a channel, in units of the equal one.
            dtype: of the parameters.
        """
        super().__init__()
        self.shape, self.members, self.least_share = shape, tuple(map(tuple, members)), least_share
        self.flow = ChannelFlow(shape, dtype)
        self.residuals = torch.nn.ModuleList(
            ResidualWeights(shape.dimensions, len(family)) if len(family) > 1 else torch.nn.Identity()
            for family in self.members
        )
        self.share_logits = torch.nn.Parameter(torch.zeros(shape.channels, dtype=torch.float64))
        self.active: Tensor
        self.register_buffer("active", torch.ones(shape.channels, dtype=torch.bool))
        self.residuals.to(dtype)

    def log_shares(self) -> Float[Tensor, " channels"]:
        """Return log β; −∞ for dropped channels."""
        logits = self.share_logits.masked_fill(~self.active, float("-inf"))
        least = self.least_share / float(self.active.sum())
        shares = torch.softmax(logits, dim=0) * (1.0 - self.least_share) + least
        return torch.where(self.active, shares, torch.zeros_like(shares)).log()

    def copy(self, dtype: torch.dtype) -> "ChannelNetworks":
        """Return a copy whose parameters have another type (the shares keep theirs)."""
        other = ChannelNetworks(self.shape, self.members, self.least_share, dtype)
        other.load_state_dict(self.state_dict())
        return other


class ChannelDensities:
    """The channels with their grids; the networks are handed in where they are needed.

    Attributes:
        spaces: the channels.
        grids: of each channel.
        log_prior_shares: log of the shares of points of the grids, which weigh the priors of maps, `(C,)`.
    """

    def __init__(
        self, spaces: Sequence[ChannelSpace], edges: Float[Tensor, "channels dimensions edges"], log_prior: Tensor
    ) -> None:
        """Take the edges of the VEGAS grid of each channel, and the shares of points that their adaptation found."""
        self.spaces, self.log_prior_shares = tuple(spaces), log_prior
        self.grids = [SmoothGrid(one) for one in edges]
        self._family = {place: family for family in families(spaces) for place in family}

    def prior(
        self, channel: int, events: PartonEvents, own: tuple[Tensor, Tensor], active: Tensor
    ) -> tuple[Float[Tensor, "points maps"], Float[Tensor, "points dimensions"]]:
        """Return log p of the maps that share the partonic channels of one, and the numbers that residuals see.

        Args:
            channel: place of the channel that made the events.
            events: not mirrored.
            own: its own sampled numbers x and log |dz/du| with the grid, so that these are not worked out again.
            active: which channels are kept.
        """
        family = self._family[channel]
        if len(family) == 1:
            return torch.zeros_like(events.x1)[:, None], own[0]
        columns, seen = [], own[0]
        for place in family:
            x, log_density = own[0], -own[1]
            if place != channel:
                x, log_map = self.spaces[place].sampled(events)
                log_density = log_map - self.grids[place].inverse(x)[1]
            if place == family[0]:
                seen = x
            kept = log_density + self.log_prior_shares[place]
            columns.append(kept if bool(active[place]) else torch.full_like(kept, float("-inf")))
        return torch.stack(columns, dim=1), seen

    def log_weight(
        self, networks: ChannelNetworks | None, channel: int, log_prior: Tensor, seen: Tensor
    ) -> Float[Tensor, " points"]:
        """Return log α of the channel, from what `prior` gave; without networks that of the prior alone."""
        family = self._family[channel]
        if len(family) == 1:
            return torch.zeros_like(log_prior[:, 0])
        residual = None
        if networks is not None:
            residual = networks.residuals[networks.members.index(family)](seen)
        return log_map_weights(log_prior, residual)[:, family.index(channel)]

    def points(
        self, channel: int, y: Float[Tensor, "points dimensions"], turn: Float[Tensor, " points"], active: Tensor
    ) -> "ChannelPoints":
        """Return the events of latent numbers of a channel, rotated by `turn` full turns about the beam."""
        space = self.spaces[channel]
        x, log_grid = self.grids[channel].forward(y)
        numbers = space.numbers(x, turn)
        events, log_map = space.channel.process.from_unit_cube(numbers)
        log_prior, seen = self.prior(channel, events, (x, log_map + log_grid), active)
        return ChannelPoints(numbers, events, log_map + log_grid + space.log_images, log_prior, seen)


@dataclass(frozen=True)
class ChannelPoints:
    """Points of one channel.

    Attributes:
        numbers: of the unit cube of the channel, `(N, D)`.
        events: not mirrored.
        log_jacobian: log of |dz/dy| times the number of images.
        log_prior: log p of the maps that share the partonic channels.
        seen: what the residual weights depend on.
    """

    numbers: Float[Tensor, "points numbers"]
    events: PartonEvents
    log_jacobian: Float[Tensor, " points"]
    log_prior: Float[Tensor, "points maps"]
    seen: Float[Tensor, "points dimensions"]


def stratified_channels(
    shares: Float[Tensor, " channels"], points: int, generator: torch.Generator
) -> Int[Tensor, " points"]:
    """Return the channel of each point, in ascending order: n β_i points of channel i up to rounding.

    The rounding is random, with one number for all channels, so that the mean is n β_i exactly.
    """
    start = torch.rand(1, generator=generator, dtype=torch.float64)
    steps = (torch.arange(points, dtype=torch.float64) + start) / points
    ends = shares.cumsum(0)
    last = int(shares.nonzero()[-1, 0])
    return torch.searchsorted(ends / ends[-1], steps, right=True).clamp(max=last)

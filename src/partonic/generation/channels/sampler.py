"""Draws weighted events from all channels at once."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from partonic.errors import NonFiniteError
from partonic.generation.channels.densities import ChannelDensities, ChannelNetworks, stratified_channels
from partonic.generation.integrand import require_finite
from partonic.physics.process import PartonEvents
from partonic.physics.sampling_channel import SamplingChannel, mirrored_events

__all__ = ["ChannelDraw", "MultiChannelSampler"]


@dataclass(frozen=True)
class ChannelDraw:
    """Weighted events.

    Attributes:
        events: of all channels in random order, half of those with images mirrored.
        weighted: coefficients of each partonic channel of the process, times |dz/dy| α/(β q); pb, `(N, C, A)`.
        channel: sampling channel of each event, `(N,)`.
    """

    events: PartonEvents
    weighted: Float[Tensor, "points partonic monomials"]
    channel: Int[Tensor, " points"]


class MultiChannelSampler:
    """The density of all channels together.

    Attributes:
        densities: channels and grids.
        networks: flow, residual weights and shares, float64; None for the grids alone.
        log_shares: log β, `(C,)`.
    """

    def __init__(
        self,
        densities: ChannelDensities,
        networks: ChannelNetworks | None,
        log_shares: Float[Tensor, " channels"],
        partonic: int,
        active: Bool[Tensor, " channels"],
    ) -> None:
        """Take what was trained, and the number of partonic channels of the whole process."""
        self.densities, self.networks, self.partonic = densities, networks, partonic
        self.log_shares, self.active = log_shares.detach(), active

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the channels."""
        return tuple(space.channel.name for space in self.densities.spaces)

    def draw(self, points: int, generator: torch.Generator) -> ChannelDraw:
        """Draw `points` events, stratified over the channels and shuffled.

        Raises:
            NonFiniteError: if dσ/du is NaN or infinite; the message names the point.
        """
        channels = stratified_channels(self.log_shares.exp(), points, generator)
        latent, log_density = self._latent(channels, generator)
        turn, coin, order = (
            torch.rand(points, generator=generator, dtype=torch.float64),
            torch.rand(points, generator=generator, dtype=torch.float64) < 0.5,
            torch.randperm(points, generator=generator),
        )
        with torch.no_grad():
            parts = [
                self._of_channel(channel, *(one[channels == channel] for one in (latent, log_density, turn, coin)))
                for channel in sorted(set(channels.tolist()))
            ]
        events = PartonEvents(*(torch.cat([getattr(p[0], n) for p in parts])[order] for n in ("momenta", "x1", "x2")))
        return ChannelDraw(events, torch.cat([part[1] for part in parts])[order], channels[order])

    def _latent(self, channels: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return latent points and log (β q)."""
        if self.networks is None:
            shape = (len(channels), self.densities.spaces[0].dimensions)
            return torch.rand(shape, generator=generator, dtype=torch.float64), self.log_shares[channels]
        y, log_density = self.networks.flow.sample(channels, generator)
        return y, log_density + self.log_shares[channels]

    def _of_channel(
        self, channel: int, latent: Tensor, log_density: Tensor, turn: Tensor, coin: Tensor
    ) -> tuple[PartonEvents, Tensor]:
        """Return events and weighted coefficients of one channel."""
        points = self.densities.points(channel, latent, turn, self.active)
        log_weight = self.densities.log_weight(self.networks, channel, points.log_prior, points.seen)
        factor = (points.log_jacobian + log_weight - log_density).exp()
        part = self.densities.spaces[channel].channel
        found = _finite_coefficients(part, points.events, points.numbers) * factor[:, None, None]
        require_finite(found.flatten(1).sum(dim=1), points.numbers, points.events)
        weighted = found.new_zeros(len(found), self.partonic, found.shape[2])
        weighted[:, list(part.members)] = found
        if not part.mirrored:
            return points.events, weighted
        images = found.new_zeros(weighted.shape)
        images[:, list(part.mirrored)] = found
        swapped = mirrored_events(points.events)
        events = PartonEvents(
            torch.where(coin[:, None, None], swapped.momenta, points.events.momenta),
            torch.where(coin, swapped.x1, points.events.x1),
            torch.where(coin, swapped.x2, points.events.x2),
        )
        return events, torch.where(coin[:, None, None], images, weighted)


def _finite_coefficients(part: SamplingChannel, events: PartonEvents, numbers: Tensor) -> Tensor:
    try:
        return part.process.channel_coefficients(events)
    except NonFiniteError as error:
        raise NonFiniteError(f"channel '{part.name}' of the sampling: {error}") from error

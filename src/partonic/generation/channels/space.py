"""The unit cube of one sampling channel as the sampler sees it: without the azimuth that nothing depends on."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.errors import GenerationError, NonFiniteError
from partonic.generation.azimuth import azimuthal_numbers, turned, with_first
from partonic.generation.bias import Bias
from partonic.generation.integrand import ProcessIntegrand
from partonic.physics.process import PartonEvents, Process
from partonic.physics.sampling_channel import SamplingChannel, mirrored_events, whole
from partonic.rng import torch_generator

__all__ = ["ChannelSpace", "channel_spaces", "channels_of_process", "families"]

_BATCH = 20_000
_PROBES = 32
_TOLERANCE = 1e-6
_ROUNDING = 1e-6
"""By how much numbers of events may leave the unit cube."""


@dataclass(frozen=True)
class ChannelSpace:
    """One channel and its numbers.

    Attributes:
        channel: the part of the process.
        azimuths: which numbers of its cube are azimuths about the beam; the first of them is not sampled. Empty: all
            numbers are.
    """

    channel: SamplingChannel
    azimuths: tuple[int, ...]

    @property
    def dimensions(self) -> int:
        """Numbers that are sampled."""
        return self.channel.process.dimensions - bool(self.azimuths)

    @property
    def log_images(self) -> float:
        """Log of the number of images of each point: 2 if its events are mirrored half of the time."""
        return math.log(2.0) if self.channel.mirrored else 0.0

    def numbers(self, x: Float[Tensor, "points sampled"], turn: Float[Tensor, " points"]) -> Tensor:
        """Return all numbers of the cube, the first azimuth being `turn`; one column of `turn` is ignored without."""
        if not self.azimuths:
            return x
        return turned(with_first(x, self.azimuths[0]), self.azimuths, turn[:, None])

    def sampled(self, events: PartonEvents) -> tuple[Float[Tensor, "points sampled"], Float[Tensor, " points"]]:
        """Return the numbers x of events that are sampled, in [0, 1], and log |du/dz|; −∞ outside the map's range."""
        numbers, log_jacobian = self.channel.process.to_unit_cube(events)
        outside = ((numbers < -_ROUNDING) | (numbers > 1.0 + _ROUNDING) | numbers.isnan()).any(dim=1)
        numbers, log_jacobian = numbers.nan_to_num(0.5), log_jacobian.masked_fill(outside, float("-inf"))
        if self.azimuths:
            numbers = turned(numbers, self.azimuths, -numbers[:, [self.azimuths[0]]])
            kept = [index for index in range(numbers.shape[1]) if index != self.azimuths[0]]
            numbers = numbers[:, kept]
        return numbers.clamp(0.0, 1.0), log_jacobian

    def sizes(self, events: PartonEvents, target: Float[Tensor, " monomials"], bias: Bias) -> Float[Tensor, " points"]:
        """Return g Σ_c |dσ_c/dz| over the partonic channels; NaN where the process is not finite."""
        parts = [_sizes(self.channel.process, batch, target) for batch in _batches(events)]
        return torch.cat(parts).detach() * bias(events)


def channels_of_process(process: Process) -> tuple[SamplingChannel, ...]:
    """Return the sampling channels that a process brings, or the one of a process without."""
    found: tuple[SamplingChannel, ...] | None = getattr(process, "sampling_channels", None)
    return found or whole(process)


def channel_spaces(process: Process, target: Float[Tensor, " monomials"], seed: int) -> tuple[ChannelSpace, ...]:
    """Return the channels of a process with their azimuths.

    Raises:
        GenerationError: if the channels have different dimensions, or one with images is not symmetric under the
            exchange of the beams.
    """
    channels = channels_of_process(process)
    found = [azimuthal_numbers(ProcessIntegrand(one.process, target), seed) for one in channels]
    usable = all(found)
    spaces = tuple(ChannelSpace(one, own if usable else ()) for one, own in zip(channels, found, strict=True))
    if len({space.dimensions for space in spaces}) != 1:
        sizes = {space.channel.name: space.dimensions for space in spaces}
        raise GenerationError(f"the channels of '{process.name}' must have one number of dimensions, got {sizes}")
    for space in spaces:
        _require_mirror_symmetry(process, space.channel, seed)
    return spaces


def families(spaces: Sequence[ChannelSpace]) -> tuple[tuple[int, ...], ...]:
    """Return which channels share the same partonic channels: one tuple of places for each set of these."""
    found: dict[tuple[int, ...], list[int]] = {}
    for place, space in enumerate(spaces):
        found.setdefault(space.channel.members, []).append(place)
    return tuple(tuple(places) for places in found.values())


def _sizes(process: Process, events: PartonEvents, target: Tensor) -> Tensor:
    """Evaluate events; where the process refuses, find the points by halving."""
    try:
        return (process.channel_coefficients(events) @ target).abs().sum(dim=1)
    except NonFiniteError:
        if len(events.x1) == 1:
            return torch.full_like(events.x1, math.nan)
        half = len(events.x1) // 2
        halves = (_part(events, slice(None, half)), _part(events, slice(half, None)))
        return torch.cat([_sizes(process, one, target) for one in halves])


def _batches(events: PartonEvents) -> list[PartonEvents]:
    return [_part(events, slice(start, start + _BATCH)) for start in range(0, len(events.x1), _BATCH)]


def _part(events: PartonEvents, where: slice) -> PartonEvents:
    return PartonEvents(events.momenta[where], events.x1[where], events.x2[where])


def _require_mirror_symmetry(process: Process, channel: SamplingChannel, seed: int) -> None:
    if not channel.mirrored:
        return
    generator = torch_generator(seed, "mirror")
    numbers = torch.rand((_PROBES, channel.process.dimensions), generator=generator, dtype=torch.float64)
    events, _ = channel.process.from_unit_cube(numbers)
    here = channel.process.channel_coefficients(events)
    there = process.channel_coefficients(mirrored_events(events))[:, list(channel.mirrored)]
    seen = here.flatten(1).abs().sum(dim=1) > 0  # cuts of the channel alone hide the others
    if not bool(((here - there)[seen].abs() <= _TOLERANCE * here.abs().amax()).all()):
        raise GenerationError(
            f"the channel '{channel.name}' of '{process.name}' stands for its images with exchanged beams, too, but "
            "these have another cross section: list all partonic channels in the maps of the process"
        )

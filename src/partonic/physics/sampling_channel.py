"""Channels of the sampling: parts of a process, each with a map of phase space that suits it.

The cross section is a sum over partonic channels, and each of these may be reached by several maps, one for each
propagator structure of its diagrams:

    σ = Σ_i ∫ du α_i(z) Σ_{c ∈ S_i} dσ_c(z_i(u))/du .

S_i are the partonic channels that the sampling channel i covers. Which share of them it takes is a matter of the
sampler: channels with the same S_i have weights α_i(z) that sum to one. Taking the partonic channels apart is the
choice α_i ∝ |M_i|² times densities, exactly and at no cost.

Two equal beams have a symmetry: a rotation by π about the x axis exchanges them. A process that lists only channels
with, say, the quark in the first beam leaves the others to this symmetry: `mirrored` are the partonic channels of the
rotated events.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from jaxtyping import Bool
from torch import Tensor

from partonic.errors import ProcessError
from partonic.physics.phasespace.unit_cube import UnitCube
from partonic.physics.process import Channel, PartonEvents, Process

__all__ = ["ChannelMap", "SamplingChannel", "mirror_images", "mirrored_events", "require_cover", "whole"]


@dataclass(frozen=True)
class ChannelMap:
    """What a process says of one of its sampling channels.

    Attributes:
        name: short, for reports, e.g. ``"H from W"``.
        cube: the map of the unit cube that follows its propagators.
        groups: places of the amplitude groups that it covers, among those of the process.
        cuts: what the map does not keep to by itself, though the process has it; beside the cuts of the process.
    """

    name: str
    cube: UnitCube
    groups: tuple[int, ...]
    cuts: Callable[[PartonEvents], Bool[Tensor, " events"]] | None = None


@dataclass(frozen=True)
class SamplingChannel:
    """A part of a process with its own map.

    Attributes:
        name: short, for reports.
        process: the part, as a process whose unit cube is that of the channel.
        members: the place of each of its partonic channels among those of the whole.
        mirrored: the places of their images under an exchange of the beams; empty if the channel covers those itself.
    """

    name: str
    process: Process
    members: tuple[int, ...]
    mirrored: tuple[int, ...] = ()


def whole(process: Process) -> tuple[SamplingChannel, ...]:
    """Return the one channel of a process that does not say how to divide it."""
    return (SamplingChannel("all", process, tuple(range(len(process.channels)))),)


def mirror_images(channels: Sequence[Channel], members: Sequence[int]) -> tuple[int, ...]:
    """Return the places of the channels with exchanged beams, in the order of `members`; empty if they are the members.

    Raises:
        ProcessError: if the process lacks one of them.
    """
    places = {(channel.initial, channel.final): place for place, channel in enumerate(channels)}
    images = []
    for member in members:
        channel = channels[member]
        key = ((channel.initial[1], channel.initial[0]), channel.final)
        if key not in places:
            raise ProcessError(f"the channel {channel.initial} → {channel.final} has no image with exchanged beams")
        images.append(places[key])
    return () if set(images) == set(members) else tuple(images)


def require_cover(channels: Sequence[SamplingChannel], partonic: int) -> None:
    """Check that channels cover `partonic` partonic ones, each by one set of members or its image only.

    Raises:
        ProcessError: if one is left out or belongs to two different sets.
    """
    sets = {(channel.members, channel.mirrored) for channel in channels}
    covered = sorted(place for members, mirrored in sets for place in (*members, *mirrored))
    if covered != list(range(partonic)):
        raise ProcessError(
            f"the sampling channels must cover the {partonic} partonic channels once, they cover {covered}: give "
            "channels that share partonic channels the same ones"
        )


def mirrored_events(events: PartonEvents) -> PartonEvents:
    """Return events rotated by π about the x axis: the beams are exchanged."""
    return PartonEvents(events.momenta * events.momenta.new_tensor([1.0, 1.0, -1.0, -1.0]), events.x2, events.x1)

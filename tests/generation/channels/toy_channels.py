"""The toy of `tests.generation.toy_process` divided into sampling channels: two maps of gg, one of the quarks.

The second map of gg draws u2 from the Breit–Wigner that dσ/du2 has, the first uniformly.
"""

import math
from dataclasses import dataclass, replace

import torch
from tests.generation.toy_process import CENTRE, GLUON_FLOWS, WIDTH, ToyProcess, breit_wigner_norm, peak_cumulative
from torch import Tensor

from partonic.physics.process import Channel, PartonEvents
from partonic.physics.sampling_channel import SamplingChannel


@dataclass(frozen=True)
class ToyPart(ToyProcess):
    """Some partonic channels of the toy, with a map that may follow the peak."""

    members: tuple[int, ...] = (0, 1, 2)
    peaked: bool = False

    def channel_coefficients(self, events: PartonEvents) -> Tensor:
        base = ToyProcess(broken=self.broken, scale_of_gg=self.scale_of_gg)  # whose numbers are those of dσ/du
        return base.channel_coefficients(events)[:, list(self.members)]

    def from_unit_cube(self, numbers: Tensor) -> tuple[PartonEvents, Tensor]:
        if not self.peaked:
            return super().from_unit_cube(numbers)
        angle = numbers[:, 2] * breit_wigner_norm() * WIDTH - math.atan(CENTRE / WIDTH)
        peak = CENTRE + WIDTH * torch.tan(angle)
        changed = numbers.clone()
        changed[:, 2] = peak.clamp(0.0, 1.0)
        events, log_jacobian = super().from_unit_cube(changed)
        return events, log_jacobian - _log_density(changed[:, 2])

    def to_unit_cube(self, events: PartonEvents) -> tuple[Tensor, Tensor]:
        numbers, log_jacobian = super().to_unit_cube(events)
        if not self.peaked:
            return numbers, log_jacobian
        changed = numbers.clone()
        changed[:, 2] = peak_cumulative(numbers[:, 2])
        return changed, log_jacobian + _log_density(numbers[:, 2])


def _log_density(u: Tensor) -> Tensor:
    return -torch.log(((u - CENTRE) ** 2 + WIDTH**2) * breit_wigner_norm())


@dataclass(frozen=True)
class DividedToy(ToyProcess):
    """The toy with sampling channels."""

    @property
    def sampling_channels(self) -> tuple[SamplingChannel, ...]:
        def part(name: str, members: tuple[int, ...], *, peaked: bool) -> SamplingChannel:
            channels = tuple(self.channels[place] for place in members)
            own = ToyPart(
                members=members, peaked=peaked, channels=channels, broken=self.broken, scale_of_gg=self.scale_of_gg
            )
            return SamplingChannel(name, own, members)

        return (
            part("gg, flat", (0,), peaked=False),
            part("gg, peak", (0,), peaked=True),
            part("quarks", (1, 2), peaked=True),
        )


def symmetric_toy() -> "SymmetricToy":
    """Return a toy of gg alone that stands for its own mirror image."""
    return SymmetricToy(channels=(Channel((21, 1), GLUON_FLOWS), Channel((1, 21), GLUON_FLOWS)))


@dataclass(frozen=True)
class SymmetricToy(ToyProcess):
    """Two partonic channels, each the mirror image of the other; the sampling lists the first one."""

    skewed: float = 1.0

    def channel_coefficients(self, events: PartonEvents) -> Tensor:
        mirrored = PartonEvents(events.momenta * torch.tensor([1.0, 1.0, -1.0, -1.0]), events.x2, events.x1)
        first, second = (ToyProcess.channel_coefficients(self, one)[:, 0] for one in (events, mirrored))
        return torch.stack([first, self.skewed * second], dim=1)

    @property
    def sampling_channels(self) -> tuple[SamplingChannel, ...]:
        part = replace(_FirstOfTwo(), channels=self.channels[:1])
        return (SamplingChannel("first", part, (0,), (1,)),)


@dataclass(frozen=True)
class _FirstOfTwo(ToyProcess):
    def channel_coefficients(self, events: PartonEvents) -> Tensor:
        return ToyProcess.channel_coefficients(self, events)[:, :1]

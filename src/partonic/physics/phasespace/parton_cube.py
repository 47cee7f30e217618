"""The unit cube of the partons of an event: mass and rapidity of the whole, then RAMBO's numbers of its decay.

For n partons of fixed masses these are 3n − 2 numbers: two of `MassRapidity`, n − 2 for the masses of the systems that
RAMBO leaves behind, then (1 + cos θ)/2 and φ/2π of each decay. Rotations of an event about the beam shift the azimuths,
and a rotation by π about the x axis, which exchanges the beams, mirrors numbers: both keep volumes.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from partonic.errors import ProcessError
from partonic.physics.fourvector import boost_along_z
from partonic.physics.phasespace.mass_rapidity import MassRapidity
from partonic.physics.phasespace.rambo import Rambo
from partonic.physics.process import PartonEvents

__all__ = ["PartonCube"]

_RAPIDITY = 1
"""Place of the number of the rapidity."""


@dataclass(frozen=True)
class PartonCube:
    """The map between numbers in [0, 1]^D and partons in the laboratory.

    Attributes:
        masses: of the n ≥ 2 partons, GeV, in the order in which RAMBO splits them off, which is that of the events.
        collider_energy: √S in GeV.

    Raises:
        ProcessError: if there are fewer than two partons, a mass is negative or not finite, all vanish, or the
            collider's energy is not above their sum.
    """

    masses: tuple[float, ...]
    collider_energy: float

    def __post_init__(self) -> None:
        threshold = math.fsum(Rambo(self.masses).masses)
        if not 0.0 < threshold < self.collider_energy:
            raise ProcessError(
                f"the partons must have masses with a sum between 0 and the collider energy {self.collider_energy} "
                f"GeV, got {self.masses}"
            )

    @property
    def dimensions(self) -> int:
        """Number D = 3n − 2 of numbers."""
        return 3 * len(self.masses) - 2

    @property
    def polar_numbers(self) -> tuple[int, ...]:
        """Indices of the numbers that are (1 + cos θ)/2 of a decay."""
        return tuple(range(len(self.masses), self.dimensions, 2))

    @property
    def azimuth_numbers(self) -> tuple[int, ...]:
        """Indices of the numbers that are φ/2π of a decay: periodic."""
        return tuple(range(len(self.masses) + 1, self.dimensions, 2))

    def numbers(self, events: PartonEvents) -> tuple[Float[Tensor, "events dimensions"], Float[Tensor, " events"]]:
        """Map partons to [0, 1]^D, with log |du/d(Φ_n, x1, x2)|."""
        fractions, log_fractions = self._fractions.inverse(events.x1, events.x2)
        momenta = boost_along_z(events.momenta, 0.5 * torch.log(events.x2 / events.x1)[:, None])
        numbers, log_volume = Rambo(self.masses).inverse(momenta, self._partonic_energy(events.x1, events.x2))
        return torch.cat([fractions, numbers], dim=1), log_fractions + log_volume

    def partons(self, numbers: Float[Tensor, "events dimensions"]) -> tuple[PartonEvents, Float[Tensor, " events"]]:
        """Map numbers in [0, 1]^D to partons in the laboratory, with log |d(Φ_n, x1, x2)/du|; differentiable."""
        x1, x2, log_fractions = self._fractions.forward(numbers[:, :2])
        momenta, log_volume = Rambo(self.masses).forward(numbers[:, 2:], self._partonic_energy(x1, x2))
        momenta = boost_along_z(momenta, 0.5 * torch.log(x1 / x2)[:, None])
        return PartonEvents(momenta, x1, x2), log_fractions + log_volume

    def turned(
        self, numbers: Float[Tensor, "events *samples dimensions"], turns: Float[Tensor, " events"]
    ) -> Float[Tensor, "events *samples dimensions"]:
        """Return the numbers of the same partons rotated about the beam, by `turns` full turns."""
        shifts = turns.to(numbers.dtype).view(-1, *[1] * (numbers.dim() - 2))
        columns = list(numbers.unbind(dim=-1))
        for i in self.azimuth_numbers:
            columns[i] = torch.remainder(columns[i] + shifts, 1.0)
        return torch.stack(columns, dim=-1)

    def mirrored(
        self, numbers: Float[Tensor, "events *samples dimensions"], where: Bool[Tensor, " events"]
    ) -> Float[Tensor, "events *samples dimensions"]:
        """Return the numbers of the same partons rotated by π about the x axis, for the events `where`.

        The rapidity, cos θ and φ of every decay change sign.
        """
        columns = list(numbers.unbind(dim=-1))
        for i in (_RAPIDITY, *self.polar_numbers):
            columns[i] = 1.0 - columns[i]
        for i in self.azimuth_numbers:
            columns[i] = torch.remainder(-columns[i], 1.0)
        return torch.where(where.view(-1, *[1] * (numbers.dim() - 1)), torch.stack(columns, dim=-1), numbers)

    @property
    def _fractions(self) -> MassRapidity:
        return MassRapidity(sum(self.masses), self.collider_energy)

    def _partonic_energy(self, x1: Tensor, x2: Tensor) -> Tensor:
        return (x1 * x2).sqrt().mul(self.collider_energy).clamp(min=sum(self.masses) * (1.0 + 1e-15))

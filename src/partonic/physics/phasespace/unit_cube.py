"""Maps of the unit cube to the parton events of a collider: final-state momenta and momentum fractions at once."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.physics.fourvector import boost_along_z
from partonic.physics.phasespace.fractions import MomentumFractions
from partonic.physics.phasespace.rambo import Rambo
from partonic.physics.process import PartonEvents

__all__ = ["RamboCube", "UnitCube"]


@runtime_checkable
class UnitCube(Protocol):
    """A map of the unit cube to parton events, one to one."""

    @property
    def dimensions(self) -> int:
        """Numbers D of the unit cube."""

    def forward(self, numbers: Float[Tensor, "events dimensions"]) -> tuple[PartonEvents, Float[Tensor, " events"]]:
        """Map numbers in [0, 1]^D to parton events, with log |d(Φ_n, x1, x2)/du|."""

    def inverse(self, events: PartonEvents) -> tuple[Float[Tensor, "events dimensions"], Float[Tensor, " events"]]:
        """Map parton events to [0, 1]^D, with log |du/d(Φ_n, x1, x2)|."""


@dataclass(frozen=True)
class RamboCube:
    """The unit cube of any final state: two numbers for (x1, x2), then those of RAMBO on diet.

    Attributes:
        masses: of the final-state particles, GeV: a number, or one for each event `(N,)`.
        collider_energy: √S, GeV.
    """

    masses: tuple[float | Tensor, ...]
    collider_energy: float

    @property
    def dimensions(self) -> int:
        """Two and then 3n − 4."""
        return 2 + Rambo(self.masses).dimensions

    @property
    def _fractions(self) -> MomentumFractions:
        return MomentumFractions(sum(self.masses), self.collider_energy)

    def forward(self, numbers: Float[Tensor, "events dimensions"]) -> tuple[PartonEvents, Float[Tensor, " events"]]:
        """Map numbers in [0, 1]^D to parton events, with log |d(Φ_n, x1, x2)/du|."""
        x1, x2, log_fractions = self._fractions.forward(numbers[:, :2])
        energy = (x1 * x2).sqrt() * self.collider_energy
        momenta, log_volume = Rambo(self.masses).forward(numbers[:, 2:], energy)
        return PartonEvents(boost_along_z(momenta, 0.5 * (x1 / x2).log()[:, None]), x1, x2), log_fractions + log_volume

    def inverse(self, events: PartonEvents) -> tuple[Float[Tensor, "events dimensions"], Float[Tensor, " events"]]:
        """Map parton events to [0, 1]^D, with log |du/d(Φ_n, x1, x2)|."""
        fractions, log_fractions = self._fractions.inverse(events.x1, events.x2)
        momenta = boost_along_z(events.momenta, 0.5 * (events.x2 / events.x1).log()[:, None])
        energy = (events.x1 * events.x2).sqrt() * self.collider_energy
        numbers, log_volume = Rambo(self.masses).inverse(momenta, energy)
        return torch.cat([fractions, numbers], dim=1), log_fractions + log_volume

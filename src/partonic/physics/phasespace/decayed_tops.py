"""The phase space of a process whose tops have decayed: that of the production with tops of any mass, and the decays.

    dΦ = dΦ_production(M₁, …) Π_i (dM_i²/2π) dΦ₃(t_i → b f f̄')

The masses of the tops follow their Breit–Wigner shapes within a window about the pole. They come first, so that the
threshold of the production is known.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.errors import ProcessError
from partonic.physics.fourvector import mass
from partonic.physics.phasespace.breit_wigner import BreitWigner
from partonic.physics.phasespace.top_decay import TopDecayMap
from partonic.physics.phasespace.unit_cube import RamboCube
from partonic.physics.process import PartonEvents

__all__ = ["DecayedTopsCube", "ProductionCube", "RamboProduction"]


@runtime_checkable
class ProductionCube(Protocol):
    """A map of the unit cube to events with T tops whose masses are given event by event."""

    @property
    def dimensions(self) -> int:
        """Numbers D of the unit cube."""

    def forward_with_masses(
        self, numbers: Float[Tensor, "events dimensions"], top_masses: Float[Tensor, "events tops"]
    ) -> tuple[PartonEvents, Float[Tensor, " events"]]:
        """Map numbers in [0, 1]^D to parton events, with log |d(Φ_n, x1, x2)/du|."""

    def inverse_with_masses(
        self, events: PartonEvents, top_masses: Float[Tensor, "events tops"]
    ) -> tuple[Float[Tensor, "events dimensions"], Float[Tensor, " events"]]:
        """Map parton events to [0, 1]^D, with log |du/d(Φ_n, x1, x2)|."""


@dataclass(frozen=True)
class RamboProduction:
    """RAMBO on diet as a `ProductionCube`.

    Attributes:
        masses: of the final state, GeV; those of the tops do not matter.
        tops: places of the tops.
        collider_energy: √S, GeV.
    """

    masses: tuple[float, ...]
    tops: tuple[int, ...]
    collider_energy: float

    @property
    def dimensions(self) -> int:
        """Two and then 3n − 4."""
        return RamboCube(self.masses, self.collider_energy).dimensions

    def forward_with_masses(
        self, numbers: Float[Tensor, "events dimensions"], top_masses: Float[Tensor, "events tops"]
    ) -> tuple[PartonEvents, Float[Tensor, " events"]]:
        """Map numbers in [0, 1]^D to parton events, with log |d(Φ_n, x1, x2)/du|."""
        return self._cube(top_masses).forward(numbers)

    def inverse_with_masses(
        self, events: PartonEvents, top_masses: Float[Tensor, "events tops"]
    ) -> tuple[Float[Tensor, "events dimensions"], Float[Tensor, " events"]]:
        """Map parton events to [0, 1]^D, with log |du/d(Φ_n, x1, x2)|."""
        return self._cube(top_masses).inverse(events)

    def _cube(self, top_masses: Tensor) -> RamboCube:
        of_tops = dict(zip(self.tops, top_masses.unbind(dim=1), strict=True))
        return RamboCube(
            tuple(of_tops.get(slot, fixed) for slot, fixed in enumerate(self.masses)), self.collider_energy
        )


@dataclass(frozen=True)
class DecayedTopsCube:
    """The map of the unit cube to the events of a process whose tops have decayed.

    The final state is that of the production with b, f and f̄' in place of each top (`TopDecayMap`). The numbers are
    the masses of the T tops, then those of the production, then five for each decay.

    Attributes:
        production: the map of what is produced.
        tops: places of the tops in the final state of the production, ascending.
        top_mass: pole mass, GeV.
        top_width: GeV.
        mass_range: smallest and largest mass of the products of a top, GeV.
        decay: map of each decay.

    Raises:
        ProcessError: if the range of masses is empty or reaches down to 0.
    """

    production: ProductionCube
    tops: tuple[int, ...]
    top_mass: float
    top_width: float
    mass_range: tuple[float, float]
    decay: TopDecayMap

    def __post_init__(self) -> None:
        if not 0.0 < self.mass_range[0] < self.mass_range[1]:
            raise ProcessError(f"the masses of decaying tops need a range above 0 GeV, got {self.mass_range}")

    @property
    def dimensions(self) -> int:
        """D of the production and six for each top."""
        return self.production.dimensions + len(self.tops) * (1 + self.decay.dimensions)

    def forward(self, numbers: Float[Tensor, "events dimensions"]) -> tuple[PartonEvents, Float[Tensor, " events"]]:
        """Map numbers in [0, 1]^D to parton events, with log |d(Φ_n, x1, x2)/du|."""
        of_masses, of_production, *of_decays = torch.split(numbers, self._parts, dim=1)
        squares, log_squares = self._shape.forward(of_masses, *self._limits(numbers))
        produced, log_jacobian = self.production.forward_with_masses(of_production, squares.sqrt())
        momenta = list(torch.split(produced.momenta, 1, dim=1))
        for slot, each in zip(self.tops, of_decays, strict=True):
            momenta[slot], log_volume = self.decay.forward(each, produced.momenta[:, slot])
            log_jacobian = log_jacobian + log_volume
        events = PartonEvents(torch.cat(momenta, dim=1), produced.x1, produced.x2)
        return events, log_jacobian + log_squares.sum(dim=1) - self._log_measure

    def inverse(self, events: PartonEvents) -> tuple[Float[Tensor, "events dimensions"], Float[Tensor, " events"]]:
        """Map parton events to [0, 1]^D, with log |du/d(Φ_n, x1, x2)|."""
        momenta, groups = [], []
        for particles in self._grouped(events.momenta):
            momenta.append(particles.sum(dim=1))
            if particles.shape[1] > 1:
                groups.append(particles)
        squares = torch.stack([mass(products.sum(dim=1)).square() for products in groups], dim=1)
        of_masses, log_squares = self._shape.inverse(squares, *self._limits(squares))
        produced = PartonEvents(torch.stack(momenta, dim=1), events.x1, events.x2)
        of_production, log_jacobian = self.production.inverse_with_masses(produced, squares.sqrt())
        of_decays = []
        for products in groups:
            numbers, log_volume = self.decay.inverse(products)
            of_decays.append(numbers)
            log_jacobian = log_jacobian + log_volume
        log_jacobian = log_jacobian + log_squares.sum(dim=1) + self._log_measure
        return torch.cat([of_masses, of_production, *of_decays], dim=1), log_jacobian

    def _grouped(self, momenta: Tensor) -> Sequence[Tensor]:
        """Return the final state of the production, each particle as what it has decayed to."""
        produced = momenta.shape[1] - 2 * len(self.tops)
        return torch.split(momenta, [3 if slot in self.tops else 1 for slot in range(produced)], dim=1)

    @property
    def _parts(self) -> list[int]:
        return [len(self.tops), self.production.dimensions, *[self.decay.dimensions] * len(self.tops)]

    @property
    def _shape(self) -> BreitWigner:
        return BreitWigner(self.top_mass, self.top_width)

    @property
    def _log_measure(self) -> float:
        """Log of 2π for each dM²/2π."""
        return len(self.tops) * math.log(2.0 * math.pi)

    def _limits(self, like: Tensor) -> tuple[Tensor, Tensor]:
        low, high = (like.new_tensor(edge**2) for edge in self.mass_range)
        return low, high

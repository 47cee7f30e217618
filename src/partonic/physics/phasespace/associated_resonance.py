r"""A stable particle and a resonance that decays to two massless particles: q q̄ → H V, V → ℓ ℓ'.

Seven numbers for dΦ₃ dx₁ dx₂ = (dk²/2π) dΦ₂(√ŝ; m, k) dΦ₂(k; 0, 0) dŝ dy/S, in this order:

- k²: a Breit–Wigner between the ends of the window;
- ŝ: from (m + k)² to S with the density dŝ/ŝ², which follows the fall of q q̄ luminosity and 1/ŝ;
- y of the whole, uniform within ±½ ln(S/ŝ);
- cos θ* and φ* of the particle about the beam, in the rest frame of the whole;
- cos θ₁ and φ₁ of the first decay product about the direction of flight of the resonance, in its rest frame; φ₁ = 0 is
  the plane of beam and resonance, on the side away from the beam.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.errors import ProcessError
from partonic.physics.fourvector import (
    boost_along_z,
    boost_from_rest_frame,
    boost_to_rest_frame,
    minkowski_dot,
    on_shell,
    safe_sqrt,
)
from partonic.physics.phasespace.breit_wigner import BreitWigner
from partonic.physics.phasespace.twobody import breakup_momentum, direction_from_numbers, numbers_from_direction
from partonic.physics.process import PartonEvents

__all__ = ["AssociatedResonance", "flight_axes"]


@dataclass(frozen=True)
class AssociatedResonance:
    """The map of [0, 1]⁷ to a particle and the two massless products of a resonance; see the module.

    Attributes:
        mass: of the stable particle, GeV, positive.
        resonance: mass and width of what decays.
        window: smallest and largest invariant mass of the products, GeV, positive.
        collider_energy: √S, GeV.

    Raises:
        ProcessError: unless 0 < smallest < largest < √S − m.
    """

    mass: float
    resonance: BreitWigner
    window: tuple[float, float]
    collider_energy: float

    def __post_init__(self) -> None:
        lower, upper = self.window
        if not (self.mass > 0.0 and 0.0 < lower < upper < self.collider_energy - self.mass):
            raise ProcessError(
                "the mass of the decay products needs a window between 0 and what the collider has beside a particle "
                f"of {self.mass} GeV, got {lower} to {upper} GeV at {self.collider_energy} GeV"
            )

    @property
    def dimensions(self) -> int:
        """Seven."""
        return 7

    def forward(self, numbers: Float[Tensor, "events 7"]) -> tuple[PartonEvents, Float[Tensor, " events"]]:
        """Map numbers in [0, 1]⁷ to events (particle, first and second product), with log |d(Φ₃, x₁, x₂)/du|."""
        square, log_square = self.resonance.forward(numbers[:, 0], *self._squares(numbers))
        k = square.sqrt()
        energy_square, log_energy = self._energy(numbers[:, 1], k)
        reach = 0.5 * torch.log(self.collider_energy**2 / energy_square)
        y = (2.0 * numbers[:, 2] - 1.0) * reach
        energy = energy_square.sqrt()
        momentum = self._momentum(energy, k)
        direction = direction_from_numbers(numbers[:, 3:5])
        particle = on_shell(momentum[:, None] * direction, self.mass)
        resonance = on_shell(-momentum[:, None] * direction, k)
        of_product = torch.einsum("nia,ni->na", flight_axes(-direction), direction_from_numbers(numbers[:, 5:7]))
        first = boost_from_rest_frame(on_shell(0.5 * k[:, None] * of_product, 0.0), resonance)
        momenta = boost_along_z(torch.stack([particle, first, resonance - first], dim=1), y[:, None])
        fraction = energy / self.collider_energy
        log_jacobian = log_square + log_energy + torch.log(2.0 * reach) + self._log_volume(momentum, energy)
        return PartonEvents(momenta, fraction * y.exp(), fraction * (-y).exp()), log_jacobian

    def inverse(self, events: PartonEvents) -> tuple[Float[Tensor, "events 7"], Float[Tensor, " events"]]:
        """Map events to [0, 1]⁷, with log |du/d(Φ₃, x₁, x₂)|; events outside the window have numbers outside."""
        y = 0.5 * torch.log(events.x1 / events.x2)
        momenta = boost_along_z(events.momenta, -y[:, None])
        square = 2.0 * minkowski_dot(momenta[:, 1], momenta[:, 2])
        k = safe_sqrt(square)
        energy_square = events.x1 * events.x2 * self.collider_energy**2
        reach = 0.5 * torch.log(self.collider_energy**2 / energy_square)
        of_square, log_square = self.resonance.inverse(square, *self._squares(square))
        of_energy, log_energy = self._energy_number(energy_square, k)
        resonance = momenta[:, 1] + momenta[:, 2]
        axes = flight_axes(resonance[:, 1:] / torch.linalg.vector_norm(resonance[:, 1:], dim=-1, keepdim=True))
        of_product = torch.einsum("nia,na->ni", axes, boost_to_rest_frame(momenta[:, 1], resonance)[:, 1:])
        numbers = torch.cat(
            [
                torch.stack([of_square, of_energy, 0.5 * (1.0 + y / reach)], dim=-1),
                numbers_from_direction(momenta[:, 0, 1:]),
                numbers_from_direction(of_product),
            ],
            dim=-1,
        )
        energy = energy_square.sqrt()
        log_volume = self._log_volume(self._momentum(energy, k), energy)
        return numbers, log_square + log_energy - torch.log(2.0 * reach) - log_volume

    def _squares(self, like: Tensor) -> tuple[Tensor, Tensor]:
        return like.new_tensor(self.window[0] ** 2), like.new_tensor(self.window[1] ** 2)

    def _inverse_ends(self, k: Tensor) -> tuple[Tensor, Tensor]:
        """Return 1/ŝ at threshold, and how far it falls."""
        start = (self.mass + k).square().reciprocal()
        return start, start - 1.0 / self.collider_energy**2

    def _energy(self, number: Tensor, k: Tensor) -> tuple[Tensor, Tensor]:
        """Return ŝ, uniform in 1/ŝ, and log |dŝ/du|; never at threshold or at S, where the map has no inverse."""
        start, length = self._inverse_ends(k)
        unit = torch.finfo(number.dtype).eps
        energy_square = (start - number.clamp(min=unit, max=1.0 - unit) * length).reciprocal()
        return energy_square, 2.0 * energy_square.log() + length.log()

    def _energy_number(self, energy_square: Tensor, k: Tensor) -> tuple[Tensor, Tensor]:
        start, length = self._inverse_ends(k)
        return (start - energy_square.reciprocal()) / length, -2.0 * energy_square.log() - length.log()

    def _momentum(self, energy: Tensor, k: Tensor) -> Tensor:
        """Return that of particle and resonance in the rest frame of the whole."""
        release = (energy - self.mass - k).clamp(min=torch.finfo(energy.dtype).tiny)
        return breakup_momentum(release, self.mass, k)

    def _log_volume(self, momentum: Tensor, energy: Tensor) -> Tensor:
        """Return log of the two-body volumes |p|/(4π√ŝ) and 1/(8π), of 1/2π for dk², and of 1/S for dŝ dy."""
        constant = -math.log(4.0 * math.pi * 8.0 * math.pi * 2.0 * math.pi * self.collider_energy**2)
        return torch.log(momentum / energy) + constant


def flight_axes(direction: Float[Tensor, "events 3"]) -> Float[Tensor, "events 3 3"]:
    """Return axes x', y', z' (rows) with z' along a unit vector and y' ∝ beam × z': x' = (cosθ cosφ, cosθ sinφ, −sinθ).

    Along the beam, where the plane is not defined, y' is the y axis.
    """
    x, y, cos = direction.unbind(dim=-1)
    square = x.square() + y.square()
    along = square == 0
    sin = torch.where(along, torch.ones_like(square), square).sqrt()
    cos_phi, sin_phi = torch.where(along, torch.ones_like(x), x / sin), torch.where(along, torch.zeros_like(y), y / sin)
    sin, zero = torch.where(along, torch.zeros_like(sin), sin), torch.zeros_like(sin)
    rows = [(cos * cos_phi, cos * sin_phi, -sin), (-sin_phi, cos_phi, zero), (x, y, cos)]
    return torch.stack([torch.stack(row, dim=-1) for row in rows], dim=-2)

"""The phase space of two resonances that decay to massless pairs: W Z → ℓν ℓℓ.

    dΦ₄ = dΦ₂(P; W, Z) (dm_W²/2π) dΦ₂(W; ℓ, ν) (dm_Z²/2π) dΦ₂(Z; ℓ⁻, ℓ⁺)

The masses follow their Breit–Wigner shapes. The angles are those of the first boson about the beam in the
centre-of-mass frame, and of the first product of each boson about its direction of flight (helicity frames): in these
the radiation of massless quarks and the polarisation of the bosons are functions of one number each, as an adaptive
grid wants them. Quarks radiate bosons along the beams, |M|² ∝ 1/t + 1/u with

    t, u = −p√ŝ (a ∓ cos θ),      a = (ŝ − m₁² − m₂²)/(2p√ŝ),      a² − 1 = m₁²m₂²/(p²ŝ),

so the number of cos θ is linear in artanh(cos θ/a), whose slope is the sum of both poles.
"""

import math
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.errors import ProcessError
from partonic.physics.fourvector import boost_along_z, boost_from_rest_frame, boost_to_rest_frame, mass, on_shell
from partonic.physics.phasespace.mass_rapidity import MassRapidity
from partonic.physics.phasespace.twobody import breakup_momentum, direction_from_numbers, numbers_from_direction
from partonic.physics.process import PartonEvents

__all__ = ["BosonPairCube", "MassShape", "from_flight", "to_flight"]

_DIMENSIONS = 10
_SMALLEST_RANGE = 1e-10
_POLE_SCALE = 10.0
"""Masses in GeV below which the poles come no nearer to the beams."""


def from_flight(direction: Float[Tensor, "events 3"], flight: Float[Tensor, "events 3"]) -> Float[Tensor, "events 3"]:
    """Turn a vector given in a frame whose z axis is `flight` (of any length) to the common axes."""
    cos, sin, cos_phi, sin_phi = _angles(flight)
    x, y, z = direction.unbind(dim=-1)
    along, across = cos * x + sin * z, cos * z - sin * x
    return torch.stack([cos_phi * along - sin_phi * y, sin_phi * along + cos_phi * y, across], dim=-1)


def to_flight(direction: Float[Tensor, "events 3"], flight: Float[Tensor, "events 3"]) -> Float[Tensor, "events 3"]:
    """Return a vector of the common axes in a frame whose z axis is `flight`: the inverse of `from_flight`."""
    cos, sin, cos_phi, sin_phi = _angles(flight)
    x, y, z = direction.unbind(dim=-1)
    along = cos_phi * x + sin_phi * y
    return torch.stack([cos * along - sin * z, cos_phi * y - sin_phi * x, sin * along + cos * z], dim=-1)


def _angles(flight: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return cos θ, sin θ, cos φ, sin φ of a direction; φ = 0 along z."""
    x, y, z = flight.unbind(dim=-1)
    transverse = torch.hypot(x, y)
    along = transverse == 0
    size = torch.hypot(transverse, z)
    safe = torch.where(along, torch.ones_like(transverse), transverse)
    return z / size, transverse / size, torch.where(along, torch.ones_like(x), x / safe), y / safe


@runtime_checkable
class MassShape(Protocol):
    """A map of [0, 1] to an invariant mass squared within limits, such as `BreitWigner` or `ResonanceWithTail`."""

    def forward(self, numbers: Tensor, lower: Tensor, upper: Tensor) -> tuple[Tensor, Tensor]:
        """Return the mass squared in GeV² and log |ds/du|."""

    def inverse(self, square: Tensor, lower: Tensor, upper: Tensor) -> tuple[Tensor, Tensor]:
        """Return the number and log |du/ds|."""


@dataclass(frozen=True)
class BosonPairCube:
    """The map of [0, 1]¹⁰ to the four massless products of two bosons in the laboratory and the momentum fractions.

    The numbers are: invariant mass and rapidity of the whole, mass of the second and of the first boson, polar angle
    and azimuth of the first boson, and those of the first product of each.

    Attributes:
        first: map of the mass squared of the first boson.
        second: that of the second.
        second_range: range of the mass of the second boson, GeV.
        collider_energy: √S, GeV.

    Raises:
        ProcessError: if the range is empty or does not start above 0.
    """

    first: MassShape
    second: MassShape
    second_range: tuple[float, float]
    collider_energy: float

    def __post_init__(self) -> None:
        if not 0.0 < self.second_range[0] < self.second_range[1]:
            raise ProcessError(f"an invariant mass needs a range that begins above 0 GeV, got {self.second_range}")

    @property
    def dimensions(self) -> int:
        """Ten: two momentum fractions and eight of the phase space."""
        return _DIMENSIONS

    @property
    def _fractions(self) -> MassRapidity:
        return MassRapidity(self.second_range[0], self.collider_energy)

    def forward(self, numbers: Float[Tensor, "events dimensions"]) -> tuple[PartonEvents, Float[Tensor, " events"]]:
        """Map numbers in [0, 1]¹⁰ to parton events, with log |d(Φ₄, x1, x2)/du|."""
        x1, x2, log_jacobian = self._fractions.forward(numbers[:, :2])
        energy = (x1 * x2).sqrt() * self.collider_energy
        lower, upper = self._second_limits(energy)
        second, log_second = self.second.forward(numbers[:, 2], lower, upper)
        mass_2 = second.sqrt()
        room = (energy - mass_2).clamp(min=_SMALLEST_RANGE).square()
        first, log_first = self.first.forward(numbers[:, 3], torch.zeros_like(room), room)
        mass_1 = first.sqrt()
        momentum = breakup_momentum((energy - mass_1 - mass_2).clamp(min=0.0), mass_1, mass_2)
        excess = _excess(mass_1, mass_2, momentum, energy)
        polar, log_polar = _from_poles(numbers[:, 4], excess)
        flight = direction_from_numbers(torch.stack([polar, numbers[:, 5]], dim=1))
        bosons = [on_shell(sign * momentum[:, None] * flight, m) for sign, m in ((1.0, mass_1), (-1.0, mass_2))]
        products = [
            _pair(boson, m, sign * flight, numbers[:, start : start + 2])
            for boson, m, sign, start in ((bosons[0], mass_1, 1.0, 6), (bosons[1], mass_2, -1.0, 8))
        ]
        momenta = boost_along_z(torch.cat(products, dim=1), 0.5 * (x1 / x2).log()[:, None])
        log_angles = log_polar + _log_volume(momentum, energy)
        return PartonEvents(momenta, x1, x2), log_jacobian + log_first + log_second + log_angles

    def inverse(self, events: PartonEvents) -> tuple[Float[Tensor, "events dimensions"], Float[Tensor, " events"]]:
        """Map parton events to [0, 1]¹⁰, with log |du/d(Φ₄, x1, x2)|."""
        fractions, log_jacobian = self._fractions.inverse(events.x1, events.x2)
        energy = (events.x1 * events.x2).sqrt() * self.collider_energy
        momenta = boost_along_z(events.momenta, 0.5 * (events.x2 / events.x1).log()[:, None])
        bosons = momenta[:, 0] + momenta[:, 1], momenta[:, 2] + momenta[:, 3]
        mass_1, mass_2 = mass(bosons[0]), mass(bosons[1])
        lower, upper = self._second_limits(energy)
        number_2, log_second = self.second.inverse(mass_2.square(), lower, upper)
        room = (energy - mass_2).clamp(min=_SMALLEST_RANGE).square()
        number_1, log_first = self.first.inverse(mass_1.square(), torch.zeros_like(room), room)
        flight = bosons[0][:, 1:]
        angles = [
            numbers_from_direction(to_flight(boost_to_rest_frame(momenta[:, slot], boson)[:, 1:], sign * flight))
            for boson, sign, slot in ((bosons[0], 1.0, 0), (bosons[1], -1.0, 2))
        ]
        momentum = breakup_momentum((energy - mass_1 - mass_2).clamp(min=0.0), mass_1, mass_2)
        polar, azimuth = numbers_from_direction(flight).unbind(dim=1)
        number, log_polar = _to_poles(polar, _excess(mass_1, mass_2, momentum, energy))
        numbers = torch.cat([fractions, torch.stack([number_2, number_1, number, azimuth], dim=1), *angles], dim=1)
        return numbers, log_jacobian + log_first + log_second + log_polar - _log_volume(momentum, energy)

    def _second_limits(self, energy: Tensor) -> tuple[Tensor, Tensor]:
        """Return the range of the mass squared of the second boson, never empty: at threshold energy² is rounded."""
        lower = torch.full_like(energy, self.second_range[0] ** 2)
        upper = torch.minimum(energy.square(), torch.full_like(energy, self.second_range[1] ** 2))
        return lower, torch.maximum(upper, lower * (1.0 + _SMALLEST_RANGE))


def _pair(boson: Tensor, boson_mass: Tensor, flight: Tensor, numbers: Tensor) -> Tensor:
    """Return the two massless products of a boson, `(N, 2, 4)`."""
    three = 0.5 * boson_mass[:, None] * from_flight(direction_from_numbers(numbers), flight)
    first = boost_from_rest_frame(on_shell(three, 0.0), boson)
    return torch.stack([first, boson - first], dim=1)


def _excess(mass_1: Tensor, mass_2: Tensor, momentum: Tensor, energy: Tensor) -> Tensor:
    """Return a − 1: how far the poles are beyond the beams; masses are at least `_POLE_SCALE` here."""
    square_1, square_2 = (m.square() + _POLE_SCALE**2 for m in (mass_1, mass_2))
    square = square_1 * square_2 / (momentum * energy).square().clamp(min=_SMALLEST_RANGE)
    return square / (1.0 + (1.0 + square).sqrt())


def _from_poles(number: Tensor, excess: Tensor) -> tuple[Tensor, Tensor]:
    """Return (1 + cos θ)/2 and the logarithm of its slope by the number."""
    length = 0.5 * torch.log1p(2.0 / excess)
    turned = (1.0 + excess) * torch.tanh(length * (2.0 * number - 1.0))
    polar = (0.5 * (1.0 + turned)).clamp(0.0, 1.0)
    return polar, _log_slope(polar, excess, length)


def _to_poles(polar: Tensor, excess: Tensor) -> tuple[Tensor, Tensor]:
    """Return the number of (1 + cos θ)/2 and the logarithm of its slope: the inverse of `_from_poles`."""
    length = 0.5 * torch.log1p(2.0 / excess)
    # artanh(c/a) = ½ ln[(a + c)/(a − c)], with a ± c = excess + 2 polar and excess + 2(1 − polar)
    turned = 0.5 * torch.log((excess + 2.0 * polar) / (excess + 2.0 * (1.0 - polar)))
    return 0.5 * (1.0 + turned / length), -_log_slope(polar, excess, length)


def _log_slope(polar: Tensor, excess: Tensor, length: Tensor) -> Tensor:
    return torch.log(length * (excess + 2.0 * polar) * (excess + 2.0 * (1.0 - polar)) / (1.0 + excess))


def _log_volume(momentum: Tensor, energy: Tensor) -> Tensor:
    """Return log of dΦ₂(P) dΦ₂ dΦ₂/(2π)² per unit of the numbers: |p|/(4π√ŝ) and 1/(8π) for massless products."""
    return (
        torch.log(momentum / (4.0 * math.pi * energy)) - 2.0 * math.log(8.0 * math.pi) - 2.0 * math.log(2.0 * math.pi)
    )

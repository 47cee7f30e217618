"""The phase space of two pairs, a heavy and a light one, in transverse momenta and rapidities: t t̄ b b̄.

Light quarks are radiated with a spectrum ∝ dpT²/(pT² + m²) that is flat in rapidity, and come in narrow pairs from
the splitting of gluons: ridges in the invariant masses of any sequence of decays, but simple in

    dΦ₄ dx₁ dx₂ = (2π)⁻⁸ (2/S) 2⁻⁴ d²p_b d²p_b̄ d²k dy_t dy_t̄ dy_b dy_b̄ ,    p_t, p_t̄ = −(p_b + p_b̄)/2 ± k .

Momentum conservation in the transverse plane is solved by k, and x₁, x₂ = Σ m_T e^(±y)/√S. The order is: the
transverse vectors of b, b̄ (azimuth relative to b) and k (azimuth relative to p_b + p_b̄), each within the ellipse in
which the transverse masses still fit below √S; then the rapidities of t, t̄, b, b̄, each within the interval that
leaves room for the others: with a = √S − Σ m_T e^y and b = √S − Σ m_T e^(−y) of those before, and R the sum of the m_T
of those after, (a − m_T e^y)(b − m_T e^(−y)) ≥ R² is

    cosh(y − ½ ln(a/b)) ≤ (ab + m_T² − R²)/(2 m_T √(ab)).

So the unit cube is mapped one to one onto phase space, all of it but a corner where the b takes so much of √S that a b̄
without transverse momentum no longer fits: there x₁ and x₂ are 1 to a permille, and there are no such partons.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.errors import ProcessError
from partonic.physics.phasespace.peaks import from_peak, from_power, to_peak, to_power
from partonic.physics.process import PartonEvents

__all__ = ["TransversePairs"]

_PHI_WIDTH, _RAPIDITY_WIDTH, _TOP_RAPIDITY_WIDTH = 0.4, 0.4, 1.5
"""Widths in the distance of b̄ from b and of t̄ from t below which the maps are flat."""
_CENTRAL_WIDTH = 2.5
"""The same for the rapidities of t and b around the middle of their intervals."""
_LIGHT_SCALE = 2.0
"""Scale of the transverse momenta of the light pair in units of its mass: gluon splitting is harder than m."""


@dataclass(frozen=True)
class TransversePairs:
    """The map of [0, 1]¹⁰ to momenta of t, t̄, b, b̄ in the laboratory and the momentum fractions.

    The numbers are: pT and azimuth of b; pT and azimuth of b̄ relative to b; size and azimuth of k; the rapidities.

    Attributes:
        heavy_mass: of t and t̄, GeV.
        light_mass: of b and b̄, GeV.
        collider_energy: √S, GeV.

    Raises:
        ProcessError: if a mass is not positive, or the masses do not fit below the energy.
    """

    heavy_mass: float
    light_mass: float
    collider_energy: float

    def __post_init__(self) -> None:
        if not (
            min(self.heavy_mass, self.light_mass) > 0.0
            and 2.0 * (self.heavy_mass + self.light_mass) < self.collider_energy
        ):
            raise ProcessError(
                "two pairs need positive masses that fit below the collider energy, got "
                f"{self.heavy_mass}, {self.light_mass} and {self.collider_energy} GeV"
            )

    @property
    def dimensions(self) -> int:
        """Ten."""
        return 10

    def forward(self, numbers: Float[Tensor, "events 10"]) -> tuple[PartonEvents, Float[Tensor, " events"]]:
        """Map numbers in [0, 1] to events with the final state t, t̄, b, b̄, and log |d(Φ₄, x₁, x₂)/du|."""
        half_unit = 0.5 * torch.finfo(numbers.dtype).eps
        u = numbers.clamp(min=half_unit, max=1.0 - half_unit)
        first, log_1 = self._light(u[:, 0], self._first_limit(u[:, 0]))
        b = _vector(first, 2.0 * math.pi * u[:, 1])
        relative, log_phi = from_peak(u[:, 3], torch.zeros_like(first), -math.pi, math.pi, _PHI_WIDTH)
        phi = 2.0 * math.pi * u[:, 1] + relative
        second, log_2 = self._light(u[:, 2], self._second_limit(b, phi))
        bbar = _vector(second, phi)
        pair = b + bbar
        phi_k = _azimuth(pair) + 2.0 * math.pi * u[:, 5]
        size, log_k = from_power(u[:, 4], self._last_limit(b, bbar, phi_k), self.heavy_mass)
        k = _vector(size, phi_k)
        transverse = torch.stack([k - 0.5 * pair, -k - 0.5 * pair, b, bbar], dim=1)
        masses = self._transverse_masses(transverse)
        rapidities, log_y = self._rapidities(u[:, 6:], masses)
        log_jacobian = log_1 + log_2 + log_k + log_phi + log_y + self._log_constant
        return self._events(transverse, masses, rapidities), log_jacobian

    def inverse(self, events: PartonEvents) -> tuple[Float[Tensor, "events 10"], Float[Tensor, " events"]]:
        """Return the numbers of events, whose x₁, x₂ follow from the momenta, and log |du/d(Φ₄, x₁, x₂)|."""
        momenta = events.momenta
        transverse, rapidities = momenta[:, :, 1:3], torch.atanh(momenta[:, :, 3] / momenta[:, :, 0])
        b, bbar = transverse[:, 2], transverse[:, 3]
        pair, k = b + bbar, 0.5 * (transverse[:, 0] - transverse[:, 1])
        phi_b, phi, phi_k = _azimuth(b), _azimuth(bbar), _azimuth(k)
        u0, log_1 = to_power(_length(b), self._first_limit(phi_b), self._light_scale)
        u2, log_2 = to_power(_length(bbar), self._second_limit(b, phi), self._light_scale)
        u3, log_phi = to_peak(_wrapped(phi - phi_b), torch.zeros_like(phi), -math.pi, math.pi, _PHI_WIDTH)
        u4, log_k = to_power(_length(k), self._last_limit(b, bbar, phi_k), self.heavy_mass)
        masses = self._transverse_masses(transverse)
        turns = [torch.remainder(angle / (2.0 * math.pi), 1.0) for angle in (phi_b, phi_k - _azimuth(pair))]
        of_rapidities, log_y = self._rapidity_numbers(rapidities, masses)
        numbers = torch.stack([u0, turns[0], u2, u3, u4, turns[1], *of_rapidities], dim=1)
        return numbers, log_1 + log_2 + log_k + log_phi + log_y - self._log_constant

    @property
    def _light_scale(self) -> float:
        return _LIGHT_SCALE * self.light_mass

    @property
    def _log_constant(self) -> float:
        """Return log of (2π)⁻⁸ (2/S) 2⁻⁴, of d²p = ½ dp² dφ three times, and of the two full azimuths 2π."""
        return math.log(2.0 / self.collider_energy**2 / 16.0 / 8.0) - 6.0 * math.log(2.0 * math.pi)

    def _light(self, number: Tensor, limit: Tensor) -> tuple[Tensor, Tensor]:
        return from_power(number, limit, self._light_scale)

    def _first_limit(self, like: Tensor) -> Tensor:
        """Return the largest pT of b beside a b̄ without any: m and 2m_t back to back at the energy √S − m."""
        rest = 2.0 * self.heavy_mass
        total = self.collider_energy - self.light_mass
        release = (total**2 - (self.light_mass + rest) ** 2) * (total**2 - (rest - self.light_mass) ** 2)
        return torch.full_like(like, math.sqrt(release) / (2.0 * total))

    def _second_limit(self, b: Tensor, phi: Tensor) -> Tensor:
        """Return the largest pT of b̄ at the azimuth φ: m_T(p) + √(4m_t² + (p + p_b)²) = √S − m_T(p_b)."""
        left = self.collider_energy - (b.square().sum(dim=-1) + self.light_mass**2).sqrt()
        along = b[:, 0] * torch.cos(phi) + b[:, 1] * torch.sin(phi)
        constant = left.square() + self.light_mass**2 - 4.0 * self.heavy_mass**2 - b.square().sum(dim=-1)
        leading = 4.0 * (left.square() - along.square())
        linear = 4.0 * constant * along
        last = 4.0 * left.square() * self.light_mass**2 - constant.square()
        root = (linear.square() - 4.0 * leading * last).clamp(min=0.0).sqrt()
        return ((root - linear) / (2.0 * leading)).clamp(min=torch.finfo(left.dtype).tiny)

    def _last_limit(self, b: Tensor, bbar: Tensor, phi_k: Tensor) -> Tensor:
        """Return the largest |k| at its azimuth: m_T(k − Q/2) + m_T(k + Q/2) = √S − m_T(b) − m_T(b̄)."""
        energies = [(vector.square().sum(dim=-1) + self.light_mass**2).sqrt() for vector in (b, bbar)]
        left = self.collider_energy - energies[0] - energies[1]
        pair = b + bbar
        along = pair[:, 0] * torch.cos(phi_k) + pair[:, 1] * torch.sin(phi_k)
        free = 0.25 * left.square() - self.heavy_mass**2 - 0.25 * pair.square().sum(dim=-1)
        square = left.square() * free / (left.square() - along.square())
        return square.clamp(min=torch.finfo(square.dtype).tiny).sqrt()

    def _transverse_masses(self, transverse: Tensor) -> Tensor:
        masses = transverse.new_tensor([self.heavy_mass, self.heavy_mass, self.light_mass, self.light_mass])
        return (transverse.square().sum(dim=-1) + masses.square()).sqrt()

    def _rapidities(self, numbers: Tensor, masses: Tensor) -> tuple[list[Tensor], Tensor]:
        found: list[Tensor] = []
        total = torch.zeros_like(masses[:, 0])
        for index in range(4):
            lower, upper, peak, width = self._interval(found, masses, index)
            rapidity, log_jacobian = from_peak(numbers[:, index], peak, lower, upper, width)
            found.append(rapidity)
            total = total + log_jacobian
        return found, total

    def _rapidity_numbers(self, rapidities: Tensor, masses: Tensor) -> tuple[list[Tensor], Tensor]:
        numbers: list[Tensor] = []
        total = torch.zeros_like(masses[:, 0])
        for index in range(4):
            before = [rapidities[:, earlier] for earlier in range(index)]
            lower, upper, peak, width = self._interval(before, masses, index)
            number, log_jacobian = to_peak(rapidities[:, index], peak, lower, upper, width)
            numbers.append(number)
            total = total + log_jacobian
        return numbers, total

    def _interval(self, before: list[Tensor], masses: Tensor, index: int) -> tuple[Tensor, Tensor, Tensor, float]:
        """Return the interval of a rapidity, where its map is densest, and the width there."""
        forward = backward = torch.full_like(masses[:, 0], self.collider_energy)
        for earlier, rapidity in enumerate(before):
            forward = forward - masses[:, earlier] * torch.exp(rapidity)
            backward = backward - masses[:, earlier] * torch.exp(-rapidity)
        tiny = torch.finfo(masses.dtype).tiny
        forward, backward = forward.clamp(min=tiny), backward.clamp(min=tiny)
        mean = (forward * backward).sqrt()
        mass, rest = masses[:, index], masses[:, index + 1 :].sum(dim=1)
        reach = torch.acosh(((mean.square() + mass.square() - rest.square()) / (2.0 * mass * mean)).clamp(min=1.0))
        centre = 0.5 * torch.log(forward / backward)
        reach = reach.clamp(min=torch.finfo(masses.dtype).eps)
        peak = before[-1] if index % 2 else centre
        width = (_CENTRAL_WIDTH, _TOP_RAPIDITY_WIDTH, _CENTRAL_WIDTH, _RAPIDITY_WIDTH)[index]
        return centre - reach, centre + reach, peak, width

    def _events(self, transverse: Tensor, masses: Tensor, rapidities: list[Tensor]) -> PartonEvents:
        along = torch.stack(rapidities, dim=1)
        energy, longitudinal = masses * torch.cosh(along), masses * torch.sinh(along)
        momenta = torch.cat([energy[..., None], transverse, longitudinal[..., None]], dim=-1)
        # Rounding must not take a momentum fraction above one.
        fractions = [
            (masses * torch.exp(sign * along)).sum(dim=1).div(self.collider_energy).clamp(max=1.0) for sign in (1, -1)
        ]
        return PartonEvents(momenta, fractions[0], fractions[1])


def _vector(length: Tensor, phi: Tensor) -> Tensor:
    return torch.stack([length * torch.cos(phi), length * torch.sin(phi)], dim=-1)


def _azimuth(vector: Tensor) -> Tensor:
    return torch.atan2(vector[:, 1], vector[:, 0])


def _length(vector: Tensor) -> Tensor:
    return vector.square().sum(dim=-1).sqrt()


def _wrapped(angle: Tensor) -> Tensor:
    """Return the angle in [−π, π)."""
    return torch.remainder(angle + math.pi, 2.0 * math.pi) - math.pi

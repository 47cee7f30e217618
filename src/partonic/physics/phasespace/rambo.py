"""RAMBO on diet: n-body phase space from the smallest number of random numbers, both ways.

S. Plätzer, "RAMBO on diet", arXiv:1308.2922. The n particles are split off one by one: the system of particles
i, …, n has mass M_i = K_i + μ_i with μ_i = Σ_{j≥i} m_j, K_1 = √s − Σm and K_i = K_{i−1} √y_i, where y_i solves

    v_i = (e + 1) y^e − e y^(e+1),   e = n − i,   i = 2, …, n − 1.

Each decay M_i → m_i + M_{i+1} takes two more numbers for its direction: 3n − 4 numbers in all. Massless phase space
comes out exactly flat; masses are compensated by the log-Jacobian. Energies are carried as the kinetic part K
(never as a difference of masses), so nothing is lost near the threshold.
"""

import math
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.errors import ProcessError
from partonic.physics.fourvector import on_shell, safe_sqrt
from partonic.physics.phasespace.twobody import (
    breakup_momentum,
    direction_from_numbers,
    kallen_from_release,
    numbers_from_direction,
)

__all__ = ["Rambo", "mass_ratio", "massless_volume"]

_NEWTON_STEPS = 6
"""Steps that bring the squared mass ratio to float64 precision everywhere in (0, 1), for up to 100 particles."""


@dataclass(frozen=True)
class Rambo:
    """The map of the unit cube to the momenta of n particles of given masses in their centre-of-mass frame.

    Both directions are differentiable in all their arguments, twice.

    Attributes:
        masses: of the n ≥ 2 particles, GeV: a number, or one for each event `(N,)`.

    Raises:
        ProcessError: if there are fewer than two particles or a mass is negative or not finite.
    """

    masses: tuple[float | Tensor, ...]

    def __post_init__(self) -> None:
        if len(self.masses) < 2:
            raise ProcessError(f"phase space needs at least two particles, got masses {self.masses}")
        if not all(bool(((one >= 0.0) & (one < math.inf)).all()) for one in map(torch.as_tensor, self.masses)):
            raise ProcessError(f"masses must be finite and not negative (GeV), got {self.masses}")

    @property
    def particles(self) -> int:
        """Number n of particles."""
        return len(self.masses)

    @property
    def dimensions(self) -> int:
        """Number 3n − 4 of numbers that fix the momenta."""
        return 3 * self.particles - 4

    def forward(
        self, numbers: Float[Tensor, "events dimensions"], sqrt_s: Float[Tensor, " events"]
    ) -> tuple[Float[Tensor, "events particles 4"], Float[Tensor, " events"]]:
        """Map numbers in [0, 1] to momenta.

        Args:
            numbers: n − 2 for the masses of the systems, then (cos θ, φ) of each of the n − 1 decays. Numbers on the
                faces of the cube are moved inside by one rounding unit, so that everything is finite.
            sqrt_s: invariant mass of all particles, GeV, not below the sum of the masses.

        Returns:
            the four-vectors in the centre-of-mass frame, and log |dΦ_n/du| with dΦ_n in GeV^(2n−4).

        Raises:
            ProcessError: if an energy is below the sum of the masses.
        """
        half_unit = 0.5 * torch.finfo(numbers.dtype).eps
        inside = numbers.clamp(min=half_unit, max=1.0 - half_unit)
        kinetic = self._kinetic_masses(inside[:, : self.particles - 2], sqrt_s)
        directions = direction_from_numbers(inside[:, self.particles - 2 :].reshape(-1, self.particles - 1, 2))
        return self._momenta(kinetic, directions), self._log_jacobian(kinetic)

    def inverse(
        self, momenta: Float[Tensor, "events particles 4"], sqrt_s: Float[Tensor, " events"]
    ) -> tuple[Float[Tensor, "events dimensions"], Float[Tensor, " events"]]:
        """Map momenta to the numbers that give them.

        Args:
            momenta: four-vectors in the centre-of-mass frame. Only their three-momenta are used: the energies follow
                from the masses.
            sqrt_s: invariant mass of all particles, GeV.

        Returns:
            the numbers in [0, 1], and log |du/dΦ_n|.

        Raises:
            ProcessError: if an energy is below the sum of the masses.
        """
        three = momenta[..., 1:]
        systems = three.flip(1).cumsum(dim=1).flip(1)
        kinetic = self._kinetic_masses_of(three, systems, sqrt_s)
        squared_ratios = (kinetic[:, 1:] / kinetic[:, :-1]).square()
        numbers = [_cumulative(squared_ratios[:, k], self.particles - 2 - k) for k in range(self.particles - 2)]
        for i in range(self.particles - 1):
            direction = three[:, i] if i == 0 else self._in_rest_frame(three[:, i], systems[:, i], kinetic[:, i], i)
            numbers.extend(numbers_from_direction(direction).unbind(dim=-1))
        return torch.stack(numbers, dim=-1), -self._log_jacobian(kinetic)

    def _sum_from(self, i: int) -> float | Tensor:
        """Return μ_i, the sum of the masses of particle i (counted from 0) and all after it."""
        exact = math.fsum(mass for mass in self.masses[i:] if not isinstance(mass, Tensor))
        return sum((mass for mass in self.masses[i:] if isinstance(mass, Tensor)), start=exact)

    def _total_kinetic(self, sqrt_s: Tensor) -> Tensor:
        """Return K_1 = √s − Σm; a √s that equals Σm up to rounding is put one rounding unit above it.

        Raises:
            ProcessError: if an energy is below the threshold.
        """
        unit, threshold = torch.finfo(sqrt_s.dtype).eps, self._sum_from(0)
        if not bool((sqrt_s >= threshold * (1.0 - 100.0 * unit)).all()):
            raise ProcessError(
                f"expected energies above the sum of the masses, {_shown(threshold)} GeV; the lowest of {len(sqrt_s)} "
                f"is {float(sqrt_s.detach().min())} GeV (masses {', '.join(map(_shown, self.masses))})"
            )
        return torch.maximum(sqrt_s - threshold, unit * sqrt_s)

    def _kinetic_masses(self, numbers: Tensor, sqrt_s: Tensor) -> Tensor:
        """Return K_1, …, K_{n−1}, `(events, n − 1)`."""
        kinetic = [self._total_kinetic(sqrt_s)]
        for k in range(self.particles - 2):
            kinetic.append(kinetic[-1] * mass_ratio(numbers[:, k], self.particles - 2 - k))
        return torch.stack(kinetic, dim=-1)

    def _kinetic_masses_of(self, three: Tensor, systems: Tensor, sqrt_s: Tensor) -> Tensor:
        """Return the K_i of given momenta from M² − μ² = 2μT + T² − |Q|², T being the sum of kinetic energies.

        What rounding has moved onto or over the edge of phase space is moved inside by one rounding unit: collinear
        massless systems get a mass of that size, and K_i stays below K_{i−1}.
        """
        masses = torch.stack([torch.zeros_like(sqrt_s) + mass for mass in self.masses], dim=-1)
        squares = three.square().sum(dim=-1)
        energies = squares / (safe_sqrt(squares + masses.square()) + masses)
        kinetic, unit = [self._total_kinetic(sqrt_s)], torch.finfo(three.dtype).eps
        for i in range(1, self.particles - 1):
            mu, total = self._sum_from(i), energies[:, i:].sum(dim=1)
            excess = total * (total + 2.0 * mu) - systems[:, i].square().sum(dim=-1)
            excess = torch.maximum(excess, (unit * total).square())
            kinetic.append(torch.minimum(excess / (safe_sqrt(excess + mu**2) + mu), kinetic[-1] * (1.0 - unit)))
        return torch.stack(kinetic, dim=-1)

    def _momenta(self, kinetic: Tensor, directions: Tensor) -> Tensor:
        """Build the momenta by boosting each decay to the centre-of-mass frame."""
        system = torch.zeros_like(directions[:, 0])
        momenta = []
        for i, release in enumerate(self._releases(kinetic)):
            rest = self._rest_of_system(kinetic, i)
            momentum = breakup_momentum(release, self.masses[i], rest)
            particle = _boost(
                momentum[:, None] * directions[:, i], self.masses[i], system, kinetic[:, i] + self._sum_from(i)
            )
            momenta.append(on_shell(particle, self.masses[i]))
            system = system - particle
        momenta.append(on_shell(system, self.masses[-1]))
        return torch.stack(momenta, dim=1)

    def _in_rest_frame(self, particle: Tensor, system: Tensor, kinetic: Tensor, i: int) -> Tensor:
        return _boost(particle, self.masses[i], -system, kinetic + self._sum_from(i))

    def _releases(self, kinetic: Tensor) -> list[Tensor]:
        """Return the energy release M_i − m_i − M_{i+1} = K_i − K_{i+1} of each decay, with K_n = 0."""
        following = torch.cat([kinetic[:, 1:], torch.zeros_like(kinetic[:, :1])], dim=1)
        return list((kinetic - following).unbind(dim=1))

    def _rest_of_system(self, kinetic: Tensor, i: int) -> Tensor:
        """Return M_{i+1}, the mass of what particle i leaves behind."""
        if i == self.particles - 2:
            return torch.zeros_like(kinetic[:, 0]) + self.masses[-1]
        return kinetic[:, i + 1] + self._sum_from(i + 1)

    def _log_jacobian(self, kinetic: Tensor) -> Tensor:
        """Return log |dΦ_n/du| (arXiv:1308.2922, eq. 12 with the squared ratios), in the kinetic masses.

        In the ratio of the momenta of a massive and a massless decay the factor √(K_i − K_{i+1}) cancels, which is
        what keeps it exact for massless particles.
        """
        releases = self._releases(kinetic)
        last = kinetic[:, -1] + self._sum_from(self.particles - 2)
        result = _log_unit_volume(self.particles) + (2 * self.particles - 4) * torch.log(kinetic[:, 0])
        result = result + 0.5 * torch.log(kallen_from_release(releases[-1], *self.masses[-2:])) - 2.0 * torch.log(last)
        for i in range(self.particles - 2):
            mass_here, rest, release = self.masses[i], self._rest_of_system(kinetic, i), releases[i]
            before, after = kinetic[:, i], kinetic[:, i + 1]
            massive = (release + 2.0 * mass_here) * (release + 2.0 * rest) * (release + 2.0 * (mass_here + rest))
            result = result + 0.5 * torch.log(massive / release) - torch.log(before + after)
            result = result - 2.0 * torch.log1p(self._sum_from(i) / before) + torch.log(rest / after)
        return result


def massless_volume(particles: int, sqrt_s: Float[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
    """Return the phase-space volume V_n = (2π)^(4−3n) (π/2)^(n−1) s^(n−2)/((n−1)!(n−2)!) of massless particles."""
    return torch.exp(_log_unit_volume(particles) + (2 * particles - 4) * torch.log(sqrt_s))


def _log_unit_volume(particles: int) -> float:
    factorials = math.lgamma(particles) + math.lgamma(particles - 1)
    return (4 - 3 * particles) * math.log(2 * math.pi) + (particles - 1) * math.log(math.pi / 2) - factorials


def mass_ratio(numbers: Float[Tensor, "*batch"], exponent: int) -> Float[Tensor, "*batch"]:
    """Return the ratio K_i/K_{i−1} = √y for numbers v in (0, 1), with y the solution of v = (e+1) y^e − e y^(e+1).

    The polynomial is solved for the **squared** ratio: its square root makes massless phase space flat.
    """
    if exponent == 1:
        return (numbers / (1.0 + (1.0 - numbers).sqrt())).sqrt()
    squared: Tensor = _SquaredRatio.apply(numbers, exponent)  # type: ignore[no-untyped-call]
    return squared.sqrt()


def _shown(mass: float | Tensor) -> str:
    """Return a mass, or the largest of those of many events, for messages."""
    return f"up to {float(mass.max())}" if isinstance(mass, Tensor) else str(mass)


def _cumulative(squared_ratio: Tensor, exponent: int) -> Tensor:
    """Return v = (e+1) y^e − e y^(e+1), the cumulative distribution of the squared mass ratio."""
    return squared_ratio**exponent * (exponent + 1 - exponent * squared_ratio)


def _boost(three: Tensor, mass: float | Tensor, system: Tensor, system_mass: Tensor) -> Tensor:
    """Boost the three-momentum of a particle of mass `mass` by a system of three-momentum `system`."""
    energy = safe_sqrt(three.square().sum(dim=-1) + mass**2)
    system_energy = safe_sqrt(system.square().sum(dim=-1) + system_mass.square())
    along = (three * system).sum(dim=-1)
    return three + system * ((energy + along / (system_energy + system_mass)) / system_mass)[:, None]


class _SquaredRatio(torch.autograd.Function):
    """The inverse of `_cumulative`, with dy/dv = 1/[e (e+1) y^(e−1) (1 − y)] by the implicit-function theorem."""

    generate_vmap_rule = True

    @staticmethod
    def forward(numbers: Tensor, exponent: int) -> Tensor:
        """Solve for y by Newton's method, in the variable in which each half of the range is nearly linear."""
        low = _solve_from_zero(numbers, exponent)
        high = _solve_from_one(numbers, exponent)
        return torch.where(numbers < 0.5, low, high)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, int], output: Tensor) -> None:
        """Keep the solution: the gradient is a function of it alone, which makes second derivatives right too."""
        ctx.save_for_backward(output)
        ctx.exponent = inputs[1]

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, None]:
        """Divide by the derivative of the polynomial."""
        (solution,) = ctx.saved_tensors
        slope = ctx.exponent * (ctx.exponent + 1) * solution ** (ctx.exponent - 1) * (1.0 - solution)
        return grad_outputs[0] / slope, None


def _solve_from_zero(numbers: Tensor, exponent: int) -> Tensor:
    """Newton's method on log v = e log y + log(e + 1 − e y), from below: concave in log y, so it cannot overshoot."""
    target = torch.log(numbers)
    log_y = (target - math.log(exponent + 1)) / exponent
    for _ in range(_NEWTON_STEPS):
        y = torch.exp(log_y)
        bracket = exponent + 1 - exponent * y
        slope = exponent * (exponent + 1) * (1.0 - y) / bracket
        log_y = log_y - (exponent * log_y + torch.log(bracket) - target) / slope.clamp(min=1e-3)
    return torch.exp(log_y)


def _solve_from_one(numbers: Tensor, exponent: int) -> Tensor:
    """Newton's method on √(1 − v) = w √S(y), w = 1 − y, S = Σ_{m<e} (m+1) y^m: linear in w at v = 1."""
    target = (1.0 - numbers).sqrt()
    w = target * math.sqrt(2.0 / (exponent * (exponent + 1)))
    for _ in range(_NEWTON_STEPS):
        y = 1.0 - w
        polynomial, derivative = torch.full_like(y, float(exponent)), torch.zeros_like(y)
        for m in range(exponent - 2, -1, -1):  # Horner's rule
            derivative = derivative * y + polynomial
            polynomial = polynomial * y + (m + 1)
        root = polynomial.sqrt()
        slope = root - 0.5 * w * derivative / root
        w = (w - (w * root - target) / slope.clamp(min=1e-3)).clamp(min=0.0, max=1.0)
    return 1.0 - w

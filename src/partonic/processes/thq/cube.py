r"""The phase space of H t q in the variables of t-channel production: pp → q + (tH).

The light quark goes on with a transverse momentum of the order of m_W and leaves a W that meets the b in a system
K = t + H not far above its threshold. In the mass of K, the rapidities and the transverse momentum of q,

    dΦ₃ dx₁ dx₂ = (2/S) (2π)⁻² ¼ d²p_T dy_q dy_K (dM²/2π) dΦ₂(K → t H),   x₁, x₂ = (p_T e^{±y_q} + M_T e^{±y_K})/√S.

A collider is symmetric: of the two beams the one from which q seems to come is called the first, that along +z if
y_q > y_K/2, and y_K and the direction of t are counted from there. (Neither the hemisphere of q in the laboratory nor
the one in the partonic centre of mass tells as well which of the partons was the b.) So events and their mirror images
have the same numbers but for that of y_q, u → 1 − u, and what depends on the b does not wash out. The direction of t in
the rest frame of K is that of Gottfried and Jackson: θ from the direction of the second beam, φ from the plane of the
beams and q. θ has the poles of a W between b and t: a strong one for a b in the second beam, and for the events in
which it was in the first another one, weaker with y_q.

Rapidities: with a = √S − M_T e^{y_K} and b = √S − M_T e^{−y_K}, p_T e^{y_q} ≤ a and p_T e^{−y_q} ≤ b; there is a
y_q ≥ y_K/2 if ab ≥ p_T² and p_T e^{y_K/2} + M_T e^{y_K} ≤ √S.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.errors import ProcessError
from partonic.physics.fourvector import (
    boost_from_rest_frame,
    boost_to_rest_frame,
    minkowski_square,
    on_shell,
    safe_sqrt,
)
from partonic.physics.particles import W_BOSON
from partonic.physics.phasespace.peaks import from_peak, from_power, to_peak, to_power
from partonic.physics.phasespace.twobody import breakup_momentum
from partonic.physics.process import PartonEvents
from partonic.processes.thq.exchange_angle import ExchangeAngle

__all__ = [
    "MASS_SCALE",
    "PT_SCALE",
    "SYSTEM_WIDTH",
    "SingleTopHiggsCube",
    "direction_of",
    "frame_of",
    "from_rapidity",
    "peak_of",
]

MASS_SCALE, PT_SCALE = 150.0, 60.0
"""Scales in GeV above which the density falls: of √(M² − threshold²), and of the light quark's p_T."""
SYSTEM_WIDTH, _QUARK_SHARE, _QUARK_WIDTH = 2.0, 0.7, 2.0
"""Width in y_K; light-cone momentum of q in units of that of K, and width in y_q, around which the map is densest."""
_SIDE = 0.5
"""The share of y_K which y_q has to exceed for the first beam to be that along +z."""
_CERTAINTY = 1.5
"""How fast a b in the first beam becomes improbable with y_q − y_K/2."""


@dataclass(frozen=True)
class SingleTopHiggsCube:
    """The map of [0, 1]⁷ to H, t, q in the laboratory and the momentum fractions.

    The numbers are: mass of K; p_T and azimuth of q; y_K; y_q; direction of t (cos θ and φ). A turn about the beam
    changes the third alone.

    Attributes:
        higgs_mass: GeV.
        top_mass: GeV.
        collider_energy: √S, GeV.
        w_mass: that the density of cos θ has in its propagator, GeV.

    Raises:
        ProcessError: if the masses are not positive or do not fit below the collider's energy.
    """

    higgs_mass: float
    top_mass: float
    collider_energy: float
    w_mass: float = W_BOSON.mass

    def __post_init__(self) -> None:
        masses = (self.higgs_mass, self.top_mass)
        if not (min(masses) > 0.0 and sum(masses) < self.collider_energy):
            raise ProcessError(
                "H t q needs positive masses of H and t that fit below the collider energy, got "
                f"{self.higgs_mass}, {self.top_mass} and {self.collider_energy} GeV"
            )

    @property
    def dimensions(self) -> int:
        """Seven."""
        return 7

    def forward(self, numbers: Float[Tensor, "events 7"]) -> tuple[PartonEvents, Float[Tensor, " events"]]:
        """Map numbers in [0, 1] to events with the final state H, t, q, and log |d(Φ₃, x₁, x₂)/du|."""
        return self.forward_with_masses(numbers, torch.full_like(numbers[:, :1], self.top_mass))

    def inverse(self, events: PartonEvents) -> tuple[Float[Tensor, "events 7"], Float[Tensor, " events"]]:
        """Return the numbers of events, whose x₁, x₂ follow from the momenta, and log |du/d(Φ₃, x₁, x₂)|."""
        return self.inverse_with_masses(events, torch.full_like(events.x1[:, None], self.top_mass))

    def forward_with_masses(
        self, numbers: Float[Tensor, "events 7"], top_masses: Float[Tensor, "events 1"]
    ) -> tuple[PartonEvents, Float[Tensor, " events"]]:
        """Do the same with an invariant mass of the top (GeV) for each event."""
        top_mass, half_unit = top_masses[:, 0], 0.5 * torch.finfo(numbers.dtype).eps
        u = numbers.clamp(min=half_unit, max=1.0 - half_unit)
        threshold = top_mass + self.higgs_mass
        excess, log_mass = from_power(u[:, 0], self._excess_limit(threshold), MASS_SCALE)
        mass = (excess.square() + threshold.square()).sqrt()
        pt, log_pt = from_power(u[:, 1], self._pt_limit(mass), PT_SCALE)
        phi = 2.0 * math.pi * u[:, 2]
        transverse_mass = (mass.square() + pt.square()).sqrt()
        y_system, log_system = self._from_system(u[:, 3], transverse_mass, pt)
        forward = 2.0 * u[:, 4] - 1.0
        y_quark, log_quark = self._from_quark(forward.abs(), transverse_mass, pt, y_system)
        side = torch.where(forward >= 0.0, 1.0, -1.0).to(u.dtype)
        momentum = breakup_momentum(mass - threshold, top_mass, self.higgs_mass)
        angle = self._angle((mass, momentum, top_mass), (pt, y_quark, transverse_mass, y_system))
        cosine, log_cosine = angle.forward(u[:, 5])
        quark = from_rapidity(pt, phi, side * y_quark, pt)
        system = from_rapidity(-pt, phi, side * y_system, transverse_mass)
        direction = (frame_of(system, phi, side) * direction_of(cosine, u[:, 6])[:, None, :]).sum(dim=-1)
        top = boost_from_rest_frame(on_shell(momentum[:, None] * direction, top_mass), system)
        log_jacobian = log_mass + log_pt + log_system + log_quark + log_cosine + self._log_constant(mass, momentum)
        # Rounding must not take a momentum fraction above one.
        along = [
            (pt * torch.exp(sign * side * y_quark) + transverse_mass * torch.exp(sign * side * y_system))
            .div(self.collider_energy)
            .clamp(max=1.0)
            for sign in (1, -1)
        ]
        return PartonEvents(torch.stack([system - top, top, quark], dim=1), along[0], along[1]), log_jacobian

    def inverse_with_masses(
        self, events: PartonEvents, top_masses: Float[Tensor, "events 1"]
    ) -> tuple[Float[Tensor, "events 7"], Float[Tensor, " events"]]:
        """Do the same with an invariant mass of the top (GeV) for each event."""
        top_mass, (higgs, top, quark) = top_masses[:, 0], events.momenta.unbind(dim=1)
        system = higgs + top
        threshold = top_mass + self.higgs_mass
        mass = minkowski_square(system).sqrt()
        pt = quark[:, 1:3].square().sum(dim=-1).sqrt()
        phi = torch.atan2(quark[:, 2], quark[:, 1])
        transverse_mass = (mass.square() + pt.square()).sqrt()
        y_quark, y_system = torch.asinh(quark[:, 3] / pt), torch.asinh(system[:, 3] / transverse_mass)
        side = torch.where(y_quark >= _SIDE * y_system, 1.0, -1.0).to(pt.dtype)
        excess = (mass.square() - threshold.square()).clamp(min=0.0).sqrt()
        u0, log_mass = to_power(excess, self._excess_limit(threshold), MASS_SCALE)
        u1, log_pt = to_power(pt, self._pt_limit(mass), PT_SCALE)
        u3, log_system = self._to_system(side * y_system, transverse_mass, pt)
        inner, log_quark = self._to_quark(side * y_quark, transverse_mass, pt, side * y_system)
        at_rest = boost_to_rest_frame(top, system)[:, 1:]
        direction = (frame_of(system, phi, side) * at_rest[:, :, None]).sum(dim=1)
        momentum = at_rest.square().sum(dim=-1).sqrt()
        angle = self._angle((mass, momentum, top_mass), (pt, side * y_quark, transverse_mass, side * y_system))
        u5, log_cosine = angle.inverse(direction[:, 2] / momentum)
        u6 = torch.remainder(torch.atan2(direction[:, 1], direction[:, 0]) / (2.0 * math.pi), 1.0)
        turn = torch.remainder(phi / (2.0 * math.pi), 1.0)
        numbers = torch.stack([u0, u1, turn, u3, 0.5 + 0.5 * side * inner, u5, u6], dim=1)
        log_jacobian = log_mass + log_pt + log_system + log_quark + log_cosine
        return numbers, log_jacobian - self._log_constant(mass, momentum)

    def _log_constant(self, mass: Tensor, momentum: Tensor) -> Tensor:
        """Return log of 1/(16π²S), from d²p = ½ dp² dφ with φ = 2πu and dM²/2π, times dΦ₂/du = |p|/(4πM).

        A factor 2 for the two sides cancels the ½ of ½ d(cos θ).
        """
        return torch.log(momentum / (4.0 * math.pi * mass) * (1.0 / (16.0 * math.pi**2 * self.collider_energy**2)))

    def _excess_limit(self, threshold: Tensor) -> Tensor:
        return (self.collider_energy**2 - threshold.square()).sqrt()

    def _pt_limit(self, mass: Tensor) -> Tensor:
        return (self.collider_energy**2 - mass.square()) / (2.0 * self.collider_energy)

    def _system_interval(self, transverse_mass: Tensor, pt: Tensor) -> tuple[Tensor, Tensor]:
        energy = self.collider_energy
        root = (pt.square() + 4.0 * energy * transverse_mass).sqrt()
        ratio = (energy**2 + transverse_mass.square() - pt.square()) / (2.0 * energy * transverse_mass)
        return -torch.acosh(ratio.clamp(min=1.0)), 2.0 * torch.log(2.0 * energy / (pt + root))

    def _quark_interval(self, transverse_mass: Tensor, pt: Tensor, y_system: Tensor) -> tuple[Tensor, Tensor]:
        tiny = torch.finfo(pt.dtype).tiny
        ahead = (self.collider_energy - transverse_mass * torch.exp(y_system)).clamp(min=tiny)
        behind = (self.collider_energy - transverse_mass * torch.exp(-y_system)).clamp(min=tiny)
        return torch.maximum(_SIDE * y_system, torch.log(pt / behind)), torch.log(ahead / pt)

    def _from_system(self, number: Tensor, transverse_mass: Tensor, pt: Tensor) -> tuple[Tensor, Tensor]:
        lower, upper = self._system_interval(transverse_mass, pt)
        return from_peak(number, torch.zeros_like(pt), lower, upper, SYSTEM_WIDTH)

    def _to_system(self, value: Tensor, transverse_mass: Tensor, pt: Tensor) -> tuple[Tensor, Tensor]:
        lower, upper = self._system_interval(transverse_mass, pt)
        return to_peak(value, torch.zeros_like(pt), lower, upper, SYSTEM_WIDTH)

    def _pole(self, mass: Tensor, momentum: Tensor, top_mass: Tensor, virtuality: Tensor) -> Tensor:
        """Return the cos θ > 1 at which the W between b and t would be on its mass shell.

        q₂² − m_W² = m_t² − m_W² − 2 E_b (E_t − |p| cos θ) with E_b = (M² − q₁²)/2M in the rest frame of K.
        """
        top_energy = (mass.square() + top_mass.square() - self.higgs_mass**2) / (2.0 * mass)
        inverse_energy = 2.0 * mass / (mass.square() + virtuality)
        return (top_energy + 0.5 * inverse_energy * (self.w_mass**2 - top_mass.square())) / momentum

    def _angle(
        self, system: tuple[Tensor, Tensor, Tensor], kinematics: tuple[Tensor, Tensor, Tensor, Tensor]
    ) -> ExchangeAngle:
        """Return the map of cos θ, from mass, momentum and top mass, and p_T, y_q, M_T, y_K."""
        pt, y_quark, transverse_mass, y_system = kinematics
        gap = y_quark - y_system
        first = pt * (pt + transverse_mass * torch.exp(-gap))
        second = pt * (pt + transverse_mass * torch.exp(gap))
        return ExchangeAngle(
            self._pole(*system, first),
            self._pole(*system, second),
            0.5 * torch.exp(-_CERTAINTY * (y_quark - _SIDE * y_system)),
        )

    def _from_quark(
        self, number: Tensor, transverse_mass: Tensor, pt: Tensor, y_system: Tensor
    ) -> tuple[Tensor, Tensor]:
        lower, upper = self._quark_interval(transverse_mass, pt, y_system)
        return from_peak(number, peak_of(transverse_mass, pt, y_system), lower, upper, _QUARK_WIDTH)

    def _to_quark(self, value: Tensor, transverse_mass: Tensor, pt: Tensor, y_system: Tensor) -> tuple[Tensor, Tensor]:
        lower, upper = self._quark_interval(transverse_mass, pt, y_system)
        return to_peak(value, peak_of(transverse_mass, pt, y_system), lower, upper, _QUARK_WIDTH)


def peak_of(transverse_mass: Tensor, pt: Tensor, y_system: Tensor) -> Tensor:
    """Return the y_q at which q has as much of the light-cone momentum of the first parton as K has."""
    return y_system + torch.log(_QUARK_SHARE * transverse_mass / pt)


def from_rapidity(pt: Tensor, phi: Tensor, rapidity: Tensor, transverse_mass: Tensor) -> Tensor:
    """Return (E, px, py, pz); a negative p_T points against φ."""
    return torch.stack(
        [
            transverse_mass * torch.cosh(rapidity),
            pt * torch.cos(phi),
            pt * torch.sin(phi),
            transverse_mass * torch.sinh(rapidity),
        ],
        dim=-1,
    )


def direction_of(cosine: Tensor, number: Tensor) -> Tensor:
    """Return the unit vector `(N, 3)` of a polar angle and a number for the azimuth."""
    sine = safe_sqrt((1.0 - cosine) * (1.0 + cosine))
    phi = 2.0 * math.pi * number
    return torch.stack([sine * torch.cos(phi), sine * torch.sin(phi), cosine], dim=-1)


def frame_of(system: Tensor, phi: Tensor, side: Tensor) -> Tensor:
    """Return the axes in the rest frame of K as columns, `(N, 3, 3)`: z along the beam that q leaves behind.

    y is perpendicular to the plane of the beams and q, so that the boost does not change it.
    """
    zero, one = torch.zeros_like(phi), torch.ones_like(phi)
    beam = boost_to_rest_frame(torch.stack([one, zero, zero, -side], dim=-1), system)[:, 1:]
    z = beam / beam.square().sum(dim=-1, keepdim=True).sqrt()
    y = torch.stack([-side * torch.sin(phi), side * torch.cos(phi), zero], dim=-1)
    return torch.stack([torch.linalg.cross(y, z, dim=-1), y, z], dim=-1)

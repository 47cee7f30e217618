"""The phase space of H t q for a b from the second beam: a map for each of the two structures of its diagrams.

The variables are those of `partonic.processes.thq.cube`, but which parton was the b is not guessed from where q goes:
the sampling takes the two cases apart, for they are different partonic channels and mirror images of each other. The
rapidities of q and of K = t + H have their whole ranges, p_T e^{y_q} ≤ a and p_T e^{−y_q} ≤ b with a = √S − M_T e^{y_K}
and b = √S − M_T e^{−y_K}, and cos θ has the pole of one W between b and t and a part without.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.physics.fourvector import boost_from_rest_frame, boost_to_rest_frame, minkowski_square, on_shell
from partonic.physics.phasespace.peaks import from_peak, from_power, to_peak, to_power
from partonic.physics.phasespace.twobody import breakup_momentum
from partonic.physics.process import PartonEvents
from partonic.processes.thq.cube import (
    MASS_SCALE,
    PT_SCALE,
    SYSTEM_WIDTH,
    SingleTopHiggsCube,
    direction_of,
    frame_of,
    from_rapidity,
    peak_of,
)
from partonic.processes.thq.exchange_angle import ExchangeAngle

__all__ = ["BottomBehindCube"]

_QUARK_WIDTH = 1.5


@dataclass(frozen=True)
class BottomBehindCube(SingleTopHiggsCube):
    """The map of [0, 1]⁷ to H, t, q of events whose b came from the second beam; attributes as in its base.

    Attributes:
        flat: the part of cos θ without the pole of the W: small where H comes from the W, near 1 where it comes from
            the top.
        mass_scale: GeV above which the density of √(M² − threshold²) falls.
    """

    flat: float = 0.1
    mass_scale: float = MASS_SCALE

    def forward_with_masses(
        self, numbers: Float[Tensor, "events 7"], top_masses: Float[Tensor, "events 1"]
    ) -> tuple[PartonEvents, Float[Tensor, " events"]]:
        """Map numbers to events, with an invariant mass of the top (GeV) for each; log |d(Φ₃, x₁, x₂)/du|."""
        top_mass, half_unit = top_masses[:, 0], 0.5 * torch.finfo(numbers.dtype).eps
        u = numbers.clamp(min=half_unit, max=1.0 - half_unit)
        threshold = top_mass + self.higgs_mass
        excess, log_mass = from_power(u[:, 0], self._excess_limit(threshold), self.mass_scale)
        mass = (excess.square() + threshold.square()).sqrt()
        pt, log_pt = from_power(u[:, 1], self._pt_limit(mass), PT_SCALE)
        phi = 2.0 * math.pi * u[:, 2]
        transverse_mass = (mass.square() + pt.square()).sqrt()
        y_system, log_system = from_peak(
            u[:, 3], torch.zeros_like(pt), *self._system_interval(transverse_mass, pt), SYSTEM_WIDTH
        )
        y_quark, log_quark = from_peak(
            u[:, 4],
            peak_of(transverse_mass, pt, y_system),
            *self._quark_interval(transverse_mass, pt, y_system),
            _QUARK_WIDTH,
        )
        momentum = breakup_momentum(mass - threshold, top_mass, self.higgs_mass)
        angle = self._angle((mass, momentum, top_mass), (pt, y_quark, transverse_mass, y_system))
        cosine, log_cosine = angle.forward(u[:, 5])
        quark, system = from_rapidity(pt, phi, y_quark, pt), from_rapidity(-pt, phi, y_system, transverse_mass)
        axes = frame_of(system, phi, torch.ones_like(phi))
        direction = (axes * direction_of(cosine, u[:, 6])[:, None, :]).sum(dim=-1)
        top = boost_from_rest_frame(on_shell(momentum[:, None] * direction, top_mass), system)
        fractions = [
            (pt * torch.exp(sign * y_quark) + transverse_mass * torch.exp(sign * y_system))
            .div(self.collider_energy)
            .clamp(max=1.0)  # rounding must not take a momentum fraction above one
            for sign in (1, -1)
        ]
        log_jacobian = log_mass + log_pt + log_system + log_quark + log_cosine + self._log_constant(mass, momentum)
        return PartonEvents(torch.stack([system - top, top, quark], dim=1), fractions[0], fractions[1]), log_jacobian

    def inverse_with_masses(
        self, events: PartonEvents, top_masses: Float[Tensor, "events 1"]
    ) -> tuple[Float[Tensor, "events 7"], Float[Tensor, " events"]]:
        """Return the numbers of events with an invariant mass of the top (GeV) for each; log |du/d(Φ₃, x₁, x₂)|."""
        top_mass, (higgs, top, quark) = top_masses[:, 0], events.momenta.unbind(dim=1)
        system = higgs + top
        threshold = top_mass + self.higgs_mass
        mass = minkowski_square(system).sqrt()
        pt = quark[:, 1:3].square().sum(dim=-1).sqrt()
        phi = torch.atan2(quark[:, 2], quark[:, 1])
        transverse_mass = (mass.square() + pt.square()).sqrt()
        y_quark, y_system = torch.asinh(quark[:, 3] / pt), torch.asinh(system[:, 3] / transverse_mass)
        excess = (mass.square() - threshold.square()).clamp(min=0.0).sqrt()
        u0, log_mass = to_power(excess, self._excess_limit(threshold), self.mass_scale)
        u1, log_pt = to_power(pt, self._pt_limit(mass), PT_SCALE)
        u3, log_system = to_peak(
            y_system, torch.zeros_like(pt), *self._system_interval(transverse_mass, pt), SYSTEM_WIDTH
        )
        u4, log_quark = to_peak(
            y_quark,
            peak_of(transverse_mass, pt, y_system),
            *self._quark_interval(transverse_mass, pt, y_system),
            _QUARK_WIDTH,
        )
        at_rest = boost_to_rest_frame(top, system)[:, 1:]
        direction = (frame_of(system, phi, torch.ones_like(phi)) * at_rest[:, :, None]).sum(dim=1)
        momentum = at_rest.square().sum(dim=-1).sqrt()
        angle = self._angle((mass, momentum, top_mass), (pt, y_quark, transverse_mass, y_system))
        u5, log_cosine = angle.inverse((direction[:, 2] / momentum).clamp(min=-1.0, max=1.0))
        u6 = torch.remainder(torch.atan2(direction[:, 1], direction[:, 0]) / (2.0 * math.pi), 1.0)
        turn = torch.remainder(phi / (2.0 * math.pi), 1.0)
        log_jacobian = log_mass + log_pt + log_system + log_quark + log_cosine - self._log_constant(mass, momentum)
        return torch.stack([u0, u1, turn, u3, u4, u5, u6], dim=1), log_jacobian

    def _log_constant(self, mass: Tensor, momentum: Tensor) -> Tensor:
        """Return that of the base without its factor 2 for the two sides."""
        return super()._log_constant(mass, momentum) - math.log(2.0)

    def _system_interval(self, transverse_mass: Tensor, pt: Tensor) -> tuple[Tensor, Tensor]:
        energy = self.collider_energy
        ratio = (energy**2 + transverse_mass.square() - pt.square()) / (2.0 * energy * transverse_mass)
        reach = torch.acosh(ratio.clamp(min=1.0))
        return -reach, reach

    def _quark_interval(self, transverse_mass: Tensor, pt: Tensor, y_system: Tensor) -> tuple[Tensor, Tensor]:
        tiny = torch.finfo(pt.dtype).tiny
        ahead = (self.collider_energy - transverse_mass * torch.exp(y_system)).clamp(min=tiny)
        behind = (self.collider_energy - transverse_mass * torch.exp(-y_system)).clamp(min=tiny)
        return torch.log(pt / behind), torch.log(ahead / pt)

    def _angle(
        self, system: tuple[Tensor, Tensor, Tensor], kinematics: tuple[Tensor, Tensor, Tensor, Tensor]
    ) -> ExchangeAngle:
        """Return the map of cos θ, from mass, momentum and top mass, and p_T, y_q, M_T, y_K."""
        pt, y_quark, transverse_mass, y_system = kinematics
        virtuality = pt * (pt + transverse_mass * torch.exp(y_system - y_quark))
        pole = self._pole(*system, virtuality)
        return ExchangeAngle(pole, torch.full_like(pole, 2.0), torch.zeros_like(pole), self.flat)

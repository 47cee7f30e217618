"""A process whose cross section is known in closed form: dσ/du is a product of simple densities on the unit cube.

Kinematics are real (massive RAMBO, momentum fractions), so events are physical; the matrix element is whatever makes
dσ/du the chosen function. With one parameter k and three channels:

    gg:   2   (1, −1.2 s, 0.8) g(u)     s = u3, ∫ s g = 1/2, two colour flows with shares u5 and 1 − u5
    uū:   0.5 (1,  0.3,   0.2) g(u) · 2(1 − u3)
    ūu:   0.25(1,  0.3,   0.2) g(u)

    g(u) = 3 u0² · 2 (1 − u1) · BW(u2) · (1 + 0.6 cos 2π(u4 − u6)) · (1 + 0.9 (2 u3 − 1)(2 u5 − 1)),   ∫ g = 1,

where u4 and u6 are the azimuths. The last factor is a correlation that no VEGAS grid can follow.
"""

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

from partonic.physics.fourvector import boost_along_z
from partonic.physics.particles import HIGGS, TOP, Particle
from partonic.physics.phasespace.fractions import MomentumFractions
from partonic.physics.phasespace.rambo import Rambo
from partonic.physics.process import Channel, PartonEvents
from partonic.polynomial import Monomials

GLUON_FLOWS = (
    ((501, 502), (502, 503), (0, 0), (501, 0), (0, 503)),
    ((502, 503), (501, 502), (0, 0), (501, 0), (0, 503)),
)
QUARK_FLOW = ((501, 0), (0, 502), (0, 0), (501, 0), (0, 502))
ANTIQUARK_FLOW = ((0, 502), (501, 0), (0, 0), (501, 0), (0, 502))
COEFFICIENTS = (2.75, -0.975, 1.75)
"""Closed-form coefficients of the cross section, pb."""
CHANNELS_AT_0 = (2.0, 0.5, 0.25)
CENTRE, WIDTH = 0.3, 0.1


def breit_wigner_norm() -> float:
    return (math.atan((1 - CENTRE) / WIDTH) + math.atan(CENTRE / WIDTH)) / WIDTH


@dataclass(frozen=True)
class ToyProcess:
    """See the module. `broken` is a value of u0 below which the coefficients are NaN."""

    broken: float = 0.0
    name: str = "toy"
    final_state: tuple[Particle, ...] = (HIGGS, TOP, TOP.antiparticle)
    collider_energy: float = 13000.0
    scale_of_gg: float = 1.0
    channels: tuple[Channel, ...] = (
        Channel((21, 21), GLUON_FLOWS),
        Channel((2, -2), (QUARK_FLOW,)),
        Channel((-2, 2), (ANTIQUARK_FLOW,)),
    )
    monomials: Monomials = field(default_factory=lambda: Monomials.up_to_degree(("k",), 2))

    @property
    def dimensions(self) -> int:
        return 7

    @property
    def _maps(self) -> tuple[MomentumFractions, Rambo]:
        masses = tuple(particle.mass for particle in self.final_state)
        return MomentumFractions(sum(masses), self.collider_energy), Rambo(masses)

    def from_unit_cube(self, numbers: Tensor) -> tuple[PartonEvents, Tensor]:
        fractions, rambo = self._maps
        x1, x2, first = fractions.forward(numbers[:, :2])
        momenta, second = rambo.forward(numbers[:, 2:], (x1 * x2).sqrt() * self.collider_energy)
        return PartonEvents(boost_along_z(momenta, 0.5 * (x1 / x2).log()[:, None]), x1, x2), first + second

    def to_unit_cube(self, events: PartonEvents) -> tuple[Tensor, Tensor]:
        fractions, rambo = self._maps
        numbers, first = fractions.inverse(events.x1, events.x2)
        momenta = boost_along_z(events.momenta, 0.5 * (events.x2 / events.x1).log()[:, None])
        others, second = rambo.inverse(momenta, (events.x1 * events.x2).sqrt() * self.collider_energy)
        return torch.cat([numbers, others], dim=1), first + second

    def coefficients(self, events: PartonEvents) -> Tensor:
        return self.channel_coefficients(events).sum(dim=1)

    def channel_coefficients(self, events: PartonEvents) -> Tensor:
        u, log_jacobian = self.to_unit_cube(events)
        g = density(u) * log_jacobian.exp()
        g = torch.where(u[:, 0] < self.broken, torch.nan, g)
        one = torch.ones_like(g)
        gluons = torch.stack([2.0 * one, -2.4 * u[:, 3], 1.6 * one], dim=1) * self.scale_of_gg
        quarks = torch.stack([one, 0.3 * one, 0.2 * one], dim=1)
        by_channel = torch.stack([gluons, quarks * (1.0 - u[:, [3]]), 0.25 * quarks], dim=1)
        return by_channel * g[:, None, None]

    def flow_weights(self, events: PartonEvents, theta: Tensor) -> Tensor:
        share = self.to_unit_cube(events)[0][:, 5]
        shares = torch.stack([share, 1.0 - share], dim=1)
        single = torch.stack([torch.ones_like(share), torch.zeros_like(share)], dim=1)
        return torch.stack([shares, single, single], dim=1)

    def scale(self, events: PartonEvents) -> Tensor:
        return torch.full_like(events.x1, 235.0)

    def alpha_s(self, events: PartonEvents) -> Tensor:
        return torch.full_like(events.x1, 0.11)


def density(u: Tensor) -> Tensor:
    """g(u)."""
    peak = 1.0 / ((u[:, 2] - CENTRE) ** 2 + WIDTH**2) / breit_wigner_norm()
    ridge = 1.0 + 0.6 * torch.cos(2.0 * math.pi * (u[:, 4] - u[:, 6]))
    correlation = 1.0 + 0.9 * (2.0 * u[:, 3] - 1.0) * (2.0 * u[:, 5] - 1.0)
    return 3.0 * u[:, 0] ** 2 * 2.0 * (1.0 - u[:, 1]) * peak * ridge * correlation


def peak_cumulative(u: Tensor) -> Tensor:
    """∫₀^u of the peak in u2."""
    return (torch.atan((u - CENTRE) / WIDTH) + math.atan(CENTRE / WIDTH)) / WIDTH / breit_wigner_norm()

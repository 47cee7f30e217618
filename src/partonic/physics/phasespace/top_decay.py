"""The phase space of t → b W → b f f̄' with massless products, of a top of any mass.

    dΦ₃ = (dq²/2π) dΦ₂(t; b, W) dΦ₂(W; f, f̄')

q² follows the Breit–Wigner shape of the W. The directions are those of the W in the rest frame of the top, and of the
fermion of isospin −½ (charged lepton or down-type quark) in that of the W about its direction of flight, where the
polarisation of the W makes |M|² a function of one number.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.physics.fourvector import boost_from_rest_frame, boost_to_rest_frame, mass, on_shell
from partonic.physics.phasespace.boson_pair import from_flight, to_flight
from partonic.physics.phasespace.breit_wigner import BreitWigner
from partonic.physics.phasespace.twobody import breakup_momentum, direction_from_numbers, numbers_from_direction

__all__ = ["TopDecayMap"]

_LIGHTEST = 1e-6
"""Smallest q² in GeV²: a W at which the products do not yet lie on one line to rounding."""


@dataclass(frozen=True)
class TopDecayMap:
    """The map of [0, 1]⁵ to b, f and f̄' of a top, f being the fermion of isospin −½ (or its antiparticle).

    The numbers are: q², polar angle and azimuth of the W, and those of f.

    Attributes:
        w_mass: GeV.
        w_width: GeV.
    """

    w_mass: float
    w_width: float

    @property
    def dimensions(self) -> int:
        """Five."""
        return 5

    def forward(
        self, numbers: Float[Tensor, "events 5"], top: Float[Tensor, "events 4"]
    ) -> tuple[Float[Tensor, "events 3 4"], Float[Tensor, " events"]]:
        """Return the momenta of b, f and f̄' of tops in the frame of `top` (GeV), and log |dΦ₃/du|."""
        top_mass = mass(top)
        lower, upper = self._limits(top_mass)
        square, log_square = self._shape.forward(numbers[:, 0], lower, upper)
        w_mass = square.sqrt()
        momentum = breakup_momentum(top_mass - w_mass, w_mass, 0.0)
        flight = direction_from_numbers(numbers[:, 1:3])
        w_at_rest = on_shell(momentum[:, None] * flight, w_mass)
        down = 0.5 * w_mass[:, None] * from_flight(direction_from_numbers(numbers[:, 3:5]), flight)
        down_at_rest = boost_from_rest_frame(on_shell(down, 0.0), w_at_rest)
        bottom_at_rest = on_shell(-momentum[:, None] * flight, 0.0)
        # massless to rounding in the frame of `top`: energies from the momenta
        down, up, bottom = (
            on_shell(boost_from_rest_frame(part, top)[:, 1:], 0.0)
            for part in (down_at_rest, w_at_rest - down_at_rest, bottom_at_rest)
        )
        return torch.stack([bottom, down, up], dim=1), log_square + _log_volume(momentum, top_mass)

    def inverse(
        self, products: Float[Tensor, "events 3 4"]
    ) -> tuple[Float[Tensor, "events 5"], Float[Tensor, " events"]]:
        """Return the numbers of decays and log |du/dΦ₃|."""
        top = products.sum(dim=1)
        top_mass = mass(top)
        w = products[:, 1] + products[:, 2]
        w_at_rest = boost_to_rest_frame(w, top)
        w_mass = mass(w)
        number, log_square = self._shape.inverse(w_mass.square(), *self._limits(top_mass))
        down = boost_to_rest_frame(boost_to_rest_frame(products[:, 1], top), w_at_rest)[:, 1:]
        flight = w_at_rest[:, 1:]
        directions = [numbers_from_direction(flight), numbers_from_direction(to_flight(down, flight))]
        momentum = breakup_momentum(top_mass - w_mass, w_mass, 0.0)
        return torch.cat([number[:, None], *directions], dim=1), log_square - _log_volume(momentum, top_mass)

    @property
    def _shape(self) -> BreitWigner:
        return BreitWigner(self.w_mass, self.w_width)

    def _limits(self, top_mass: Tensor) -> tuple[Tensor, Tensor]:
        return torch.full_like(top_mass, _LIGHTEST), top_mass.square() * (1.0 - _LIGHTEST)


def _log_volume(momentum: Tensor, top_mass: Tensor) -> Tensor:
    """Return log of the two-body volumes |p|/(4πM) and 1/(8π), and of 1/2π for dq²."""
    return torch.log(momentum / (4.0 * math.pi * top_mass)) - math.log(8.0 * math.pi * 2.0 * math.pi)

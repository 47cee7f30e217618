"""From H t t̄ with a transverse momentum to the hard process without.

Radiation before the hard process leaves its invariants and, nearly, its rapidity: the recoil is a transverse boost.
With ŝ and y kept,

    dx₁ dx₂ dΦ_n(ŝ) d²ρ = (2/S) (2π)^(4−3n) ∏ d³p_i/(2E_i),

with the momenta p_i after the boost on the right, since d⁴Q = ½ dŝ dy d²ρ and dx₁ dx₂ = dŝ dy/S.
"""

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from partonic.physics.fourvector import boost_along_z, boost_to_rest_frame
from partonic.physics.process import PartonEvents

__all__ = ["log_phase_space_constant", "log_steepness", "without_recoil"]


def log_phase_space_constant(partons: int, collider_energy: float) -> float:
    """Return log of (2/S)(2π)^(4−3n) for n partons and √S in GeV."""
    return math.log(2.0 / collider_energy**2) + (4 - 3 * partons) * math.log(2.0 * math.pi)


def without_recoil(
    momenta: Float[Tensor, "points partons 4"], collider_energy: float
) -> tuple[PartonEvents, Bool[Tensor, " points"]]:
    """Boost away the transverse momentum of the whole, keeping its mass and rapidity.

    Args:
        momenta: of the partons, laboratory, GeV.
        collider_energy: √S, GeV.

    Returns:
        the events of the hard process, and whether the collider can make them (x1, x2 < 1).
    """
    total = momenta.sum(dim=1)
    rapidity = torch.atanh((total[:, 3] / total[:, 0]).clamp(-1.0 + 1e-15, 1.0 - 1e-15))[:, None]
    central = boost_along_z(momenta, -rapidity)
    at_rest = boost_to_rest_frame(central, central.sum(dim=1, keepdim=True))
    root = at_rest[..., 0].sum(dim=1) / collider_energy
    x1, x2 = root * torch.exp(rapidity[:, 0]), root * torch.exp(-rapidity[:, 0])
    return PartonEvents(boost_along_z(at_rest, rapidity), x1, x2), (x1 < 1.0) & (x2 < 1.0)


def log_steepness(events: PartonEvents) -> Float[Tensor, " points"]:
    """Return the log of a power of x1 x2 with about the steepness of dσ/dz, for ranking and adapting without it.

    Gluon densities fall like x^(−1.2) (1 − x)⁵, the flux like 1/(x1 x2), and |M|² has the dimension GeV^(4−2n).
    """
    power = 2.2 + (events.momenta.shape[1] - 2)
    beyond = ((1.0 - events.x1) * (1.0 - events.x2)).clamp(min=1e-30)
    return 5.0 * torch.log(beyond) - power * torch.log(events.x1 * events.x2)

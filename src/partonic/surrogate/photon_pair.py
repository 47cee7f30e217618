"""Two photons of H as their mass, and what is left of them beside the direction of the harder one.

Given the momentum of H and the direction of the harder photon, the decay fixes pT of that photon and the direction of
the other one, up to recoil against initial-state radiation and the detector. That is told as

    asinh[ln(pT/pT')/0.05]  of the harder photon,   asinh[(η − η')/0.05], asinh[(φ − φ')/0.05]  of the other one,
    asinh[ln(m/m_H)/0.01]   of the mass m of both, from which pT of the other one follows,

linear where these are small and logarithmic in their tails, primes for the values of the decay. The mass is a number by
itself, since it is much sharper than anything that it is made of.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.physics.kinematics import azimuth, delta_phi, pseudorapidity

__all__ = ["photons_of_residuals", "residuals_of_photons"]

_OF_PT, _OF_MASS, _OF_ANGLE = 0.05, 0.01, 0.05
_LARGEST = 6.0
"""Of |asinh|: a factor of 7 in the mass."""

_SMALLEST_ANGLE = 1e-9
"""Of cosh Δη − cos Δφ: photons of one direction have no mass."""


def residuals_of_photons(
    photons: Float[Tensor, "events 2 3"], higgs: Float[Tensor, "events 4"]
) -> Float[Tensor, "events 4"]:
    """Return the residuals: pT of the first photon, mass, η and φ of the second photon.

    Args:
        photons: pT (GeV), η, φ, the harder photon first.
        higgs: momentum of H, GeV.
    """
    first, second = photons.unbind(dim=1)
    pt, expected = _expected(first[:, 1], first[:, 2], higgs)
    square = 2.0 * first[:, 0] * second[:, 0] * _opening(first, second)
    left = torch.stack(
        [
            torch.log(first[:, 0] / pt) / _OF_PT,
            0.5 * torch.log(square / _mass_square(higgs)) / _OF_MASS,
            (second[:, 1] - pseudorapidity(expected)) / _OF_ANGLE,
            delta_phi(second[:, 2], azimuth(expected)) / _OF_ANGLE,
        ],
        dim=1,
    )
    return torch.asinh(left).clamp(-_LARGEST, _LARGEST)


def photons_of_residuals(
    residuals: Float[Tensor, "events 4"], direction: Float[Tensor, "events 2"], higgs: Float[Tensor, "events 4"]
) -> Float[Tensor, "events 2 3"]:
    """Return pT, η, φ of both photons, the inverse of `residuals_of_photons`.

    Args:
        residuals: as from there.
        direction: η and φ of the first photon.
        higgs: momentum of H, GeV.
    """
    scale = torch.tensor([_OF_PT, _OF_MASS, _OF_ANGLE, _OF_ANGLE], dtype=residuals.dtype)
    ratio, mass, eta, phi = (scale * torch.sinh(residuals.clamp(-_LARGEST, _LARGEST))).unbind(dim=1)
    pt, expected = _expected(direction[:, 0], direction[:, 1], higgs)
    turned = azimuth(expected) + phi
    first = torch.stack([pt * ratio.exp(), *direction.unbind(dim=1)], dim=1)
    etas, phis = pseudorapidity(expected) + eta, delta_phi(turned, torch.zeros_like(turned))
    second = torch.stack([torch.ones_like(etas), etas, phis], dim=1)
    square = _mass_square(higgs) * (2.0 * mass).exp()
    second[:, 0] = square / (2.0 * first[:, 0] * _opening(first, second))
    return torch.stack([first, second], dim=1)


def _opening(first: Tensor, second: Tensor) -> Tensor:
    """Return cosh Δη − cos Δφ of two photons."""
    difference = torch.cosh(first[:, 1] - second[:, 1]) - torch.cos(first[:, 2] - second[:, 2])
    return difference.clamp(min=_SMALLEST_ANGLE)


def _mass_square(momenta: Tensor) -> Tensor:
    return momenta[:, 0].square() - momenta[:, 1:].square().sum(dim=1)


def _expected(eta: Tensor, phi: Tensor, higgs: Tensor) -> tuple[Tensor, Tensor]:
    """Return pT of a massless decay product in this direction, and the momentum of the other one."""
    direction = torch.stack([eta.cosh(), phi.cos(), phi.sin(), eta.sinh()], dim=1)
    product = higgs[:, 0] * direction[:, 0] - (higgs[:, 1:] * direction[:, 1:]).sum(dim=1)
    pt = _mass_square(higgs) / (2.0 * product)
    return pt, higgs - pt[:, None] * direction

"""Two photons of H relative to what the direction of the first one says: numbers in which their mass stays sharp.

Given the momentum of H and the direction of the harder photon, the decay fixes pT of that photon and all of the other
one. What a detector adds are small residuals; they are told as

    asinh[ln(pT/pT')/0.02]  of both photons,   asinh[(η − η')/0.005], asinh[(φ − φ')/0.005]  of the second,

linear where the residuals are small and logarithmic in their tails, primes for the values of the decay.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.physics.kinematics import azimuth, delta_phi, pseudorapidity, transverse_momentum

__all__ = ["photons_of_residuals", "residuals_of_photons"]

_OF_PT, _OF_ANGLE = 0.02, 0.005
_LARGEST = 8.0
"""Of |asinh|: a factor of e³⁰ in pT."""


def residuals_of_photons(
    photons: Float[Tensor, "events 2 3"], higgs: Float[Tensor, "events 4"]
) -> Float[Tensor, "events 4"]:
    """Return the residuals of pT of both photons, and of η and φ of the second one.

    Args:
        photons: pT (GeV), η, φ, the harder photon first.
        higgs: momentum of H, GeV.
    """
    first, second = photons.unbind(dim=1)
    pt, expected = _expected(first[:, 1], first[:, 2], higgs)
    ratios = [torch.log(first[:, 0] / pt), torch.log(second[:, 0] / transverse_momentum(expected))]
    angles = [second[:, 1] - pseudorapidity(expected), delta_phi(second[:, 2], azimuth(expected))]
    scaled = [value / _OF_PT for value in ratios] + [value / _OF_ANGLE for value in angles]
    return torch.asinh(torch.stack(scaled, dim=1)).clamp(-_LARGEST, _LARGEST)


def photons_of_residuals(
    residuals: Float[Tensor, "events 4"], direction: Float[Tensor, "events 2"], higgs: Float[Tensor, "events 4"]
) -> Float[Tensor, "events 2 3"]:
    """Return pT, η, φ of both photons, the inverse of `residuals_of_photons`.

    Args:
        residuals: as from there.
        direction: η and φ of the first photon.
        higgs: momentum of H, GeV.
    """
    scale = torch.tensor([_OF_PT, _OF_PT, _OF_ANGLE, _OF_ANGLE], dtype=residuals.dtype)
    first, second, eta, phi = (scale * torch.sinh(residuals.clamp(-_LARGEST, _LARGEST))).unbind(dim=1)
    pt, expected = _expected(direction[:, 0], direction[:, 1], higgs)
    azimuth_of_second = azimuth(expected) + phi
    wrapped = delta_phi(azimuth_of_second, torch.zeros_like(azimuth_of_second))
    rows = [
        torch.stack([pt * first.exp(), *direction.unbind(dim=1)], dim=1),
        torch.stack([transverse_momentum(expected) * second.exp(), pseudorapidity(expected) + eta, wrapped], dim=1),
    ]
    return torch.stack(rows, dim=1)


def _expected(eta: Tensor, phi: Tensor, higgs: Tensor) -> tuple[Tensor, Tensor]:
    """Return pT of a massless decay product in this direction, and the momentum of the other one."""
    direction = torch.stack([eta.cosh(), phi.cos(), phi.sin(), eta.sinh()], dim=1)
    square = higgs[:, 0].square() - higgs[:, 1:].square().sum(dim=1)
    product = higgs[:, 0] * direction[:, 0] - (higgs[:, 1:] * direction[:, 1:]).sum(dim=1)
    pt = square / (2.0 * product)
    return pt, higgs - pt[:, None] * direction

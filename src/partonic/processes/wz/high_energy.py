"""How each coefficient of |M|² of q q̄' → W Z on the mass shell behaves with the energy."""

import math

import numpy as np
import torch
from torch import Tensor

from partonic.errors import ParameterError
from partonic.physics.electroweak import ElectroweakScheme
from partonic.processes.wz.on_shell import OnShellWZAmplitude

__all__ = ["central_coefficients", "central_scattering", "growth"]

_U_DBAR = (2, -1, 24, 23)
_POINTS = 40


def central_coefficients(energy: float, reach: float = 0.8) -> dict[str, float]:
    """Return the coefficients of |M|² of u d̄ → W⁺Z by monomial, averaged over |cos θ| < `reach` by Gauss' rule.

    Args:
        energy: √ŝ in GeV.
        reach: largest |cos θ|.

    Raises:
        ParameterError: if the energy is below threshold, or `reach` is no cosine.
    """
    nodes, weights = (torch.from_numpy(x) for x in np.polynomial.legendre.leggauss(_POINTS))
    momenta = central_scattering(energy, reach * nodes)
    amplitude = OnShellWZAmplitude(_U_DBAR)
    values = amplitude.coefficients(momenta, torch.ones(_POINTS, dtype=torch.float64))
    return dict(zip(amplitude.monomials.names, (0.5 * weights @ values).tolist(), strict=True))


def central_scattering(energy: float, cosine: Tensor) -> Tensor:
    """Return the momenta of u, d̄, W and Z in their rest frame, W at an angle to u, `(N, 4, 4)`.

    Args:
        energy: √ŝ in GeV.
        cosine: cos θ of the W, `(N,)`.

    Raises:
        ParameterError: if the energy is below threshold, or a cosine is none.
    """
    scheme = ElectroweakScheme(w_width=0.0, z_width=0.0)
    w_mass, z_mass = scheme.w_mass, scheme.z_mass
    if not energy > w_mass + z_mass or bool((cosine.abs() > 1.0).any()):
        raise ParameterError(
            f"W and Z need √ŝ above {w_mass + z_mass:.1f} GeV and cosines from −1 to 1, got {energy:g} GeV and up to "
            f"{float(cosine.abs().max()):g}"
        )
    both, apart = (w_mass + z_mass) / energy, (w_mass - z_mass) / energy
    momentum = 0.5 * energy * math.sqrt((1.0 - both**2) * (1.0 - apart**2))
    half, zero = torch.full_like(cosine, 0.5 * energy), torch.zeros_like(cosine)
    three = momentum * torch.stack([(1.0 - cosine**2).sqrt(), zero, cosine], dim=1)
    sizes = [torch.full_like(cosine, math.hypot(momentum, mass))[:, None] for mass in (w_mass, z_mass)]
    return torch.stack(
        [
            torch.stack([half, zero, zero, half], dim=1),
            torch.stack([half, zero, zero, -half], dim=1),
            torch.cat([sizes[0], three], dim=1),
            torch.cat([sizes[1], -three], dim=1),
        ],
        dim=1,
    )


def growth(low: float, high: float) -> dict[str, float]:
    """Return the powers of ŝ with which the coefficients grow between two energies √ŝ in GeV, by monomial.

    Raises:
        ParameterError: if one is below threshold.
    """
    first, second = central_coefficients(low), central_coefficients(high)
    return {name: math.log(second[name] / first[name]) / (2.0 * math.log(high / low)) for name in first}

"""The neutrino of the leptonic W, as far as it is known: from the missing transverse momentum and the W mass."""

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.physics.fourvector import on_shell, safe_sqrt

__all__ = ["with_neutrino"]

_W_MASS = 80.4  # GeV


def with_neutrino(lepton: Float[Tensor, "events 4"], missing: Float[Tensor, "events 2"]) -> Float[Tensor, "events 4"]:
    """Return lepton plus neutrino, GeV.

    (p_ℓ + p_ν)² = m_W² is a quadratic equation for the pz of the neutrino; the solution closer to zero is taken, and
    the real part where no real one exists.

    Args:
        lepton: massless four-vector of the lepton.
        missing: px and py of the missing momentum.
    """
    energy, x, y, z = lepton.unbind(dim=1)
    product = 0.5 * _W_MASS**2 + x * missing[:, 0] + y * missing[:, 1]
    transverse = (x.square() + y.square()).clamp(min=torch.finfo(x.dtype).tiny)
    inside = product.square() - transverse * missing.square().sum(dim=1)
    centre, root = product * z, energy * safe_sqrt(inside)
    pz = torch.where(centre > 0.0, centre - root, centre + root) / transverse
    return lepton + on_shell(torch.cat([missing, pz[:, None]], dim=1), 0.0)

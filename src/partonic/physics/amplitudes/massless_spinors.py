r"""Left-handed massless quarks and leptons: the only ones that couple to a W.

In the chiral representation of `wavefunctions`, u_L(p) has the upper half χ(p), with χχ† = p·σ, and no lower one. An
antiparticle's v(p) with the same chirality has the same χ(p): massless particles and antiparticles differ in the
direction of their line alone. Phases are those of the helicity state along p.
"""

import torch
from jaxtyping import Complex, Float
from torch import Tensor

__all__ = ["left_column", "left_current", "left_row"]

Momentum = Float[Tensor, "4 points"]

_BACKWARD = 1e-14
"""E + pz in units of E below which a momentum counts as one along −z, where the phase of the spinor is a choice."""


def left_column(p: Momentum) -> Complex[Tensor, "4 points"]:
    """Return u_L(p) of a particle that enters, or v_L(p) of an antiparticle that leaves; p in GeV, E > 0."""
    upper = _left_spinor(p)
    return torch.cat([upper, torch.zeros_like(upper)])


def left_row(p: Momentum) -> Complex[Tensor, "4 points"]:
    """Return ū_L(p) of a particle that leaves, or v̄_L(p) of an antiparticle that enters; p in GeV, E > 0."""
    lower = _left_spinor(p).conj().resolve_conj()
    return torch.cat([torch.zeros_like(lower), lower])


def left_current(row: Momentum, column: Momentum) -> Complex[Tensor, "4 points"]:
    """Return ψ̄(row) γ^μ P_L ψ(column) = χ†σ̄^μχ, contravariant, in GeV.

    Args:
        row: momentum of the particle that leaves or the antiparticle that enters, `(4, N)`.
        column: momentum of the particle that enters or the antiparticle that leaves.
    """
    (a, b), (up, down) = _left_spinor(row).conj().resolve_conj(), _left_spinor(column)
    return torch.stack([a * up + b * down, -(a * down + b * up), 1j * (a * down - b * up), b * down - a * up])


def _left_spinor(p: Momentum) -> Complex[Tensor, "2 points"]:
    """Return √(2E) times the spin state against p: (−px + i py, E + pz)/√(E + pz)."""
    energy, px, py, pz = p
    plus = energy + pz
    backward = plus <= _BACKWARD * energy
    root = torch.where(backward, torch.ones_like(plus), plus).sqrt()
    real = torch.where(backward, -(2.0 * energy).sqrt(), -px / root)
    imaginary = torch.where(backward, torch.zeros_like(plus), py / root)
    lower = torch.where(backward, torch.zeros_like(plus), root)
    return torch.stack([torch.complex(real, imaginary), torch.complex(lower, torch.zeros_like(lower))])

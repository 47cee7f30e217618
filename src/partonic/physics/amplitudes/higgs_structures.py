r"""The three Lorentz structures of a Higgs boson and two vector bosons.

With q and k the momenta of the bosons, q coming in and k going out, and J and K their currents or polarisation vectors:

    T₁ = J·K,   T₂ = (q·k) J·K − (q·K)(k·J),   T₃ = ε_{μνρσ} q^μ J^ν k^ρ K^σ  (ε_{0123} = +1)

T₁ is that of masses, T₂ of two field strengths, T₃ of one and a dual one: T₂ and T₃ vanish for J ∝ q or K ∝ k.
"""

import torch
from jaxtyping import Complex, Float, Shaped
from torch import Tensor

from partonic.physics.amplitudes.currents import minkowski_product

__all__ = ["lorentz_structures"]


def lorentz_structures(
    total: Float[Tensor, "4 points"],
    k: Float[Tensor, "4 points"],
    quark: Complex[Tensor, "4 quarks points"],
    outgoing: Shaped[Tensor, "4 outgoing points"],
) -> Complex[Tensor, "3 quarks outgoing points"]:
    """Return T₁ (GeV² with leptons, GeV with V), T₂ and T₃ (two powers of GeV more) of all pairs of currents.

    Args:
        total: q, the momentum of the incoming pair, GeV.
        k: momentum of V, GeV.
        quark: J_q, contravariant.
        outgoing: J_ℓ or ε*, contravariant.
    """
    quark, outgoing = torch.broadcast_tensors(quark[:, :, None], outgoing[:, None].to(quark.dtype))  # type: ignore[no-untyped-call]
    wide_total, wide_k = total[:, None, None], k[:, None, None]
    product = minkowski_product(quark, outgoing)
    strengths = minkowski_product(total, k) * product - minkowski_product(wide_total, outgoing) * minkowski_product(
        wide_k, quark
    )
    return torch.stack([product, strengths, _determinant(wide_total, quark, wide_k, outgoing)])


def _determinant(a: Tensor, b: Tensor, c: Tensor, d: Tensor) -> Tensor:
    """Return ε_{μνρσ} a^μ b^ν c^ρ d^σ with ε_{0123} = +1: Laplace's expansion in 2 × 2 minors."""
    complements = (((0, 1), (2, 3), 1), ((0, 2), (1, 3), -1), ((0, 3), (1, 2), 1))
    total = torch.zeros_like(b[0])
    for (i, j), (k, m), sign in complements:
        total = total + sign * _minor(a, b, i, j) * _minor(c, d, k, m)
        total = total + sign * _minor(a, b, k, m) * _minor(c, d, i, j)
    return total


def _minor(a: Tensor, b: Tensor, i: int, j: int) -> Tensor:
    return a[i] * b[j] - a[j] * b[i]

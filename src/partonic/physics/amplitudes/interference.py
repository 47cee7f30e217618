"""From amplitudes to θ-coefficients: |M_0 + Σ_k θ_k M_k|² written out in the monomials of θ."""

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from partonic.polynomial import Monomials

__all__ = ["interference_matrix", "quadratic_coefficients", "squared_at"]


def interference_matrix(amplitudes: Complex[Tensor, "terms *axes points"]) -> Float[Tensor, "terms terms points"]:
    """Return Σ Re(M_i* M_j), summed over the axes in between (spins, polarisations).

    Args:
        amplitudes: M_0, M_1, …, M_K, components last but for the points.
    """
    terms = torch.view_as_real(amplitudes).movedim(-1, 1).flatten(1, -2)
    rows = [[(a * b).sum(dim=0) for b in terms[: i + 1]] for i, a in enumerate(terms)]
    full = [[rows[max(i, j)][min(i, j)] for j in range(len(terms))] for i in range(len(terms))]
    return torch.stack([torch.stack(row) for row in full])


def quadratic_coefficients(
    interference: Float[Tensor, "terms terms points"], monomials: Monomials
) -> Float[Tensor, "points monomials"]:
    """Return the coefficients of (1, θ_1, …, θ_K, θ_1², θ_1θ_2, …) from the interference matrix of M_0 … M_K."""
    columns = []
    for powers in monomials.exponents:
        inserted = [k + 1 for k, power in enumerate(powers) for _ in range(power)]
        i, j = [*inserted, 0, 0][:2]
        columns.append(interference[i, j] if i == j else 2.0 * interference[i, j])
    return torch.stack(columns, dim=-1)


def squared_at(
    interference: Float[Tensor, "terms terms points"], theta: Float[Tensor, " parameters"]
) -> Float[Tensor, " points"]:
    """Return |M_0 + Σ_k θ_k M_k|² at one θ, never negative: the quadratic form of the interference matrix."""
    couplings = torch.cat([theta.new_ones(1), theta])
    return torch.einsum("i,ijn,j->n", couplings, interference, couplings).clamp(min=0.0)

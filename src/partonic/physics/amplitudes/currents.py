r"""Off-shell currents: how vertices and propagators act on spinors and vectors.

All arrays carry components first and points last (see `wavefunctions`); axes in between are spins and polarisations
and broadcast. Common factors of vertices and propagators (i, couplings) are taken out: a propagator is
(q̸ + m)/(q² − m²), a gluon vertex γ^μ, and an amplitude is given up to one phase common to all diagrams.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Complex, Float, Shaped
from torch import Tensor

__all__ = [
    "Bispinor",
    "LightCone",
    "commutator",
    "contract",
    "fuse_gluons",
    "light_cone",
    "minkowski_product",
    "propagate_column",
    "propagate_row",
    "slash_column",
    "slash_row",
]

Spinor = Complex[Tensor, "4 *#axes"]
Vector = Shaped[Tensor, "4 *#axes"]


@dataclass(frozen=True)
class LightCone:
    """A four-vector V as the entries of V·σ and V·σ̄.

    Attributes:
        plus: V⁰ + V³.
        minus: V⁰ − V³.
        perp: V¹ + i V².
        perp_bar: V¹ − i V² (the complex conjugate of `perp` only for a real vector).
    """

    plus: Tensor
    minus: Tensor
    perp: Tensor
    perp_bar: Tensor


@dataclass(frozen=True)
class Bispinor:
    """A matrix that keeps chirality: one 2×2 block for the left and one for the right half, each `(2, 2, ...)`."""

    left: Tensor
    right: Tensor

    def __add__(self, other: "Bispinor") -> "Bispinor":
        """Add block by block."""
        return Bispinor(self.left + other.left, self.right + other.right)

    def __sub__(self, other: "Bispinor") -> "Bispinor":
        """Subtract block by block."""
        return Bispinor(self.left - other.left, self.right - other.right)

    def on_column(self, spinor: Tensor) -> Tensor:
        """Return the matrix times a column spinor `(4, ...)`."""
        left, right = self.left, self.right
        return torch.stack(
            [
                left[0, 0] * spinor[0] + left[0, 1] * spinor[1],
                left[1, 0] * spinor[0] + left[1, 1] * spinor[1],
                right[0, 0] * spinor[2] + right[0, 1] * spinor[3],
                right[1, 0] * spinor[2] + right[1, 1] * spinor[3],
            ]
        )

    def on_row(self, spinor: Tensor) -> Tensor:
        """Return a row spinor `(4, ...)` times the matrix."""
        left, right = self.left, self.right
        return torch.stack(
            [
                spinor[0] * left[0, 0] + spinor[1] * left[1, 0],
                spinor[0] * left[0, 1] + spinor[1] * left[1, 1],
                spinor[2] * right[0, 0] + spinor[3] * right[1, 0],
                spinor[2] * right[0, 1] + spinor[3] * right[1, 1],
            ]
        )

    def expand(self, *axes: int) -> "Bispinor":
        """Insert axes of length one for broadcasting against spins; counted on a block's own axes."""
        left, right = self.left, self.right
        for axis in axes:
            left, right = left.unsqueeze(axis), right.unsqueeze(axis)
        return Bispinor(left, right)


def light_cone(vector: Vector) -> LightCone:
    """Return the light-cone components of a four-vector `(4, ...)`, real or complex; they are complex in both cases."""
    energy, x, y, z = vector
    plus, minus = energy + z, energy - z
    if vector.is_complex():
        return LightCone(plus, minus, x + 1j * y, x - 1j * y)
    perp, zero = torch.complex(x, y), torch.zeros_like(plus)
    # converted once here: PyTorch would convert a real factor anew in every product with a spinor
    return LightCone(torch.complex(plus, zero), torch.complex(minus, zero), perp, perp.conj().resolve_conj())


def slash_column(v: LightCone, spinor: Spinor) -> Spinor:
    """Return V̸ ψ."""
    return torch.stack(
        [
            v.minus * spinor[2] - v.perp_bar * spinor[3],
            v.plus * spinor[3] - v.perp * spinor[2],
            v.plus * spinor[0] + v.perp_bar * spinor[1],
            v.perp * spinor[0] + v.minus * spinor[1],
        ]
    )


def slash_row(v: LightCone, spinor: Spinor) -> Spinor:
    """Return ψ̄ V̸."""
    return torch.stack(
        [
            spinor[2] * v.plus + spinor[3] * v.perp,
            spinor[2] * v.perp_bar + spinor[3] * v.minus,
            spinor[0] * v.minus - spinor[1] * v.perp,
            spinor[1] * v.plus - spinor[0] * v.perp_bar,
        ]
    )


def propagate_column(q: Float[Tensor, "4 points"], mass: float, spinor: Spinor) -> Spinor:
    """Return (q̸ + m)/(q² − m²) ψ for the real momentum q along the fermion line, in GeV."""
    return (slash_column(light_cone(q), spinor) + mass * spinor) * _inverse_virtuality(q, mass)


def propagate_row(q: Float[Tensor, "4 points"], mass: float, spinor: Spinor) -> Spinor:
    """Return ψ̄ (q̸ + m)/(q² − m²) for the real momentum q along the fermion line, in GeV."""
    return (slash_row(light_cone(q), spinor) + mass * spinor) * _inverse_virtuality(q, mass)


def _inverse_virtuality(q: Tensor, mass: float) -> Tensor:
    inverse = (minkowski_product(q, q) - mass**2).reciprocal()
    return torch.complex(inverse, torch.zeros_like(inverse))


def minkowski_product(a: Vector, b: Vector) -> Tensor:
    """Return a·b for contravariant vectors with components first."""
    return a[0] * b[0] - a[1] * b[1] - a[2] * b[2] - a[3] * b[3]


def contract(row: Spinor, column: Spinor) -> Complex[Tensor, "*axes"]:
    """Return ψ̄ χ."""
    return row[0] * column[0] + row[1] * column[1] + row[2] * column[2] + row[3] * column[3]


def commutator(a: LightCone, b: LightCone) -> Bispinor:
    """Return [a̸, b̸], which keeps chirality."""
    return Bispinor(
        left=_sigma_product(a, b, left=True) - _sigma_product(b, a, left=True),
        right=_sigma_product(a, b, left=False) - _sigma_product(b, a, left=False),
    )


def _sigma_product(a: LightCone, b: LightCone, *, left: bool) -> Tensor:
    """Return (a·σ)(b·σ̄) for the left-handed half, (a·σ̄)(b·σ) for the right-handed half, `(2, 2, ...)`."""
    if left:
        rows = [
            [a.minus * b.plus - a.perp_bar * b.perp, a.minus * b.perp_bar - a.perp_bar * b.minus],
            [a.plus * b.perp - a.perp * b.plus, a.plus * b.minus - a.perp * b.perp_bar],
        ]
    else:
        rows = [
            [a.plus * b.minus - a.perp_bar * b.perp, a.perp_bar * b.plus - a.plus * b.perp_bar],
            [a.perp * b.minus - a.minus * b.perp, a.minus * b.plus - a.perp * b.perp_bar],
        ]
    return torch.stack([torch.stack(torch.broadcast_tensors(*row)) for row in rows])  # type: ignore[no-untyped-call]


def fuse_gluons(k1: Vector, e1: Vector, k2: Vector, e2: Vector) -> Vector:
    r"""Return the off-shell gluon current of two incoming gluons, of the colour order (1, 2), propagator included.

    J^ρ = [ε1·ε2 (k1 − k2)^ρ + 2 (k2·ε1) ε2^ρ − 2 (k1·ε2) ε1^ρ] / (k1 + k2)², for ε_i·k_i = 0 and massless gluons
    (three-gluon vertex of D = ∂ − i g T·G; the colour order (2, 1) has the opposite sign).
    """
    s = 2.0 * minkowski_product(k1, k2)
    numerator = (
        minkowski_product(e1, e2) * (k1 - k2)
        + 2.0 * minkowski_product(k2, e1) * e2
        - 2.0 * minkowski_product(k1, e2) * e1
    )
    return numerator / s

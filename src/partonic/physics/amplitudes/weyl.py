"""Massless fermion lines in two-component form: spinors, currents, and lines with two vector fields attached.

Chiral representation as in `partonic.physics.amplitudes.wavefunctions`: for a left-handed line ū γ^μ P_L u = u_L† σ̄^μ
u_L with σ̄ = (1, −σ⃗), and p̸ becomes σ·p = E − p⃗·σ⃗ or σ̄·p = E + p⃗·σ⃗ in turn; right-handed lines have σ and σ̄
exchanged. A massless antifermion has the spinor of the fermion of its momentum (up to a phase), so that one function
serves all crossings: *out* is where the line leaves the diagram (ū or v̄), *into* where it enters (u or v).

Vectors have contravariant components first and points last, `(4, N)`, as everywhere in this room.
"""

from typing import Literal

import torch
from jaxtyping import Complex, Float, Shaped
from torch import Tensor

__all__ = ["Chirality", "chiral_current", "chiral_line", "chiral_spinor", "left_column"]

Chirality = Literal["left", "right"]
Momentum = Float[Tensor, "4 points"]
Spinor = Complex[Tensor, "2 points"]
Field = Shaped[Tensor, "4 points"]


def chiral_spinor(p: Momentum, chirality: Chirality) -> Spinor:
    """Return the two-component spinor χ of a massless momentum, with χ χ† = p·σ (left) or p·σ̄ (right).

    Args:
        p: momentum of positive energy, `(4, N)`, GeV; along ±z is allowed.
        chirality: of the fermion line.
    """
    _, px, py, pz = p
    energy = (px.square() + py.square() + pz.square()).sqrt()
    transverse = torch.hypot(px, py)
    # E ± pz without cancellation: one from the sum, the other from pT²/sum
    large = energy + pz.abs()
    small = transverse.square() / large
    forward = pz >= 0
    plus, minus = torch.where(forward, large, small).sqrt(), torch.where(forward, small, large).sqrt()
    along = transverse == 0
    safe = torch.where(along, torch.ones_like(transverse), transverse)
    phase = torch.complex(torch.where(along, torch.ones_like(px), px / safe), torch.where(along, 0.0 * py, py / safe))
    if chirality == "left":
        return torch.stack([-minus * phase.conj(), plus + 0j])
    return torch.stack([plus + 0j, minus * phase])


def left_column(p: Momentum) -> Complex[Tensor, "4 points"]:
    """Return u_L(p) of a massless particle that enters, or v_L(p) of an antiparticle that leaves, as a Dirac spinor.

    In the chiral representation of `wavefunctions` it has the upper half χ(p) and no lower one.
    """
    upper = chiral_spinor(p, "left")
    return torch.cat([upper, torch.zeros_like(upper)])


def chiral_current(out: Spinor, into: Spinor, chirality: Chirality) -> Field:
    """Return ψ̄ γ^μ ψ of a line of one chirality, contravariant components, GeV."""
    a, b = out.conj()
    up, down = into
    sign = -1.0 if chirality == "left" else 1.0
    return torch.stack(
        [a * up + b * down, sign * (a * down + b * up), sign * 1j * (b * up - a * down), sign * (a * up - b * down)]
    )


def chiral_line(out: Spinor, first: Field, q: Momentum, second: Field, into: Spinor, chirality: Chirality) -> Tensor:
    """Return ψ̄ V̸₁ q̸ V̸₂ ψ / q² of a line of one chirality: V₂ acts on the spinor that enters, V₁ last.

    Args:
        out: where the line leaves.
        first: vector field attached next to `out`.
        q: momentum along the line between the two.
        second: vector field attached next to `into`.
        into: where the line enters.
        chirality: of the line.

    Returns:
        complex `(N,)`.
    """
    bar = 1.0 if chirality == "left" else -1.0
    column = _slash(second, into, bar)
    column = _slash(q, column, -bar)
    column = _slash(first, column, bar)
    square = q[0] ** 2 - q[1] ** 2 - q[2] ** 2 - q[3] ** 2
    bra = out.conj()
    return (bra[0] * column[0] + bra[1] * column[1]) / square


def _slash(v: Tensor, column: Spinor, sign: float) -> Spinor:
    """Return (V⁰ ± V⃗·σ⃗) χ."""
    up, down = column
    time, x, y, z = v[0], sign * v[1], sign * v[2], sign * v[3]
    return torch.stack([(time + z) * up + (x - 1j * y) * down, (x + 1j * y) * up + (time - z) * down])

r"""The vertices W⁺W⁻Z and W⁺W⁻γ with the couplings g₁, κ and λ of Hagiwara et al., Nucl. Phys. B 282 (1987) 253.

With all momenta incoming, the fields a of a W⁺, b of a W⁻ and c of the neutral boson, and D = ∂ − i g W·T,

    V = −[g₁ S₁ + κ S_κ] + λ T,
    S₁ = (a·b)(p_a − p_b)·c + (b·c)(p_b·a) − (c·a)(p_a·b),     S_κ = (c·a)(p_c·b) − (b·c)(p_c·a),
    T  = F_a{}^μ{}_ν F_b{}^ν{}_ρ F_c{}^ρ{}_μ,                   F_a^{μν} = p_a^μ a^ν − p_a^ν a^μ,

with a factor i in Feynman rules. Terms with p_a·a and p_b·b are left out: they vanish for polarisation vectors and for
currents of massless fermions. S₁ + S_κ is the vertex of the Standard Model, T that of the operator
ε_abc W^{aν}_μ W^{bρ}_ν W^{cμ}_ρ.
"""

from dataclasses import dataclass

from jaxtyping import Shaped
from torch import Tensor

from partonic.physics.amplitudes.currents import minkowski_product

__all__ = ["VertexStructures", "triple_gauge_structures"]


@dataclass(frozen=True)
class VertexStructures:
    """The three structures of the vertex for given fields, `(N,)` each.

    Attributes:
        gauge: −S₁.
        magnetic: −S_κ.
        field_strengths: T.
    """

    gauge: Shaped[Tensor, " points"]
    magnetic: Shaped[Tensor, " points"]
    field_strengths: Shaped[Tensor, " points"]


def triple_gauge_structures(a: Tensor, p_a: Tensor, b: Tensor, p_b: Tensor, c: Tensor, p_c: Tensor) -> VertexStructures:
    """Return the structures of the vertex W⁺(a) W⁻(b) V(c), all incoming.

    Args:
        a: field of the incoming W⁺, contravariant, `(4, N)`.
        p_a: its incoming momentum, `(4, N)`, GeV.
        b: field of the incoming W⁻.
        p_b: its incoming momentum.
        c: field of the incoming Z or photon.
        p_c: its incoming momentum.
    """
    dot = minkowski_product
    ab, bc, ca = dot(a, b), dot(b, c), dot(c, a)
    gauge = ab * dot(p_a - p_b, c) + bc * dot(p_b, a) - ca * dot(p_a, b)
    magnetic = ca * dot(p_c, b) - bc * dot(p_c, a)
    # The trace of three field strengths, multiplied out: eight products of three scalar products.
    field_strengths = (
        dot(a, p_b) * (dot(b, p_c) * dot(c, p_a) - bc * dot(p_c, p_a))
        + dot(p_a, p_b) * (bc * dot(p_c, a) - dot(b, p_c) * ca)
        + ab * (dot(p_b, c) * dot(p_c, p_a) - dot(p_b, p_c) * dot(c, p_a))
        + dot(p_a, b) * (dot(p_b, p_c) * ca - dot(p_b, c) * dot(p_c, a))
    )
    return VertexStructures(-gauge, -magnetic, field_strengths)

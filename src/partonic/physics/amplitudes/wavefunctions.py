r"""Wave functions of external particles, as explicit numbers.

Chiral (Weyl) representation: γ^μ = [[0, σ^μ], [σ̄^μ, 0]], γ5 = diag(−1, −1, 1, 1), metric (+,−,−,−). Dirac spinors
are `(4, spins, N)`, rows ψ̄ and columns ψ alike; real four-vectors are `(4, ..., N)`: **components first and points
last**, the layout in which PyTorch vectorises over points. `component_first` converts from the `(N, n, 4)` of the
rest of the package.

Spins are quantised along z in the rest frame of the particle. Sums over spins do not depend on that choice.
"""

import torch
from jaxtyping import Complex, Float
from torch import Tensor

__all__ = [
    "component_first",
    "incoming_massless_current",
    "linear_polarizations",
    "massive_polarizations",
    "outgoing_antifermion",
    "outgoing_fermion",
]

Momentum = Float[Tensor, "4 points"]
Spinors = Complex[Tensor, "4 spins points"]


def component_first(momenta: Float[Tensor, "points particles 4"]) -> Float[Tensor, "particles 4 points"]:
    """Return the momenta `(N, n, 4)` as contiguous `(n, 4, N)`."""
    return momenta.permute(1, 2, 0).contiguous()


def _chiral_halves(p: Momentum, mass: float) -> tuple[Tensor, Tensor]:
    """Return √(p·σ) ξ and √(p·σ̄) ξ for ξ = spin up, spin down, each `(2, 2 spins, N)`.

    √(p·σ) = (p·σ + m) / √(2(E + m)), with p·σ = E − p⃗·σ⃗ and p·σ̄ = E + p⃗·σ⃗.
    """
    energy, px, py, pz = p
    norm = (2.0 * (energy + mass)).rsqrt()
    diagonal = (energy + mass) * norm
    longitudinal = pz * norm
    transverse = torch.complex(px * norm, py * norm)
    first, second = (diagonal + longitudinal).to(transverse.dtype), (diagonal - longitudinal).to(transverse.dtype)
    left = torch.stack(
        [torch.stack([second, -transverse.conj()]), torch.stack([-transverse, first])]
    )  # rows: components, columns: spins
    right = torch.stack([torch.stack([first, transverse.conj()]), torch.stack([transverse, second])])
    return left, right


def outgoing_fermion(p: Momentum, mass: float) -> Spinors:
    """Return ū(p, s) of an outgoing fermion for both spins, normalised to ū u = 2m.

    Args:
        p: momentum, `(4, N)`, GeV.
        mass: GeV.

    Returns:
        row spinors `(4, 2, N)`, the first two components multiplying the left-handed half of a column.
    """
    left, right = _chiral_halves(p, mass)
    return torch.cat([right, left]).conj().resolve_conj()


def outgoing_antifermion(p: Momentum, mass: float) -> Spinors:
    """Return v(p, s) of an outgoing antifermion for both spins, column spinors `(4, 2, N)`, v̄ v = −2m."""
    left, right = _chiral_halves(p, mass)
    return torch.cat([left, -right])


def linear_polarizations(k: Momentum) -> Float[Tensor, "4 2 points"]:
    """Return two real polarisation vectors of a massless vector boson, orthogonal to k and without time component.

    Args:
        k: momentum, `(4, N)`, GeV. Along ±z they are the constants (0, ±1, 0, 0) and (0, 0, 1, 0), with no gradient.
    """
    _, kx, ky, kz = k
    along_beam = (kx == 0) & (ky == 0)
    # hypot has no gradient at the origin: along the beam the vectors are constants
    kt = torch.hypot(torch.where(along_beam, torch.ones_like(kx), kx), torch.where(along_beam, 0.0, ky))
    cos_phi = torch.where(along_beam, 1.0, kx / kt)
    sin_phi = torch.where(along_beam, 0.0, ky / kt)
    kt = torch.where(along_beam, 0.0, kt)
    size = torch.hypot(kt, kz)
    zero = torch.zeros_like(kt)
    in_plane = torch.stack([zero, cos_phi * kz / size, sin_phi * kz / size, -kt / size])
    out_of_plane = torch.stack([zero, -sin_phi, cos_phi, zero])
    return torch.stack([in_plane, out_of_plane], dim=1)


def massive_polarizations(k: Momentum, mass: float) -> Float[Tensor, "4 3 points"]:
    """Return three real polarisation vectors of a massive vector boson: two transverse ones and the longitudinal one.

    Their sum of ε^μ ε^ν is −g^{μν} + k^μ k^ν/M². The third is (|k⃗|, E k⃗/|k⃗|)/M.

    Args:
        k: momentum, `(4, N)`, GeV, not at rest.
        mass: M in GeV.
    """
    size = (k[1].square() + k[2].square() + k[3].square()).sqrt()
    longitudinal = torch.cat([size[None], k[1:] * (k[0] / size)]) / mass
    return torch.cat([linear_polarizations(k), longitudinal[:, None]], dim=1)


def incoming_massless_current(p1: Momentum, p2: Momentum) -> Complex[Tensor, "4 points"]:
    """Return v̄(p2) γ^μ P_R u(p1) of an incoming massless quark p1 and antiquark p2, quark helicity +1/2.

    The current of helicity −1/2 is its complex conjugate. For parallel-to-beam momenta u_R(p) = √(2E) ξ with ξ the
    spin state along the direction of flight. Contravariant components, `(4, N)`, GeV.
    """
    quark = _helicity_state(p1)
    antiquark = _helicity_state(p2)
    # v̄(p2) of the antiquark that annihilates a right-handed quark: v_R(p2) ∝ the helicity state of p2.
    bra = antiquark.conj()
    up, down = quark
    return torch.stack(
        [
            bra[0] * up + bra[1] * down,
            bra[0] * down + bra[1] * up,
            1j * (bra[1] * up - bra[0] * down),
            bra[0] * up - bra[1] * down,
        ]
    )


def _helicity_state(p: Momentum) -> Complex[Tensor, "2 points"]:
    """Return √(2E) times the spin state along p: right-handed Weyl spinor, (E + pz, px + i py)/√(E + pz)."""
    energy, px, py, pz = p
    plus = energy + pz
    backward = plus <= 1e-14 * energy
    root = torch.where(backward, torch.ones_like(plus), plus).sqrt()
    upper = torch.where(backward, torch.zeros_like(plus), root)
    lower_real = torch.where(backward, (2.0 * energy).sqrt(), px / root)
    lower_imaginary = torch.where(backward, torch.zeros_like(plus), py / root)
    return torch.stack([torch.complex(upper, torch.zeros_like(upper)), torch.complex(lower_real, lower_imaginary)])


SPIN_FLIP_FACTOR = 2.0
r"""Weight of the half of the spin states that is computed.

Flipping all spins of a tree amplitude without widths and with real polarisation vectors gives its complex conjugate up
to a sign common to all diagrams and couplings: the antiunitary map Θ with Θ γ^μ Θ⁻¹ = γ^μ takes u(p, s) to u(p, −s)
and commutes with every product of gamma matrices with real coefficients, iγ5 = −γ^0γ^1γ^2γ^3 and [k̸, ε̸] included.
"""

"""Momenta from masses: what is left free when H, t and W are on their mass shells, with exact Jacobians.

Directions are given; b quarks, light quarks and leptons are massless. Each decay needs one energy or, with a neutrino,
its direction, and all else follows without an equation of higher degree:

    H → b b̄        E₂ = m_H²/(2 E₁ (1 − cos θ₁₂))
    t → b q q̄'     E₂ likewise from m_W, then E_b = (m_t² − m_W²)/(2 (E_W − **p**_W·**n**_b))
    t → b ℓ ν      pT(ν) = m_W²/(2 pT(ℓ) (cosh Δη − cos Δφ)), then E_b likewise.

The measures are those of d³p_X/(2E_X) of the resonance X and the two-body phase spaces of its decays. The decay of an
unpolarised top is |M|² ∝ (p_t·p_d)(p_b·p_u), with d the charged lepton or the quark of down type and u its partner; all
decay densities integrate to one.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.physics.fourvector import minkowski_dot, on_shell

__all__ = ["direction", "hadronic_top", "leptonic_top", "log_top_decay", "massless", "pair_on_shell", "partner_energy"]

_LOG_TWO_PI = math.log(2.0 * math.pi)


def direction(eta: Float[Tensor, "*batch"], phi: Float[Tensor, "*batch"]) -> Float[Tensor, "*batch 3"]:
    """Return the unit vector of a pseudorapidity and an azimuth."""
    sine = 1.0 / torch.cosh(eta)
    return torch.stack([sine * torch.cos(phi), sine * torch.sin(phi), torch.tanh(eta)], dim=-1)


def massless(energy: Float[Tensor, "*batch"], along: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 4"]:
    """Return the four-vector of a massless particle with an energy (GeV) and a direction."""
    return torch.cat([energy[..., None], energy[..., None] * along], dim=-1)


def partner_energy(
    energy: Float[Tensor, "*batch"], first: Float[Tensor, "*batch 3"], second: Float[Tensor, "*batch 3"], mass: float
) -> Float[Tensor, "*batch"]:
    """Return the energy (GeV) of the second massless particle of a pair of this mass; 1 − cos θ to full precision."""
    return mass**2 / (energy * (first - second).square().sum(dim=-1))


def pair_on_shell(
    energy: Float[Tensor, "*batch"], first: Float[Tensor, "*batch 3"], second: Float[Tensor, "*batch 3"], mass: float
) -> tuple[Float[Tensor, "*batch 2 4"], Float[Tensor, "*batch"]]:
    """Return the products of X → 1 2, massless and isotropic, and a measure.

    Args:
        energy: of the first, GeV.
        first: direction of the first.
        second: direction of the second.
        mass: of X, GeV.

    Returns:
        the momenta, and log of [d³p_X/(2E_X) dΦ₂/Φ₂] per dE₁ dΩ₁ dΩ₂.
    """
    other = partner_energy(energy, first, second, mass)
    # Φ₂ = 1/(8π), dΦ₂ = (2π)⁻² …, and δ(2 E₁E₂(1 − c) − m²) dE₂ = E₂/m².
    log_measure = math.log(8.0 * math.pi) - 2.0 * _LOG_TWO_PI + torch.log(energy * other.square() / (4.0 * mass**2))
    return torch.stack([massless(energy, first), massless(other, second)], dim=-2), log_measure


def hadronic_top(
    energy: Float[Tensor, "*batch"],
    first: Float[Tensor, "*batch 3"],
    second: Float[Tensor, "*batch 3"],
    bottom: Float[Tensor, "*batch 3"],
    masses: tuple[float, float],
) -> tuple[Float[Tensor, "*batch 3 4"], Float[Tensor, "*batch"]]:
    """Return b, q, q̄' of a hadronic top, and a measure.

    Args:
        energy: of the first quark of W, GeV.
        first: its direction.
        second: direction of the other one.
        bottom: direction of the b quark.
        masses: of top and W, GeV.

    Returns:
        the momenta of b, first, second, and log of [d³p_t/(2E_t) dΦ₂(t) dΦ₂(W)] per dE₁ dΩ₁ dΩ₂ dΩ_b.
    """
    other = partner_energy(energy, first, second, masses[1])
    quarks = torch.stack([massless(energy, first), massless(other, second)], dim=-2)
    b_quark, log_bottom = _bottom(quarks.sum(dim=-2), bottom, masses)
    log_pair = torch.log(energy * other.square() / (4.0 * masses[1] ** 2))
    return torch.cat([b_quark[..., None, :], quarks], dim=-2), log_pair + log_bottom


def leptonic_top(
    lepton: Float[Tensor, "*batch 4"],
    eta: Float[Tensor, "*batch"],
    phi: Float[Tensor, "*batch"],
    bottom: Float[Tensor, "*batch 3"],
    masses: tuple[float, float],
) -> tuple[Float[Tensor, "*batch 2 4"], Float[Tensor, "*batch"]]:
    """Return b and ν of a leptonic top, and a measure.

    Args:
        lepton: massless charged lepton, GeV.
        eta: pseudorapidity of the neutrino.
        phi: its azimuth.
        bottom: direction of the b quark.
        masses: of top and W, GeV.

    Returns:
        the momenta of b and ν, and log of [d³p_t/(2E_t) dΦ₂(t) dΦ₂(W)] per (dpT dη dφ)_ℓ dη_ν dφ_ν dΩ_b.
    """
    lepton_pt = torch.hypot(lepton[..., 1], lepton[..., 2])
    lepton_eta = torch.asinh(lepton[..., 3] / lepton_pt)
    difference = phi - torch.atan2(lepton[..., 2], lepton[..., 1])
    # cosh Δη − cos Δφ without cancellation.
    opening = 2.0 * (torch.sinh(0.5 * (eta - lepton_eta)).square() + torch.sin(0.5 * difference).square())
    pt = masses[1] ** 2 / (2.0 * lepton_pt * opening)
    three = torch.stack([pt * torch.cos(phi), pt * torch.sin(phi), pt * torch.sinh(eta)], dim=-1)
    neutrino = on_shell(three, 0.0)
    b_quark, log_bottom = _bottom(lepton + neutrino, bottom, masses)
    # d³p/(2E) = pT dpT dη dφ/2 for both, and δ(p_W² − m_W²) dpT(ν) = pT(ν)/m_W².
    log_pair = torch.log(0.5 * lepton_pt * pt.square() / (2.0 * masses[1] ** 2))
    return torch.stack([b_quark, neutrino], dim=-2), log_pair + log_bottom


def log_top_decay(
    bottom: Float[Tensor, "*batch 4"],
    up: Float[Tensor, "*batch 4"],
    down: Float[Tensor, "*batch 4"],
    masses: tuple[float, float],
) -> Float[Tensor, "*batch"]:
    """Return the log of the density of t → b u d̄ on its mass shells; its integral over dΦ₂(t) dΦ₂(W) is one.

    Args:
        bottom: the b quark, GeV.
        up: neutrino, or quark of up type.
        down: charged lepton, or quark of down type.
        masses: of top and W, GeV.
    """
    top, w_boson = masses[0] ** 2, masses[1] ** 2
    # ∫ dΦ₂(W) p_u^μ p_d^ν = (m_W² g^{μν} + 2 p_W^μ p_W^ν)/(96π), and Φ₂(t → bW) = (1 − m_W²/m_t²)/(8π).
    integral = (top - w_boson) * (top + 2.0 * w_boson) / (192.0 * math.pi) * (1.0 - w_boson / top) / (8.0 * math.pi)
    product = minkowski_dot(bottom + up + down, down) * minkowski_dot(bottom, up)
    return torch.log(product.clamp(min=torch.finfo(product.dtype).tiny)) - math.log(integral)


def _bottom(w_boson: Tensor, along: Tensor, masses: tuple[float, float]) -> tuple[Tensor, Tensor]:
    """Return the massless b that makes a top with this W, and log of (2π)⁻⁴ (E/2) δ(p_t² − m_t²) dE."""
    release = masses[0] ** 2 - masses[1] ** 2
    energy = release / (2.0 * (w_boson[..., 0] - (w_boson[..., 1:] * along).sum(dim=-1)))
    return massless(energy, along), torch.log(energy.square() / (2.0 * release)) - 4.0 * _LOG_TWO_PI

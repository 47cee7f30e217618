"""Observables of four-vectors (E, px, py, pz): transverse momentum, (pseudo)rapidity, azimuth and distances.

Edges, the same for every function: along the beam (no transverse momentum) the pseudorapidity is ±∞, as is the
rapidity of a massless particle; a vector that vanishes has (pseudo)rapidity 0 and azimuth 0. Gradients there are 0,
never NaN.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.physics.fourvector import mass, on_shell, safe_sqrt

__all__ = [
    "azimuth",
    "delta_phi",
    "delta_r",
    "from_pt_eta_phi_m",
    "pseudorapidity",
    "rapidity",
    "to_pt_eta_phi_m",
    "transverse_mass",
    "transverse_momentum",
]


def transverse_momentum(momenta: Float[Tensor, "*batch 4"]) -> Float[Tensor, "*batch"]:
    """Return pT = √(px² + py²) in GeV; 0 to rounding and gradient 0 along the beam."""
    return safe_sqrt(_transverse_square(momenta))


def transverse_mass(momenta: Float[Tensor, "*batch 4"]) -> Float[Tensor, "*batch"]:
    """Return m_T = √(E² − pz²) = √(m² + pT²) in GeV."""
    return safe_sqrt(_transverse_mass_square(momenta))


def pseudorapidity(momenta: Float[Tensor, "*batch 4"]) -> Float[Tensor, "*batch"]:
    """Return η = arsinh(pz/pT): ±∞ along the beam."""
    return _arsinh_of_ratio(momenta[..., 3], _transverse_square(momenta))


def rapidity(momenta: Float[Tensor, "*batch 4"]) -> Float[Tensor, "*batch"]:
    """Return y = ½ ln((E + pz)/(E − pz)) = arsinh(pz/m_T): ±∞ for a massless vector along the beam."""
    return _arsinh_of_ratio(momenta[..., 3], _transverse_mass_square(momenta))


def azimuth(momenta: Float[Tensor, "*batch 4"]) -> Float[Tensor, "*batch"]:
    """Return the azimuth φ in (−π, π], 0 for a vector along the beam."""
    return torch.atan2(momenta[..., 2], momenta[..., 1])


def delta_phi(first: Float[Tensor, "*#batch"], second: Float[Tensor, "*#batch"]) -> Float[Tensor, "*batch"]:
    """Return the difference of two azimuths (radians, of any winding), in (−π, π]."""
    difference = first - second
    return difference - 2.0 * math.pi * torch.ceil((difference - math.pi) / (2.0 * math.pi)).detach()


def delta_r(first: Float[Tensor, "*#batch 4"], second: Float[Tensor, "*#batch 4"]) -> Float[Tensor, "*batch"]:
    """Return ΔR = √(Δη² + Δφ²) of two vectors, with the pseudorapidity; ∞ if just one is along the beam."""
    eta_distance = pseudorapidity(first) - pseudorapidity(second)
    return safe_sqrt(eta_distance.square() + delta_phi(azimuth(first), azimuth(second)).square())


def from_pt_eta_phi_m(coordinates: Float[Tensor, "*batch 4"]) -> Float[Tensor, "*batch 4"]:
    """Return (E, px, py, pz) of particles given as (pT, η, φ, m) on the last axis; pT and m in GeV."""
    pt, eta, phi, particle_mass = coordinates.unbind(dim=-1)
    three = torch.stack([pt * torch.cos(phi), pt * torch.sin(phi), pt * torch.sinh(eta)], dim=-1)
    return on_shell(three, particle_mass)


def to_pt_eta_phi_m(momenta: Float[Tensor, "*batch 4"]) -> Float[Tensor, "*batch 4"]:
    """Return (pT, η, φ, m) on the last axis; pT and m in GeV."""
    return torch.stack([transverse_momentum(momenta), pseudorapidity(momenta), azimuth(momenta), mass(momenta)], dim=-1)


def _transverse_square(momenta: Tensor) -> Tensor:
    return momenta[..., 1].square() + momenta[..., 2].square()


def _transverse_mass_square(momenta: Tensor) -> Tensor:
    return (momenta[..., 0] - momenta[..., 3]) * (momenta[..., 0] + momenta[..., 3])


def _arsinh_of_ratio(longitudinal: Tensor, transverse_square: Tensor) -> Tensor:
    """Return arsinh(longitudinal/√transverse_square), ±∞ where the denominator vanishes and 0 for 0/0."""
    regular = transverse_square > 0
    ratio = longitudinal / torch.where(regular, transverse_square, torch.ones_like(transverse_square)).sqrt()
    infinity = torch.full_like(longitudinal, math.inf).copysign(longitudinal.detach())
    along_beam = torch.where(longitudinal == 0, torch.zeros_like(infinity), infinity)
    return torch.where(regular, torch.asinh(ratio), along_beam)

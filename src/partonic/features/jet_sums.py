"""First estimates of H, t_had and t_lep: sums of the jets, each weighted with its probability to come from there.

For the leptonic top the lepton and a neutrino are added: the missing transverse momentum, with the longitudinal
momentum that gives lepton and neutrino the mass of the W (the smaller of the two solutions, the real part of a complex
pair). The estimates are inputs of the networks, which correct them; no gradient flows through them.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.features.inputs import EventTokens
from partonic.physics.fourvector import mass, on_shell
from partonic.physics.particles import W_BOSON

__all__ = ["SUM_FEATURES", "jet_sum_features"]

_PARTICLE_FEATURES = ("log_pt", "eta", "cos_phi", "sin_phi", "log_mass")

SUM_FEATURES = (
    *(f"{name}_{feature}" for name in ("H", "t_had", "t_lep") for feature in _PARTICLE_FEATURES),
    "pz",
    "log_mass",
)
"""Features of the three estimates, then arsinh(pz) and mass of the sum of all objects; pT and mass as log(1 + GeV)."""

_REGULAR = 1.0
"""Transverse momentum, GeV, below which the pseudorapidity of an estimate stops growing."""


@torch.no_grad()
def jet_sum_features(
    tokens: EventTokens, provenance: Float[Tensor, "events jets 3"]
) -> Float[Tensor, "events features"]:
    """Return `SUM_FEATURES` of each event, in its frame.

    Args:
        tokens: features of the objects.
        provenance: probability of each jet to come from H, t_had, t_lep.
    """
    jets = torch.where(tokens.jet_mask[..., None], _jet_momenta(tokens.jets), 0.0)
    weights = torch.where(tokens.jet_mask[..., None], provenance, 0.0)
    lepton = _lepton_momentum(tokens.lepton)
    leptonic = lepton + _neutrino_momentum(lepton, tokens.met)
    sums = torch.einsum("njk,njf->nkf", weights, jets)
    sums = torch.cat([sums[:, :2], sums[:, 2:] + leptonic[:, None]], dim=1)
    total = jets.sum(dim=1) + leptonic
    whole = torch.stack([torch.asinh(total[:, 3]), torch.log1p(mass(total))], dim=-1)
    return torch.cat([_features(sums).flatten(1), whole], dim=-1)


def _jet_momenta(jets: Tensor) -> Tensor:
    """Return the four-vectors of jets with `JET_FEATURES`."""
    pt = torch.expm1(jets[..., 0])
    three = torch.stack([pt * jets[..., 2], pt * jets[..., 3], pt * torch.sinh(jets[..., 1])], dim=-1)
    return on_shell(three, torch.expm1(jets[..., 4]))


def _lepton_momentum(lepton: Tensor) -> Tensor:
    """Return the four-vector of the lepton, whose azimuth is 0."""
    pt = torch.expm1(lepton[:, 0])
    return on_shell(torch.stack([pt, torch.zeros_like(pt), pt * torch.sinh(lepton[:, 1])], dim=-1), 0.0)


def _neutrino_momentum(lepton: Tensor, met: Tensor) -> Tensor:
    """Return the neutrino that makes a W with the lepton: p_T^ℓ² pz² − 2 a pz^ℓ pz + (E^ℓ p_T^ν)² − a² = 0."""
    pt = torch.expm1(met[:, 0])
    px, py = pt * met[:, 1], pt * met[:, 2]
    lepton_square = (lepton[:, 1].square() + lepton[:, 2].square()).clamp(min=_REGULAR)
    a = 0.5 * W_BOSON.mass**2 + lepton[:, 1] * px + lepton[:, 2] * py
    root = (a.square() - lepton_square * pt.square()).clamp(min=0.0).sqrt() * lepton[:, 0]
    centre = a * lepton[:, 3]
    pz = torch.where(centre > 0.0, centre - root, centre + root) / lepton_square
    return on_shell(torch.stack([px, py, pz], dim=-1), 0.0)


def _features(momenta: Tensor) -> Tensor:
    """Return log(1 + pT), η, cos φ, sin φ and log(1 + mass); everything 0 for a vector that vanishes."""
    px, py, pz = momenta[..., 1], momenta[..., 2], momenta[..., 3]
    pt = torch.hypot(px, py)
    regular = torch.hypot(pt, torch.full_like(pt, _REGULAR))
    columns = [torch.log1p(pt), torch.asinh(pz / regular), px / regular, py / regular, torch.log1p(mass(momenta))]
    return torch.stack(columns, dim=-1)

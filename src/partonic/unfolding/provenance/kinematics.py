"""Kinematics of candidates for the network: masses and distances that it would otherwise have to learn from momenta.

Masses and transverse momenta enter as logarithms over 100 GeV, distances √(Δy² + Δφ²) as they are, so all are of order
one.
They do not change when like jets are exchanged, nor under rotations about the beam and boosts along it.
"""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor

from partonic.features.inputs import EventTokens
from partonic.physics.fourvector import minkowski_square, safe_sqrt
from partonic.physics.kinematics import azimuth, delta_phi, from_pt_eta_phi_m, rapidity, transverse_momentum
from partonic.unfolding.provenance.neutrino import with_neutrino

__all__ = ["JET_LEPTON_FEATURES", "PAIR_FEATURES", "TRIPLE_FEATURES", "EventKinematics"]

JET_LEPTON_FEATURES = ("log_mass", "distance", "log_top_mass", "near_top")
"""Features of a jet with the lepton; the top mass is that of jet, lepton and neutrino."""

PAIR_FEATURES = ("log_mass", "near_higgs", "distance", "log_pt")
"""Features of a candidate of H."""

TRIPLE_FEATURES = ("log_mass", "near_top", "log_w_mass", "near_w", "w_distance", "b_distance", "log_pt")
"""Features of a candidate of t_had; the distances are those of the two W jets, and of the b jet to their sum."""

HIGGS_MASS, TOP_MASS, W_MASS = 115.0, 168.0, 80.0
"""Where the masses of jets peak, GeV: somewhat below those of the particles, since neutrinos take energy away."""

_UNIT = math.log(100.0)
_SOFTEST = 1e-3  # GeV; keeps the logarithms finite


class EventKinematics:
    """Four-vectors of the jets and the lepton of events, and what candidates look like."""

    def __init__(self, tokens: EventTokens) -> None:
        """Take the momenta of `tokens`, which must be in the canonical frame: the lepton has azimuth 0."""
        log_pt, eta, cosine, sine, log_mass, _ = tokens.jets.unbind(dim=-1)
        jets = torch.stack([torch.expm1(log_pt), eta, torch.atan2(sine, cosine), torch.expm1(log_mass)], dim=-1)
        pt, eta = torch.expm1(tokens.lepton[:, 0]), tokens.lepton[:, 1]
        lepton = torch.stack([pt, eta, torch.zeros_like(pt), torch.zeros_like(pt)], dim=-1)
        self.jets = from_pt_eta_phi_m(jets)
        self.lepton = from_pt_eta_phi_m(lepton)
        met_size, met_cosine, met_sine = tokens.met.unbind(dim=-1)
        missing = torch.expm1(met_size)[:, None] * torch.stack([met_cosine, met_sine], dim=-1)
        self.leptonic_w = with_neutrino(self.lepton, missing)

    def jets_with_lepton(self) -> Float[Tensor, "events jets 4"]:
        """Return `JET_LEPTON_FEATURES` of each jet."""
        lepton = self.lepton[:, None].expand_as(self.jets)
        log_top_mass = _log_mass(self.jets + self.leptonic_w[:, None])
        return torch.stack(
            [
                _log_mass(self.jets + lepton),
                _distance(self.jets, lepton),
                log_top_mass,
                _near(log_top_mass, TOP_MASS),
            ],
            dim=-1,
        )

    def pairs(self, events: Int[Tensor, " rows"], jets: Int[Tensor, "rows 2"]) -> Float[Tensor, "rows 4"]:
        """Return `PAIR_FEATURES` of candidates, each given by its event and its jets."""
        first, second = (self.jets[events, jet] for jet in jets.unbind(dim=1))
        total = first + second
        log_mass = _log_mass(total)
        return torch.stack([log_mass, _near(log_mass, HIGGS_MASS), _distance(first, second), _log_pt(total)], dim=-1)

    def triples(self, events: Int[Tensor, " rows"], jets: Int[Tensor, "rows 3"]) -> Float[Tensor, "rows 7"]:
        """Return `TRIPLE_FEATURES` of candidates, each given by its event and its jets."""
        bottom, first, second = (self.jets[events, jet] for jet in jets.unbind(dim=1))
        of_w = first + second
        total = of_w + bottom
        log_mass, log_w_mass = _log_mass(total), _log_mass(of_w)
        near = _near(log_mass, TOP_MASS), _near(log_w_mass, W_MASS)
        distances = _distance(first, second), _distance(bottom, of_w)
        return torch.stack([log_mass, near[0], log_w_mass, near[1], *distances, _log_pt(total)], dim=-1)


def _log_mass(momenta: Float[Tensor, "*batch 4"]) -> Float[Tensor, "*batch"]:
    return 0.5 * torch.log(minkowski_square(momenta).clamp(min=_SOFTEST**2)) - _UNIT


def _near(log_mass: Float[Tensor, "*batch"], reference: float) -> Float[Tensor, "*batch"]:
    """Return a peak of height 1 at a mass, with the width of a resolution of 15%."""
    return 1.0 / (1.0 + ((log_mass + _UNIT - math.log(reference)) / 0.15).square())


def _log_pt(momenta: Float[Tensor, "*batch 4"]) -> Float[Tensor, "*batch"]:
    return torch.log(transverse_momentum(momenta).clamp(min=_SOFTEST)) - _UNIT


def _distance(first: Float[Tensor, "*batch 4"], second: Float[Tensor, "*batch 4"]) -> Float[Tensor, "*batch"]:
    """Return √(Δy² + Δφ²), with the rapidity, which boosts along the beam shift for massive particles alike."""
    apart = rapidity(first) - rapidity(second)
    return safe_sqrt(apart.square() + delta_phi(azimuth(first), azimuth(second)).square())

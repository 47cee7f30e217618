r"""Observables of reconstructed WH candidates: the W of lepton and missing momentum, mass of the whole, decay angles.

The neutrino has the missing transverse momentum, and of the two longitudinal momenta with which the mass of lepton and
neutrino is that of the W the smaller one; where there is none, the real part of both. The Higgs candidate, the angles
(here of the charged lepton) and their products are those of `partonic.features.associated_higgs`.
"""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Final

import numpy as np
import torch
from jaxtyping import Bool, Float
from numpy.typing import NDArray
from torch import Tensor

from partonic.features.high_level import nearest_tagged_pair
from partonic.features.objects import BatchObjects
from partonic.physics.fourvector import invariant_mass
from partonic.physics.kinematics import from_pt_eta_phi_m
from partonic.physics.particles import W_BOSON
from partonic.processes.vector_higgs_observables import decay_angles

__all__ = ["ASSOCIATED_W", "neutrino_momentum"]

Array = NDArray[np.float64]
Evaluated = Callable[[BatchObjects], tuple[Array, NDArray[np.bool_]]]


def neutrino_momentum(
    lepton: Float[Tensor, "events 4"], missing: Float[Tensor, "events 2"]
) -> Float[Tensor, "events 4"]:
    """Return the momentum of the neutrino of W → ℓν.

    With μ = m_W²/2 + p⃗T(ℓ)·p⃗T(ν), massless leptons and p = pT(ℓ),

        pz = (μ pz(ℓ) ± E(ℓ) √(μ² − p² pT(ν)²)) / p².

    Args:
        lepton: momenta (E, px, py, pz), GeV.
        missing: missing transverse momenta (px, py), GeV.
    """
    square = (lepton[:, 1:3] ** 2).sum(dim=1).clamp(min=1e-12)
    mu = 0.5 * W_BOSON.mass**2 + (lepton[:, 1:3] * missing).sum(dim=1)
    root = torch.sqrt((mu**2 - square * (missing**2).sum(dim=1)).clamp(min=0.0))
    ends = (
        torch.stack([mu * lepton[:, 3] + sign * lepton[:, 0] * root for sign in (-1.0, 1.0)], dim=1) / square[:, None]
    )
    along = ends.gather(1, ends.abs().argmin(dim=1, keepdim=True))
    energy = torch.sqrt((missing**2).sum(dim=1, keepdim=True) + along**2)
    return torch.cat([energy, missing, along], dim=1)


class _Candidates:
    """H, ℓ and ν of each event; the hardest lepton is that of the W."""

    def __init__(self, view: BatchObjects) -> None:
        higgs = nearest_tagged_pair(view.jet_momenta, torch.from_numpy(view.tagged & view.jet_mask))
        leptons, mask = view.leptons
        size, phi = (
            view.batch.table.column(name).fill_null(0.0).to_numpy().astype(np.float64) for name in ("met_pt", "met_phi")
        )
        self.lepton = from_pt_eta_phi_m(torch.from_numpy(leptons[:, 0, :4]))
        self.missing = torch.from_numpy(np.stack([size * np.cos(phi), size * np.sin(phi)], axis=1))
        self.has_w: NDArray[np.bool_] = mask[:, 0] & view.batch.valid("met_pt")
        self.higgs = higgs
        self.is_whole: Bool[Tensor, " events"] = torch.isfinite(higgs[:, 0]) & torch.from_numpy(self.has_w)

    @cached_property
    def momenta(self) -> Float[Tensor, "whole 3 4"]:
        """Momenta of the events that have all three."""
        lepton = self.lepton[self.is_whole]
        neutrino = neutrino_momentum(lepton, self.missing[self.is_whole])
        return torch.stack([self.higgs[self.is_whole].double(), lepton, neutrino], dim=1)


def _w_pt(view: BatchObjects) -> tuple[Array, NDArray[np.bool_]]:
    found = _Candidates(view)
    whole = found.lepton[:, 1:3] + found.missing
    return np.where(found.has_w, torch.linalg.vector_norm(whole, dim=1).numpy(), 0.0), found.has_w


def _of_all(function: Callable[[Tensor], Tensor]) -> Evaluated:
    def of(view: BatchObjects) -> tuple[Array, NDArray[np.bool_]]:
        found = _Candidates(view)
        result = torch.zeros(len(view), dtype=torch.float64)
        if found.is_whole.any():
            result[found.is_whole] = function(found.momenta)
        return result.numpy(), found.is_whole.numpy()

    return of


def _of_angles(function: Callable[[Tensor, Tensor, Tensor], Tensor]) -> Evaluated:
    return _of_all(lambda momenta: function(*decay_angles(momenta)))


def _sines(star: Tensor, polar: Tensor) -> Tensor:
    """Return sin θ* sin θ₁ from the cosines."""
    return torch.sqrt(((1.0 - star**2) * (1.0 - polar**2)).clamp(min=0.0))


ASSOCIATED_W: Final[Mapping[str, Evaluated]] = {
    "w_candidate_pt": _w_pt,
    "wh_mass": _of_all(invariant_mass),
    "wh_cos_theta_star": _of_angles(lambda star, polar, phi: star),
    "wh_cos_theta_1": _of_angles(lambda star, polar, phi: polar),
    "wh_cos_phi_moment": _of_angles(lambda star, polar, phi: _sines(star, polar) * torch.cos(phi)),
    "wh_sin_phi_moment": _of_angles(lambda star, polar, phi: _sines(star, polar) * torch.sin(phi)),
    "wh_cos_2phi_moment": _of_angles(lambda star, polar, phi: _sines(star, polar) ** 2 * torch.cos(2.0 * phi)),
    "wh_sin_2phi_moment": _of_angles(lambda star, polar, phi: _sines(star, polar) ** 2 * torch.sin(2.0 * phi)),
}
"""All of them by name; GeV and radians."""

r"""Observables of reconstructed ZH candidates: Higgs candidate, mass of the whole, decay angles and their moments.

The Higgs candidate is the pair of tagged jets whose mass is nearest to 125 GeV, the Z the pair of leptons nearest to
its mass. Angles are those of `partonic.processes.vector_higgs_observables.decay_angles`, of the negative lepton. The
interference of amplitudes of longitudinal and transverse Z sits in four products of them (arXiv:1912.07628): sin 2θ*
sin 2θ₁ cos φ and sin²θ* sin²θ₁ cos 2φ, and the same with sines of φ, which change their sign under CP.
"""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Final

import numpy as np
import torch
from jaxtyping import Bool, Float
from numpy.typing import NDArray
from torch import Tensor

from partonic.events.object_cuts import best_pair
from partonic.features.high_level import nearest_tagged_pair
from partonic.features.objects import BatchObjects
from partonic.physics.fourvector import invariant_mass, mass
from partonic.physics.kinematics import from_pt_eta_phi_m, transverse_momentum
from partonic.processes.vector_higgs_observables import decay_angles

__all__ = ["ASSOCIATED_HIGGS"]

Array = NDArray[np.float64]
Evaluated = Callable[[BatchObjects], tuple[Array, NDArray[np.bool_]]]


class _Candidates:
    """H, ℓ⁻ and ℓ⁺ of each event."""

    def __init__(self, view: BatchObjects) -> None:
        self.higgs = nearest_tagged_pair(view.jet_momenta, torch.from_numpy(view.tagged & view.jet_mask))
        self.has_higgs: Bool[Tensor, " events"] = torch.isfinite(self.higgs[:, 0])
        leptons, _ = view.leptons
        _, members = best_pair(leptons[..., [0, 1, 2, 4]])
        momenta = from_pt_eta_phi_m(torch.from_numpy(leptons[..., :4]))
        of_z = torch.from_numpy(members)
        negative = of_z & torch.from_numpy(leptons[..., 4] > 0.0)  # PDG ids of negative leptons are positive
        self.minus = (momenta * negative[..., None]).sum(dim=1)
        self.plus = (momenta * (of_z & ~negative)[..., None]).sum(dim=1)
        self.is_whole: Bool[Tensor, " events"] = self.has_higgs & of_z.any(dim=1)

    @cached_property
    def momenta(self) -> Float[Tensor, "whole 3 4"]:
        """Momenta of the events that have all three."""
        return torch.stack([self.higgs, self.minus, self.plus], dim=1)[self.is_whole]

    def spread(self, values: Tensor, where: Bool[Tensor, " events"]) -> tuple[Array, NDArray[np.bool_]]:
        """Return values of the events `where` as those of all, 0 elsewhere."""
        result = torch.zeros(len(where), dtype=torch.float64)
        result[where] = values.double()
        return result.numpy(), where.numpy()


def _of_higgs(function: Callable[[Tensor], Tensor]) -> Evaluated:
    def of(view: BatchObjects) -> tuple[Array, NDArray[np.bool_]]:
        found = _Candidates(view)
        return found.spread(function(found.higgs[found.has_higgs]), found.has_higgs)

    return of


def _of_all(function: Callable[[Tensor], Tensor]) -> Evaluated:
    def of(view: BatchObjects) -> tuple[Array, NDArray[np.bool_]]:
        found = _Candidates(view)
        if not found.is_whole.any():
            return np.zeros(len(view)), found.is_whole.numpy()
        return found.spread(function(found.momenta), found.is_whole)

    return of


def _of_angles(function: Callable[[Tensor, Tensor, Tensor], Tensor]) -> Evaluated:
    return _of_all(lambda momenta: function(*decay_angles(momenta)))


def _once(star: Tensor, polar: Tensor) -> Tensor:
    """Return sin 2θ* sin 2θ₁ from the cosines."""
    sines = torch.sqrt(((1.0 - star**2) * (1.0 - polar**2)).clamp(min=0.0))
    return 4.0 * star * polar * sines


def _twice(star: Tensor, polar: Tensor) -> Tensor:
    """Return sin²θ* sin²θ₁ from the cosines."""
    return (1.0 - star**2) * (1.0 - polar**2)


ASSOCIATED_HIGGS: Final[Mapping[str, Evaluated]] = {
    "higgs_candidate_mass": _of_higgs(mass),
    "higgs_candidate_pt": _of_higgs(transverse_momentum),
    "vh_mass": _of_all(invariant_mass),
    "vh_cos_theta_star": _of_angles(lambda star, polar, phi: star),
    "vh_cos_theta_1": _of_angles(lambda star, polar, phi: polar),
    "vh_phi": _of_angles(lambda star, polar, phi: phi),
    "vh_cos_phi_moment": _of_angles(lambda star, polar, phi: _once(star, polar) * torch.cos(phi)),
    "vh_sin_phi_moment": _of_angles(lambda star, polar, phi: _once(star, polar) * torch.sin(phi)),
    "vh_cos_2phi_moment": _of_angles(lambda star, polar, phi: _twice(star, polar) * torch.cos(2.0 * phi)),
    "vh_sin_2phi_moment": _of_angles(lambda star, polar, phi: _twice(star, polar) * torch.sin(2.0 * phi)),
}
"""All of them by name; GeV and radians."""

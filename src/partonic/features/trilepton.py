"""W and Z candidates of events with three leptons: features that show what operators of W and Z do.

The Z is the pair of one flavour and opposite charges whose mass is nearest to m_Z, the W the hardest other lepton with
the missing transverse momentum as neutrino. The longitudinal momentum of the neutrino follows from the mass of the W, a
quadratic equation: of two solutions the smaller one in size is taken, of none the real part. With it reconstructed
events have the angles of the leptons in the rest frames of W and Z, in whose azimuths helicities interfere
(`partonic.physics.helicity_angles`).
"""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from partonic.events.object_cuts import best_pair
from partonic.features.objects import BatchObjects
from partonic.physics.fourvector import mass
from partonic.physics.helicity_angles import helicity_angles
from partonic.physics.kinematics import from_pt_eta_phi_m

__all__ = ["TRILEPTON", "W_MASS", "trilepton_momenta"]

Array = NDArray[np.float64]
Found = tuple[Array, NDArray[np.bool_]]

W_MASS: Final = 80.379
"""Mass in GeV that the neutrino's longitudinal momentum is solved for."""


def trilepton_momenta(view: BatchObjects) -> tuple[Float[Tensor, "events 4 4"], NDArray[np.bool_]]:
    """Return the momenta of the lepton of the W, the neutrino, ℓ⁻ and ℓ⁺ of the Z, GeV, and which events have them."""
    leptons, mask = view.leptons
    _, members = best_pair(leptons[..., [0, 1, 2, 4]])
    known = view.batch.valid("met_pt")
    free = mask & ~members
    exists: NDArray[np.bool_] = np.asarray(free.any(axis=1) & members.any(axis=1) & known)
    charge_minus = members & (leptons[..., 4] > 0)
    charge_plus = members & (leptons[..., 4] < 0)
    chosen = [_first(leptons, which) for which in (free, charge_minus, charge_plus)]
    w_lepton, minus, plus = (from_pt_eta_phi_m(torch.from_numpy(each[:, :4])) for each in chosen)
    met, phi = (
        torch.from_numpy(view.batch.table.column(name).fill_null(0.0).to_numpy().astype(np.float64))
        for name in ("met_pt", "met_phi")
    )
    neutrino = _neutrino(w_lepton, met * torch.cos(phi), met * torch.sin(phi))
    return torch.stack([w_lepton, neutrino, minus, plus], dim=1), exists


def _first(leptons: Array, which: NDArray[np.bool_]) -> Array:
    found: Array = leptons[np.arange(len(leptons)), np.argmax(which, axis=1)]
    return found


def _neutrino(lepton: Float[Tensor, "events 4"], px: Tensor, py: Tensor) -> Float[Tensor, "events 4"]:
    """Return the neutrino that makes a W with a massless lepton: pz of smaller size, or the real part."""
    transverse = (px.square() + py.square()).clamp(min=1e-12)
    lepton_transverse = (lepton[:, 1].square() + lepton[:, 2].square()).clamp(min=1e-12)
    product = 0.5 * W_MASS**2 + lepton[:, 1] * px + lepton[:, 2] * py
    centre = product * lepton[:, 3] / lepton_transverse
    energy = (lepton_transverse + lepton[:, 3].square()).sqrt()
    root = energy * (product.square() - lepton_transverse * transverse).clamp(min=0.0).sqrt() / lepton_transverse
    pz = torch.where((centre - root).abs() < (centre + root).abs(), centre - root, centre + root)
    return torch.stack([(transverse + pz.square()).sqrt(), px, py, pz], dim=1)


def _of_momenta(function: Callable[[Tensor], Tensor]) -> Callable[[BatchObjects], Found]:
    def evaluated(view: BatchObjects) -> Found:
        momenta, exists = trilepton_momenta(view)
        safe = torch.where(torch.from_numpy(exists)[:, None, None], momenta, _STAND_IN)
        return function(safe).numpy(), exists

    return evaluated


def _mass(momenta: Tensor) -> Tensor:
    return mass(momenta.sum(dim=1))


def _w_angle(number: int) -> Callable[[Tensor], Tensor]:
    return lambda momenta: helicity_angles(momenta, 0, (0, 1))[number]


def _z_angle(number: int) -> Callable[[Tensor], Tensor]:
    return lambda momenta: helicity_angles(momenta, 2, (2, 3))[number]


_STAND_IN = torch.tensor(
    [[50.0, 50.0, 0.0, 0.0], [50.0, 0.0, 50.0, 0.0], [50.0, 0.0, 0.0, 50.0], [50.0, -30.0, -40.0, 0.0]],
    dtype=torch.float64,
)
"""Momenta with which everything can be computed, for events that have no candidates."""


def _w_charge(view: BatchObjects) -> Found:
    leptons, mask = view.leptons
    return -np.sign(leptons[..., 4]).sum(axis=1), mask[:, 2]


def _w_lepton(column: int) -> Callable[[BatchObjects], Found]:
    def evaluated(view: BatchObjects) -> Found:
        momenta, exists = trilepton_momenta(view)
        pt = momenta[:, 0, 1:3].norm(dim=1)
        values = pt if column == 0 else torch.asinh(momenta[:, 0, 3] / pt.clamp(min=1e-9))
        return values.numpy(), exists

    return evaluated


TRILEPTON: Final[Mapping[str, Callable[[BatchObjects], Found]]] = {
    "lepton_charge_sum": _w_charge,
    "w_lepton_pt": _w_lepton(0),
    "w_lepton_eta": _w_lepton(1),
    "wz_mass": _of_momenta(_mass),
    "wz_cos_theta_w": _of_momenta(_w_angle(0)),
    "wz_cos_theta_z": _of_momenta(_z_angle(0)),
    "wz_phi_w": _of_momenta(_w_angle(1)),
    "wz_phi_z": _of_momenta(_z_angle(1)),
}
"""Features of W and Z candidates by name: values and where they exist; GeV and radians."""

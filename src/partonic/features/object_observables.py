"""Observables of photons and several leptons: masses of pairs, and of W and Z, or H and Z, together."""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from partonic.events.object_cuts import best_pair, pair_mass
from partonic.features.associated_higgs import ASSOCIATED_HIGGS
from partonic.features.associated_w import ASSOCIATED_W
from partonic.features.diphoton_and_jet import DIPHOTON_AND_JET
from partonic.features.objects import BatchObjects

__all__ = ["OBJECT_OBSERVABLES", "Evaluated"]

Array = NDArray[np.float64]
Evaluated = Callable[[BatchObjects], tuple[Array, NDArray[np.bool_]]]
"""Values and where they are defined, `(N,)` each."""


def _photon_pt(view: BatchObjects) -> tuple[Array, NDArray[np.bool_]]:
    photons, mask = view.photons
    return photons[:, 0, 0], mask[:, 0]


def _diphoton_mass(view: BatchObjects) -> tuple[Array, NDArray[np.bool_]]:
    photons, mask = view.photons
    return pair_mass(photons[:, 0], photons[:, 1]), mask[:, 1]


def _dilepton_mass(view: BatchObjects) -> tuple[Array, NDArray[np.bool_]]:
    leptons, mask = _cut_format(view)
    return pair_mass(leptons[:, 0], leptons[:, 1]), mask[:, 1]


def _z_mass(view: BatchObjects) -> tuple[Array, NDArray[np.bool_]]:
    masses, members = best_pair(_cut_format(view)[0])
    exists: NDArray[np.bool_] = np.asarray(members.any(axis=1))
    return np.nan_to_num(masses), exists


def _w_transverse_mass(view: BatchObjects) -> tuple[Array, NDArray[np.bool_]]:
    """m_T = √(2 pT(ℓ) pT(miss) (1 − cos Δφ)) of the hardest lepton that is not in the pair of the Z."""
    leptons, mask = _cut_format(view)
    _, members = best_pair(leptons)
    free = mask & ~members
    lepton = leptons[np.arange(len(leptons)), np.argmax(free, axis=1)]
    met, phi, known = _met(view)
    square = 2.0 * lepton[:, 0] * met * (1.0 - np.cos(lepton[:, 2] - phi))
    return np.sqrt(np.maximum(square, 0.0)), free.any(axis=1) & members.any(axis=1) & known


def _wz_transverse_mass(view: BatchObjects) -> tuple[Array, NDArray[np.bool_]]:
    """m_T(WZ) = √((Σ pT)² − |Σ p⃗T|²) of the three leading leptons and the missing momentum (arXiv:2410.07315)."""
    leptons, mask = _cut_format(view)
    met, phi, known = _met(view)
    pt = np.column_stack([leptons[:, :3, 0], met])
    angle = np.column_stack([leptons[:, :3, 2], phi])
    along, across = (pt * np.cos(angle)).sum(axis=1), (pt * np.sin(angle)).sum(axis=1)
    square = pt.sum(axis=1) ** 2 - along**2 - across**2
    return np.sqrt(np.maximum(square, 0.0)), mask[:, 2] & known


def _z_pt(view: BatchObjects) -> tuple[Array, NDArray[np.bool_]]:
    """Transverse momentum of the pair of leptons of the Z."""
    leptons, _ = _cut_format(view)
    momentum, exists = _pair_momentum(leptons)
    return np.abs(momentum), exists


def _w_lepton_azimuth(view: BatchObjects) -> tuple[Array, NDArray[np.bool_]]:
    """|Δφ| of the hardest lepton that is not in the pair of the Z, and that pair."""
    leptons, mask = _cut_format(view)
    _, members = best_pair(leptons)
    free = mask & ~members
    phi = leptons[np.arange(len(leptons)), np.argmax(free, axis=1), 2]
    momentum, exists = _pair_momentum(leptons)
    return np.abs(np.angle(np.exp(1j * phi) * np.conj(momentum))), exists & free.any(axis=1)


def _pair_momentum(leptons: Array) -> tuple[NDArray[np.complex128], NDArray[np.bool_]]:
    """Return px + i py of the pair of the Z, and whether there is one."""
    _, members = best_pair(leptons)
    each = np.where(members, leptons[..., 0] * np.exp(1j * leptons[..., 2]), 0.0)
    exists: NDArray[np.bool_] = np.asarray(members.any(axis=1))
    return each.sum(axis=1), exists


def _cut_format(view: BatchObjects) -> tuple[Array, NDArray[np.bool_]]:
    """Return pt, eta, phi and pdg of the leptons, as the cuts take them."""
    leptons, mask = view.leptons
    return leptons[..., [0, 1, 2, 4]], mask


def _met(view: BatchObjects) -> tuple[Array, Array, NDArray[np.bool_]]:
    known = view.batch.valid("met_pt")
    size, phi = (
        view.batch.table.column(name).fill_null(0.0).to_numpy().astype(np.float64) for name in ("met_pt", "met_phi")
    )
    return size, phi, known


def _missing_pt(view: BatchObjects) -> tuple[Array, NDArray[np.bool_]]:
    size, _, known = _met(view)
    return size, known


OBJECT_OBSERVABLES: Final[Mapping[str, Evaluated]] = {
    "photon1_pt": _photon_pt,
    "diphoton_mass": _diphoton_mass,
    "dilepton_mass": _dilepton_mass,
    "z_candidate_mass": _z_mass,
    "z_candidate_pt": _z_pt,
    "delta_phi_wz": _w_lepton_azimuth,
    "w_transverse_mass": _w_transverse_mass,
    "transverse_mass_wz": _wz_transverse_mass,
    "missing_pt": _missing_pt,
    **ASSOCIATED_HIGGS,
    **ASSOCIATED_W,
    **DIPHOTON_AND_JET,
}
"""All of them by name; GeV and radians."""

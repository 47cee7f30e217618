"""Observables of photons and of several leptons, for stores whose events have them."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from partonic.events.object_cuts import best_pair, pair_mass
from partonic.events.schema import StoreMetadata
from partonic.plots.axis import Axis
from partonic.report.views import BatchObjects

__all__ = ["OBJECT_SENTENCES", "Evaluated", "object_observables"]

Array = NDArray[np.float64]
Evaluated = Callable[[BatchObjects], tuple[Array, NDArray[np.bool_]]]

OBJECT_SENTENCES = {
    "photon1_pt": "Transverse momentum of the leading photon",
    "diphoton_mass": "Mass of the two leading photons",
    "dilepton_mass": "Mass of the two leading leptons",
    "z_candidate_mass": "Mass of the two leptons of one flavour and opposite charges that is nearest to the Z",
    "w_transverse_mass": "Transverse mass of the remaining lepton and missing transverse momentum",
    "transverse_mass_wz": "Transverse mass of the three leptons and missing transverse momentum",
}
"""Captions, by name."""


def object_observables(metadata: StoreMetadata) -> tuple[tuple[Axis, Evaluated], ...]:
    """Return axes and functions of the observables for which the events of a store have the objects.

    These are photons, where the store has columns for them, and two or three leptons, where the selection of the store
    asks for so many.
    """
    found: list[tuple[Axis, Evaluated]] = []
    if metadata.photons:
        found += [
            (_energy("photon1_pt", r"$p_\mathrm{T}$(leading photon)", (25, 0.0, 400.0), logarithmic=True), _photon_pt),
            (_energy("diphoton_mass", r"$m(\gamma\gamma)$", (40, 100.0, 180.0)), _diphoton_mass),
        ]
    leptons = _asked_leptons(metadata)
    if leptons == 2:
        found.append((_energy("dilepton_mass", r"$m(\ell\ell)$", (40, 0.0, 200.0)), _dilepton_mass))
    if leptons >= 3:
        mt, low = r"$m_\mathrm{T}(\ell_\mathrm{W}, p_\mathrm{T}^\mathrm{miss})$", 91.2 - 30.0
        found += [
            (_energy("z_candidate_mass", r"$m(\ell^-\ell^+)$", (30, low, low + 60.0)), _z_mass),
            (_energy("w_transverse_mass", mt, (30, 0.0, 240.0)), _w_transverse_mass),
            (
                _energy("transverse_mass_wz", r"$m_\mathrm{T}(\mathrm{WZ})$", (30, 0.0, 1200.0), logarithmic=True),
                _wz_transverse_mass,
            ),
        ]
    return tuple(found)


def _asked_leptons(metadata: StoreMetadata) -> int:
    """Return the number of leptons that the selection of the store asks for, 0 if it has none."""
    for name in ("simulation", "import"):
        section = metadata.config.get(name)
        selection = section.get("selection") if isinstance(section, dict) else None
        if isinstance(selection, dict):
            return int(selection.get("leptons", 0))
    return 0


def _energy(name: str, label: str, bins: tuple[int, float, float], *, logarithmic: bool = False) -> Axis:
    return Axis.regular(name, label, bins, "GeV", logarithmic=logarithmic)


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

"""Observables of photons and of several leptons, for stores whose events have them."""

import math

from partonic.events.schema import StoreMetadata
from partonic.features.object_observables import OBJECT_OBSERVABLES, Evaluated
from partonic.plots.axis import Axis

__all__ = ["OBJECT_SENTENCES", "Evaluated", "object_observables"]

OBJECT_SENTENCES = {
    "photon1_pt": "Transverse momentum of the leading photon",
    "diphoton_mass": "Mass of the two leading photons",
    "diphoton_pt": "Transverse momentum of the two leading photons",
    "forward_jet_eta": "|η| of the most forward jet",
    "delta_eta_forward_diphoton": "|Δη| of the most forward jet and the two leading photons",
    "dilepton_mass": "Mass of the two leading leptons",
    "z_candidate_mass": "Mass of the two leptons of one flavour and opposite charges that is nearest to the Z",
    "z_candidate_pt": "Transverse momentum of these two leptons",
    "delta_phi_wz": "Azimuth between the remaining lepton and these two leptons",
    "w_transverse_mass": "Transverse mass of the remaining lepton and missing transverse momentum",
    "transverse_mass_wz": "Transverse mass of the three leptons and missing transverse momentum",
}
"""Captions, by name."""


def object_observables(metadata: StoreMetadata) -> tuple[tuple[Axis, Evaluated], ...]:
    """Return axes and functions of the observables for which the events of a store have the objects.

    These are photons, where the store has columns for them, and two or three leptons, where the selection of the store
    asks for so many.
    """
    axes: list[Axis] = []
    if metadata.photons:
        axes += [
            _energy("photon1_pt", r"$p_\mathrm{T}$(leading photon)", (25, 0.0, 400.0), logarithmic=True),
            _energy("diphoton_mass", r"$m(\gamma\gamma)$", (40, 100.0, 180.0)),
            _energy("diphoton_pt", r"$p_\mathrm{T}(\gamma\gamma)$", (25, 0.0, 500.0), logarithmic=True),
            Axis.regular("forward_jet_eta", r"$|\eta|$(most forward jet)", (24, 0.0, 4.8)),
            Axis.regular("delta_eta_forward_diphoton", r"$|\Delta\eta(\mathrm{j}, \gamma\gamma)|$", (24, 0.0, 7.2)),
        ]
    leptons = _asked_leptons(metadata)
    if leptons == 2:
        axes.append(_energy("dilepton_mass", r"$m(\ell\ell)$", (40, 0.0, 200.0)))
    if leptons >= 3:
        mt, low = r"$m_\mathrm{T}(\ell_\mathrm{W}, p_\mathrm{T}^\mathrm{miss})$", 91.2 - 30.0
        axes += [
            _energy("z_candidate_mass", r"$m(\ell^-\ell^+)$", (30, low, low + 60.0)),
            _energy("z_candidate_pt", r"$p_\mathrm{T}(\ell^-\ell^+)$", (25, 0.0, 500.0), logarithmic=True),
            Axis.regular("delta_phi_wz", r"$|\Delta\phi(\ell_\mathrm{W}, \mathrm{Z})|$", (20, 0.0, math.pi), "rad"),
            _energy("w_transverse_mass", mt, (30, 0.0, 240.0)),
            _energy("transverse_mass_wz", r"$m_\mathrm{T}(\mathrm{WZ})$", (30, 0.0, 1200.0), logarithmic=True),
        ]
    return tuple((axis, OBJECT_OBSERVABLES[axis.name]) for axis in axes)


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

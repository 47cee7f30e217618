"""Where Delphes keeps each quantity (https://delphes.github.io, description of the tree).

Branches are found by their last name (``Jet.PT``), so files of Delphes itself, where they are split under ``Jet``, and
flat copies of them are read alike.
"""

from collections.abc import Mapping, Sequence

from partonic.config.importing import ImportConfig
from partonic.errors import ConfigError
from partonic.events.readers.root.branches import Quantities
from partonic.events.readers.root.photons import DELPHES, needed_photons

__all__ = ["COLLECTIONS", "NEEDED", "OPTIONAL", "delphes_quantities"]

NEEDED: Mapping[str, Sequence[str]] = {
    "jet_pt": ("Jet.PT",),
    "jet_eta": ("Jet.Eta",),
    "jet_phi": ("Jet.Phi",),
    "jet_mass": ("Jet.Mass",),
    "jet_btag": ("Jet.BTag",),
    "electron_pt": ("Electron.PT",),
    "electron_eta": ("Electron.Eta",),
    "electron_phi": ("Electron.Phi",),
    "electron_charge": ("Electron.Charge",),
    "electron_isolation": ("Electron.IsolationVar",),
    "muon_pt": ("Muon.PT", "MuonTight.PT"),
    "muon_eta": ("Muon.Eta", "MuonTight.Eta"),
    "muon_phi": ("Muon.Phi", "MuonTight.Phi"),
    "muon_charge": ("Muon.Charge", "MuonTight.Charge"),
    "muon_isolation": ("Muon.IsolationVar", "MuonTight.IsolationVar"),
    "met_pt": ("MissingET.MET", "PuppiMissingET.MET"),
    "met_phi": ("MissingET.Phi", "PuppiMissingET.Phi"),
    "generator_weight": ("Event.Weight",),
    "generator_pdg": ("Particle.PID",),
    "generator_mother": ("Particle.M1",),
    "generator_e": ("Particle.E",),
    "generator_px": ("Particle.Px",),
    "generator_py": ("Particle.Py",),
    "generator_pz": ("Particle.Pz",),
}
"""Branches of every file, by our name for the quantity."""

OPTIONAL: Mapping[str, Sequence[str]] = {
    "jet_flavour": ("Jet.Flavor",),
    "true_jet_pt": ("GenJet.PT",),
    "true_jet_eta": ("GenJet.Eta",),
    "true_jet_phi": ("GenJet.Phi",),
    "weights": ("Weight.Weight",),
    "cross_section": ("Event.CrossSection",),
    "event_number": ("Event.Number",),
    "x1": ("Event.X1",),
    "x2": ("Event.X2",),
    "initial_pdg_1": ("Event.ID1",),
    "initial_pdg_2": ("Event.ID2",),
    "scale": ("Event.ScalePDF",),
    "alpha_s": ("Event.AlphaQCD",),
    **DELPHES,
}
"""Branches that a file may have; those of `Event` depend on what Delphes has read (LHE, HepMC or Pythia)."""

COLLECTIONS = {
    "jets": "jet_",
    "electrons": "electron_",
    "muons": "muon_",
    "met": "met_",
    "photons": "photon_",
    "true_jets": "true_jet_",
    "generator_particles": "generator_",
}
"""Collections that `branches` may name as a whole (``jets: JetPUPPI``), and how the names of their quantities begin."""


def delphes_quantities(config: ImportConfig) -> Quantities:
    """Return what is read, as the configuration has it.

    Raises:
        ConfigError: if `branches` names a quantity that there is not.
    """
    optional, needed = dict(OPTIONAL), dict(NEEDED)
    if config.wants_photons:
        needed |= {name: optional.pop(name) for name in needed_photons(DELPHES, config)}
    if config.theta_independent and not config.extra_weights and config.nominal_weight in (None, "Event.Weight"):
        del optional["weights"]
    if config.cross_section is not None:
        del optional["cross_section"]
    branches = {
        name: branch
        for name, branch in config.branches.items()
        if name in {**optional, **needed} or name not in OPTIONAL
    }
    if config.btag.branch is not None:
        if branches.get("jet_btag", config.btag.branch) != config.btag.branch:
            message = "import.btag.branch and import.branches (jet_btag) name two discriminators: give one of them"
            raise ConfigError(message)
        branches["jet_btag"] = config.btag.branch
    return Quantities(needed, optional, COLLECTIONS).with_branches(branches, "Delphes")

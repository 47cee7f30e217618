"""Where NanoAOD keeps each quantity. Names have changed between versions; the first candidate that is present is read.

Documentation of the branches: https://cms-xpog.docs.cern.ch/autoDoc/
"""

from collections.abc import Mapping, Sequence

from partonic.config.importing import ImportConfig

__all__ = ["MET", "NEEDED", "NEEDED_SIMULATED", "OPTIONAL_SIMULATED", "WEIGHTS", "known_branches"]

Candidates = Mapping[str, Sequence[str]]

NEEDED: Candidates = {
    "jet_pt": ("Jet_pt",),
    "jet_eta": ("Jet_eta",),
    "jet_phi": ("Jet_phi",),
    "jet_mass": ("Jet_mass",),
    "jet_btag": (
        "Jet_btagUParTAK4B",
        "Jet_btagPNetB",
        "Jet_btagRobustParTAK4B",
        "Jet_btagDeepFlavB",
        "Jet_btagDeepB",
        "Jet_btagCSVV2",
    ),
    "jet_identification": ("Jet_jetId",),
    "electron_pt": ("Electron_pt",),
    "electron_eta": ("Electron_eta",),
    "electron_phi": ("Electron_phi",),
    "electron_mass": ("Electron_mass",),
    "electron_pdg": ("Electron_pdgId",),
    "electron_isolation": ("Electron_pfRelIso03_all", "Electron_pfRelIso04_all"),
    "electron_identification": ("Electron_cutBased", "Electron_cutBased_Fall17_V2", "Electron_cutBased_Sum16"),
    "muon_pt": ("Muon_pt",),
    "muon_eta": ("Muon_eta",),
    "muon_phi": ("Muon_phi",),
    "muon_mass": ("Muon_mass",),
    "muon_pdg": ("Muon_pdgId",),
    "muon_isolation": ("Muon_pfRelIso04_all", "Muon_pfRelIso03_all"),
    "muon_identification": ("Muon_tightId",),
}
"""Quantities of every file. Identifications are not needed where the configuration asks for none."""

MET = ("MET", "PFMET", "PuppiMET")
"""Collections of missing transverse momentum."""

NEEDED_SIMULATED: Candidates = {
    "generator_weight": ("genWeight",),
    "generator_pt": ("GenPart_pt",),
    "generator_eta": ("GenPart_eta",),
    "generator_phi": ("GenPart_phi",),
    "generator_mass": ("GenPart_mass",),
    "generator_pdg": ("GenPart_pdgId",),
    "generator_mother": ("GenPart_genPartIdxMother",),
}
"""Quantities of every simulated file."""

WEIGHTS = {"theta_weights": "rwgt", "scale_weights": "scale", "pdf_weights": "pdf", "shower_weights": "ps"}
"""Vectors of weights relative to the nominal one, and the names under which they stay."""

OPTIONAL_SIMULATED: Candidates = {
    "jet_flavour": ("Jet_hadronFlavour",),
    "true_jet_pt": ("GenJet_pt",),
    "true_jet_eta": ("GenJet_eta",),
    "true_jet_phi": ("GenJet_phi",),
    "x1": ("Generator_x1",),
    "x2": ("Generator_x2",),
    "initial_pdg_1": ("Generator_id1",),
    "initial_pdg_2": ("Generator_id2",),
    "scale": ("Generator_scalePDF",),
    "alpha_s": ("LHE_AlphaS",),
    "lhe_pt": ("LHEPart_pt",),
    "lhe_eta": ("LHEPart_eta",),
    "lhe_phi": ("LHEPart_phi",),
    "lhe_mass": ("LHEPart_mass",),
    "lhe_pdg": ("LHEPart_pdgId",),
    "lhe_status": ("LHEPart_status",),
    "theta_weights": ("LHEReweightingWeight",),
    "scale_weights": ("LHEScaleWeight",),
    "pdf_weights": ("LHEPdfWeight",),
    "shower_weights": ("PSWeight",),
}
"""Quantities that a simulated file may have."""


def known_branches(config: ImportConfig, needed: Candidates, optional: Candidates) -> tuple[Candidates, Candidates]:
    """Return the candidates as the configuration has them: needed, optional.

    The key ``met`` of `branches` names the collection of missing momentum; `btag.branch` the discriminator.
    """
    needed, optional = dict(needed), dict(optional)
    met = (config.branches["met"],) if "met" in config.branches else MET
    needed |= {f"met_{part}": [f"{name}_{part}" for name in met] for part in ("pt", "phi")}
    if config.btag.branch is not None:
        needed["jet_btag"] = (config.btag.branch,)
    if config.leptons.muon_identification == "none":
        del needed["muon_identification"]
    else:
        needed["muon_identification"] = (f"Muon_{config.leptons.muon_identification}Id",)
    if config.leptons.electron_identification == 0:
        del needed["electron_identification"]
    if config.jet_identification == 0:
        del needed["jet_identification"]
    if config.parton_source == "LHEPart" and not config.data:
        needed |= {name: optional.pop(name) for name in ("lhe_pt", "lhe_eta", "lhe_phi", "lhe_mass", "lhe_pdg")}
    for quantity, branch in config.branches.items():
        for table in (needed, optional):
            if quantity in table:
                table[quantity] = (branch,)
    return needed, optional

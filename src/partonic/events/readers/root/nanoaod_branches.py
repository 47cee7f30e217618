"""Where NanoAOD keeps each quantity. Names have changed between versions; the first candidate that is present is read.

Documentation of the branches: https://cms-xpog.docs.cern.ch/autoDoc/
"""

from collections.abc import Mapping, Sequence

from partonic.config.importing import ImportConfig
from partonic.errors import ConfigError, EventFileError
from partonic.events.readers.root.branches import Found, Quantities
from partonic.events.readers.root.file import Tree
from partonic.events.readers.root.jet_identification import COMPONENTS, check_bits
from partonic.events.readers.root.photons import NANOAOD, needed_photons, wanted_photons

__all__ = ["COLLECTIONS", "DISCRIMINATORS", "MET", "NEEDED", "NEEDED_SIMULATED", "OPTIONAL", "OPTIONAL_SIMULATED",
           "WEIGHTS", "check_chosen", "nanoaod_quantities"]  # fmt: skip

Candidates = Mapping[str, Sequence[str]]

DISCRIMINATORS = ("Jet_btagUParTAK4B", "Jet_btagPNetB", "Jet_btagRobustParTAK4B", "Jet_btagDeepFlavB", "Jet_btagDeepB",
                  "Jet_btagCSVV2", "Jet_btagCMVA")  # fmt: skip
"""Known b-tag discriminators, from NanoAOD version 15 back to 1. A file that has several needs `btag.branch`."""

MET = ("MET", "PFMET", "PuppiMET")
"""Collections of missing transverse momentum: `MET` until version 14, `PFMET` from 15 on."""

NEEDED: Candidates = {
    "jet_pt": ("Jet_pt",),
    "jet_eta": ("Jet_eta",),
    "jet_phi": ("Jet_phi",),
    "jet_mass": ("Jet_mass",),
    "jet_btag": DISCRIMINATORS,
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
    "met_pt": tuple(f"{name}_pt" for name in MET),
    "met_phi": tuple(f"{name}_phi" for name in MET),
}
"""Quantities of every file. Identifications are not needed where the configuration asks for none."""

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

OPTIONAL: Candidates = {
    "run": ("run",),
    "luminosity_block": ("luminosityBlock",),
    "event_number": ("event",),
    "jet_identification": ("Jet_jetId",),
    **COMPONENTS,
    **NANOAOD,
}
"""Quantities that every file may have; `Jet_jetId` ended with version 14, and is then computed from its components."""

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

COLLECTIONS = {
    "jets": "jet_",
    "electrons": "electron_",
    "muons": "muon_",
    "met": "met_",
    "true_jets": "true_jet_",
    "generator_particles": "generator_",
    "photons": "photon_",
    "lhe_particles": "lhe_",
}
"""Collections that `branches` may name as a whole, and how the names of their quantities begin."""

OF_RUNS = ("sum_of_weights", "generated_events")
"""Branches of the tree `Runs` that `branches` may name."""


def nanoaod_quantities(config: ImportConfig) -> Quantities:
    """Return what is read, as the configuration has it.

    Raises:
        ConfigError: if `branches` names a quantity that there is not, or a setting cannot be met.
    """
    needed = dict(NEEDED) if config.data else {**NEEDED, **NEEDED_SIMULATED}
    optional = dict(OPTIONAL) if config.data else {**OPTIONAL, **OPTIONAL_SIMULATED}
    check_bits(config.jet_identification)
    if config.jet_identification == 0:
        optional = {name: optional[name] for name in optional if name not in {"jet_identification", *COMPONENTS}}
    if config.leptons.muon_identification == "none":
        del needed["muon_identification"]
    else:
        needed["muon_identification"] = (f"Muon_{config.leptons.muon_identification}Id",)
    if config.leptons.electron_identification == 0:
        del needed["electron_identification"]
    photons = wanted_photons(NANOAOD, config)
    optional = {name: optional[name] for name in optional if name not in NANOAOD} | photons
    if config.wants_photons:
        needed |= {name: optional.pop(name) for name in needed_photons(photons, config)}
    lhe = ("lhe_pt", "lhe_eta", "lhe_phi", "lhe_mass", "lhe_pdg")
    if config.parton_source == "LHEPart" and not config.data:
        needed |= {name: optional.pop(name) for name in lhe}
    else:
        optional = {name: optional[name] for name in optional if not name.startswith("lhe_")}
    if not config.extra_weights:
        optional = {name: optional[name] for name in optional if name not in WEIGHTS or name == "theta_weights"}
    if config.theta_independent and not config.extra_weights:
        optional.pop("theta_weights", None)
    branches = {name: branch for name, branch in config.branches.items() if name not in OF_RUNS}
    if config.btag.branch is not None:
        if branches.get("jet_btag", config.btag.branch) != config.btag.branch:
            message = "import.btag.branch and import.branches (jet_btag) name two discriminators: give one of them"
            raise ConfigError(message)
        branches["jet_btag"] = config.btag.branch
    return Quantities(needed, optional, COLLECTIONS).with_branches(branches, "NanoAOD")


def check_chosen(tree: Tree, found: Found, quantities: Quantities, config: ImportConfig) -> None:
    """Check what must not be chosen by itself: the discriminator, and the identification of jets.

    Raises:
        EventFileError: if the file has several b-tag discriminators and none is named, or jets cannot be identified.
    """
    known = [name for name in quantities.needed["jet_btag"] if name in tree.branches]
    if len(known) > 1:
        raise EventFileError(
            f"{tree.file} has the b-tag discriminators {', '.join(known)}, and import.btag.working_point belongs to "
            "one of them: name it with import.btag.branch"
        )
    lacking = [COMPONENTS[name][0] for name in COMPONENTS if name not in found.names]
    if config.jet_identification and "jet_identification" not in found.names and lacking:
        raise EventFileError(
            f"{tree.file} lacks the branch {quantities.optional['jet_identification'][0]} (jet_identification), "
            f"and to compute it {', '.join(lacking)}. Name the right branch under import.branches: "
            "`jet_identification: <branch>`, or set import.jet_identification to 0 to take all jets"
        )

"""Small ROOT files in the layouts of CMS NanoAOD and Delphes, written with uproot for the tests."""

import awkward as ak
import numpy as np
import uproot

# Three events. 0: passes all cuts. 1: a second lepton. 2: H and tops decayed otherwise, no leptons, one jet.
JETS = {
    "pt": [[100.0, 40.0, 90.0, 80.0, 60.0, 25.0], [70.0, 60.0, 50.0, 45.0], [33.0]],
    "eta": [[0.5, -1.0, 1.5, 0.1, -2.0, 0.0], [0.1, 1.1, -1.0, 2.9], [0.0]],
    "phi": [[0.0, 1.0, 2.0, 3.0, -3.0, -1.0], [0.0, 1.0, 2.0, 3.0], [3.1]],
    "mass": [[10.0, 4.0, 9.0, 8.0, 6.0, 2.0], [7.0, 6.0, 5.0, 4.0], [3.0]],
    "btag": [[0.9, 0.1, 0.8, 0.7, 0.05, 0.9], [0.9, 0.8, 0.7, 0.2], [0.0]],
    "flavour": [[5, 0, 5, 4, 0, 5], [5, 5, 0, 0], [0]],
}
ELECTRONS = {
    "pt": [[20.0], [40.0], []],
    "eta": [[1.0], [1.2], []],
    "phi": [[-1.5], [2.5], []],
    "charge": [[-1], [1], []],
    "isolation": [[0.5], [0.05], []],
}
MUONS = {
    "pt": [[35.0, 10.0], [30.0], []],
    "eta": [[-1.0, 0.0], [-1.2], []],
    "phi": [[1.1, 0.0], [-2.0], []],
    "charge": [[1, -1], [-1], []],
    "isolation": [[0.1, 0.0], [0.2], []],
}
MET = ([45.0, 60.0, 5.0], [0.3, -0.3, 3.0])
WEIGHTS = [2.0, -1.0, 3.0]

_TTH = [(25, -1), (6, -1), (-6, -1), (5, 0), (-5, 0), (24, 1), (5, 1), (-13, 5), (14, 5), (-24, 2), (-5, 2),
        (1, 9), (-2, 9)]  # fmt: skip
_DIRECTIONS = {3: (100.0, 0.5, 0.0), 4: (90.0, 1.45, 2.05), 6: (80.0, 0.15, 3.05), 10: (39.0, -1.0, 1.1)}


def generator_particles():
    """Return pdg, mother, pt, eta, phi, mass of the three events; quarks of event 0 lie near jets 0, 2, 3 and 1."""
    events = []
    for event in range(3):
        rows = []
        for index, (pdg, mother) in enumerate(_TTH):
            pt, eta, phi = _DIRECTIONS.get(index, (50.0 + index, 0.1 * index - 4.0, 0.2 * index))
            rows.append((pdg, mother, pt, eta, phi, {25: 125.0, 6: 172.5}.get(abs(pdg), 0.0)))
        events.append(rows if event < 2 else rows[:3])
    return events


def _columns(collection, prefix, names):
    return {f"{prefix}{branch}": ak.Array(collection[name]) for name, branch in names.items()}


def nanoaod_branches(**changes):
    """Return the branches of a NanoAOD tree; `changes` replace branches, None removes one."""
    particles = generator_particles()
    kinematics = {"pt": "pt", "eta": "eta", "phi": "phi"}
    branches = {
        **_columns(JETS, "Jet_", kinematics | {"mass": "mass", "btag": "btagDeepFlavB", "flavour": "hadronFlavour"}),
        "Jet_jetId": ak.Array([[6] * len(row) for row in JETS["pt"]]),
        **_columns(ELECTRONS, "Electron_", kinematics | {"isolation": "pfRelIso03_all"}),
        "Electron_mass": ak.Array([[0.0005] * len(row) for row in ELECTRONS["pt"]]),
        "Electron_pdgId": ak.Array([[-11 * charge for charge in row] for row in ELECTRONS["charge"]]),
        "Electron_cutBased": ak.Array([[4] * len(row) for row in ELECTRONS["pt"]]),
        **_columns(MUONS, "Muon_", kinematics | {"isolation": "pfRelIso04_all"}),
        "Muon_mass": ak.Array([[0.105] * len(row) for row in MUONS["pt"]]),
        "Muon_pdgId": ak.Array([[-13 * charge for charge in row] for row in MUONS["charge"]]),
        "Muon_tightId": ak.Array([[True] * len(row) for row in MUONS["pt"]]),
        "MET_pt": np.array(MET[0], np.float32),
        "MET_phi": np.array(MET[1], np.float32),
        "genWeight": np.array(WEIGHTS, np.float32),
        "Generator_x1": np.array([0.1, 0.2, 0.3], np.float32),
        "Generator_x2": np.array([0.3, 0.2, 0.1], np.float32),
        "Generator_id1": np.array([21, 21, 2], np.int32),
        "Generator_id2": np.array([21, 21, -2], np.int32),
        "GenJet_pt": ak.Array([[95.0, 41.0], [65.0], []]),
        "GenJet_eta": ak.Array([[0.52, -1.0], [3.0], []]),
        "GenJet_phi": ak.Array([[0.01, 1.02], [0.0], []]),
        "LHEReweightingWeight": ak.Array([[1.5, 2.3, 0.8]] * 3),
        "LHEScaleWeight": ak.Array([[0.9, 1.1]] * 3),
        "PSWeight": ak.Array([[1.0]] * 3),
    }
    for column, name in enumerate(("pdgId", "genPartIdxMother", "pt", "eta", "phi", "mass")):
        branches[f"GenPart_{name}"] = ak.Array([[row[column] for row in event] for event in particles])
    branches["GenPart_pt"] = ak.values_astype(branches["GenPart_pt"], np.float32)
    branches |= changes
    typed = {}
    for name, values in branches.items():
        if values is not None:
            typed[name] = values if isinstance(values, np.ndarray) else _typed(name, values)
    return typed


def delphes_branches(**changes):
    """Return the branches of a Delphes tree, each a list; what there is one of an event is a list of one."""
    directions = {"pt": "PT", "eta": "Eta", "phi": "Phi"}
    leptons = directions | {"charge": "Charge", "isolation": "IsolationVar"}
    particles = generator_particles()
    rows = [[_four_vector(*row[2:]) for row in event] for event in particles]
    branches = {
        **_columns(JETS, "Jet.", directions | {"mass": "Mass", "flavour": "Flavor"}),
        "Jet.BTag": ak.Array([[3 if tag >= 0.3 else 2 for tag in row] for row in JETS["btag"]]),
        **_columns(ELECTRONS, "Electron.", leptons),
        **_columns(MUONS, "Muon.", leptons),
        "MissingET.MET": ak.Array([[value] for value in MET[0]]),
        "MissingET.Phi": ak.Array([[value] for value in MET[1]]),
        "Event.Weight": ak.Array([[value] for value in WEIGHTS]),
        "Event.CrossSection": ak.Array([[0.6], [0.55], [0.5]]),
        "Event.X1": ak.Array([[0.1], [0.2], [0.3]]),
        "Weight.Weight": ak.Array([[weight, 1.5 * weight, 2.5 * weight, 0.5 * weight] for weight in WEIGHTS]),
        "GenJet.PT": ak.Array([[95.0, 41.0], [65.0], []]),
        "GenJet.Eta": ak.Array([[0.52, -1.0], [3.0], []]),
        "GenJet.Phi": ak.Array([[0.01, 1.02], [0.0], []]),
        "Particle.PID": ak.Array([[row[0] for row in event] for event in particles]),
        "Particle.M1": ak.Array([[row[1] for row in event] for event in particles]),
        **{f"Particle.{name}": ak.Array([[row[column] for row in event] for event in rows])
           for column, name in enumerate(("E", "Px", "Py", "Pz"))},
    }  # fmt: skip
    branches |= changes
    return {name: _typed(name, values) for name, values in branches.items() if values is not None}


def _four_vector(pt, eta, phi, mass):
    return np.sqrt(mass**2 + (pt * np.cosh(eta)) ** 2), pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)


def _typed(name, values):
    """Give empty lists the type that the branch has."""
    integer = any(
        word in name for word in ("Id", "Idx", "Flavour", "cutBased", "PID", "Status", "M1", "Charge", "BTag")
    )
    kind = np.bool_ if "bool" in str(values.type) else np.int32 if integer else np.float32
    return ak.values_astype(values, kind)


def write_tree(path, tree, branches, **more_trees):
    with uproot.recreate(path) as file:
        for name, content in {tree: branches, **more_trees}.items():
            types = {key: ak.type(value).content if isinstance(value, ak.Array) else value.dtype
                     for key, value in content.items()}  # fmt: skip
            file.mktree(name, types).extend(content)
    return path

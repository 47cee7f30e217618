import awkward as ak
import numpy as np
import pyarrow as pa
import pytest
import uproot
from tests.events.readers.root_files import JETS, MET, generator_particles, nanoaod_branches, write_tree

from partonic.config.importing import ImportConfig
from partonic.config.simulation import SelectionConfig
from partonic.errors import ConfigError, EventFileError
from partonic.events.batch import EventBatch
from partonic.events.readers.root.nanoaod import read_nanoaod
from partonic.events.schema import ProcessInfo
from partonic.polynomial import Monomials

INFO = ProcessInfo("tth", ("H", "t", "tbar"), (25, 6, -6), Monomials.up_to_degree(("a",), 2), 13_000.0)
BASIC = {"btag": {"working_point": 0.3}, "cross_section": 0.5, "theta_independent": True}


def read(files, process=INFO, **settings):
    config = ImportConfig(format="nanoaod", files=tuple(np.atleast_1d(files)), **(BASIC | settings))
    source = read_nanoaod(config, process)
    tables = [source.metadata.event_schema.conform(table) for table in source.tables]
    assert source.num_events == sum(len(table) for table in tables)
    return EventBatch(pa.concat_tables(tables), source.metadata)


@pytest.fixture
def path(tmp_path):
    return write_tree(tmp_path / "nano.root", "Events", nanoaod_branches())


def test_objects_are_cut_cleaned_and_sorted(path):
    batch = read(path)
    jets = batch.table.column("jet_pt").to_pylist()
    assert jets == [[100.0, 90.0, 80.0, 60.0], [70.0, 60.0, 50.0], [33.0]]  # jet 1 of event 0 is the muon
    assert batch.table.column("jet_tagged").to_pylist() == [[True, True, True, False], [True, True, True], [False]]
    assert batch.table.column("jet_flavour").to_pylist() == [[5, 5, 4, 0], [5, 5, 0], [0]]
    assert batch.table.column("lepton_pdg").to_pylist() == [[-13], [-11, 13], []]
    assert np.allclose(batch.flat("lepton_pt"), [35.0, 40.0, 30.0])
    assert np.allclose(batch.column("met_pt"), MET[0])
    assert np.allclose(batch.column("met_phi"), MET[1])
    assert batch.column("selected").all()
    assert np.allclose(batch.flat("jet_btag")[:4], [0.9, 0.8, 0.7, 0.05])


def test_cuts_of_the_configuration(path):
    loose = {"jets": {"pt_min": 20.0, "eta_max": 5.0, "max_jets": 5}, "jet_lepton_distance": 0.0}
    batch = read(path, leptons={"pt_min": 5.0, "electron_isolation_max": 1.0}, **loose)
    assert batch.counts("jet_pt").tolist() == [5, 4, 1]
    assert batch.counts("lepton_pt").tolist() == [3, 2, 0]
    assert read(path, btag={"working_point": 0.75}).flat("jet_tagged")[:4].tolist() == [True, True, False, False]


def test_truth_matching(path):
    batch = read(path)
    assert batch.table.column("jet_match").to_pylist()[0] == [0, 1, 2, -1]
    assert batch.table.column("jet_provenance").to_pylist()[0] == [1, 1, 3, 0]
    assert batch.column("hadronic_top").tolist() == [-6, -6, 0]
    assert batch.table.column("decay_pdg").to_pylist()[0] == [5, -5, 5, -13, 14, -5, 1, -2]
    assert batch.table.column("decay_origin").to_pylist()[0] == [25, 25, 6, 6, 6, -6, -6, -6]
    true_pt = batch.flat("jet_true_pt")
    assert np.array_equal(np.isnan(true_pt), [False] + [True] * 7)
    assert true_pt[0] == 95.0
    kept = read(path, jet_lepton_distance=0.0)
    assert kept.table.column("jet_provenance").to_pylist()[0] == [1, 1, 3, 0, 2]


def test_partons_of_the_process(path):
    batch = read(path)
    _, _, pt, eta, phi, mass = generator_particles()[0][1]
    energy = np.sqrt(mass**2 + (pt * np.cosh(eta)) ** 2)
    expected = [energy, pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)]
    assert np.allclose(batch.partons().momenta[0, 1], expected, rtol=1e-6)
    assert np.allclose(batch.column("x1"), [0.1, 0.2, 0.3])
    assert batch.column("initial_pdg").tolist() == [[21, 21], [21, 21], [2, -2]]
    assert not batch.has("scale")


def test_selection(path):
    batch = read(path, selection=SelectionConfig().model_dump())
    assert batch.column("cut").tolist() == [-1, 0, 0]
    assert batch.column("selected").tolist() == [True, False, False]
    assert batch.table.column("jet_pt").to_pylist()[1:] == [None, None]
    assert batch.table.column("met_pt").to_pylist()[1:] == [None, None]
    assert batch.has("partons")
    two = SelectionConfig(leptons=1, lepton_pt_min=38.0, jets_min=3, b_tags_min=4)
    assert read(path, selection=two.model_dump()).column("cut").tolist() == [0, 1, 0]
    none = SelectionConfig(leptons=0, lepton_pt_min=100.0, veto_pt_min=99.0, jets_min=2, b_tags_min=4)
    assert read(path, selection=none.model_dump()).column("cut").tolist() == [3, 3, 2]


def test_weights(path):
    points = {"0": {"a": 1.0}, "1": {"a": 2.0}, "2": {"a": -1.0}}
    batch = read(path, theta_independent=False, weight_points=points)
    weight = 0.5 * np.array([2.0, -1.0, 3.0]) / 4.0
    assert np.allclose(batch.weight, weight)
    m = INFO.monomials.evaluate([[1.0], [2.0], [-1.0]])
    assert np.allclose(batch.coefficients @ m.T, weight[:, None] * [1.5, 2.3, 0.8])
    assert batch.metadata.weight_names == ("scale_0", "scale_1", "ps_0")
    assert np.allclose(batch.column("weight_scale_1"), 1.1 * weight)
    assert read(path, extra_weights=["scale_*"]).metadata.weight_names == ("scale_0", "scale_1")
    with pytest.raises(EventFileError, match="no weight 7; the file has: 0, 1, 2"):
        read(path, theta_independent=False, weight_points={"7": {"a": 1.0}})


def test_sum_of_weights_of_the_runs_tree(tmp_path):
    runs = {"genEventSumw": np.array([30.0, 10.0]), "genEventCount": np.array([100, 50])}
    path = write_tree(tmp_path / "skim.root", "Events", nanoaod_branches(), Runs=runs)
    batch = read([path, path], duplicates="keep")
    assert np.allclose(batch.weight[:3], 0.5 * np.array([2.0, -1.0, 3.0]) / 80.0)
    assert batch.metadata.n_generated == 300
    assert len(batch) == 6


def test_collision_data(tmp_path):
    simulated = [name for name in nanoaod_branches() if name.startswith(("Gen", "LHE", "PS", "gen", "Jet_hadron"))]
    path = write_tree(tmp_path / "data.root", "Events", nanoaod_branches(**dict.fromkeys(simulated)))
    batch = read(path, data=True, cross_section=None, partons=[])
    assert batch.weight.tolist() == [1.0, 1.0, 1.0]
    assert not batch.has("jet_match")
    assert batch.reco().jets.shape == (3, 16, 5)


def test_names_of_other_versions(tmp_path):
    branches = nanoaod_branches()
    branches["PuppiMET_pt"], branches["PuppiMET_phi"] = branches.pop("MET_pt") * 2, branches.pop("MET_phi")
    branches["Jet_myTagger"] = branches.pop("Jet_btagDeepFlavB")
    path = write_tree(tmp_path / "new.root", "Events", branches)
    batch = read(path, btag={"branch": "Jet_myTagger", "working_point": 0.3})
    assert np.allclose(batch.column("met_pt"), np.array(MET[0]) * 2)
    assert batch.flat("jet_tagged").sum() == 6
    with pytest.raises(EventFileError, match=r"Jet_btagUParTAK4B or .*jet_btag"):
        read(path)
    with pytest.raises(EventFileError, match=r"PFMET_pt \(met_pt\).*import.branches"):
        read(path, branches={"met": "PFMET"}, btag={"branch": "Jet_myTagger", "working_point": 0.3})
    with pytest.raises(ConfigError, match=r"names colour, but the quantities of NanoAOD are: .*jet_pt"):
        read(path, branches={"colour": "x"})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"Jet_eta": None}, r"lacks the branch Jet_eta \(jet_eta\); similar ones there: GenJet_eta, Jet_pt"),
        ({"genWeight": None}, "lacks the branch genWeight"),
        ({"Muon_tightId": None}, "lacks the branch Muon_tightId"),
        ({"LHEScaleWeight": ak.Array([[0.9, 1.1], [0.9], [0.9, 1.1]])}, "event 1 .* LHEScaleWeight has 1 values"),
        ({"Jet_pt": ak.Array([*JETS["pt"][:2], [float("nan")]])}, "event 2 .* Jet_pt holds nan"),
        ({"MET_phi": np.array([0.0, np.inf, 0.0])}, "event 1 .* MET_phi holds inf"),
        ({"genWeight": np.array([1.0, -1.0, 0.0])}, "sum to 0.0"),
        ({"Jet_eta": ak.Array([*JETS["eta"][:2], [0.0, 1.0]])}, "event 2 .* Jet_eta has another length"),
        ({"Jet_btagDeepFlavB": ak.Array([[-3000.0] * len(row) for row in JETS["pt"]])}, "was not computed"),
    ],
)
def test_files_that_lack_something(tmp_path, changes, message):
    path = write_tree(tmp_path / "bad.root", "Events", nanoaod_branches(**changes))
    with pytest.raises(EventFileError, match=message):
        read(path)


def test_missing_partons(path):
    with pytest.raises(EventFileError, match=r"event 0 .* PDG id 23 among its generator particles"):
        read(path, partons=[23])
    with pytest.raises(EventFileError, match="lacks the branch LHEPart_pt"):
        read(path, parton_source="LHEPart")


def test_partons_of_the_lhe_events(tmp_path):
    """Incoming partons have status −1; the rest is the final state."""
    lhe = {
        "pdgId": [[21, 21, 25, 6, -6]] * 3,
        "status": [[-1, -1, 1, 1, 1]] * 3,
        "pt": [[0.0, 0.0, 10.0, 20.0, 30.0]] * 3,
    }
    lhe |= {"eta": [[0.0] * 5] * 3, "phi": [[0.0] * 5] * 3, "mass": [[0.0, 0.0, 125.0, 172.5, 172.5]] * 3}
    changes = {f"LHEPart_{name}": ak.Array(values) for name, values in lhe.items()}
    path = write_tree(tmp_path / "lhe.root", "Events", nanoaod_branches(**changes))
    batch = read(path, parton_source="LHEPart")
    assert np.allclose(batch.partons().momenta[2, 2], [np.hypot(30.0, 172.5), 30.0, 0.0, 0.0])
    assert batch.table.column("decay_pdg").to_pylist()[0][:2] == [5, -5]
    final = read(path, parton_source="LHEPart", partons=[])
    assert final.table.column("decay_pdg").to_pylist() == [[25, 6, -6]] * 3
    assert set(final.flat("decay_origin").tolist()) == {0}


def test_damaged_files(tmp_path, path):
    with pytest.raises(EventFileError, match="not found"):
        read(tmp_path / "no.root")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(EventFileError, match=r"truncated|damaged"):
        read(path)
    path.write_text("nothing")
    with pytest.raises(EventFileError, match="not a ROOT file"):
        read(path)
    write_tree(path, "Other", {"x": np.arange(3)})
    with pytest.raises(EventFileError, match="no tree 'Events'; it has: Other"):
        read(path)


@pytest.fixture(scope="module")
def cms(real_data):
    return real_data / "nanoAOD_2015_CMS_Open_Data_ttbar.root"


def test_cms_open_data(cms):
    """Against the branches read one by one, and loops over events. (The events are W → ℓν + jets in truth.)"""
    batch = read(cms, partons=[], btag={"branch": "Jet_btagCSVV2", "working_point": 0.8}, parton_source="LHEPart")
    with uproot.open(cms) as file:
        tree = file["Events"]
        names = ["Jet_pt", "Jet_eta", "Jet_phi", "Jet_jetId", "Jet_btagCSVV2", "MET_pt", "genWeight",
                 "Electron_pt", "Electron_eta", "Electron_phi", "Electron_cutBased", "Electron_pfRelIso03_all",
                 "Muon_pt", "Muon_eta", "Muon_phi", "Muon_tightId", "Muon_pfRelIso04_all", "LHEPart_pdgId",
                 "LHEPart_status", "LHEPart_pt", "Generator_x1", "LHEScaleWeight"]  # fmt: skip
        events = tree.arrays(names).tolist()
    jets, tags, leptons = [], [], []
    for e in events:
        good = [
            (pt, eta, phi)
            for pt, eta, phi, ident, isolation in zip(
                e["Electron_pt"],
                e["Electron_eta"],
                e["Electron_phi"],
                e["Electron_cutBased"],
                e["Electron_pfRelIso03_all"],
                strict=True,
            )
            if pt > 15 and abs(eta) < 2.4 and ident == 4 and isolation < 0.12
        ]
        good += [
            (pt, eta, phi)
            for pt, eta, phi, ident, isolation in zip(
                e["Muon_pt"], e["Muon_eta"], e["Muon_phi"], e["Muon_tightId"], e["Muon_pfRelIso04_all"], strict=True
            )
            if pt > 15 and abs(eta) < 2.4 and ident and isolation < 0.25
        ]
        kept = []
        for pt, eta, phi, ident, tag in zip(
            e["Jet_pt"], e["Jet_eta"], e["Jet_phi"], e["Jet_jetId"], e["Jet_btagCSVV2"], strict=True
        ):
            near = any(np.hypot(eta - b, (phi - c + np.pi) % (2 * np.pi) - np.pi) < 0.4 for _, b, c in good)
            if pt > 30 and abs(eta) < 2.4 and ident & 2 and not near:
                kept.append((pt, tag))
        kept.sort(reverse=True)
        jets.append([pt for pt, _ in kept])
        tags.append([tag >= 0.8 for _, tag in kept])
        leptons.append(sorted((pt for pt, _, _ in good), reverse=True))
    assert batch.table.column("jet_pt").to_pylist() == jets
    assert batch.table.column("jet_tagged").to_pylist() == tags
    assert batch.table.column("lepton_pt").to_pylist() == leptons
    assert sum(map(len, jets)) > 50
    assert sum(map(len, leptons)) > 20
    weight = np.array([e["genWeight"] for e in events])
    assert (weight < 0).any()
    assert np.allclose(batch.weight, 0.5 * weight / weight.sum())
    scale = np.array([e["LHEScaleWeight"] for e in events])
    assert np.allclose(batch.column("weight_scale_7"), batch.weight * scale[:, 7])
    assert len(batch.metadata.weight_names) == 9 + 102 + 1
    assert np.allclose(batch.column("met_pt"), [e["MET_pt"] for e in events])
    assert np.allclose(batch.column("x1"), [e["Generator_x1"] for e in events])
    final = [[p for p, s in zip(e["LHEPart_pdgId"], e["LHEPart_status"], strict=True) if s == 1] for e in events]
    assert batch.table.column("decay_pdg").to_pylist() == final


def test_a_discriminator_that_was_not_computed(cms):
    with pytest.raises(EventFileError, match="Jet_btagDeepFlavB is below −1 for all"):
        read(cms, partons=[])

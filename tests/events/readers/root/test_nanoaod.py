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
        ({"Jet_jetId": None}, r"lacks the branch Jet_jetId .*to compute it Jet_neHEF.*import.jet_identification to 0"),
        (
            {"Jet_hadronFlavour": ak.Array([[5], [5], [5]])},
            "event 0 .* Jet_hadronFlavour has 1 values, but Jet_pt has 6",
        ),
        ({"Muon_tightId": ak.Array([[True], [True], [True]])}, "Muon_tightId has 1 values, but Muon_pt has 2"),
        (
            {"GenPart_genPartIdxMother": ak.Array([[99] * 13, [0] * 13, [0] * 3])},
            "particle 99 is a mother, but there are",
        ),
        ({"Generator_x1": np.array([0.1, 0.2, np.nan])}, "event 2 .* Generator_x1 holds nan"),
        ({"GenJet_pt": ak.Array([[np.inf, 41.0], [65.0], []])}, "event 0 .* GenJet_pt holds inf"),
        (
            {"LHEScaleWeight": ak.Array([[0.9, 1.1], [0.9, np.nan], [0.9, 1.1]])},
            "event 1 .*LHEScaleWeight: weight 1 is nan",
        ),
        (
            {"Jet_btagPNetB": ak.Array(JETS["btag"])},
            "discriminators Jet_btagPNetB, Jet_btagDeepFlavB, and .*working_point",
        ),
        ({"MET_phi": np.array([90.0, 0.0, 0.0])}, "event 0 .* MET_phi holds 90, expected an azimuth in radians"),
        ({"event": np.array([1, 2**63 + 5, 3], np.uint64)}, "event 1 .* branch event holds .*below 2"),
        ({"Jet_pt": ak.Array([*JETS["pt"][:2], [float("nan")]])}, "event 2 .* Jet_pt holds nan"),
        ({"MET_phi": np.array([0.0, np.inf, 0.0])}, "event 1 .* MET_phi holds inf"),
        ({"genWeight": np.array([1.0, -1.0, 0.0])}, "sum to 0 and cannot"),
        ({"Jet_eta": ak.Array([*JETS["eta"][:2], [0.0, 1.0]])}, "event 2 .* Jet_eta has 2 values, but Jet_pt has 1"),
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
    with pytest.raises(EventFileError, match=r"discriminators Jet_btagDeepFlavB, .*name it with import.btag.branch"):
        read(cms, partons=[])
    with pytest.raises(EventFileError, match="Jet_btagDeepFlavB is below −1 for all"):
        read(cms, partons=[], btag={"branch": "Jet_btagDeepFlavB", "working_point": 0.3})


def source_of(*files, process=INFO, left_out=frozenset(), **settings):
    source = read_nanoaod(ImportConfig(format="nanoaod", files=files, **(BASIC | settings)), process, left_out)
    return source, pa.concat_tables([source.metadata.event_schema.conform(table) for table in source.tables])


def write(path, runs=None, **changes):
    trees = {} if runs is None else {"Runs": {name: np.array(values) for name, values in runs.items()}}
    return write_tree(path, "Events", nanoaod_branches(**changes), **trees)


RUNS = {"genEventSumw": [40.0], "genEventCount": [30]}
POINTS = {"0": {"a": 1.0}, "1": {"a": 2.0}, "2": {"a": -1.0}}
THETA = {"theta_independent": False, "weight_points": POINTS}


def ntuple(path, nested, **changes):
    """Write the branches as an RNTuple, the collections as nested fields or flat."""
    branches = nanoaod_branches(**changes)
    if nested:
        for collection in ("Jet", "Electron", "Muon", "GenPart", "GenJet"):
            names = [name for name in branches if name.startswith(f"{collection}_")]
            branches[collection] = ak.zip({name.partition("_")[2]: branches.pop(name) for name in names})
    with uproot.recreate(path) as file:
        file.mkrntuple("Events", branches)
        file.mkrntuple("Runs", {name: np.array(values) for name, values in RUNS.items()})
    return path


@pytest.mark.parametrize("nested", [True, False])
def test_ntuples_are_read_like_trees(tmp_path, nested):
    tree = write(tmp_path / "tree.root", RUNS, run=np.array([1, 1, 2], np.uint32))
    path = ntuple(tmp_path / "ntuple.root", nested, run=np.array([1, 1, 2], np.uint32))
    assert str(source_of(path, **THETA)[1].to_pylist()) == str(source_of(tree, **THETA)[1].to_pylist())
    assert read([tree, path], duplicates="keep", **THETA).metadata.n_generated == 60


def test_files_of_a_sample_that_differ(tmp_path):
    first = write(tmp_path / "1.root", RUNS)
    without = write(tmp_path / "2.root", RUNS, PSWeight=None, Generator_x1=None)
    source, table = source_of(first, without)
    assert source.metadata.weight_names == ("rwgt_0", "rwgt_1", "rwgt_2", "scale_0", "scale_1")
    assert table.column("x1").null_count == 6
    said = " ".join(source.notes.warnings)
    assert "shower_weights is left out of the sample: " in said
    assert "1.root has it (PSWeight), " in said
    assert "2.root does not" in said
    other = {"Jet_btagDeepFlavB": None, "Jet_btagUParTAK4B": ak.Array(JETS["btag"])}
    with pytest.raises(
        EventFileError, match=r"1.root has jet_btag in Jet_btagDeepFlavB, .*3.root in Jet_btagUParTAK4B"
    ):
        read([first, write(tmp_path / "3.root", RUNS, **other)])
    met = {"MET_pt": None, "MET_phi": None, "PFMET_pt": np.ones(3), "PFMET_phi": np.ones(3)}
    with pytest.raises(EventFileError, match=r"1.root has met_pt in MET_pt, .*4.root in PFMET_pt"):
        read([first, write(tmp_path / "4.root", RUNS, **met)])
    with pytest.raises(EventFileError, match=r"5.root lacks the branch LHEPart_pt|5.root lacks the branch GenPart_pt"):
        read([first, write(tmp_path / "5.root", RUNS, GenPart_pt=None)])
    with pytest.raises(EventFileError, match=r"1.root states the sum of weights .*6.root does not"):
        read([first, write(tmp_path / "6.root")])


def test_weights_of_theta_must_be_in_all_files(tmp_path):
    first = write(tmp_path / "1.root", RUNS)
    without = write(tmp_path / "2.root", RUNS, LHEReweightingWeight=None)
    with pytest.raises(EventFileError, match=r"1.root has LHEReweightingWeight \(theta_weights\), .*2.root does not"):
        read([first, without], **THETA)
    more = write(tmp_path / "3.root", RUNS, LHEReweightingWeight=ak.Array([[1.5, 2.3, 0.8, 1.0]] * 3))
    with pytest.raises(EventFileError, match=r"1.root has 3 values of LHEReweightingWeight, .*3.root has 4"):
        read([first, more], **THETA)
    hole = write(tmp_path / "4.root", RUNS, LHEReweightingWeight=ak.Array([[1.5, 2.3, 0.8], [], [1.5, 2.3, 0.8]]))
    with pytest.raises(EventFileError, match=r"4.root: event 1 .*LHEReweightingWeight has 0 values.*dependence on θ"):
        read(hole, **THETA)
    assert len(read(hole)) == 3


def test_weight_vectors_without_one_length(tmp_path):
    hole = write(tmp_path / "1.root", RUNS, LHEScaleWeight=ak.Array([[0.9, 1.1], [], [0.9, 1.1]]))
    source, _ = source_of(hole)
    assert source.metadata.weight_names == ("rwgt_0", "rwgt_1", "rwgt_2", "ps_0")
    assert "1.root: event 1 (the first is 0): branch LHEScaleWeight has 0 values" in source.notes.warnings[0]
    first = write(tmp_path / "2.root", RUNS, LHEScaleWeight=ak.Array([[], [0.9, 1.1], [0.9, 1.1]]))
    assert "LHEScaleWeight are left out" in source_of(first)[0].notes.warnings[0]
    for path in (hole, first):
        assert source_of(path, extra_weights=["ps_*"])[0].notes.warnings == []
    source, _ = source_of(hole, left_out=frozenset({1}))
    assert "scale_1" in source.metadata.weight_names
    odd = write(tmp_path / "3.root", RUNS, LHEScaleWeight=ak.Array([[0.9]] * 3))
    source, _ = source_of(write(tmp_path / "4.root", RUNS), odd, duplicates="keep")
    assert "4.root has 2 values of LHEScaleWeight, " in source.notes.warnings[0]


def test_weights_that_are_not_wanted_are_not_read(tmp_path, monkeypatch):
    from partonic.events.readers.root.file import Tree

    path, read_branches = write(tmp_path / "1.root", RUNS), set()
    original = Tree.array

    def watched(tree, name, start, stop):
        read_branches.add(name)
        return original(tree, name, start, stop)

    monkeypatch.setattr(Tree, "array", watched)
    assert read(path, extra_weights=[]).metadata.weight_names == ()
    vectors = {"LHEReweightingWeight", "LHEScaleWeight", "PSWeight"}
    assert not read_branches & (vectors | {f"n{name}" for name in vectors})
    read(path, extra_weights=[], **THETA)
    assert read_branches & vectors == {"LHEReweightingWeight"}


def test_files_without_events(tmp_path):
    runs = {"genEventSumw": [60.0], "genEventCount": [50]}
    empty = write_tree(tmp_path / "0.root", "Events", {name: values[:0] for name, values in nanoaod_branches().items()},
                       Runs={name: np.array(values) for name, values in runs.items()})  # fmt: skip
    bare = write_tree(tmp_path / "9.root", "Events", {"run": np.zeros(0, np.uint32)},
                      Runs={name: np.array(values) for name, values in runs.items()})  # fmt: skip
    full = write(tmp_path / "1.root", RUNS)
    for files in ([empty, full], [full, empty], [bare, full], [full, bare]):
        source, table = source_of(*files)
        assert np.allclose(table.column("weight"), 0.5 * np.array([2.0, -1.0, 3.0]) / 100.0)
        assert source.metadata.n_generated == 80
        assert source.notes.warnings == [f"{(set(files) - {full}).pop()} has no events"]
    with pytest.raises(EventFileError, match="there is no event in the files"):
        read([empty])
    one = write_tree(tmp_path / "one.root", "Events", {name: values[:1] for name, values in nanoaod_branches().items()})
    assert read(one).weight.tolist() == [0.5]


def test_events_that_are_left_out(tmp_path):
    runs = {"genEventSumw": [4.0], "genEventCount": [3]}
    first, second = write(tmp_path / "1.root", runs), write(tmp_path / "2.root", runs, MET_pt=np.ones(3))
    source, table = source_of(first, second, left_out=frozenset({1, 3}))
    assert table.column("event_id").to_pylist() == [0, 2, 4, 5]
    assert np.allclose(table.column("weight"), 0.5 * np.array([2.0, 3.0, -1.0, 3.0]) / 7.0)
    assert (source.num_events, source.metadata.n_generated) == (4, 4)


def test_wild_theta_weights_are_left_to_the_policy(tmp_path):
    values = ak.Array([[1.5, 2.3, 0.8], [1.5, np.nan, 0.8], [1.5, 2.3, 0.8]])
    path = write(tmp_path / "1.root", RUNS, LHEReweightingWeight=values)
    with pytest.raises(EventFileError, match=r"event 1 .*a weight at a θ point is NaN.*wild_weights"):
        read(path, **THETA)
    source, _ = source_of(path, wild_weights="drop", **THETA)
    assert set(source.wild.reasons) == {1}


def test_numbers_of_events(tmp_path):
    numbers = {"run": np.array([1, 1, 2], np.uint32), "luminosityBlock": np.array([3, 4, 5], np.uint32),
               "event": np.array([7, 2**63 - 1, 9], np.uint64)}  # fmt: skip
    source, table = source_of(write(tmp_path / "1.root", RUNS, **numbers))
    assert source.metadata.identity
    assert table.column("run").to_pylist() == [1, 1, 2]
    assert table.column("luminosity_block").to_pylist() == [3, 4, 5]
    assert table.column("event_number").to_pylist() == [7, 2**63 - 1, 9]


def test_what_was_chosen_is_stated(tmp_path):
    met = {"PuppiMET_pt": np.ones(3), "PuppiMET_phi": np.ones(3)}
    facts = source_of(write(tmp_path / "1.root", RUNS, **met))[0].notes.facts
    assert facts["btag_branch"] == "Jet_btagDeepFlavB"
    assert facts["met_collection"] == "MET"
    assert facts["jet_identification"] == "Jet_jetId"
    assert facts["nominal_weight"] == "genWeight"
    assert facts["branches"]["muon_identification"] == "Muon_tightId"
    assert "3 of 30 generated events are in the files" in facts["normalisation"]


def components(**changes):
    shape = ak.Array(JETS["pt"])
    good = {"neHEF": 0.3, "neEmEF": 0.3, "chHEF": 0.4, "chEmEF": 0.1, "muEF": 0.0, "chMultiplicity": 5,
            "neMultiplicity": 4} | changes  # fmt: skip
    kinds = {name: np.uint8 if name.endswith("Multiplicity") else np.float32 for name in good}
    return {f"Jet_{name}": ak.values_astype(ak.zeros_like(shape) + value, kinds[name]) for name, value in good.items()}


def test_identification_of_jets_is_computed_where_it_is_missing(tmp_path):
    first_only = ak.Array([[0.3] + [0.995] * (len(row) - 1) for row in JETS["pt"]])
    path = write(tmp_path / "15.root", RUNS, Jet_jetId=None, **components(neHEF=first_only))
    source, table = source_of(path)
    assert table.column("jet_pt").to_pylist() == [[100.0], [70.0], [33.0]]
    assert source.notes.facts["jet_identification"].startswith("computed from the composition of jets")
    assert source_of(path, jet_identification=0)[1].column("jet_pt").to_pylist()[1] == [70.0, 60.0, 50.0]
    muons = write(tmp_path / "muons.root", RUNS, Jet_jetId=None, **components(muEF=0.9))
    assert source_of(muons, jet_identification=2)[1].column("jet_pt").to_pylist()[2] == [33.0]
    assert source_of(muons, jet_identification=6)[1].column("jet_pt").to_pylist()[2] == []
    both = write(tmp_path / "both.root", RUNS, **components(neHEF=0.995))
    assert source_of(both)[0].notes.facts["jet_identification"] == "Jet_jetId"
    with pytest.raises(EventFileError, match=r"both.root has the identification of jets, .*15.root has not"):
        read([both, path])
    with pytest.raises(ConfigError, match=r"import.jet_identification: 8 has bits"):
        read(path, jet_identification=8)


def test_true_and_false_as_identification(tmp_path):
    flags = ak.Array([[index % 2 == 0 for index in range(len(row))] for row in JETS["pt"]])
    path = write(
        tmp_path / "1.root", RUNS, Jet_passJetIdTight=flags, Electron_mvaIso_WP80=ak.Array([[True], [True], []])
    )
    names = {"jet_identification": "Jet_passJetIdTight", "electron_identification": "Electron_mvaIso_WP80"}
    table = source_of(path, branches=names)[1]
    assert table.column("jet_pt").to_pylist() == [[100.0, 90.0, 60.0], [70.0, 50.0], [33.0]]
    assert table.column("lepton_pdg").to_pylist()[1] == [-11, 13]


def test_collections(tmp_path):
    branches = nanoaod_branches()
    loose = {f"MuonLoose_{name[5:]}": values[:, :1] for name, values in branches.items() if name.startswith("Muon_")}
    path = write_tree(tmp_path / "1.root", "Events", branches | loose)
    table = source_of(path, branches={"muons": "MuonLoose"}, leptons={"pt_min": 5.0})[1]
    assert table.column("lepton_pdg").to_pylist() == [[-13], [-11, 13], []]
    with pytest.raises(EventFileError, match=r"muon_pt would be read from MuonLoose_pt, but muon_eta from Muon_eta"):
        read(path, branches={"muon_pt": "MuonLoose_pt"})
    corrected = write_tree(tmp_path / "2.root", "Events", branches | {"Jet_pt_nom": branches["Jet_pt"] * 2})
    table = source_of(corrected, branches={"jet_pt": "Jet_pt_nom"})[1]
    assert table.column("jet_pt").to_pylist()[2] == [66.0]


def test_simulation_and_collisions_that_are_taken_for_each_other(tmp_path, path):
    source, table = source_of(path, data=True, cross_section=None, partons=[])
    assert set(table.column("weight").to_pylist()) == {1.0}
    assert "nano.root is simulated (it has genWeight or GenPart), but is imported as coll" in source.notes.warnings[0]
    simulated = [name for name in nanoaod_branches() if name.startswith(("Gen", "LHE", "PS", "gen", "Jet_hadron"))]
    collisions = write(tmp_path / "data.root", **dict.fromkeys(simulated))
    with pytest.raises(EventFileError, match=r"neither generator weights .*Set import.data"):
        read(collisions)
    assert source_of(collisions, data=True, cross_section=None, partons=[])[0].notes.warnings == []


def test_the_nominal_weight_is_that_of_nanoaod(tmp_path):
    path = write(tmp_path / "1.root", RUNS, LHEWeight_originalXWGTUP=np.array([1.0, 1.0, 2.0], np.float32))
    with pytest.raises(ConfigError, match=r"nominal weight of NanoAOD is genWeight, got LHEWeight_originalXWGTUP"):
        read(path, nominal_weight="LHEWeight_originalXWGTUP")
    other = {"generator_weight": "LHEWeight_originalXWGTUP"}
    with pytest.raises(EventFileError, match=r"'Runs' is that of genWeight, but import.branches names LHEWeight_orig"):
        read(path, branches=other)
    assert read(path, branches=other | {"sum_of_weights": "genEventSumw"}).weight.tolist() == [0.0125, 0.0125, 0.025]


def test_partons_at_infinite_rapidity(tmp_path):
    partons = nanoaod_branches()["GenPart_pt"].tolist()
    partons[1][0] = 0.0
    masses = nanoaod_branches()["GenPart_mass"].tolist()
    masses[1][0] = 0.0
    path = write(tmp_path / "1.root", RUNS, GenPart_pt=ak.Array(partons), GenPart_mass=ak.Array(masses))
    with pytest.raises(EventFileError, match=r"event 1 .*: the parton H has .*infinite rapidity"):
        read(path)


def test_two_names_of_the_discriminator(path):
    with pytest.raises(ConfigError, match="name two discriminators"):
        read(path, branches={"jet_btag": "Jet_x"}, btag={"branch": "Jet_y", "working_point": 0.1})


def test_decay_products_that_are_no_momenta(tmp_path):
    eta = nanoaod_branches()["GenPart_eta"].tolist()
    eta[1][3] = 1e4  # a b quark of the H; nobody has sinh(10⁴)
    with pytest.raises(EventFileError, match=r"event 1 .*: the momentum of the decay product with PDG id 5 is not"):
        read(write(tmp_path / "1.root", RUNS, GenPart_eta=ak.Array(eta)))

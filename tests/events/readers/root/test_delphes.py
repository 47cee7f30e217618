import awkward as ak
import numpy as np
import pyarrow as pa
import pytest
from tests.events.readers.root_files import MET, delphes_branches, generator_particles, write_tree

from partonic.config.importing import ImportConfig
from partonic.config.simulation import SelectionConfig
from partonic.errors import ConfigError, EventFileError
from partonic.events.batch import EventBatch
from partonic.events.readers.root.delphes import read_delphes
from partonic.events.schema import ProcessInfo
from partonic.polynomial import Monomials

INFO = ProcessInfo("tth", ("H", "t", "tbar"), (25, 6, -6), Monomials.up_to_degree(("a",), 2), 13_000.0)
CONSTANT = {"theta_independent": True}


def read(files, **settings):
    config = ImportConfig(format="delphes", files=tuple(np.atleast_1d(files)), **settings)
    source = read_delphes(config, INFO)
    tables = [source.metadata.event_schema.conform(table) for table in source.tables]
    return EventBatch(pa.concat_tables(tables), source.metadata)


@pytest.fixture
def path(tmp_path):
    return write_tree(tmp_path / "delphes.root", "Delphes", delphes_branches())


def test_objects(path):
    batch = read(path, **CONSTANT)
    assert batch.table.column("jet_pt").to_pylist() == [[100.0, 90.0, 80.0, 60.0], [70.0, 60.0, 50.0], [33.0]]
    assert batch.table.column("jet_tagged").to_pylist() == [[True, True, True, False], [True, True, True], [False]]
    assert batch.flat("jet_btag").tolist() == [1, 1, 1, 0, 1, 1, 1, 0]
    assert read(path, btag={"bit": 1}, **CONSTANT).flat("jet_tagged").all()
    assert batch.table.column("jet_flavour").to_pylist()[0] == [5, 5, 4, 0]
    assert batch.table.column("lepton_pdg").to_pylist() == [[-13], [-11, 13], []]
    assert np.allclose(batch.flat("lepton_mass"), [0.10566, 0.000511, 0.10566])
    assert np.allclose(batch.column("met_pt"), MET[0])
    assert batch.table.column("jet_provenance").to_pylist()[0] == [1, 1, 3, 0]
    assert batch.flat("jet_true_pt")[0] == 95.0


def test_partons(path):
    batch = read(path, batch_size=2, **CONSTANT)
    _, _, pt, eta, phi, mass = generator_particles()[2][1]
    expected = [np.sqrt(mass**2 + (pt * np.cosh(eta)) ** 2), pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)]
    assert np.allclose(batch.column("partons")[2, 4:8], expected)
    assert np.allclose(batch.column("x1"), [0.1, 0.2, 0.3])
    assert batch.column("hadronic_top").tolist() == [-6, -6, 0]
    assert batch.column("event_id").tolist() == [0, 1, 2]
    with pytest.raises(EventFileError, match=r"event 0 .* PDG id 23"):
        read(path, partons=[23], **CONSTANT)


def test_weights(path):
    points = {"0": {"a": 0.0}, "1": {"a": 1.0}, "2": {"a": 2.0}}
    batch = read(path, weight_points=points)
    weight = 0.5 * np.array([2.0, -1.0, 3.0]) / 4.0
    assert np.allclose(batch.weight, weight)
    values = batch.coefficients @ INFO.monomials.evaluate([[0.0], [1.0], [2.0]]).T
    assert np.allclose(values, weight[:, None] * [1.0, 1.5, 2.5])
    assert batch.metadata.weight_names == ("event_3",)
    assert np.allclose(batch.column("weight_event_3"), 0.5 * weight)
    assert np.allclose(read(path, cross_section=4.0, **CONSTANT).weight, [2.0, -1.0, 3.0])
    assert np.allclose(read([path, path], duplicates="keep", **CONSTANT).weight.sum(), 0.5)


def test_selection(path):
    batch = read(path, selection=SelectionConfig().model_dump(), **CONSTANT)
    assert batch.column("cut").tolist() == [-1, 0, 0]


def test_branches_of_delphes_itself_are_split(tmp_path):
    present = ["Jet", "Jet/Jet.PT", "Jet/Jet.Eta", "Jet_size"]
    found = resolved(tmp_path, present, {"jet_pt": ("Jet.PT",)}, {"jet_phi": ("Jet.Phi",)})
    assert found.names == {"jet_pt": "Jet/Jet.PT"}


def test_names_of_branches(tmp_path):
    branches = delphes_branches()
    for name in ("PT", "Eta", "Phi"):
        branches[f"JetPUPPI.{name}"] = branches.pop(f"Jet.{name}")
    path = write_tree(tmp_path / "e.root", "Delphes", branches)
    with pytest.raises(EventFileError, match=r"lacks the branch Jet.PT \(jet_pt\)"):
        read(path, **CONSTANT)
    names = {f"jet_{name}": f"JetPUPPI.{branch}" for name, branch in (("pt", "PT"), ("eta", "Eta"), ("phi", "Phi"))}
    assert read(path, branches=names, **CONSTANT).counts("jet_pt").tolist() == [4, 3, 1]
    with pytest.raises(ConfigError, match="names colour"):
        read(path, branches={"colour": "x"}, **CONSTANT)
    tagger = {"branch": "Jet.Flavor", "working_point": 4.5}
    assert read(path, branches=names, btag=tagger, **CONSTANT).flat("jet_tagged").sum() == 4


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"Event.Weight": None}, "lacks the branch Event.Weight"),
        ({"Event.CrossSection": None}, "states no cross section"),
        ({"Event.Weight": ak.Array([[1.0], [], [1.0]])}, r"event 1 .* has 0 values, expected one"),
        ({"Event.Weight": ak.Array([[1.0], [-1.0], [0.0]])}, "sum to 0.0"),
        ({"Weight.Weight": ak.Array([[1.0, 2.0], [1.0], [1.0]])}, r"event 1 .* has 1 values, but event 0 has 2"),
        ({"MissingET.MET": ak.Array([[1.0], [1.0], [float("nan")]])}, r"event 2 .* holds nan"),
    ],
)
def test_files_that_lack_something(tmp_path, changes, message):
    path = write_tree(tmp_path / "bad.root", "Delphes", delphes_branches(**changes))
    with pytest.raises(EventFileError, match=message):
        read(path, **CONSTANT)


def test_another_tree(tmp_path):
    path = write_tree(tmp_path / "e.root", "Events", {"x": np.arange(3)})
    with pytest.raises(EventFileError, match="no tree 'Delphes'; it has: Events"):
        read(path, **CONSTANT)

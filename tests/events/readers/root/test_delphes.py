import awkward as ak
import numpy as np
import pyarrow as pa
import pytest
from tests.events.readers.root_files import JETS, MET, delphes_branches, generator_particles, write_tree

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


def test_another_jet_collection(tmp_path):
    branches = delphes_branches()
    puppi = {f"JetPUPPI.{name[4:]}": values[:, :1] for name, values in branches.items() if name.startswith("Jet.")}
    path = write_tree(tmp_path / "e.root", "Delphes", branches | puppi)
    batch = read(path, branches={"jets": "JetPUPPI"}, **CONSTANT)
    assert batch.counts("jet_pt").tolist() == [1, 1, 1]
    assert batch.table.column("jet_flavour").to_pylist() == [[5], [5], [0]]
    names = {f"jet_{ours}": f"JetPUPPI.{theirs}" for ours, theirs in
             (("pt", "PT"), ("eta", "Eta"), ("phi", "Phi"), ("mass", "Mass"), ("btag", "BTag"))}  # fmt: skip
    message = r"jet_pt would be read from JetPUPPI\.PT, but jet_flavour from Jet\.Flavor: .*`jets: <collection>`"
    with pytest.raises(EventFileError, match=message):
        read(path, branches=names, **CONSTANT)
    for one in names.items():
        with pytest.raises(EventFileError, match="two collections"):
            read(path, branches=dict([one]), **CONSTANT)
    whole = read(path, branches=names | {"jet_flavour": "JetPUPPI.Flavor"}, **CONSTANT)
    assert whole.table.column("jet_pt").equals(batch.table.column("jet_pt"))


def test_names_of_branches(tmp_path):
    branches = delphes_branches()
    jets = {name: branches.pop(name) for name in list(branches) if name.startswith("Jet.")}
    path = write_tree(tmp_path / "e.root", "Delphes", branches | {f"JetPUPPI{name[3:]}": jets[name] for name in jets})
    with pytest.raises(EventFileError, match=r"lacks the branch Jet.PT \(jet_pt\); similar ones there: .*JetPUPPI.PT"):
        read(path, **CONSTANT)
    puppi = {"jets": "JetPUPPI"}
    assert read(path, branches=puppi, **CONSTANT).counts("jet_pt").tolist() == [4, 3, 1]
    with pytest.raises(ConfigError, match="names colour"):
        read(path, branches={"colour": "x"}, **CONSTANT)
    tagger = {"branch": "JetPUPPI.Flavor", "working_point": 4.5}
    assert read(path, branches=puppi, btag=tagger, **CONSTANT).flat("jet_tagged").sum() == 4
    with pytest.raises(ConfigError, match="name two discriminators"):
        read(path, branches=puppi | {"jet_btag": "JetPUPPI.BTag"}, btag=tagger, **CONSTANT)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"Event.Weight": None}, "lacks the branch Event.Weight"),
        ({"Event.CrossSection": None}, "states no cross section"),
        ({"Event.Weight": ak.Array([[1.0], [], [1.0]])}, r"event 1 .* has 0 values, expected one"),
        ({"Event.Weight": ak.Array([[1.0], [-1.0], [0.0]])}, r"\(Event.Weight\) sum to 0 .*import.nominal_weight"),
        ({"Event.CrossSection": ak.Array([[0.5], [0.5], [0.0]])}, "states the cross section 0 pb"),
        ({"Event.CrossSection": ak.Array([[0.5], [0.5], [-1.0]])}, "states the cross section -1 pb"),
        ({"Event.CrossSection": ak.Array([[0.5], [0.5], [np.nan]])}, "states the cross section nan pb"),
        ({"Particle.M1": ak.Array([[0], [0], [7, -1, -1]])}, "has 1 values, but Particle.PID has 13"),
        ({"Event.X1": ak.Array([[0.1], [0.1], [float("nan")]])}, r"event 2 .* Event.X1 holds nan"),
        ({"Jet.Flavor": ak.Array([[1], [1], [1]])}, r"event 0 .* Jet.Flavor has 1 values, but Jet.PT has 6"),
        ({"MissingET.MET": ak.Array([[1.0], [1.0], [float("nan")]])}, r"event 2 .* holds nan"),
    ],
)
def test_files_that_lack_something(tmp_path, changes, message):
    path = write_tree(tmp_path / "bad.root", "Delphes", delphes_branches(**changes))
    with pytest.raises(EventFileError, match=message):
        read(path, **CONSTANT)


def test_another_tree(tmp_path):
    path = write_tree(tmp_path / "e.root", "Events", {"x": np.arange(3)})
    with pytest.raises(EventFileError, match=r"no tree 'Delphes'; it has: Events\. Set import\.format to nanoaod"):
        read(path, **CONSTANT)


def source_of(*files, **settings):
    source = read_delphes(ImportConfig(format="delphes", files=files, **settings), INFO)
    return source, pa.concat_tables([source.metadata.event_schema.conform(table) for table in source.tables])


def write(path, **changes):
    return write_tree(path, "Delphes", delphes_branches(**changes))


def test_files_of_a_sample_that_differ(tmp_path):
    first = write(tmp_path / "1.root")
    without = write(tmp_path / "2.root", **{"Weight.Weight": None})
    short = write(tmp_path / "3.root", **{"Weight.Weight": ak.Array([[1.0, 2.0]] * 3)})
    points = {"0": {"a": 0.0}, "1": {"a": 1.0}, "2": {"a": 2.0}}
    for settings in (CONSTANT, {"weight_points": points}):
        with pytest.raises(EventFileError, match=r"1\.root has Weight\.Weight \(weights\), .*2\.root does not"):
            read([first, without], **settings)
    assert len(read([first, without], extra_weights=[], **CONSTANT)) == 6
    with pytest.raises(EventFileError, match=r"1\.root has 4 values of Weight\.Weight, .*3\.root has 2"):
        read([first, short], weight_points=points)
    source, _ = source_of(first, short, **CONSTANT)
    assert source.metadata.weight_names == ()
    assert "the weights Weight.Weight are left out of the sample" in source.notes.warnings[0]
    empty = write_tree(tmp_path / "0.root", "Delphes", {n: v[:0] for n, v in delphes_branches().items()})
    source, table = source_of(empty, first, **CONSTANT)
    assert len(table) == 3
    assert source.notes.warnings == [f"{empty} has no events"]
    with pytest.raises(EventFileError, match="no event in the files"):
        read(empty, **CONSTANT)


def test_weights_of_other_lengths_in_one_event(tmp_path):
    path = write(tmp_path / "a.root", **{"Weight.Weight": ak.Array([[1.0, 2.0], [1.0], [1.0, 2.0]])})
    source, _ = source_of(path, **CONSTANT)
    assert "a.root: event 1 (the first is 0): branch Weight.Weight has 1 values, but" in source.notes.warnings[0]
    assert source_of(path, extra_weights=[], **CONSTANT)[0].notes.warnings == []
    with pytest.raises(EventFileError, match=r"event 1 .*has 1 values.*must mean the same in all events"):
        read(path, weight_points={"0": {"a": 0.0}})
    path = write(tmp_path / "b.root", **{"Weight.Weight": ak.Array([[1.0, 2.0], [1.0, np.nan], [1.0, 2.0]])})
    with pytest.raises(EventFileError, match=r"event 1 .* branch Weight.Weight: weight 1 is nan"):
        read(path, **CONSTANT)
    assert read(path, extra_weights=["event_0"], **CONSTANT).metadata.weight_names == ("event_0",)


def test_cross_sections_of_files(tmp_path):
    def stating(name, value):
        return write(tmp_path / name, **{"Event.CrossSection": ak.Array([[0.5], [0.5], [value]])})

    first, near, far = stating("1.root", 0.50), stating("2.root", 0.53), stating("3.root", 0.9)
    source, table = source_of(first, near, **CONSTANT)
    assert np.sum(table.column("weight").to_numpy()) == pytest.approx(0.515)
    assert "1.root states a cross section of 0.5 pb, " in source.notes.warnings[0]
    with pytest.raises(EventFileError, match=r"0\.5 pb, .*3\.root one of 0\.9 pb: these are two samples"):
        read([first, far], **CONSTANT)
    unknown = stating("4.root", float("nan"))
    for files in ([first, far], [unknown], [stating("5.root", 0.0)]):
        assert read(files, cross_section=0.7, **CONSTANT).weight.sum() == pytest.approx(0.7)
    with pytest.raises(EventFileError, match=r"1\.root has Event\.CrossSection .*6\.root does not"):
        read([first, write(tmp_path / "6.root", **{"Event.CrossSection": None})], **CONSTANT)


@pytest.mark.parametrize("constant", [0.0, 1.0])
def test_event_weights_that_are_none(tmp_path, constant):
    path = write(tmp_path / "a.root", **{"Event.Weight": ak.Array([[constant]] * 3)})
    with pytest.raises(EventFileError, match=rf"Event.Weight is {constant:g} in all events, while .*4 weights"):
        read(path, **CONSTANT)
    batch = read(path, nominal_weight="0", **CONSTANT)
    assert np.allclose(batch.weight, 0.5 * np.array([2.0, -1.0, 3.0]) / 4.0)
    source, _ = source_of(path, nominal_weight="1", **CONSTANT)
    assert source.metadata.facts | source.notes.facts == source.notes.facts
    assert source.notes.facts["nominal_weight"] == "Weight.Weight[1]"
    assert source.notes.facts["normalisation"].startswith("all weights (Weight.Weight[1]) sum to 0.5 pb")
    if constant:
        assert read(path, nominal_weight="Event.Weight", **CONSTANT).weight.tolist() == pytest.approx([0.5 / 3] * 3)
    same = write(
        tmp_path / "b.root", **{"Event.Weight": ak.Array([[1.0]] * 3), "Weight.Weight": ak.Array([[0.25]] * 3)}
    )
    assert read(same, **CONSTANT).weight.tolist() == pytest.approx([0.5 / 3] * 3)  # unweighted events


def test_nominal_weights_that_there_are_not(tmp_path, path):
    for name in ("4", "nominal", "-1"):
        with pytest.raises(EventFileError, match=rf"no nominal weight '{name}' .*Event.Weight, or a place .* 0 to 3"):
            read(path, nominal_weight=name, **CONSTANT)
    bare = write(tmp_path / "a.root", **{"Weight.Weight": None})
    with pytest.raises(EventFileError, match=r"expected Event.Weight; there is no vector Weight.Weight"):
        read(bare, nominal_weight="0", **CONSTANT)
    vector = ak.Array([[1.0, 1.0], [np.nan, 1.0], [1.0, 1.0]])
    with pytest.raises(EventFileError, match=r"sum to nan"):
        read(write(tmp_path / "b.root", **{"Weight.Weight": vector}), nominal_weight="0", **CONSTANT)


def test_events_that_are_left_out(path):
    config = ImportConfig(format="delphes", files=(path, path), duplicates="keep", **CONSTANT)
    source = read_delphes(config, INFO, frozenset({1, 3, 4}))
    table = pa.concat_tables(source.tables)
    assert table.column("event_id").to_pylist() == [0, 2, 5]
    assert np.allclose(table.column("weight"), 0.5 * np.array([2.0, 3.0, 3.0]) / 8.0)
    assert (source.num_events, source.metadata.n_generated) == (3, 3)


def test_numbers_of_events(tmp_path, path):
    assert not read(path, **CONSTANT).metadata.identity
    numbered = write(tmp_path / "a.root", **{"Event.Number": ak.Array([[7], [8], [9]])})
    source, table = source_of(numbered, **CONSTANT)
    assert source.metadata.identity
    assert table.column("event_number").to_pylist() == [7, 8, 9]
    assert table.column("run").null_count == 3


def test_a_bit_that_no_jet_has(path):
    source, _ = source_of(path, btag={"bit": 4}, **CONSTANT)
    assert source.notes.warnings == [
        "no jet is b-tagged: bit 4 of Jet.BTag is set in no jet, bits 0, 1 are (import.btag.bit)"
    ]
    assert source_of(path, **CONSTANT)[0].notes.warnings == []


def test_delphes_is_no_collision_data(path):
    with pytest.raises(ConfigError, match="Delphes files are simulations"):
        read(path, data=True, **CONSTANT)


def test_azimuths(tmp_path):
    branches = delphes_branches()
    turned = {name: branches[name] + np.float32(2 * np.pi) * (branches[name] < 0) for name in
              ("Jet.Phi", "Muon.Phi", "MissingET.Phi")}  # fmt: skip
    batch = read(write(tmp_path / "a.root", **turned), **CONSTANT)
    straight = read(write(tmp_path / "b.root"), **CONSTANT)
    for name in ("jet_phi", "lepton_phi"):
        assert np.allclose(batch.flat(name), straight.flat(name), atol=1e-6)
    assert np.allclose(batch.column("met_phi"), straight.column("met_phi"), atol=1e-6)


def test_a_discriminator_is_no_bits(tmp_path):
    path = write(tmp_path / "a.root", **{"Jet.Score": ak.Array(JETS["btag"])})
    with pytest.raises(EventFileError, match=r"Jet.Score holds fractions or negative numbers, so it is a disc"):
        read(path, branches={"jet_btag": "Jet.Score"}, **CONSTANT)
    batch = read(path, branches={"jet_btag": "Jet.Score"}, btag={"working_point": 0.75}, **CONSTANT)
    assert batch.flat("jet_tagged").sum() == 4


def test_cross_sections_of_merged_files(tmp_path):
    many = {name: ak.concatenate([values] * 10) for name, values in delphes_branches().items()}

    def stating(name, values):
        many["Event.CrossSection"] = ak.values_astype(ak.Array([[value] for value in values]), np.float32)
        return write_tree(tmp_path / name, "Delphes", many)

    settled = stating("1.root", [5.0, 2.0, *([0.5] * 28)])  # the estimate of a run settles
    assert source_of(settled, **CONSTANT)[0].notes.warnings == []
    merged = stating("2.root", [50.0] * 10 + [0.5] * 20)
    source, _ = source_of(merged, **CONSTANT)
    assert "2.root: Event.CrossSection lies between 0.5 and 50 pb; that of the last event" in source.notes.warnings[0]
    assert source_of(merged, cross_section=0.5, **CONSTANT)[0].notes.warnings == []


def test_files_of_which_nothing_is_left(tmp_path):
    one, two = write(tmp_path / "1.root"), write(tmp_path / "2.root", **{"Event.CrossSection": ak.Array([[50.0]] * 3)})
    for nominal in (None, "0"):
        config = ImportConfig(format="delphes", files=(one, two), nominal_weight=nominal, **CONSTANT)
        source = read_delphes(config, INFO, frozenset({2, 3, 4, 5}))
        weights = np.concatenate([np.asarray(table.column("weight")) for table in source.tables])
        assert np.allclose(weights, 0.55 * np.array([2.0, -1.0]))  # the cross section is that of the last event kept

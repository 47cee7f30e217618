"""Photons of NanoAOD and Delphes files: identified, isolated, away from leptons, and only where they can be chosen."""

import awkward as ak
import numpy as np
import pyarrow as pa
import pytest
from tests.events.readers.root_files import JETS, delphes_branches, nanoaod_branches, write_tree

from partonic.config.importing import ImportConfig
from partonic.errors import EventFileError
from partonic.events.batch import EventBatch
from partonic.events.readers.root.delphes import read_delphes
from partonic.events.readers.root.nanoaod import read_nanoaod
from partonic.events.schema import ProcessInfo
from partonic.polynomial import Monomials

INFO = ProcessInfo("tth", ("H", "t", "tbar"), (25, 6, -6), Monomials.up_to_degree(("a",), 2), 13_000.0)
BASIC = {
    "nanoaod": {"btag": {"working_point": 0.3}, "cross_section": 0.5, "theta_independent": True},
    "delphes": {"theta_independent": True},
}
OPEN = {"leptons": 0, "veto_pt_min": 0.0, "jets_min": 0, "b_tags_min": 0}
# the first event: soft, hard, not identified, not isolated, forward, an electron
PT = [[20.0, 60.0, 30.0, 40.0, 50.0, 45.0], [], [9.0, 70.0]]
ETA = [[-2.0, -1.5, -1.0, -2.2, 2.6, -1.8], [], [0.0, -2.0]]
PHI = [[-3.0, -2.0, -2.5, -1.0, 2.0, 0.7], [], [0.0, -2.0]]
ISOLATION = [[0.1, 0.05, 0.1, 0.2, 0.0, 0.0], [], [0.0, 0.0]]
NANOAOD = {
    "Photon_pt": PT, "Photon_eta": ETA, "Photon_phi": PHI, "Photon_pfRelIso03_all": ISOLATION,
    "Photon_mvaID_WP90": [[True, True, False, True, True, True], [], [True, True]],
    "Photon_cutBased": [[1, 3, 0, 3, 3, 3], [], [3, 2]],
    "Photon_electronVeto": [[True, True, True, True, True, False], [], [True, True]],
}  # fmt: skip
DELPHES = {"Photon.PT": PT, "Photon.Eta": ETA, "Photon.Phi": PHI, "Photon.IsolationVar": ISOLATION}


def arrays(branches, *without):
    return {name: ak.Array(values) for name, values in branches.items() if name not in without}


def read(path, kind, **settings):
    config = ImportConfig(format=kind, files=(path,), **(BASIC[kind] | settings))
    source = (read_nanoaod if kind == "nanoaod" else read_delphes)(config, INFO)
    tables = [source.metadata.event_schema.conform(table) for table in source.tables]
    return EventBatch(pa.concat_tables(tables), source.metadata)


@pytest.fixture
def nano(tmp_path):
    def write(*without):
        return write_tree(tmp_path / "nano.root", "Events", nanoaod_branches(**arrays(NANOAOD, *without)))

    return write


@pytest.fixture
def delphes(tmp_path):
    return write_tree(tmp_path / "delphes.root", "Delphes", delphes_branches(**arrays(DELPHES)))


def photons(batch):
    return batch.table.column("photon_pt").to_pylist()


def test_nanoaod(nano):
    batch = read(nano(), "nanoaod")
    assert batch.metadata.photons
    assert photons(batch) == [[60.0, 20.0], [], [70.0]]
    assert batch.table.column("photon_identification").to_pylist() == [[1, 1], [], [1]]
    assert np.allclose(batch.flat("photon_isolation"), [0.05, 0.1, 0.0])


@pytest.mark.parametrize(
    ("cuts", "expected"),
    [
        ({"identification": "medium"}, [[60.0], [], [70.0]]),
        ({"identification": "tight"}, [[60.0], [], []]),
        ({"identification": "none"}, [[60.0, 30.0, 20.0], [], [70.0]]),
        ({"isolation_max": None}, [[60.0, 40.0, 20.0], [], [70.0]]),
        ({"pt_min": 5.0, "eta_max": 3.0}, [[60.0, 50.0, 20.0], [], [70.0, 9.0]]),
    ],
)
def test_cuts_of_the_configuration(nano, cuts, expected):
    assert photons(read(nano(), "nanoaod", photons=cuts)) == expected


def test_delphes(delphes):
    batch = read(delphes, "delphes")
    assert photons(batch) == [[60.0, 45.0, 30.0, 20.0], [], [70.0]]  # there are no identifications
    assert batch.table.column("photon_identification").null_count == 3


def test_photons_that_cannot_be_chosen_are_left_out(nano):
    batch = read(nano("Photon_mvaID_WP90"), "nanoaod")
    assert not batch.metadata.photons
    assert "photon_pt" not in batch.table.column_names
    asked = {"leptons": 0, "photons_min": 1}
    with pytest.raises(EventFileError, match=r"Photon_mvaID_WP90 \(photon_identification\)"):
        read(nano("Photon_mvaID_WP90"), "nanoaod", selection=asked)
    assert read(nano("Photon_pfRelIso03_all"), "nanoaod", photons={"isolation_max": None}).metadata.photons


def test_files_without_photons_are_as_before(tmp_path):
    batch = read(write_tree(tmp_path / "plain.root", "Events", nanoaod_branches()), "nanoaod")
    assert not batch.metadata.photons


def test_radiation_of_a_kept_lepton_is_no_photon(tmp_path):
    from tests.events.readers.root_files import MUONS

    near = {"Photon_eta": [[MUONS["eta"][0][0] + 0.1]], "Photon_phi": [[MUONS["phi"][0][0]]]}
    branches = {name: [row[:1] for row in values] for name, values in NANOAOD.items()}
    branches |= {name: [*values, [], [0.0]] for name, values in near.items()}
    path = write_tree(tmp_path / "nano.root", "Events", nanoaod_branches(**arrays(branches)))
    assert photons(read(path, "nanoaod", photons={"pt_min": 0.0})) == [[], [], [9.0]]
    far = read(path, "nanoaod", photons={"pt_min": 0.0, "lepton_distance": 0.05})
    assert photons(far) == [[20.0], [], [9.0]]


def test_a_jet_that_is_a_photon_is_dropped_where_the_selection_asks_for_photons(tmp_path):
    eta, phi = JETS["eta"][2], JETS["phi"][2]
    hardest = int(np.argmax(JETS["pt"][2]))
    branches = NANOAOD | {
        "Photon_eta": [ETA[0], [], [0.0, eta[hardest]]],
        "Photon_phi": [PHI[0], [], [0.0, phi[hardest]]],
    }
    path = write_tree(tmp_path / "nano.root", "Events", nanoaod_branches(**arrays(branches)))
    kept = read(path, "nanoaod").counts("jet_pt").tolist()
    selection = OPEN | {"lepton_pt_min": 1000.0, "veto_pt_min": 1000.0, "photons_min": 1}
    cleaned = read(path, "nanoaod", selection=selection)
    assert cleaned.column("cut").tolist() == [-1, 2, -1]
    assert cleaned.counts("jet_pt").tolist()[2] == kept[2] - 1
    assert read(path, "nanoaod", jet_photon_distance=0.4).counts("jet_pt").tolist()[2] == kept[2] - 1


def test_padded_photons(nano):
    batch = read(nano(), "nanoaod")
    reco = batch.reco()
    assert reco.photons.shape == (3, 4, 4)
    assert reco.photon_mask.sum(dim=1).tolist() == [2, 0, 1]
    assert reco.photons[0, :2, 0].tolist() == [60.0, 20.0]
    assert np.allclose(reco.photons[0, :2, 3], [0.05, 0.1])
    assert reco.select(reco.photon_mask.any(dim=1)).photons.shape == (2, 4, 4)
    names = [name for name in batch.table.column_names if name.startswith("photon")]
    without = EventBatch(batch.table.drop_columns(names), batch.metadata)
    assert without.reco().photons.shape == (3, 0, 4)


def test_photons_are_not_part_of_fingerprints(nano):
    with_photons = read(nano(), "nanoaod").metadata.event_schema
    without = read(nano("Photon_pt"), "nanoaod").metadata.event_schema
    assert with_photons.photons
    assert not without.photons
    assert with_photons.fingerprint() == without.fingerprint()
    seen = ("jets", "leptons", "met")
    assert with_photons.fingerprint(seen) == without.fingerprint(seen)
    assert with_photons.fingerprint((*seen, "photons")) != without.fingerprint((*seen, "photons"))

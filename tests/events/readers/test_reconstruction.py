import numpy as np
import pytest

from partonic.config.importing import ImportConfig
from partonic.config.simulation import SelectionConfig
from partonic.events.readers.objects import Objects
from partonic.events.readers.reconstruction import DetectorEvents, first_failed, reconstructed_columns


def collection(events, **features):
    counts = np.array([len(event) for event in events])
    pt = np.array([pt for event in events for pt in event], dtype=np.float64)
    columns = {"pt": pt, "eta": np.zeros(len(pt)), "phi": np.linspace(-3, 3, len(pt)), "mass": np.zeros(len(pt))}
    columns["identified"] = np.ones(len(pt), dtype=bool)
    return Objects(counts, columns | {name: np.full(len(pt), value) for name, value in features.items()})


def leptons(*events):
    return collection(events, pdg=-13, isolation=0.0)


def jets(*events):
    return collection(events, btag=1.0, tagged=True)


@pytest.mark.parametrize(
    ("lepton_pts", "jet_pts", "expected"),
    [
        ([30.0], [50.0] * 4, -1),
        ([28.0], [50.0] * 4, 0),
        ([], [50.0] * 4, 0),
        ([30.0, 40.0], [50.0] * 4, 0),
        ([30.0, 16.0], [50.0] * 4, 1),
        ([30.0, 14.0], [50.0] * 4, -1),
        ([30.0], [50.0] * 3, 2),
    ],
)
def test_first_cut_failed(lepton_pts, jet_pts, expected):
    assert first_failed(jets(jet_pts), leptons(lepton_pts), SelectionConfig()).tolist() == [expected]


def test_b_tags_are_the_last_cut():
    untagged = jets([50.0] * 4).with_columns(tagged=np.array([True, True, False, False]))
    assert first_failed(untagged, leptons([30.0]), SelectionConfig()).tolist() == [3]


def test_data_without_generator_information():
    events = DetectorEvents(jets([40.0, 90.0], []), leptons([], [20.0]), np.array([[10.0, 0.1], [20.0, -0.1]]))
    columns = reconstructed_columns(events, None, ImportConfig(format="delphes", files=["x"]))
    assert columns["jet_pt"].to_pylist() == [[90.0, 40.0], []]
    assert columns["lepton_pt"].to_pylist() == [[], [20.0]]
    assert columns["cut"].to_pylist() == [-1, -1]
    assert "jet_match" not in columns
    assert "jet_true_pt" not in columns


def test_isolation_depends_on_the_lepton():
    both = leptons([40.0, 50.0]).with_columns(isolation=np.array([0.2, 0.2]), pdg=np.array([11, 13]))
    events = DetectorEvents(jets([]), both, np.zeros((1, 2)))
    columns = reconstructed_columns(events, None, ImportConfig(format="delphes", files=["x"]))
    assert columns["lepton_pdg"].to_pylist() == [[13]]

import awkward as ak
import numpy as np
import pytest
from tests.events.readers.root_files import write_tree

from partonic.errors import EventFileError
from partonic.events.readers.notes import Notes
from partonic.events.readers.root.batch import Batch, read_steps
from partonic.events.readers.root.file import opened


def batch_of(**branches):
    arrays = {name: ak.Array(values) for name, values in branches.items()}
    size = len(next(iter(arrays.values())))
    return Batch("a.root", {name: name for name in branches}, arrays, np.arange(10, 10 + size))


def test_steps(tmp_path):
    path = write_tree(tmp_path / "a.root", "Events", {"x": np.arange(5), "y": ak.Array([[1.0], [], [2.0], [], []])})
    with opened(path, Notes()) as file:
        batches = list(read_steps(file.tree("Events"), {"a": "x", "b": "y"}, 2))
    assert [batch.numbers.tolist() for batch in batches] == [[0, 1], [2, 3], [4]]
    assert [batch.scalar("a").tolist() for batch in batches] == [[0, 1], [2, 3], [4]]
    assert batches[1].counts("b").tolist() == [1, 0]
    assert batches[0].has_all("a", "b")
    assert not batches[0].has_all("a", "c")


def test_selected_events_keep_their_numbers():
    batch = batch_of(x=[1.0, np.nan, 3.0], y=[[1.0], [2.0, 3.0], []])
    kept = batch.select(np.array([True, False, True]))
    assert kept.scalar("x").tolist() == [1.0, 3.0]
    assert kept.counts("y").tolist() == [1, 0]
    assert kept.where(1) == "a.root: event 12 (the first is 0)"


@pytest.mark.parametrize(
    ("read", "message"),
    [
        (lambda b: b.scalar("x"), "event 11 .* branch x holds nan"),
        (lambda b: b.scalar("lists"), "event 10 .* branch lists has 2 values, expected one"),
        (lambda b: b.counts("x"), "branch x .* holds one number an event, expected a list"),
        (lambda b: b.matrix("lists", 2), "event 11 .* branch lists has 1 values, expected 2"),
        (lambda b: b.flat("lists"), "event 11 .* branch lists holds inf"),
        (lambda b: b.flat("missing"), "event 11 .* branch missing has a value missing"),
        (lambda b: b.objects(pt="good", eta="lists"), "event 10 .* branch lists has 2 values, but good has 1"),
        (lambda b: b.objects(pt="good", phi="degrees"), "event 11 .* degrees holds 90, expected an azimuth in radians"),
        (lambda b: b.angle("degree"), "event 10 .* degree holds -7, expected an azimuth in radians"),
    ],
)
def test_values_that_cannot_be(read, message):
    batch = batch_of(
        x=[1.0, np.nan],
        lists=[[1.0, 2.0], [np.inf]],
        good=[[1.0], [2.0]],
        missing=ak.Array([[1.0], [None]]),
        degrees=[[1.0], [90.0]],
        degree=[-7.0, 0.0],
    )
    with pytest.raises(EventFileError, match=message):
        read(batch)


def test_what_is_not_finite_where_it_may_be():
    batch = batch_of(x=[1.0, np.nan], w=[[1.0, np.inf], [2.0, 3.0]])
    assert np.isnan(batch.scalar("x", finite=False)[1])
    assert np.isinf(batch.matrix("w", 2, finite=False)[0, 1])


def test_azimuths_are_brought_into_one_turn():
    batch = batch_of(phi=[[0.5, 4.0], [2.0 * np.pi]], met=[-np.pi, 3.5])
    assert np.allclose(batch.objects(phi="phi")["phi"], [0.5, 4.0 - 2 * np.pi, 0.0])
    assert np.allclose(batch.angle("met"), [np.pi, 3.5 - 2 * np.pi])


def test_whole_numbers():
    batch = batch_of(
        a_pdg=[[11.0], [-13.0]], b_mother=np.array([[1], [2]], np.int16), c_identification=[[True], [False]]
    )
    assert batch.flat("a_pdg").tolist() == [11, -13]
    assert batch.flat("a_pdg").dtype == np.int64
    assert batch.flat("b_mother").dtype == np.int64
    assert batch.flat("c_identification").dtype == np.bool_
    wrong = batch_of(
        a_identification=[[1.0], [0.93]], b_charge=[[1e30], [1.0]], c_pdg=[[2**31], [1]], d_pt=[[True], [True]]
    )
    for name, value in (
        ("a_identification", r"event 11 .* 0\.93"),
        ("b_charge", r"event 10 .* 1e\+30"),
        ("c_pdg", "2147"),
    ):
        with pytest.raises(EventFileError, match=rf"{value}\d*, expected a whole number of at most 32 bits \({name}\)"):
            wrong.flat(name)
    with pytest.raises(EventFileError, match=r"branch d_pt \(d_pt\) holds true and false, expected numbers"):
        wrong.flat("d_pt")


def test_transverse_momenta_that_cannot_be():
    batch = batch_of(met_pt=[5e5, -1.0], jet_pt=[[50.0], [10.0, 2e5]], generator_pt=[[0.0], [5e5]])
    with pytest.raises(
        EventFileError, match=r"event 11 .* branch met_pt holds -1, expected .* in GeV, not negative\. Is"
    ):
        batch.scalar("met_pt")
    with pytest.raises(EventFileError, match=r"event 11 .* jet_pt holds 200000, .* and at most 100000\. Is it in MeV"):
        batch.objects(pt="jet_pt")
    assert batch.objects(pt="generator_pt")["pt"].tolist() == [0.0, 5e5]

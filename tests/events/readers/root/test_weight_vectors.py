import awkward as ak
import numpy as np
import pytest
from tests.events.readers.root_files import write_tree

from partonic.errors import EventFileError
from partonic.events.readers.notes import Notes
from partonic.events.readers.root.batch import Batch
from partonic.events.readers.root.file import opened
from partonic.events.readers.root.weight_vectors import (
    WeightVector,
    common_vectors,
    finite_columns,
    surveyed_vector,
)


def surveyed(path, values, left_out=frozenset()):
    write_tree(path, "Events", {"w": ak.values_astype(ak.Array(values), np.float32)})
    with opened(path, Notes()) as file:
        return surveyed_vector(file.tree("Events"), "w", left_out)


def test_lengths(tmp_path):
    vector = surveyed(tmp_path / "a.root", [[1.0, 2.0], [3.0, 4.0]])
    assert (vector.size, vector.most, vector.fault, vector.title) == (2, 2, "", "")
    vector = surveyed(tmp_path / "b.root", [[1.0, 2.0], [3.0, 4.0], []])
    assert "b.root: event 2 (the first is 0): branch w has 0 values, but the first event has 2" in vector.fault
    vector = surveyed(tmp_path / "c.root", [[], [3.0, 4.0]])
    assert (vector.size, vector.most) == (0, 2)
    assert vector.fault
    without = surveyed(tmp_path / "d.root", [[1.0], [3.0, 4.0], [2.0, 2.0]], frozenset({0}))
    assert (without.size, without.fault) == (2, "")


def test_texts_of_single_weights():
    title = "PS weights (w_var / w_nominal);   [0] is ISR=2 FSR=1; [1] is ISR=1 FSR=2[2] is ISR=0.5 FSR=1; [10] is last"
    texts = WeightVector("a", "PSWeight", 11, title).texts
    assert texts == {0: "ISR=2 FSR=1", 1: "ISR=1 FSR=2", 2: "ISR=0.5 FSR=1", 10: "last"}


def vector(name, size=2, **more):
    return {"scale": WeightVector(f"{name}.root", "LHEScaleWeight", size, **more)}


@pytest.mark.parametrize(
    ("surveys", "said"),
    [
        ([vector("a"), vector("b", 3)], r"a\.root has 2 values of LHEScaleWeight, b\.root has 3"),
        (
            [vector("a", title="NNPDF"), vector("c"), vector("b", title="CT18")],
            r"a\.root says .*'NNPDF', b\.root 'CT18'",
        ),
        ([vector("a"), vector("b", fault="b.root: event 4 is odd")], r"b\.root: event 4 is odd"),
    ],
)
def test_vectors_without_one_meaning(surveys, said):
    notes = Notes()
    assert common_vectors(surveys, frozenset(), notes) == {}
    assert len(notes.warnings) == 1
    with pytest.raises(EventFileError, match=said + r".*must mean the same in all events"):
        common_vectors(surveys, frozenset({"scale"}), Notes())


def test_common_vectors():
    found = common_vectors([vector("a", None), vector("b"), {}, vector("c", title="x")], frozenset(), Notes())
    assert found["scale"].size == 2
    assert found["scale"].title == "x"


def test_weights_that_are_not_finite():
    batch = Batch("a.root", {"pdf": "LHEPdfWeight"}, {}, np.arange(7, 9))
    values = np.array([[1.0, np.nan], [1.0, 1.0]])
    finite_columns(batch, "pdf", values, [0])
    with pytest.raises(EventFileError, match=r"event 7 .* branch LHEPdfWeight: weight 1 is nan"):
        finite_columns(batch, "pdf", values, [0, 1])

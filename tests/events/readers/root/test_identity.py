import numpy as np
import pytest

from partonic.errors import EventFileError
from partonic.events.readers.root.batch import Batch
from partonic.events.readers.root.identity import identity_columns


def columns(**values):
    import awkward as ak

    arrays = {name: ak.Array(value) for name, value in values.items()}
    return identity_columns(Batch("a.root", {name: name for name in values}, arrays, np.arange(2)))


def test_numbers_of_events():
    large = 2**63 - 1
    found = columns(run=np.array([1, 2], np.uint32), event_number=np.array([5, large], np.uint64))
    assert set(found) == {"run", "event_number"}
    assert found["event_number"].tolist() == [5, large]
    assert found["run"].dtype == np.int64
    assert columns(event_number=np.array([[3.0], [4.0]]))["event_number"].tolist() == [3, 4]
    assert columns(x=np.arange(2)) == {}


def test_numbers_that_do_not_fit():
    with pytest.raises(EventFileError, match=r"event 1 .* event_number holds 9223372036854775808, expected a whole"):
        columns(event_number=np.array([5, 2**63], np.uint64))
    with pytest.raises(EventFileError, match=r"event 0 .* run holds 1\.5"):
        columns(run=np.array([1.5, 2.0]))

from pathlib import Path

import numpy as np

from partonic.events.readers.numbering import Numbering


def test_files_of_events():
    numbering = Numbering((Path("a"), Path("empty"), "root://b", Path("last")), (3, 0, 2, 0))
    assert numbering.total == 5
    assert [numbering.first(index) for index in range(4)] == [0, 3, 3, 5]
    assert numbering.indices(np.array([0, 2, 3, 4])).tolist() == [0, 0, 2, 2]
    assert numbering.where(0) == "a: event 0 (the first is 0)"
    assert numbering.where(2) == "a: event 2 (the first is 0)"
    assert numbering.where(3) == "root://b: event 0 (the first is 0)"
    assert numbering.where(4) == "root://b: event 1 (the first is 0)"

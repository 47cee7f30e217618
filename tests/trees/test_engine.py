import sys
import threading

import pytest

from partonic.errors import DependencyError, TrainingError
from partonic.trees.engine import Threads, kernels, pieces


def test_pieces_cover_all_rows():
    assert pieces(10, 4) == [slice(0, 4), slice(4, 8), slice(8, 10)]
    assert pieces(0) == []


@pytest.mark.parametrize("count", [1, 3])
def test_parts_come_back_in_their_order(count):
    with Threads(count) as threads:
        found = threads.share(lambda part: (part * part, threading.get_ident()), list(range(50)))
    assert [value for value, _ in found] == [part * part for part in range(50)]
    assert (found[0][1] == threading.get_ident()) == (count == 1)


def test_no_threads():
    with pytest.raises(TrainingError, match="at least 1, got 0"):
        Threads(0)


def test_without_numba(monkeypatch):
    monkeypatch.setitem(sys.modules, "partonic.trees.kernels", None)
    monkeypatch.delattr("partonic.trees.kernels", raising=False)
    with pytest.raises(DependencyError, match=r"pip install 'partonic\[sbi\]'"):
        kernels()

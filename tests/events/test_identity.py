import json

import numpy as np
import pyarrow as pa
import pytest

from partonic.errors import EventFileError
from partonic.events.identity import OtherEvents, certified, read_good_runs
from partonic.events.schema import StoreMetadata
from partonic.events.store import EventWriter


def numbered(run, block, event):
    return pa.table({"run": run, "luminosity_block": block, "event_number": event})


def test_certified_blocks(tmp_path):
    path = tmp_path / "golden.json"
    path.write_text(json.dumps({"273158": [[1, 3], [7, 7]], "9": []}))
    table = numbered([273158] * 5 + [9, 10], [1, 3, 4, 7, 8, 1, 1], range(7))
    assert certified(table, read_good_runs(path)).tolist() == [True, True, False, True, False, False, False]


def test_what_is_no_certification(tmp_path):
    path = tmp_path / "golden.json"
    with pytest.raises(EventFileError, match="cannot read import"):
        read_good_runs(path)
    odd = ('{"1": [[1, 1e999]]}', '{"1": [[1.5, 2]]}', '{"1": [[true, 2]]}', '{"1": [[5, 1]]}', "[" * 100_000,
           '{"1": [[1, 2]], "01": [[3, 4]]}')  # fmt: skip
    for text in (*odd, "[1]", '{"x": [[1, 2]]}', '{"1": [[1]]}', '{"1": 3}', "{"):
        path.write_text(text)
        with pytest.raises(EventFileError, match="expected JSON with ranges of luminosity blocks by run"):
            read_good_runs(path)
    with pytest.raises(EventFileError, match="good_runs needs the column luminosity_block"):
        certified(pa.table({"run": [1]}), {1: [(1, 2)]})
    with pytest.raises(EventFileError, match="good_runs needs the column run"):
        certified(numbered(pa.array([1, None]), [1, 1], [1, 1]), {1: [(1, 2)]})


def test_events_of_another_store(tmp_path, metadata, make_table):
    numbers = numbered([1, 1, 2, 2], [1, 1, 1, 1], [5, 6, 5, 2**40])
    table = make_table(4)
    for name in numbers.column_names:
        table = table.append_column(name, numbers.column(name))
    path = tmp_path / "other.parquet"
    with EventWriter(path, metadata.with_facts(identity=True)) as writer:
        writer.write(table)
    found = OtherEvents([path]).contain(numbered([1, 2, 2, 3], [1, 1, 2, 1], [6, 2**40, 5, 5]))
    assert found.tolist() == [True, True, False, False]
    assert not OtherEvents([]).contain(numbers).any()
    with pytest.raises(EventFileError, match="overlap_with: the events of these files have no run"):
        OtherEvents([path]).contain(pa.table({"event_id": [1]}))


def test_events_known_by_their_number_alone(tmp_path, metadata, make_table):
    """HepMC and Delphes count the events of each file from 0: their numbers tell nothing."""
    path = tmp_path / "other.parquet"
    with EventWriter(path, metadata.with_facts(identity=True)) as writer:
        writer.write(make_table(3).append_column("event_number", pa.array([0, 1, 2])))
    with pytest.raises(EventFileError, match=r"other\.parquet .* its events have no run and no luminosity_block"):
        OtherEvents([path])
    with pytest.raises(EventFileError, match=r"these files have no luminosity_block; events of two samples"):
        OtherEvents([]).contain(numbered([1], pa.array([None], pa.int64()), [1]))


def test_a_byte_order_mark(tmp_path):
    path = tmp_path / "golden.json"
    path.write_text('\ufeff{"1": [[2, 3]]}', encoding="utf-8")
    assert read_good_runs(path) == {1: [(2, 3)]}


def test_stores_without_numbers(tmp_path, metadata: StoreMetadata, make_table):
    path = tmp_path / "plain.parquet"
    with EventWriter(path, metadata) as writer:
        writer.write(make_table(3))
    with pytest.raises(EventFileError, match=r"plain\.parquet \(import\.overlap_with\): its events have no run"):
        OtherEvents([path])
    assert np.all(certified(numbered([1], [2], [3]), {1: [(1, 2)]}))

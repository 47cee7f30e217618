import json
import os
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from partonic.errors import EventFileError, NonFiniteError, OutputError, SchemaError
from partonic.events.merging import merge_parts
from partonic.events.readers.source import fixed_lists
from partonic.events.schema import CutFlowStep
from partonic.events.store import NORMALISATION_ERROR, EventStore, EventWriter


def write(path, metadata, tables, **options):
    with EventWriter(path, metadata, **options) as writer:
        for table in tables:
            writer.write(table)
    return EventStore.open(path)


def test_events_come_back_as_they_were_written(tmp_path, metadata, make_table):
    tables = [make_table(70, seed=1), make_table(50, seed=2, first_id=70)]
    store = write(tmp_path / "events.parquet", metadata, tables, row_group=64)
    assert store.num_events == 120
    read = pa.concat_tables([batch.table for batch in store.batches(size=17)])
    for name in tables[0].column_names:
        expected = pa.concat_tables([table.select([name]) for table in tables]).column(name)
        assert read.column(name).to_pylist() == expected.to_pylist(), name
    assert read.column("isr_x1").null_count == 120


@pytest.mark.parametrize("size", [1, 7, 64, 1000])
@pytest.mark.parametrize("selected_only", [True, False])
def test_batches_have_the_size_asked_for(tmp_path, metadata, make_table, size, selected_only):
    table = make_table(200)
    store = write(tmp_path / "events.parquet", metadata, [table], row_group=64)
    batches = list(store.batches(["event_id", "jet_pt"], size=size, selected_only=selected_only))
    assert all(batch.table.column_names == ["event_id", "jet_pt"] for batch in batches)
    assert {len(batch) for batch in batches[:-1]} <= {size}
    keep = np.arange(200) % 3 != 0 if selected_only else np.ones(200, bool)
    assert np.concatenate([batch.column("event_id") for batch in batches]).tolist() == np.flatnonzero(keep).tolist()


def test_metadata_known_only_at_the_end(tmp_path, metadata, make_table):
    step = CutFlowStep(name="generated", events=10, weight=1.5, weight_error=0.1)
    with EventWriter(tmp_path / "events.parquet", metadata) as writer:
        writer.write(make_table(10))
        writer.metadata = writer.metadata.with_facts(cut_flow=(step,), n_generated=10)
        with pytest.raises(SchemaError, match="cannot change"):
            writer.metadata = metadata.with_facts(weight_names=("other",))
    found = EventStore.open(tmp_path / "events.parquet").metadata
    assert found.cut_flow == (step,)
    assert found.config == {"name": "test"}


def test_cross_section_is_the_sum_of_the_coefficients(tmp_path, metadata, make_table):
    tables = [make_table(500, seed=seed) for seed in (1, 2)]
    store = write(tmp_path / "events.parquet", metadata, tables)
    values = np.concatenate([np.array(table.column("coefficients").to_pylist()) for table in tables])
    assert np.allclose(store.metadata.cross_section.coefficients, values.sum(0), rtol=1e-12)
    expected = np.sqrt(len(values)) * values.std(axis=0)
    assert np.allclose(store.metadata.cross_section.errors, expected, rtol=1e-9)
    assert (values < 0).any()


def test_error_of_unweighted_events_is_that_of_their_normalisation(tmp_path, metadata, make_table):
    facts = metadata.with_facts(facts={NORMALISATION_ERROR: 0.02})
    table = make_table(400)
    values = np.full((400, 6), 0.001)
    position = table.column_names.index("coefficients")
    table = table.set_column(position, "coefficients", fixed_lists(values, pa.float64()))
    section = write(tmp_path / "events.parquet", facts, [table]).metadata.cross_section
    assert np.allclose(section.coefficients, 0.4)
    assert np.allclose(section.errors, 0.4 * 0.02, rtol=1e-6)


def test_merging_parts_keeps_order_and_adds_cut_flows(tmp_path, metadata, make_table):
    step = CutFlowStep(name="generated", events=30, weight=3.0, weight_error=0.3)
    parts = []
    for index in range(3):
        facts = metadata.with_facts(cut_flow=(step,), n_generated=30)
        write(tmp_path / f"{index}.parquet", facts, [make_table(30, seed=index, first_id=30 * index)])
        parts.append(tmp_path / f"{index}.parquet")
    merged = merge_parts(parts, tmp_path / "all.parquet")
    assert merged.n_generated == 90
    assert (merged.cut_flow[0].events, merged.cut_flow[0].weight) == (90, 9.0)
    assert np.isclose(merged.cut_flow[0].weight_error, 0.3 * np.sqrt(3))
    single = [EventStore.open(part).metadata.cross_section.coefficients for part in parts]
    assert np.allclose(merged.cross_section.coefficients, np.sum(single, axis=0))
    batch = EventStore.open(tmp_path / "all.parquet").read(["event_id"])
    assert batch.column("event_id").tolist() == list(range(90))


def test_parts_of_different_kind_do_not_merge(tmp_path, metadata, make_table):
    write(tmp_path / "a.parquet", metadata, [make_table(3)])
    other = metadata.with_facts(weight_names=())
    write(tmp_path / "b.parquet", other, [make_table(3).drop_columns(["weight_scale_up"])])
    with pytest.raises(SchemaError, match="other columns"):
        merge_parts([tmp_path / "a.parquet", tmp_path / "b.parquet"], tmp_path / "c.parquet")
    assert not (tmp_path / "c.parquet").exists()
    with pytest.raises(EventFileError, match="no parts"):
        merge_parts([], tmp_path / "c.parquet")


def test_empty_store(tmp_path, metadata):
    store = write(tmp_path / "events.parquet", metadata, [])
    assert store.num_events == 0
    assert list(store.batches()) == []
    assert len(store.read(["weight"])) == 0


def test_a_failed_block_leaves_nothing(tmp_path, metadata, make_table):
    path = tmp_path / "events.parquet"

    def tables():
        yield make_table(10)
        raise KeyError

    with pytest.raises(KeyError):
        write(path, metadata, tables(), row_group=5)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_block_keeps_the_old_file(tmp_path, metadata, make_table):
    path = tmp_path / "events.parquet"
    write(path, metadata, [make_table(5)])
    with pytest.raises(SchemaError), EventWriter(path, metadata) as writer:
        writer.write(make_table(5).drop_columns(["weight"]))
    assert EventStore.open(path).num_events == 5
    assert len(list(tmp_path.iterdir())) == 1


def test_a_full_disk_is_an_output_error(metadata, make_table, tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pq.ParquetWriter, "write_table", full)
    with pytest.raises(OutputError, match="No space left"):
        write(tmp_path / "e.parquet", metadata, [make_table(5)])
    assert list(tmp_path.iterdir()) == []


def test_a_read_only_place_is_an_output_error(tmp_path, metadata, monkeypatch):
    def read_only(*_, **__):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("tempfile.mkstemp", read_only)
    with pytest.raises(OutputError, match="Read-only"):
        write(tmp_path / "e.parquet", metadata, [])


def test_a_place_that_is_a_file_is_an_output_error(tmp_path, metadata):
    (tmp_path / "taken").write_text("")
    with pytest.raises(OutputError, match="cannot write"), EventWriter(tmp_path / "taken" / "e.parquet", metadata):
        pass


def test_missing_empty_foreign_and_truncated_files(tmp_path, metadata, make_table):
    path = tmp_path / "events.parquet"
    with pytest.raises(EventFileError, match="cannot read the event store"):
        EventStore.open(path)
    with pytest.raises(EventFileError, match="cannot read"):
        EventStore.open(tmp_path)
    path.write_bytes(b"")
    with pytest.raises(EventFileError, match="is empty"):
        EventStore.open(path)
    path.write_text("<LesHouchesEvents>")
    with pytest.raises(EventFileError, match="not a Parquet file"):
        EventStore.open(path)
    write(path, metadata, [make_table(50)])
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(EventFileError, match="truncated"):
        EventStore.open(path)
    path.write_bytes(whole[:100] + whole[-100:])
    with pytest.raises(EventFileError, match="damaged"):
        EventStore.open(path)


def test_damaged_pages_are_found_when_read(tmp_path, metadata, make_table):
    path = tmp_path / "events.parquet"
    write(path, metadata, [make_table(500)])
    content = bytearray(path.read_bytes())
    content[4 : len(content) // 2] = bytes(len(content) // 2 - 4)
    path.write_bytes(content)
    store = EventStore.open(path)
    with pytest.raises(EventFileError, match="damaged"):
        list(store.batches())


def rewrite(path, change):
    file = pq.ParquetFile(path)
    table, text = file.read(), file.metadata.metadata[b"partonic"]
    file.close()
    table, text = change(table, text)
    table = table.replace_schema_metadata(None)
    with pq.ParquetWriter(path, table.schema) as writer:
        writer.write_table(table)
        if text is not None:
            writer.add_key_value_metadata({b"partonic": text})


def with_version(version):
    return lambda table, text: (table, json.dumps(json.loads(text) | {"schema_version": version}).encode())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (with_version(99), "schema version 99, but this partonic reads version"),
        (lambda table, _: (table, None), "not an event store of partonic"),
        (lambda table, _: (table, b"{"), "not JSON"),
        (lambda table, text: (table, text.replace(b'"seed"', b'"sead"')), "sead: Extra inputs"),
        (lambda table, text: (table.drop_columns(["jet_pt", "x1"]), text), "lacks the columns x1, jet_pt"),
        (
            lambda table, text: (table.set_column(0, "event_id", table["event_id"].cast(pa.int32())), text),
            "'event_id' is int32, expected int64",
        ),
    ],
)
def test_foreign_or_changed_stores_are_refused(tmp_path, metadata, make_table, change, message):
    path = tmp_path / "events.parquet"
    write(path, metadata, [make_table(5)])
    rewrite(path, change)
    with pytest.raises(SchemaError, match=message):
        EventStore.open(path)


def test_fingerprint_is_checked(tmp_path, metadata, make_table):
    path = tmp_path / "events.parquet"
    write(path, metadata, [make_table(5)])
    fingerprint = metadata.event_schema.fingerprint()
    assert EventStore.open(path, fingerprint=fingerprint).num_events == 5
    with pytest.raises(SchemaError, match="fingerprint"):
        EventStore.open(path, fingerprint="0" * 64)


def test_bad_requests(tmp_path, metadata, make_table):
    store = write(tmp_path / "events.parquet", metadata, [make_table(5)])
    with pytest.raises(SchemaError, match="no column jet_colour"):
        next(store.batches(["jet_colour"]))
    with pytest.raises(ValueError, match="positive"):
        next(store.batches(size=0))
    with pytest.raises(SchemaError, match="`with` block"):
        EventWriter(tmp_path / "x.parquet", metadata, row_group=1).write(make_table(5))


def test_not_finite_weights_are_refused(tmp_path, metadata, make_table):
    table = make_table(5)
    bad = table.set_column(1, "weight", pa.array([1.0, 2.0, float("nan"), 1.0, 1.0]))
    with pytest.raises(NonFiniteError, match="1 of 5 values of 'weight'"):
        write(tmp_path / "events.parquet", metadata, [bad])
    assert list(tmp_path.iterdir()) == []


MEMORY = """
import resource, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
import conftest
import numpy as np, pyarrow as pa
from partonic.events.schema import ProcessInfo, StoreMetadata
from partonic.events.merging import merge_parts
from partonic.events.store import NORMALISATION_ERROR, EventStore, EventWriter
from partonic.polynomial import Monomials
process = ProcessInfo("tth", ("H", "t", "tbar"), (25, 6, -6), Monomials.up_to_degree(("a", "b"), 2), 13e3)
metadata = StoreMetadata.for_process(process, weight_names=("scale_up",))
table = conftest.event_table(2000)
folder = Path({folder!r})

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

before = peak()
for tables in (12, 60):
    for part in range(4):
        with EventWriter(folder / f"{{part}}.parquet", metadata) as writer:
            for _ in range(tables // 4):
                writer.write(table)
    merge_parts([folder / f"{{part}}.parquet" for part in range(4)], folder / "all.parquet")
    store = EventStore.open(folder / "all.parquet")
    print(sum(len(batch) for batch in store.batches()), peak() - before)
"""


def test_memory_does_not_grow_with_the_number_of_events(tmp_path):
    code = MEMORY.format(tests=os.path.dirname(__file__), folder=str(tmp_path))
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    few, many = ([float(number) for number in line.split()] for line in result.stdout.splitlines())
    assert (few[0], many[0]) == (24_000, 120_000)
    assert many[1] < 300
    assert many[1] < few[1] + 60

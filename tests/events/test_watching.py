import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from partonic.config.importing import ImportConfig
from partonic.errors import EventFileError
from partonic.events import importing
from partonic.events.importing import import_events
from partonic.events.readers.notes import Notes
from partonic.events.readers.numbering import Numbering
from partonic.events.readers.source import EventSource
from partonic.events.readers.wild_weights import WildEvents
from partonic.events.schema import StoreMetadata
from partonic.events.store import EventStore, EventWriter
from partonic.polynomial import morphing_basis

EVENTS = 60


class Sample:
    """A reader of events in memory, which leaves out what it is told to."""

    def __init__(self, table, process, *, weight_names=(), identity=False, counts=None):
        self.table = table
        self.counts = (len(table),) if counts is None else counts
        self.process = process
        self.metadata = StoreMetadata.for_process(process, weight_names=weight_names, identity=identity)
        self.readings = []

    def __call__(self, config, process, left_out=frozenset()):
        self.readings.append(set(left_out))
        kept = self.table.filter(pa.array(~np.isin(np.asarray(self.table.column("event_id")), list(left_out))))
        files = ("events.lhe", "more.lhe")[: len(self.counts)]
        numbering = Numbering([Path(file) for file in files], self.counts)
        wild = WildEvents(config.wild_weights, numbering)
        points = morphing_basis(process.monomials)
        tables = iter([kept.slice(start, 25) for start in range(0, len(kept), 25)])
        return EventSource(self.metadata, tables, len(kept), Notes(), wild, points)


@pytest.fixture
def table(make_table, process_info):
    """Events with positive weights whose coefficients are those of a polynomial that is 1 at θ = 0."""
    table = make_table(EVENTS).drop_columns("weight_scale_up")
    weight = np.random.default_rng(2).uniform(0.5, 1.5, EVENTS) / EVENTS
    coefficients = weight[:, None] * np.array([1.0, 0.1, 0.2, 0.3, 0.0, 0.4])
    lists = pa.FixedSizeListArray.from_arrays(pa.array(coefficients.ravel()), 6)
    return replaced(table, weight=pa.array(weight), coefficients=lists)


def replaced(table, **columns):
    for name, values in columns.items():
        place = table.column_names.index(name)
        table = table.set_column(place, name, values)
    return table


def with_wild(table, event, factor=1e6):
    values = np.asarray(table.column("coefficients").combine_chunks().flatten()).reshape(-1, 6).copy()
    values[event, 3:] *= factor
    return replaced(table, coefficients=pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), 6))


def numbered(table, run, block, event):
    for name, values in (("run", run), ("luminosity_block", block), ("event_number", event)):
        table = table.append_column(name, pa.array(np.asarray(values), pa.int64()))
    return table


def run(sample, monkeypatch, tmp_path, **settings):
    monkeypatch.setattr(importing, "open_source", sample)
    config = ImportConfig(format="lhe", files=["events.lhe"], **settings)
    result = import_events(config, sample.process, tmp_path / "out.parquet")
    return result, EventStore.open(result.path)


def test_nothing_to_say(table, process_info, monkeypatch, tmp_path):
    result, store = run(Sample(table, process_info), monkeypatch, tmp_path)
    assert (result.num_events, result.warnings) == (EVENTS, ())
    assert "warnings" not in store.metadata.facts
    assert "attention" not in str(result)


def test_a_weight_that_stands_apart(table, process_info, monkeypatch, tmp_path):
    sample = Sample(with_wild(table, 41), process_info)
    with pytest.raises(EventFileError, match=r"event 41 .*its weight at θ = .* no other event of the 60 has more than"):
        run(sample, monkeypatch, tmp_path)
    assert not list(tmp_path.iterdir())
    result, store = run(sample, monkeypatch, tmp_path, wild_weights="drop")
    assert sample.readings[-2:] == [set(), {41}]
    assert (result.num_events, store.num_events) == (EVENTS - 1, EVENTS - 1)
    assert store.metadata.facts["wild_weights"]["events"][0]["event"] == 41
    assert "left out 1 event with wild weights: events.lhe: event 41" in str(result)
    assert store.metadata.facts["warnings"] == list(result.warnings)
    assert store.metadata.cross_section.coefficients[3] < 1.0
    result, store = run(sample, monkeypatch, tmp_path, wild_weights="keep")
    assert result.num_events == EVENTS
    assert "kept 1 event with wild weights" in result.warnings[0]


def test_wild_events_that_hide_behind_one_another(table, process_info, monkeypatch, tmp_path):
    sample = Sample(with_wild(with_wild(table, 3, 1e12), 50, 1e6), process_info)
    result, _ = run(sample, monkeypatch, tmp_path, wild_weights="drop")
    assert sample.readings == [set(), {3}, {3, 50}]
    assert result.num_events == EVENTS - 2


def test_copies_of_events(table, process_info, monkeypatch, tmp_path):
    again = pa.concat_tables([table, replaced(table.slice(7, 2), event_id=pa.array([EVENTS, EVENTS + 1]))])
    sample = Sample(again, process_info)
    with pytest.raises(
        EventFileError, match=r"event 60 .* is the same event as .* event 7 .*, and so for 1 more: it wo"
    ):
        run(sample, monkeypatch, tmp_path)
    result, store = run(sample, monkeypatch, tmp_path, duplicates="drop")
    assert store.num_events == EVENTS
    assert store.metadata.facts["duplicates"] == {"policy": "drop", "events": [60, 61]}
    assert "left out 2 events that the files have twice" in result.warnings[0]
    result, store = run(sample, monkeypatch, tmp_path, duplicates="keep")
    assert store.num_events == EVENTS + 2
    assert "kept 2 events" in result.warnings[0]


def test_equal_numbers_of_simulated_events(table, process_info, monkeypatch, tmp_path):
    ones = np.ones(EVENTS)
    sample = Sample(numbered(table, ones, ones, np.arange(EVENTS) % 50), process_info, identity=True)
    _, store = run(sample, monkeypatch, tmp_path)
    assert store.metadata.facts["events_with_the_number_of_another"] == 10


def test_certified_data(table, process_info, monkeypatch, tmp_path):
    good = tmp_path / "good.json"
    good.write_text(json.dumps({"5": [[1, 10]]}))
    blocks = np.arange(EVENTS) % 20 + 1
    sample = Sample(numbered(table, np.full(EVENTS, 5), blocks, np.arange(EVENTS)), process_info, identity=True)
    data = {"data": True, "theta_independent": True, "good_runs": good}
    result, store = run(sample, monkeypatch, tmp_path, **data)
    assert result.num_events == 30
    assert store.metadata.facts["certified"] == {"file": str(good), "events": 30, "of": 60}
    read = store.read(["event_id", "run", "luminosity_block", "event_number"])
    assert read.column("luminosity_block").max() == 10
    good.write_text("{}")
    with pytest.raises(EventFileError, match="none of the 60 events is left"):
        run(sample, monkeypatch, tmp_path, **data)


def test_events_of_another_sample(table, process_info, monkeypatch, tmp_path):
    ones = np.ones(EVENTS)
    whole = Sample(numbered(table, ones, ones, np.arange(EVENTS)), process_info, identity=True)
    other = tmp_path / "other.parquet"
    with EventWriter(other, whole.metadata) as writer:
        writer.write(whole.table.slice(10, 20))
    result, store = run(whole, monkeypatch, tmp_path, overlap_with=[other])
    assert result.num_events == EVENTS - 20
    assert store.metadata.facts["overlap"] == {"stores": [str(other)], "left_out": 20}
    assert store.metadata.cross_section.coefficients[0] < 0.99  # the rest of the sample keeps its share


def test_no_events_and_sums_that_cannot_be(table, process_info, monkeypatch, tmp_path):
    with pytest.raises(EventFileError, match=r"events\.lhe: there is no event in the files"):
        run(Sample(table.slice(0, 0), process_info), monkeypatch, tmp_path)
    negative = replaced(table, weight=pa.array(-np.asarray(table.column("weight"))))
    with pytest.raises(EventFileError, match=r"sum to -\d.* pb, which is no cross section"):
        run(Sample(negative, process_info), monkeypatch, tmp_path)


def test_extra_weights_in_other_units(table, process_info, monkeypatch, tmp_path):
    weight = np.asarray(table.column("weight"))
    wild = 1.1 * weight
    wild[12] = 1e6
    more = table.append_column("weight_x", pa.array(1000.0 * weight)).append_column("weight_y", pa.array(wild))
    result, _ = run(Sample(more, process_info, weight_names=("x", "y")), monkeypatch, tmp_path)
    assert any("the weights 'x' sum to 1e+03 times the nominal ones" in warning for warning in result.warnings)
    assert any("event 12 (the first is 0): its weight_y is 1e+06 pb in size" in warning for warning in result.warnings)


def test_wild_events_of_all_readings_together_are_exceptions(table, process_info, monkeypatch, tmp_path):
    """Each reading would find one; but four of sixty are no exceptions."""
    for event, factor in ((3, 1e12), (50, 1e9), (20, 1e6), (30, 1e18)):
        table = with_wild(table, event, factor)
    sample = Sample(table, process_info)
    with pytest.raises(EventFileError, match=r"4 of 60 events have wild weights, too many"):
        run(sample, monkeypatch, tmp_path, wild_weights="drop")
    assert len(sample.readings) == 4


@pytest.mark.parametrize(("factor", "counts", "warns"), [(50.0, (40, 20), True), (50.0, (55, 5), False),
                                                         (2.0, (40, 20), False)])  # fmt: skip
def test_files_with_nominal_weights_in_other_units(table, process_info, monkeypatch, tmp_path, factor, counts, warns):
    scale = np.where(np.arange(EVENTS) < counts[0], 1.0, factor)
    weight = np.asarray(table.column("weight")) * scale
    values = np.asarray(table.column("coefficients").combine_chunks().flatten()).reshape(-1, 6) * scale[:, None]
    lists = pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), 6)
    sample = Sample(replaced(table, weight=pa.array(weight), coefficients=lists), process_info, counts=counts)
    result, _ = run(sample, monkeypatch, tmp_path)
    found = [text for text in result.warnings if "weights of more.lhe are on average" in text]
    assert bool(found) == warns
    assert all("times those of events.lhe: they may be in other units" in text for text in found)

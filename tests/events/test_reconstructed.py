from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from partonic.errors import EventFileError
from partonic.events.batch import RECO_COLUMNS
from partonic.events.reconstructed import count_selected
from partonic.events.schema import StoreMetadata
from partonic.events.store import EventStore, EventWriter


@pytest.fixture
def stored(tmp_path: Path, metadata: StoreMetadata):
    def write(table: pa.Table, source: str = "partonic") -> EventStore:
        with EventWriter(tmp_path / "events.parquet", metadata.with_facts(source=source)) as writer:
            writer.write(table)
        return EventStore.open(tmp_path / "events.parquet")

    return write


def without(table: pa.Table, *names: str) -> pa.Table:
    return table.drop_columns(list(names))


def test_selected_events_are_counted(stored, make_table) -> None:
    assert count_selected(stored(make_table(30)), "unfold") == 20


def test_parton_level_events(stored, make_table) -> None:
    store = stored(without(make_table(30), "selected", "cut", *RECO_COLUMNS), "lhe: events.lhe.gz")
    with pytest.raises(EventFileError) as error:
        count_selected(store, "unfold")
    message = str(error.value)
    assert "holds parton-level events only (source: lhe: events.lhe.gz), so there is nothing to unfold" in message
    assert all(name in message for name in RECO_COLUMNS)
    assert "`partonic simulate`" in message
    assert all(name in message for name in ("hepmc", "delphes", "nanoaod"))


def test_all_events_failed_the_cuts(stored, make_table) -> None:
    table = make_table(30)
    rejected = table.filter(pa.array(~table["selected"].to_numpy(zero_copy_only=False)))
    with pytest.raises(EventFileError, match=r"no selected event, so .* integrate: all 10 failed the cuts; loosen the"):
        count_selected(stored(rejected), "integrate")


def test_selected_events_without_some_objects(stored, make_table) -> None:
    table = without(make_table(30), "met_pt")
    btags = table.column_names.index("jet_btag")
    mask = np.arange(30) < 4
    values = [None if hidden else row for row, hidden in zip(table["jet_btag"].to_pylist(), mask, strict=True)]
    table = table.set_column(btags, "jet_btag", pa.array(values, pa.list_(pa.float32())))
    message = (
        r"has 20 selected events, but they lack the columns jet_btag \(empty in 2 .*, met_pt \(empty in 20 of them\)"
    )
    with pytest.raises(EventFileError, match=message):
        count_selected(stored(table), "unfold")


def test_store_without_events(stored, make_table) -> None:
    with pytest.raises(EventFileError, match="has no events, so there is nothing to unfold: run the step that made it"):
        count_selected(stored(make_table(30).slice(0, 0)), "unfold")

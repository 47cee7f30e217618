import numpy as np
import pyarrow as pa
import pytest
from tests.inference.line_toy import SIGMA, grid, ratios, write_store

from partonic.errors import EventFileError
from partonic.events.store import EventStore, EventWriter
from partonic.inference.coefficients.event_weights import parton_events_of, weights_of


def test_events_are_found_by_their_number(tmp_path):
    x = grid(20)
    store = write_store(tmp_path / "e.parquet", x, selected=np.arange(20) != 7)
    wanted = np.array([12, 3, 19])
    np.testing.assert_allclose(weights_of(store, wanted), SIGMA / 20 * ratios(x[wanted]))
    with pytest.raises(EventFileError, match="does not have all events"):
        weights_of(store, np.array([7]))
    with pytest.raises(EventFileError, match="does not have all events"):
        weights_of(store, np.array([21]))


def test_events_without_copies_are_parton_events_of_their_own(tmp_path):
    store = write_store(tmp_path / "e.parquet", grid(20))
    wanted = np.array([12, 3, 19])
    np.testing.assert_array_equal(parton_events_of(store, wanted), wanted)


def test_copies_have_the_number_of_their_parton_event(tmp_path):
    single = write_store(tmp_path / "e.parquet", grid(20))
    names = [column.name for column in single.metadata.event_schema.columns]
    table = single.read(names).table.append_column("parton_event", pa.array(np.arange(20) // 4))
    with EventWriter(tmp_path / "c.parquet", single.metadata.model_copy(update={"copies": True})) as writer:
        writer.write(table)
    store = EventStore.open(tmp_path / "c.parquet")
    np.testing.assert_array_equal(parton_events_of(store, np.array([12, 3, 19, 0])), [3, 0, 4, 0])
    with pytest.raises(EventFileError, match="does not have all events"):
        parton_events_of(store, np.array([21]))

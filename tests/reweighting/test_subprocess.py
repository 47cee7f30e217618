import numpy as np
import pytest
from tests.reweighting.conftest import own_table, write_store

from partonic.errors import EventFileError
from partonic.events.schema import ProcessInfo, StoreMetadata
from partonic.events.store import EventStore, EventWriter
from partonic.polynomial import Monomials
from partonic.reweighting.subprocess import (
    COLUMNS,
    canonical,
    count_subprocesses,
    order_of,
    particles_of,
    subprocess_text,
)


def test_all_orders_of_a_subprocess_are_one():
    wanted = canonical((21, 2, 25, 2, -6, 6))
    assert wanted == (2, 21, -6, 2, 6, 25)
    assert canonical((2, 21, 6, -6, 2, 25)) == wanted
    assert canonical((-2, 21, 6, -6, 2, 25)) != wanted


def test_the_order_finds_each_particle_on_its_side():
    particles = np.array([2, 21, 21, 2, 6, -6, 21])
    wanted = (21, 2, -6, 2, 6, 21, 21)
    order = order_of(particles.tolist(), wanted)
    assert order == (1, 0, 5, 3, 4, 2, 6)
    assert tuple(particles[list(order)]) == wanted


def test_particles_of_events_with_final_states_of_their_own(tmp_path):
    info = ProcessInfo("external", ("H", "q"), (25, 1), Monomials.constant(), 13_000.0, final_states=((25, 2),))
    store = tmp_path / "events.parquet"
    momenta = [[100.0, 0, 0, 10, 50, 0, 0, 0]] * 3
    columns = {
        "event_id": [0, 1, 2], "weight": [1.0] * 3, "coefficients": [[1.0]] * 3,
        "initial_pdg": [[2, 1], [1, 2], [2, 2]],
        "parton_pdg": [[25, 1], [25, 1], [25, 2]], "x1": [0.1] * 3, "x2": [0.1] * 3, "partons": momenta,
    }  # fmt: skip
    import pyarrow as pa

    metadata = StoreMetadata.for_process(info)
    schema = metadata.event_schema.arrow()
    arrays = {name: pa.array(values, schema.field(name).type) for name, values in columns.items()}
    with EventWriter(store, metadata) as writer:
        writer.write(pa.table(arrays))
    assert count_subprocesses(EventStore.open(store)) == {(1, 2, 1, 25): 2, (2, 2, 2, 25): 1}
    batch = next(EventStore.open(store).batches((*COLUMNS, "parton_pdg")))
    assert particles_of(batch).tolist() == [[2, 1, 25, 1], [1, 2, 25, 1], [2, 2, 25, 2]]


def test_a_store_without_a_list_of_partons(tmp_path):
    metadata = StoreMetadata.for_process(ProcessInfo("external", (), (), Monomials.constant(), 13_000.0))
    import pyarrow as pa

    with EventWriter(tmp_path / "any.parquet", metadata) as writer:
        lists = pa.array([[1.0]], pa.list_(pa.float64(), 1))
        writer.write(pa.table({"event_id": [0], "weight": [1.0], "coefficients": lists}))
    with pytest.raises(EventFileError, match=r"no list of hard partons.*import\.partons"):
        count_subprocesses(EventStore.open(tmp_path / "any.parquet"))


def test_an_empty_store(tmp_path):
    store = write_store(tmp_path / "none.parquet", own_table([(2, -2)], 3).slice(0, 0))
    with pytest.raises(EventFileError, match="no events to reweight"):
        count_subprocesses(EventStore.open(store))


def test_text():
    assert subprocess_text((21, 21, -6, 6)) == "21 21 > -6 6"

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from partonic.errors import EventFileError
from partonic.events.store import EventStore
from partonic.report.event_observables import observables_of_events
from partonic.report.observables import reco_observables
from partonic.report.views import BatchObjects

CHOSEN = [each for each in reco_observables() if each.axis.name in ("ht", "closest_pair_mass")]


def test_observables_come_in_the_order_of_the_events(make_store: Callable[..., Path]) -> None:
    store = make_store(200)
    batch = EventStore.open(store).read(["event_id", "weight", *BatchObjects.columns], selected_only=True)
    known = batch.column("event_id").astype(np.int64)
    asked = known[::-3]
    found = observables_of_events(store, asked, CHOSEN)
    assert set(found) == {"ht", "closest_pair_mass"}
    sums = dict(zip(known.tolist(), (sum(row) for row in batch.table.column("jet_pt").to_pylist()), strict=True))
    np.testing.assert_allclose(found["ht"], [sums[event] for event in asked.tolist()], rtol=1e-6)
    assert np.isfinite(found["closest_pair_mass"]).all()  # three b tags are asked for
    assert [len(values) for values in observables_of_events(store, known[:0], CHOSEN).values()] == [0, 0]


def test_events_that_are_not_there_are_refused(make_store: Callable[..., Path]) -> None:
    store = make_store(50)
    with pytest.raises(EventFileError, match="has no reconstructed objects of all events that were fitted"):
        observables_of_events(store, np.array([10_000]), CHOSEN)
    with pytest.raises(EventFileError, match="made from"):
        observables_of_events(make_store(0), np.array([1]), CHOSEN)

"""True weights and parton events of simulated events, found by the number of each event in its store."""

import numpy as np
from numpy.typing import NDArray

from partonic.errors import EventFileError
from partonic.events.batch import EventBatch
from partonic.events.store import EventStore

__all__ = ["parton_events_of", "weights_of"]

Array = NDArray[np.float64]


def weights_of(store: EventStore, event_id: NDArray[np.int64]) -> Array:
    """Return the coefficients c_a of events of a store, in pb, `(N, A)`.

    Args:
        store: simulated events.
        event_id: numbers of selected events of the store, in any order, `(N,)`.

    Raises:
        EventFileError: if one of them is not among the selected events.
    """
    batch = store.read(["event_id", "coefficients"], accepted_only=True)
    values: Array = batch.coefficients[_rows(store, batch, event_id)]
    return values


def parton_events_of(store: EventStore, event_id: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the number of the parton event of each event, the same for all its copies, `(N,)`.

    Events of which each has a parton event of its own have their own number.

    Args:
        store: simulated events.
        event_id: numbers of selected events of the store, in any order, `(N,)`.

    Raises:
        EventFileError: if one of them is not among the selected events.
    """
    if not store.metadata.copies:
        return event_id
    batch = store.read(["event_id", "parton_event"], accepted_only=True)
    return batch.column("parton_event").astype(np.int64)[_rows(store, batch, event_id)]


def _rows(store: EventStore, batch: EventBatch, event_id: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return where in the batch of all selected events those of these numbers are."""
    known = batch.column("event_id").astype(np.int64)
    order = np.argsort(known, kind="stable")
    place = np.searchsorted(known[order], event_id)
    found = np.minimum(place, max(len(known) - 1, 0))
    if not len(known) or not np.array_equal(known[order][found], event_id):
        raise EventFileError(
            f"{store.path} does not have all events that the coefficients are of among its selected ones: run "
            "`partonic mem` again, or give the store that they were made from"
        )
    return order[found]

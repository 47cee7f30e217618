"""The true weights of simulated events, found by the number of each event in its store."""

import numpy as np
from numpy.typing import NDArray

from partonic.errors import EventFileError
from partonic.events.store import EventStore

__all__ = ["weights_of"]

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
    known = batch.column("event_id").astype(np.int64)
    order = np.argsort(known, kind="stable")
    place = np.searchsorted(known[order], event_id)
    found = np.minimum(place, max(len(known) - 1, 0))
    if not len(known) or not np.array_equal(known[order][found], event_id):
        raise EventFileError(
            f"{store.path} does not have all events that the coefficients are of among its selected ones: run "
            "`partonic mem` again, or give the store that they were made from"
        )
    values: Array = batch.coefficients[order[found]]
    return values

"""Reconstructed observables of chosen events of a store, in the order in which they are asked for."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from partonic.errors import EventFileError
from partonic.events.store import EventStore
from partonic.report.observables import Observable
from partonic.report.views import BatchObjects

__all__ = ["observables_of_events"]

Array = NDArray[np.float64]


def observables_of_events(
    store: Path, event_id: NDArray[np.int64], observables: Sequence[Observable[BatchObjects]]
) -> dict[str, Array]:
    """Return the observables of events by name, `(N,)` each, NaN where an event has none.

    Args:
        store: the event store.
        event_id: numbers of N selected events.
        observables: what is evaluated.

    Raises:
        EventFileError: if the store is damaged, or lacks one of the events among its selected ones.
    """
    events = EventStore.open(store)
    known = [column.name for column in events.metadata.event_schema.columns]
    columns = [name for name in ("event_id", "weight", *BatchObjects.columns, *BatchObjects.optional) if name in known]
    numbers: list[NDArray[np.int64]] = [np.zeros(0, dtype=np.int64)]
    values: dict[str, list[Array]] = {observable.axis.name: [np.zeros(0)] for observable in observables}
    for batch in events.batches(columns, accepted_only=True):
        view = BatchObjects(batch)
        numbers.append(view.batch.column("event_id").astype(np.int64))
        for observable in observables:
            found, defined = observable.evaluate(view)
            values[observable.axis.name].append(np.where(defined, found, np.nan))
    return _in_order(np.concatenate(numbers), event_id, {name: np.concatenate(x) for name, x in values.items()}, store)


def _in_order(
    known: NDArray[np.int64], event_id: NDArray[np.int64], values: dict[str, Array], store: Path
) -> dict[str, Array]:
    order = np.argsort(known, kind="stable")
    place = np.searchsorted(known[order], event_id).clip(max=max(len(known) - 1, 0))
    if len(event_id) and (not len(known) or not np.array_equal(known[order][place], event_id)):
        raise EventFileError(
            f"{store} has no reconstructed objects of all events that were fitted: expected the store that the "
            "coefficients were made from"
        )
    return {name: numbers[order[place]] if len(event_id) else np.zeros(0) for name, numbers in values.items()}

"""Features of the events that coefficients are of, read from their store."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from partonic.events.store import EventStore
from partonic.features.named import NamedFeatures
from partonic.report.limits import IntegratedEvents

__all__ = ["features_of"]

Array = NDArray[np.float64]


def features_of(events: IntegratedEvents, names: tuple[str, ...]) -> tuple[tuple[str, ...], Array]:
    """Return names and values of features of events, `(N, F)`, in the order of their coefficients; NaN for none.

    Args:
        events: with the path of their store.
        names: of the features (`partonic.features.named`).

    Raises:
        EventFileError: if the store is missing or damaged.
        ConfigError: if the events do not have a feature.
    """
    store = EventStore.open(Path(events.metadata.store))
    features = NamedFeatures(names, store.metadata)
    batch = store.read(("event_id", *features.columns), accepted_only=True)
    known = batch.column("event_id").astype(np.int64)
    order = np.argsort(known, kind="stable")
    return features.names, features.of(batch)[order[np.searchsorted(known[order], events.coefficients.event_id)]]

"""Which region of the template an event is in."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from partonic.config.inference.template import TemplateRegionConfig
from partonic.errors import InferenceError
from partonic.events.store import EventStore
from partonic.inference.binned.histograms import observables_of_store

__all__ = ["region_of_events"]


def region_of_events(
    regions: Mapping[str, TemplateRegionConfig], store: EventStore, event_id: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the number of the region of each event, −1 for none, `(N,)`.

    Args:
        regions: by name, in their order; none: all events are in region 0.
        store: of the events.
        event_id: numbers of N accepted events of it.

    Raises:
        InferenceError: if the events do not have an observable, or one of them is in two regions.
        EventFileError: if the store lacks one of the events.
    """
    result = np.full(len(event_id), 0 if not regions else -1, dtype=np.int64)
    if not regions:
        return result
    names = tuple(dict.fromkeys(name for region in regions.values() for name in region.where))
    values = observables_of_store(store, event_id, names, "objects", "inference.template.regions")
    for number, (name, region) in enumerate(regions.items()):
        inside = np.ones(len(event_id), dtype=np.bool_)
        for observable, (low, high) in region.where.items():
            column = values[:, names.index(observable)]
            inside &= np.isfinite(column)
            inside &= (column >= (-np.inf if low is None else low)) & (column < (np.inf if high is None else high))
        if (inside & (result >= 0)).any():
            row = int(np.flatnonzero(inside & (result >= 0))[0])
            other = list(regions)[result[row]]
            raise InferenceError(
                f"event {event_id[row]} of {store.path} is in the regions '{other}' and '{name}' of "
                "`inference.template`: make their ranges exclude each other"
            )
        result[inside] = number
    return result

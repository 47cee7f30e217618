"""Simulated events as training needs them: features, coefficients, and the group that must stay together."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from partonic.errors import ConfigError, SchemaError
from partonic.events.schema import StoreMetadata
from partonic.events.store import EventStore
from partonic.features.named import NamedFeatures
from partonic.progress import SILENT, Progress

__all__ = ["SimulatedEvents", "group_column", "read_events"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SimulatedEvents:
    """N accepted events.

    Attributes:
        names: of the F features.
        features: `(N, F)`, NaN where an event does not have one.
        coefficients: c_a in pb, `(N, A)`; negative weights are kept.
        group: equal for events that must stay together, `(N,)`.
    """

    names: tuple[str, ...]
    features: Array
    coefficients: Array
    group: NDArray[np.int64]

    def __len__(self) -> int:
        """Return the number of events."""
        return len(self.features)

    def select(self, mask: NDArray[np.bool_]) -> "SimulatedEvents":
        """Return the events of a mask `(N,)`."""
        return SimulatedEvents(self.names, self.features[mask], self.coefficients[mask], self.group[mask])


def read_events(
    stores: Sequence[Path], names: Sequence[str], group: str | None, progress: Progress = SILENT
) -> tuple[SimulatedEvents, StoreMetadata]:
    """Return the accepted events of stores of one process, and the metadata of the first.

    Args:
        stores: event stores; events of different stores are of different groups.
        names: of the features (`partonic.features.named`).
        group: column of whole numbers; None for that of the copies, or of the events.
        progress: told of the events.

    Raises:
        SchemaError: if the stores are of different processes or monomials, or their events have no weights at other θ.
        ConfigError: if a feature or the column of the groups is not there.
        EventFileError: if a store is damaged.
    """
    opened = [EventStore.open(path) for path in stores]
    first = opened[0].metadata
    for store in opened:
        if (store.metadata.process, store.metadata.monomials) != (first.process, first.monomials):
            raise SchemaError(f"{store.path} has another process or other monomials of θ than {opened[0].path}")
    progress.start("reading events", sum(store.num_events for store in opened), "events")
    parts = [
        part
        for number, store in enumerate(opened)
        for part in _parts(store, names, group, (number, len(opened)), progress)
    ]
    progress.finish()
    whole = SimulatedEvents(
        NamedFeatures(names, first).names,
        *(np.concatenate([getattr(part, name) for part in parts]) for name in ("features", "coefficients", "group")),
    )
    return whole, first


def _parts(
    store: EventStore, names: Sequence[str], group: str | None, place: tuple[int, int], progress: Progress
) -> list[SimulatedEvents]:
    """Return the events of a store, batch by batch; `place` is its number and that of all stores."""
    features = NamedFeatures(names, store.metadata)
    column = group_column(group, store.metadata)
    wanted = dict.fromkeys((*features.columns, "coefficients", column))
    found = []
    for batch in store.batches(tuple(wanted), accepted_only=True):
        groups = np.asarray(batch.column(column), dtype=np.int64) * place[1] + place[0]
        found.append(SimulatedEvents(features.names, features.of(batch), batch.coefficients, groups))
        progress.advance(len(batch))
    return found


def group_column(name: str | None, metadata: StoreMetadata) -> str:
    """Return the column of the groups: the one that is named, that of the copies of a parton event, or of the event.

    Raises:
        ConfigError: if the events do not have it, or it has no whole numbers.
    """
    if name is None:
        return "parton_event" if metadata.copies else "event_id"
    columns = {each.name: str(each.type) for each in metadata.event_schema.columns}
    whole = [each for each, kind in columns.items() if kind in ("int64", "int32", "int16", "int8")]
    if name not in whole:
        raise ConfigError(
            f"sbi.group: the events have no column '{name}' of whole numbers; there are: {', '.join(whole)}"
        )
    return name

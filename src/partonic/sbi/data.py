"""Simulated events as training needs them: features, coefficients, and the group that must stay together."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from partonic.errors import ConfigError, SchemaError
from partonic.events.schema import StoreMetadata
from partonic.events.store import EventStore
from partonic.features.event_inputs import EventInputs, columns_of_inputs, inputs_of
from partonic.features.event_objects import ObjectSlots, slots_of
from partonic.progress import SILENT, Progress
from partonic.sbi.stacking.features import CoefficientFiles, EventFeatures

__all__ = ["SimulatedEvents", "group_column", "read_events"]

Array = NDArray[np.float64]

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class SimulatedEvents:
    """N accepted events.

    Attributes:
        names: of the F features.
        features: `(N, F)`, NaN where an event does not have one.
        coefficients: c_a in pb, `(N, A)`; negative weights are kept.
        group: equal for events that must stay together, `(N,)`.
        slots: room for the objects of an event; None for events of named features alone.
        objects: `partonic.features.event_objects.OBJECT_NUMBERS`, `(N, S, 9)`; None without slots.
    """

    names: tuple[str, ...]
    features: Array
    coefficients: Array
    group: NDArray[np.int64]
    slots: ObjectSlots | None = None
    objects: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        """Return the number of events."""
        return len(self.features)

    def select(self, mask: NDArray[np.bool_]) -> "SimulatedEvents":
        """Return the events of a mask `(N,)`."""
        inputs = self.inputs[mask]
        return SimulatedEvents(
            self.names, inputs.features, self.coefficients[mask], self.group[mask], self.slots, inputs.objects
        )

    @property
    def inputs(self) -> EventInputs:
        """What networks are given of the events."""
        return EventInputs(self.features, self.objects)


def read_events(
    stores: Sequence[Path],
    names: Sequence[str],
    group: str | None,
    progress: Progress = SILENT,
    max_jets: int | None = None,
    files: CoefficientFiles | None = None,
) -> tuple[SimulatedEvents, StoreMetadata]:
    """Return the accepted events of stores of one process, and the metadata of the first.

    Args:
        stores: event stores; events of different stores are of different groups.
        names: of the features (`partonic.features.named`).
        group: column of whole numbers; None for that of the copies, or of the events.
        progress: told of the events.
        max_jets: hardest jets of an event, for networks over its objects; None for named features alone.
        files: of coefficients that are features, by name. Events that they do not have are left out.

    Raises:
        SchemaError: if the stores are of different processes or monomials, their events have no weights at other θ, or
            objects are wanted and an event has none.
        ConfigError: if a feature or the column of the groups is not there.
        EventFileError: if a store is damaged.
    """
    opened = [EventStore.open(path) for path in stores]
    first = opened[0].metadata
    for store in opened:
        if (store.metadata.process, store.metadata.monomials) != (first.process, first.monomials):
            raise SchemaError(f"{store.path} has another process or other monomials of θ than {opened[0].path}")
    accepted = sum(len(store.read(("event_id",), accepted_only=True)) for store in opened)
    progress.start("reading events", accepted, "events")
    readers = [EventFeatures(names, store, files) for store in opened]
    slots = None if max_jets is None else slots_of(first, max_jets)
    parts = [
        part
        for number, store in enumerate(opened)
        for part in _parts(store, readers[number], (group, number, len(opened)), slots, progress)
    ]
    progress.finish()
    objects = [part.objects for part in parts if part.objects is not None]
    whole = SimulatedEvents(
        names=readers[0].names,
        features=np.concatenate([part.features for part in parts]),
        coefficients=np.concatenate([part.coefficients for part in parts]),
        group=np.concatenate([part.group for part in parts]),
        slots=slots,
        objects=np.concatenate(objects) if objects else None,
    )
    return whole, first


def _parts(
    store: EventStore,
    features: EventFeatures,
    group: tuple[str | None, int, int],
    slots: ObjectSlots | None,
    progress: Progress,
) -> list[SimulatedEvents]:
    """Return the events of a store, batch by batch; `group` is its column, number of the store and of all stores."""
    column = group_column(group[0], store.metadata)
    wanted = dict.fromkeys(("event_id", *columns_of_inputs(features, slots, store.metadata), "coefficients", column))
    found, left_out = [], 0
    for whole in store.batches(tuple(wanted), accepted_only=True):
        progress.advance(len(whole))
        there = features.has(whole)
        batch, left_out = whole.filter(there), left_out + int((~there).sum())
        groups = np.asarray(batch.column(column), dtype=np.int64) * group[2] + group[1]
        inputs = inputs_of(batch, features, slots)
        found.append(
            SimulatedEvents(features.names, inputs.features, batch.coefficients, groups, slots, inputs.objects)
        )
    if left_out:
        _LOG.warning(
            "%d events of %s are not in the coefficients that are features, and are left out", left_out, store.path
        )
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

"""What networks are given of events: named features, and with them the reconstructed objects where they are wanted."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from partonic.events.batch import EventBatch
from partonic.events.schema import StoreMetadata
from partonic.features.event_objects import ObjectSlots, event_objects, object_columns

__all__ = ["EventInputs", "FeatureReader", "columns_of_inputs", "inputs_of"]


@runtime_checkable
class FeatureReader(Protocol):
    """What makes features of events, e.g. `partonic.features.named.NamedFeatures`."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the F features."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the store that they are made from."""

    @property
    def metadata(self) -> StoreMetadata:
        """Metadata of the store."""

    def of(self, batch: EventBatch) -> NDArray[np.float64]:
        """Return the features of N events, `(N, F)`, NaN where an event does not have one."""


@dataclass(frozen=True, eq=False)
class EventInputs:
    """Inputs of N events.

    Attributes:
        features: named ones, `(N, F)`, NaN where an event does not have one.
        objects: `partonic.features.event_objects.OBJECT_NUMBERS` in S slots, `(N, S, 9)`; None for networks that take
            named features alone.
    """

    features: NDArray[np.float64]
    objects: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        """Return the number of events."""
        return len(self.features)

    def __getitem__(self, rows: slice | NDArray[np.bool_] | NDArray[np.int64]) -> "EventInputs":
        """Return some of the events."""
        return EventInputs(self.features[rows], None if self.objects is None else self.objects[rows])


def columns_of_inputs(features: FeatureReader, slots: ObjectSlots | None, metadata: StoreMetadata) -> tuple[str, ...]:
    """Return the columns of a store that the inputs are made from.

    Raises:
        SchemaError: if the store has no such objects.
    """
    objects = () if slots is None else object_columns(slots, metadata)
    return tuple(dict.fromkeys((*features.columns, *objects)))


def inputs_of(batch: EventBatch, features: FeatureReader, slots: ObjectSlots | None) -> EventInputs:
    """Return the inputs of events.

    Raises:
        SchemaError: if objects are wanted and an event has none.
    """
    return EventInputs(features.of(batch), None if slots is None else event_objects(batch, slots))

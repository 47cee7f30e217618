"""Run, luminosity block and number of events, as the columns of identity hold them."""

from typing import Any

import numpy as np

from partonic.errors import EventFileError
from partonic.events.readers.root.batch import Batch

__all__ = ["IDENTITY", "identity_columns"]

IDENTITY = ("run", "luminosity_block", "event_number")

_LARGEST = np.uint64(np.iinfo(np.int64).max)


def identity_columns(batch: Batch) -> dict[str, Any]:
    """Return run, luminosity block and event number, where the file has them.

    Raises:
        EventFileError: if a number is no whole number, or does not fit into 63 bits.
    """
    columns: dict[str, Any] = {}
    for name in IDENTITY:
        if name not in batch:
            continue
        values = batch.scalar(name)
        if values.dtype.kind == "f":
            wrong = values != np.round(values)
        else:
            wrong = values > _LARGEST if values.dtype == np.uint64 else np.zeros(len(values), dtype=bool)
        if wrong.any():
            event = int(np.argmax(wrong))
            raise EventFileError(
                f"{batch.where(event)}: branch {batch.names[name]} holds {values[event]}, expected a whole number "
                "below 2^63"
            )
        columns[name] = values.astype(np.int64)
    return columns

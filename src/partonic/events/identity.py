"""Who an event is: run, luminosity block and number; certified data, and events that another sample has too."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from jaxtyping import Bool, UInt64

from partonic.errors import EventFileError
from partonic.events.columns import IDENTITY
from partonic.events.row_digests import row_digests
from partonic.events.store import EventStore

__all__ = ["IDENTITY_NAMES", "OtherEvents", "certified", "read_good_runs"]

IDENTITY_NAMES = tuple(column.name for column in IDENTITY)

Blocks = Mapping[int, Sequence[tuple[int, int]]]
"""First and last certified luminosity block of each range, by run."""


def read_good_runs(path: Path) -> Blocks:
    """Read a certification of collision data, ``{"273158": [[1, 1279]], ...}``, as CMS publishes it.

    Raises:
        EventFileError: if the file cannot be read or is not of this form.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return {int(run): [(int(first), int(last)) for first, last in ranges] for run, ranges in content.items()}
    except OSError as error:
        raise EventFileError(f"cannot read import.good_runs {path}: {error.strerror or error}") from error
    except (ValueError, TypeError, AttributeError) as error:
        raise EventFileError(
            f"{path} (import.good_runs): expected JSON with ranges of luminosity blocks by run, such as "
            f'{{"273158": [[1, 1279]]}}; {error}'
        ) from error


def certified(table: pa.Table, good: Blocks) -> Bool[np.ndarray, " events"]:
    """Return which events are in certified luminosity blocks.

    Raises:
        EventFileError: if the events do not know their run and block.
    """
    run, block = (_numbers(table, name) for name in ("run", "luminosity_block"))
    inside = np.zeros(len(run), dtype=bool)
    for number in np.unique(run):
        of_run = run == number
        for first, last in good.get(int(number), ()):
            inside |= of_run & (block >= first) & (block <= last)
    return inside


def _numbers(table: pa.Table, name: str) -> np.ndarray:
    if name not in table.column_names or table.column(name).null_count:
        raise EventFileError(f"import.good_runs needs the column {name}, which the events of these files do not have")
    return np.asarray(table.column(name))


class OtherEvents:
    """The events of other stores, known by run, luminosity block and number."""

    def __init__(self, stores: Sequence[Path]) -> None:
        """Read the identities of the events of `stores`.

        Raises:
            EventFileError: if a store cannot be read, or its events have no numbers.
        """
        found = [np.zeros(0, dtype=np.uint64)]
        for path in stores:
            store = EventStore.open(path)
            if not store.metadata.identity:
                raise EventFileError(f"{path} (import.overlap_with): its events have no run, block and number")
            batches = store.batches(["event_id", *IDENTITY_NAMES])
            found.extend(row_digests(batch.table, IDENTITY_NAMES)[0] for batch in batches)
        self._known: UInt64[np.ndarray, " events"] = np.unique(np.concatenate(found))

    def contain(self, table: pa.Table) -> Bool[np.ndarray, " events"]:
        """Return which events of `table` are among them.

        Raises:
            EventFileError: if its events have no numbers.
        """
        if not set(IDENTITY_NAMES) & set(table.column_names):
            message = "import.overlap_with needs events with run, block and number, which those of these files lack"
            raise EventFileError(message)
        return np.isin(row_digests(table, IDENTITY_NAMES)[0], self._known)

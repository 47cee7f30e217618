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
        content = json.loads(path.read_text(encoding="utf-8-sig"), object_pairs_hook=_each_run_once)
        return {int(run): [_range(run, block) for block in ranges] for run, ranges in content.items()}
    except OSError as error:
        raise EventFileError(f"cannot read import.good_runs {path}: {error.strerror or error}") from error
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise EventFileError(
            f"{path} (import.good_runs): expected JSON with ranges of luminosity blocks by run, such as "
            f'{{"273158": [[1, 1279]]}}; {error}'
        ) from error


def _each_run_once(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    runs = [int(run) for run, _ in pairs]
    if doubled := [run for run in runs if runs.count(run) > 1][:1]:
        raise ValueError(f"run {doubled[0]} is there twice")
    return dict(pairs)


def _range(run: str, block: Sequence[int]) -> tuple[int, int]:
    first, last = block
    if not (type(first) is int and type(last) is int and 0 <= first <= last):
        raise ValueError(f"run {run} has the range {list(block)}, expected first and last block, whole numbers")
    return first, last


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
            for batch in store.batches(["event_id", *IDENTITY_NAMES]):
                _check_complete(batch.table, f"{path} (import.overlap_with): its events")
                found.append(row_digests(batch.table, IDENTITY_NAMES)[0])
        self._known: UInt64[np.ndarray, " events"] = np.unique(np.concatenate(found))

    def contain(self, table: pa.Table) -> Bool[np.ndarray, " events"]:
        """Return which events of `table` are among them.

        Raises:
            EventFileError: if its events have no numbers.
        """
        _check_complete(table, "import.overlap_with: the events of these files")
        return np.isin(row_digests(table, IDENTITY_NAMES)[0], self._known)


def _check_complete(table: pa.Table, whose: str) -> None:
    """Refuse events known by their number alone: the numbers of two samples begin again at 0."""
    missing = [name for name in IDENTITY_NAMES if name not in table.column_names or table.column(name).null_count]
    if missing:
        raise EventFileError(
            f"{whose} have no {' and no '.join(missing)}; events of two samples are the same only if run, luminosity "
            "block and event number are. Leave import.overlap_with out"
        )

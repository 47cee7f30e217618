"""The same event twice in one sample: found by what it holds, or for collision data by its run, block and number.

Simulated events of different jobs often have the same numbers, so that numbers alone do not make them the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from partonic.events.identity import IDENTITY_NAMES
from partonic.events.row_digests import row_digests

__all__ = ["Duplicates"]

_NOT_CONTENT = ("event_id", "weight", "coefficients", "selected", "cut", *IDENTITY_NAMES)
_TELLING = 8
"""Floating-point numbers that two different events do not share by chance; with fewer, their numbers must agree too."""


@dataclass
class Duplicates:
    """Collects digests of the events of a sample.

    Attributes:
        data: whether these are collision data.
    """

    data: bool
    _content: list[NDArray[np.uint64]] = field(default_factory=list)
    _identity: list[NDArray[np.uint64]] = field(default_factory=list)
    _events: list[NDArray[np.int64]] = field(default_factory=list)
    _usable: list[NDArray[np.bool_]] = field(default_factory=list)

    def add(self, table: pa.Table) -> None:
        """Take events into account."""
        identity, _ = row_digests(table, IDENTITY_NAMES)
        known = bool(set(IDENTITY_NAMES) & set(table.column_names))
        if self.data and known:
            content, usable = identity, np.ones(table.num_rows, dtype=bool)
        else:
            names = sorted(name for name in table.column_names if not _is_weight(name))
            content, floats = row_digests(table, names)
            content = np.where(floats >= _TELLING, content, content ^ identity)
            usable = (floats >= _TELLING) | (known & (floats > 0))
        self._content.append(content)
        self._identity.append(identity)
        self._usable.append(usable)
        self._events.append(np.asarray(table.column("event_id")).astype(np.int64))

    def found(self) -> Mapping[int, int]:
        """Return the number of the first copy of each event that is not the first of its kind."""
        return self._repeated(self._content)

    def same_numbers(self) -> int:
        """Return how many events have run, block and number of an earlier one."""
        return len(self._repeated(self._identity))

    def _repeated(self, digests: list[NDArray[np.uint64]]) -> Mapping[int, int]:
        if not digests:
            return {}
        usable = np.concatenate(self._usable)
        digest, event = np.concatenate(digests)[usable], np.concatenate(self._events)[usable]
        _, first, inverse = np.unique(digest, return_index=True, return_inverse=True)
        again = np.flatnonzero(first[inverse] != np.arange(len(digest)))
        return {int(event[row]): int(event[first[inverse[row]]]) for row in again}


def _is_weight(name: str) -> bool:
    return name in _NOT_CONTENT or name.startswith("weight_")

"""Fast reading of Pythia's event record.

The Python interface of Pythia gives one particle at a time, or whole events as awkward records, and both cost more
than making the event. Pythia keeps an event as a C++ vector of particles, which is one contiguous block of memory, so
this module copies that block and looks at it through a NumPy structure.

Nothing about the block is assumed. On the first event, the address of every particle must be evenly spaced, and for
each quantity the one offset is searched at which the bytes of *all* particles equal what the public interface returns.
If there is no such offset, or more than one, the public interface is used (slower, same numbers) and a warning is
logged.
"""

import ctypes
import logging
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Int, Shaped

__all__ = ["FIELDS", "EventRecords", "RecordBuffer", "find_layout", "read_publicly"]

logger = logging.getLogger(__name__)

FIELDS: dict[str, str] = {
    "id": "<i4", "status": "<i4", "mother1": "<i4", "daughter1": "<i4",
    "e": "<f8", "px": "<f8", "py": "<f8", "pz": "<f8",
}  # fmt: skip
"""Quantities of a particle that are read, named as the methods of Pythia's `Particle`, and their types."""

_LARGEST_PARTICLE = 4096
"""No particle object is larger than this many bytes."""

_RAW_PARTICLES = 12_000
"""Particles of which raw copies are kept: about 2 MB, which fits into the cache of a core."""

_SMALLEST_RECORD = 20
"""Records with fewer particles do not tell their layout for certain."""


Columns = dict[str, Shaped[np.ndarray, " particles"]]


@dataclass(frozen=True)
class EventRecords:
    """Records of N events.

    Attributes:
        columns: the quantities of `FIELDS` of all particles, `(M,)` each; mothers and daughters count from the
            beginning of their event.
        offsets: where each event begins, `(N + 1,)`.
    """

    columns: Columns
    offsets: Int[np.ndarray, " bounds"]

    def __getitem__(self, name: str) -> Shaped[np.ndarray, " particles"]:
        """Return a column."""
        return self.columns[name]


class _Block:
    """A block of memory that NumPy can look at."""

    def __init__(self, address: int, length: int, size: int) -> None:
        self.__array_interface__ = {"version": 3, "data": (address, True), "shape": (length,), "typestr": f"|V{size}"}


def _in_place(record: Any, layout: np.dtype[Any]) -> Shaped[np.ndarray, " particles"]:
    """Return the particles of `record` where they lie, to be copied before Pythia goes on."""
    return np.asarray(_Block(_address(record.at(0)), record.size(), layout.itemsize)).view(layout)


def _columns(rows: Shaped[np.ndarray, " particles"]) -> Columns:
    return {name: np.ascontiguousarray(rows[name]) for name in FIELDS}


def read_publicly(record: Any) -> Shaped[np.ndarray, " particles"]:
    """Return the particles of `record` (a Pythia `Event`) through its public interface."""
    particles = [record.at(index) for index in range(record.size())]
    rows = np.empty(len(particles), dtype=list(FIELDS.items()))
    for name in FIELDS:
        rows[name] = [getattr(particle, name)() for particle in particles]
    return rows


def find_layout(record: Any) -> np.dtype[Any] | None:
    """Return the structure in which `record` lies in memory, or None if it cannot be told for certain."""
    if sys.implementation.name != "cpython" or record.size() < _SMALLEST_RECORD:
        return None
    stride = _even_stride(record)
    if stride is None:
        return None
    truth = read_publicly(record)
    block = _in_place(record, np.dtype((np.void, stride))).view(np.uint8).reshape(record.size(), stride)
    found = [_offset_of(block, truth[name], np.dtype(kind)) for name, kind in FIELDS.items()]
    offsets = [offset for offset in found if offset is not None]
    if len(offsets) < len(FIELDS):
        return None
    formats = [np.dtype(kind) for kind in FIELDS.values()]
    return np.dtype({"names": list(FIELDS), "formats": formats, "offsets": offsets, "itemsize": stride})


def _address(particle: Any) -> int:
    """Return the address of the C++ object that a Python object stands for: the first word after its header."""
    return ctypes.c_void_p.from_address(id(particle) + object.__basicsize__).value or 0


def _even_stride(record: Any) -> int | None:
    """Return the distance of the particles in memory, None if they are not one evenly spaced block."""
    particles = [record.at(index) for index in range(record.size())]
    if type(particles[0]).__basicsize__ < object.__basicsize__ + ctypes.sizeof(ctypes.c_void_p):
        return None
    again = record.at(0)  # a copy would have another address while the first one lives
    addresses = [_address(particle) for particle in particles]
    steps = set(np.diff(addresses).tolist())
    if _address(again) != addresses[0] or len(steps) != 1:
        return None
    stride = int(steps.pop())
    return stride if 0 < stride <= _LARGEST_PARTICLE and stride % 8 == 0 else None


def _offset_of(
    block: Shaped[np.ndarray, "particles bytes"], truth: Shaped[np.ndarray, " particles"], kind: np.dtype[Any]
) -> int | None:
    """Return the only offset at which the bytes of all particles are `truth`."""
    fitting = [
        offset
        for offset in range(0, block.shape[1] - kind.itemsize + 1, 4)
        if np.array_equal(np.ascontiguousarray(block[:, offset : offset + kind.itemsize]).view(kind)[:, 0], truth)
    ]
    return fitting[0] if len(fitting) == 1 else None


class RecordBuffer:
    """Collects the records of many events.

    Attributes:
        layout: structure of Pythia's records in memory; None reads through the public interface.
    """

    def __init__(self, layout: np.dtype[Any] | None) -> None:
        """Make an empty buffer."""
        self.layout = layout
        self._ends = [0]
        self._parts: list[Columns] = []
        # Raw copies of the latest records: a single call per event, because Pythia leaves the caches cold.
        self._raw = np.zeros(_RAW_PARTICLES if layout is not None else 0, dtype=layout or np.uint8)
        self._raw_start = self._raw.ctypes.data
        self._raw_filled = 0

    def __len__(self) -> int:
        """Return the number of events in the buffer."""
        return len(self._ends) - 1

    def add(self, record: Any) -> None:
        """Append the particles of `record`."""
        size = record.size()
        self._ends.append(self._ends[-1] + size)
        if self.layout is None:
            self._parts.append(_columns(read_publicly(record)))
            return
        if self._raw_filled + size > len(self._raw):
            self._unpack(at_least=size)
        stride = self.layout.itemsize
        ctypes.memmove(self._raw_start + self._raw_filled * stride, _address(record.at(0)), size * stride)
        self._raw_filled += size

    def add_nothing(self) -> None:
        """Append an event without particles."""
        self._ends.append(self._ends[-1])

    def take(self) -> EventRecords:
        """Return the records of all events, and begin again."""
        self._unpack()
        empty = _columns(np.zeros(0, dtype=list(FIELDS.items())))
        parts = self._parts or [empty]
        columns = {name: np.concatenate([part[name] for part in parts]) for name in FIELDS}
        records = EventRecords(columns, np.array(self._ends, dtype=np.int64))
        self._ends, self._parts = [0], []
        return records

    def _unpack(self, at_least: int = 0) -> None:
        """Move the quantities that are read out of the raw copies, and make room for `at_least` particles."""
        raw = self._raw[: self._raw_filled]
        if len(raw):
            self._parts.append(_columns(raw))
        self._raw_filled = 0
        if at_least > len(self._raw):
            self._raw = np.zeros(2 * at_least, dtype=self.layout)
            self._raw_start = self._raw.ctypes.data

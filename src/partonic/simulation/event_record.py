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
from typing import Any

import numpy as np
from jaxtyping import Int, Shaped

__all__ = ["FIELDS", "RecordBuffer", "find_layout", "matches_layout", "read_publicly"]

logger = logging.getLogger(__name__)

FIELDS: dict[str, str] = {
    "id": "<i4", "status": "<i4", "mother1": "<i4", "daughter1": "<i4",
    "e": "<f8", "px": "<f8", "py": "<f8", "pz": "<f8",
}  # fmt: skip
"""Quantities of a particle that are read, named as the methods of Pythia's `Particle`, and their types."""

_LARGEST_PARTICLE = 4096
"""No particle object is larger than this many bytes."""

_SMALLEST_RECORD = 20
"""Records with fewer particles do not tell their layout for certain."""


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
    block = _copied(record, stride)
    found = [_offset_of(block, truth[name], np.dtype(kind)) for name, kind in FIELDS.items()]
    offsets = [offset for offset in found if offset is not None]
    if len(offsets) < len(FIELDS):
        return None
    formats = [np.dtype(kind) for kind in FIELDS.values()]
    return np.dtype({"names": list(FIELDS), "formats": formats, "offsets": offsets, "itemsize": stride})


def matches_layout(record: Any, layout: np.dtype[Any]) -> bool:
    """Return whether `record`, read with `layout`, has the numbers that the public interface gives."""
    if record.size() > 1 and _even_stride(record) != layout.itemsize:
        return False
    truth = read_publicly(record)
    rows = _copied(record, layout.itemsize).reshape(-1).view(layout)
    return all(np.array_equal(rows[name], truth[name]) for name in FIELDS)


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


def _copied(record: Any, stride: int) -> Shaped[np.ndarray, "particles bytes"]:
    block = np.empty((record.size(), stride), dtype=np.uint8)
    ctypes.memmove(block.ctypes.data, _address(record.at(0)), block.nbytes)
    return block


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
    """The records of many events, one after another.

    Attributes:
        layout: structure in which Pythia's records are copied from memory; None reads through the public interface.
    """

    def __init__(self, layout: np.dtype[Any] | None, capacity: int = 50_000) -> None:
        """Make an empty buffer for about `capacity` particles; it grows when needed."""
        self.layout = layout
        self._kind = np.dtype(list(FIELDS.items())) if layout is None else layout
        self._rows = np.zeros(capacity, dtype=self._kind)
        self._start = self._rows.ctypes.data
        self._ends = [0]

    def __len__(self) -> int:
        """Return the number of events in the buffer."""
        return len(self._ends) - 1

    @property
    def filled(self) -> int:
        """Number of particles in the buffer."""
        return self._ends[-1]

    def add(self, record: Any) -> None:
        """Append the particles of `record`."""
        begin, size = self._ends[-1], record.size()
        if begin + size > len(self._rows):
            self._grow(begin + size)
        if self.layout is None:
            self._rows[begin : begin + size] = read_publicly(record)
        else:
            stride = self._kind.itemsize
            ctypes.memmove(self._start + begin * stride, _address(record.at(0)), size * stride)
        self._ends.append(begin + size)

    def add_nothing(self) -> None:
        """Append an event without particles."""
        self._ends.append(self.filled)

    def _grow(self, needed: int) -> None:
        larger = np.zeros(max(needed, 2 * len(self._rows)), dtype=self._kind)
        larger[: self.filled] = self._rows[: self.filled]
        self._rows, self._start = larger, larger.ctypes.data

    def content(self) -> tuple[Shaped[np.ndarray, " particles"], Int[np.ndarray, " bounds"]]:
        """Return the particles of all events, valid until the buffer changes, and where each event begins."""
        return self._rows[: self.filled], np.array(self._ends, dtype=np.int64)

    def clear(self) -> None:
        """Empty the buffer; its memory stays."""
        self._ends = [0]

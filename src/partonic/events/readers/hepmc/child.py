"""The child process that reads a HepMC file with `pyhepmc`, and passes the events on as Arrow record batches.

The library may crash on a damaged file; a process of its own takes only itself down with it. Standard output is a
stream of `SCHEMA` in Arrow's IPC format, and nothing of what the library prints gets into it. The number of the event
that is being read stands in a second file, so that the parent knows where the child ended.

Run as ``python -m partonic.events.readers.hepmc.child FILE FORMAT DESCRIPTOR``.
"""

import io
import os
import struct
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from partonic.errors import EventFileError
from partonic.events.readers.hepmc.weightless import WeightlessText
from partonic.events.text.compression import opened_bytes, reading

__all__ = ["PROGRESS", "SCHEMA", "main"]

SCHEMA = pa.schema(
    {
        "event_number": pa.int64(),
        "weights": pa.list_(pa.float64()),
        "pdf": pa.list_(pa.float64()),
        "pdg": pa.list_(pa.int32()),
        "status": pa.list_(pa.int32()),
        "momentum": pa.list_(pa.float64()),
        "mother": pa.list_(pa.int32()),
        "vertex": pa.list_(pa.float64()),
        "problem": pa.string(),
    }
)
"""One row an event: its number; weights; (id 1, id 2, x1, x2, scale in GeV) or null; PDG ids, status, momenta
(E, px, py, pz) in GeV flattened, index of the first mother (−1: none), production vertices (x, y, z, ct) in mm.
`problem` is what went wrong, with which the stream ends; the other columns are null then."""

PROGRESS = struct.Struct("<q")
"""How the number of the event stands in the second file."""

_ROWS = 50
_BUFFER = 1 << 16


def main(path: Path, kind: str, progress: int, output: int) -> None:
    """Write the events of a file as a stream.

    Args:
        path: the file.
        kind: ``"hepmc3"`` or ``"hepmc2"``.
        progress: descriptor of the file that takes the number of the event.
        output: descriptor of the stream.
    """
    with os.fdopen(output, "wb") as sink, pa.ipc.new_stream(sink, SCHEMA) as stream:
        rows: list[dict[str, Any]] = []
        for row in _rows(path, kind, progress):
            rows.append(row)
            if len(rows) == _ROWS:
                stream.write_batch(_batch(rows))
                rows = []
        if rows:
            stream.write_batch(_batch(rows))


def _batch(rows: Sequence[Mapping[str, Any]]) -> pa.RecordBatch:
    """Return rows as a batch; arrays of all rows are joined before they become lists, which is faster."""
    columns = []
    for column in SCHEMA:
        values: list[Any] = [row.get(column.name) for row in rows]
        if pa.types.is_list(column.type) and column.name != "pdf" and all(value is not None for value in values):
            offsets = np.concatenate([[0], np.cumsum([len(value) for value in values])]).astype(np.int32)
            flat = pa.array(np.concatenate(values), column.type.value_type)
            columns.append(pa.ListArray.from_arrays(offsets, flat))
        else:
            columns.append(pa.array(values, column.type))
    return pa.RecordBatch.from_arrays(columns, schema=SCHEMA)


def _rows(path: Path, kind: str, progress: int) -> Iterator[dict[str, Any]]:
    import pyhepmc

    index = 0
    try:
        with reading(path), opened_bytes(path) as stream:
            text = WeightlessText(stream)
            events = iter(pyhepmc.open(io.BufferedReader(text, _BUFFER), format=kind))
            while True:
                os.pwrite(progress, PROGRESS.pack(index), 0)
                record = next(events, None)
                if record is None:
                    return
                yield _row(record, text.weights.popleft())
                index += 1
    except (EventFileError, RuntimeError, ValueError, MemoryError) as error:
        yield {"problem": str(error) or type(error).__name__}


def _row(record: Any, weights: list[float]) -> dict[str, Any]:
    import pyhepmc

    record.set_units(pyhepmc.Units.GEV, pyhepmc.Units.MM)
    particles = record.numpy.particles
    mother, vertex = _production(record, len(particles.pid))
    return {
        "event_number": record.event_number,
        "weights": np.array(weights, dtype=np.float64),
        "pdf": _pdf(record),
        "pdg": np.array(particles.pid),
        "status": np.array(particles.status),
        "momentum": np.stack([particles.e, particles.px, particles.py, particles.pz], axis=-1).ravel(),
        "mother": mother,
        "vertex": vertex.ravel(),
        "problem": None,
    }


def _production(record: Any, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the index of the first mother (−1: none) and the production vertex (x, y, z, ct) in mm."""
    produced: list[int] = []
    numbers: list[int] = []
    mothers: list[int] = []
    points = record.numpy.vertices
    places = np.stack([points.x, points.y, points.z, points.t], axis=-1)
    known = points.has_set_position
    for index, point in enumerate(record.vertices):
        outgoing = [particle.id for particle in point.particles_out]
        incoming = point.particles_in
        produced += outgoing
        numbers.append(len(outgoing))
        mothers.append(incoming[0].id if incoming else 0)
        if not known[index]:  # the library looks for the nearest ancestor that has a place
            place = point.position
            places[index] = (place.x, place.y, place.z, place.t)
    rows = np.array(produced, dtype=np.int64) - 1
    mother = np.full(count, -1, dtype=np.int32)
    mother[rows] = np.repeat(mothers, numbers) - 1
    vertex = np.zeros((count, 4))
    vertex[rows] = np.repeat(places, numbers, axis=0)
    return mother, vertex


def _pdf(record: Any) -> list[float] | None:
    info = record.pdf_info
    if info is None or info.x1 <= 0:
        return None
    return [info.parton_id1, info.parton_id2, info.x1, info.x2, info.scale]


if __name__ == "__main__":
    sink = os.dup(1)
    os.dup2(2, 1)
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sink)

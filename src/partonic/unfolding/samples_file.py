"""The file of sampled parton-level events: Parquet, one row for each reconstructed event.

A row has the number of the event, its status, and lists with all its samples one after another; the lists are null
where the status is not ``"ok"``. The numbers are kept in float64, so that momenta and densities can be computed again
exactly. View, model, seed and versions travel in the file as JSON under the key ``partonic_samples``.
"""

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from jaxtyping import Int
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from partonic.config.base import StrictModel
from partonic.errors import EventFileError, SchemaError
from partonic.event_status import OK
from partonic.files import atomic_output
from partonic.unfolding.partons import PartonSamples

__all__ = ["SAMPLES_FORMAT", "SampledEvents", "SamplesFile", "SamplesMetadata", "samples_table", "write_samples"]

SAMPLES_FORMAT = 1
"""Version of columns and metadata; raised by every change that an older reader would misread."""

_KEY = b"partonic_samples"
_LISTS = ("momenta", "x1", "x2", "numbers", "log_density")
_SCHEMA = pa.schema(
    [
        pa.field("event_id", pa.int64(), nullable=False),
        pa.field("status", pa.string(), nullable=False),
        *(pa.field(name, pa.list_(pa.float64())) for name in _LISTS),
    ]
)


class SamplesMetadata(StrictModel):
    """Everything that travels with the samples."""

    format: int = SAMPLES_FORMAT
    """Version of the file."""

    view: str
    """Which partons: ``hard`` or ``with_isr``."""

    particles: tuple[str, ...]
    """Names of the P partons, in the order of `momenta`."""

    dimensions: int
    """Number D of `numbers` for each sample."""

    samples_per_event: int
    """Sets of partons S for each event."""

    collider_energy: float
    """√S in GeV."""

    seed: int
    """Root seed."""

    sampling: dict[str, Any]
    """The settings of the sampling."""

    model: str
    """The model: its folder, or ``pretrained``."""

    model_fingerprint: str
    """Hash of its settings and weights."""

    store: str
    """The event store."""

    store_digest: str
    """SHA-256 of its content."""

    key: str
    """Hash of all that the samples depend on."""

    versions: dict[str, str] = Field(default_factory=dict)
    """Versions of the packages that made the samples."""

    counts: dict[str, int] = Field(default_factory=dict)
    """Number of events by status."""


@dataclass(frozen=True)
class SampledEvents:
    """Some rows of a file of samples.

    Attributes:
        event_id: number of each event in its store, `(N,)`.
        samples: the sets of partons of each event, NaN where its status is not ``"ok"``.
    """

    event_id: Int[Tensor, " events"]
    samples: PartonSamples

    def __len__(self) -> int:
        """Return the number of events."""
        return len(self.event_id)


class SamplesFile:
    """A file of samples on disk, opened for reading."""

    def __init__(self, path: Path, metadata: SamplesMetadata, num_events: int) -> None:
        """Use `SamplesFile.open`, which checks the file."""
        self.path = path
        self.metadata = metadata
        self.num_events = num_events

    @classmethod
    def open(cls, path: Path) -> "SamplesFile":
        """Open `path` and check that it is whole and a file of samples.

        Raises:
            EventFileError: if the file is missing, truncated or not Parquet.
            SchemaError: if it is no file of samples, or one of another format.
        """
        with _parquet(path) as file:
            metadata = _metadata(path, file.metadata.metadata or {})
            if not file.schema_arrow.equals(_SCHEMA):
                raise SchemaError(f"{path} has other columns than a file of samples: {file.schema_arrow.names}")
            return cls(path, metadata, file.metadata.num_rows)

    def batches(self, size: int = 256) -> Iterator[SampledEvents]:
        """Read the samples of `size` events at a time, in the order of the file.

        Raises:
            EventFileError: if the file is damaged.
        """
        for table in self.tables(size):
            yield self._events(table)

    def tables(self, size: int = 256) -> Iterator[pa.Table]:
        """Read `size` rows at a time as they are in the file.

        Raises:
            EventFileError: if the file is damaged.
        """
        with _parquet(self.path) as file:
            batches = file.iter_batches(batch_size=size, use_threads=False)
            while True:
                try:
                    batch = next(batches, None)
                except (OSError, pa.ArrowException) as error:
                    raise EventFileError(f"{self.path} is damaged: {error}; sample again") from error
                if batch is None:
                    return
                yield pa.Table.from_batches([batch])

    def _events(self, table: pa.Table) -> SampledEvents:
        status = tuple(table.column("status").to_pylist())
        good = np.array([word == OK for word in status], dtype=np.bool_)
        sets, particles = self.metadata.samples_per_event, len(self.metadata.particles)
        shapes = {"momenta": (sets, particles, 4), "numbers": (sets, self.metadata.dimensions)}
        parts = {name: self._padded(table, name, shapes.get(name, (sets,)), good) for name in _LISTS}
        event_id = torch.from_numpy(table.column("event_id").to_numpy().copy())
        return SampledEvents(event_id, PartonSamples(**parts, status=status))

    def _padded(self, table: pa.Table, name: str, shape: tuple[int, ...], good: NDArray[np.bool_]) -> Tensor:
        values = np.concatenate([chunk.flatten().to_numpy() for chunk in table.column(name).chunks])
        if values.size != good.sum() * np.prod(shape):
            raise EventFileError(
                f"{self.path}: column '{name}' has {values.size} values for {good.sum()} events of "
                f"{'×'.join(map(str, shape))}; sample again"
            )
        padded = np.full((len(good), *shape), np.nan)
        padded[good] = values.reshape(-1, *shape)
        return torch.from_numpy(padded)


def samples_table(event_id: NDArray[np.int64], samples: PartonSamples) -> pa.Table:
    """Return the rows of some events."""
    good = np.array([word == OK for word in samples.status], dtype=np.bool_)
    lists = [_list_array(getattr(samples, name).double().numpy(), good) for name in _LISTS]
    return pa.Table.from_arrays([pa.array(event_id), pa.array(samples.status, pa.string()), *lists], schema=_SCHEMA)


def write_samples(path: Path, tables: Iterator[pa.Table] | Sequence[pa.Table], metadata: SamplesMetadata) -> None:
    """Write a file of samples, table by table; it is whole or absent.

    Args:
        path: the file.
        tables: from `samples_table` or `SamplesFile.tables`; each becomes a row group.
        metadata: of the file; its `counts` are filled in here.

    Raises:
        OutputError: if the file cannot be written.
    """
    counts: dict[str, int] = {}
    # dictionaries would only cost time: no two of these numbers are equal
    options = {"compression": "zstd", "use_dictionary": ["status"]}
    with atomic_output(path) as temporary, pq.ParquetWriter(temporary, _SCHEMA, **options) as writer:
        for table in tables:
            writer.write_table(table)
            for word in table.column("status").to_pylist():
                counts[word] = counts.get(word, 0) + 1
        final = metadata.model_copy(update={"counts": counts})
        writer.add_key_value_metadata({_KEY: final.model_dump_json().encode()})


def _list_array(values: NDArray[np.float64], good: NDArray[np.bool_]) -> pa.ListArray:
    """Return one list for each event, null where it is not good."""
    width = values[0].size if len(values) else 0
    offsets = np.concatenate([[0], np.cumsum(good * width)])
    flat = np.ascontiguousarray(values[good]).reshape(-1)
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pa.array(flat), mask=pa.array(~good))


def _metadata(path: Path, entries: Mapping[bytes, bytes]) -> SamplesMetadata:
    if _KEY not in entries:
        raise SchemaError(f"{path} is Parquet, but not a file of samples written by `partonic sample`")
    try:
        content = json.loads(entries[_KEY])
        if content["format"] != SAMPLES_FORMAT:
            raise SchemaError(
                f"{path} has format {content['format']}, but this partonic reads format {SAMPLES_FORMAT}; sample again"
            )
        return SamplesMetadata.model_validate(content)
    except (ValueError, KeyError, TypeError) as error:
        raise SchemaError(f"{path}: the metadata of the samples are not valid: {error}") from error


@contextlib.contextmanager
def _parquet(path: Path) -> Iterator[pq.ParquetFile]:
    try:
        file = pq.ParquetFile(path, pre_buffer=False)
    except FileNotFoundError as error:
        raise EventFileError(f"there is no file of samples {path}; run `partonic sample`") from error
    except (OSError, pa.ArrowException) as error:
        raise EventFileError(f"{path} is damaged, or not Parquet: {error}; sample again") from error
    with file:
        yield file

"""The event store: one Parquet file, one row an event, read and written as a stream.

A store is written atomically (whole or absent), row group by row group, so that memory does not grow with the number
of events. Facts that are known only at the end (cut flow, cross section) go into the footer of the file.
"""

import contextlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from partonic.errors import EventFileError, SchemaError
from partonic.events.batch import EventBatch
from partonic.events.grouped import GroupedSums
from partonic.events.schema import SCHEMA_VERSION, CrossSection, StoreMetadata
from partonic.files import atomic_output

__all__ = [
    "DEFAULT_BATCH",
    "NORMALISATION_ERROR",
    "ROW_GROUP",
    "EventBatch",
    "EventStore",
    "EventWriter",
]

ROW_GROUP = 10_000
"""Events of a row group: about 10 MB in memory, and still a good compression."""

DEFAULT_BATCH = 10_000
"""Events of a batch when reading."""

NORMALISATION_ERROR = "relative_normalisation_error"
"""Key in `StoreMetadata.facts`: relative error of the cross section that the weights were normalised to."""

_KEY = b"partonic"
_MAGIC = b"PAR1"


class EventWriter:
    """Write an event store; a context manager that leaves a whole file or none.

    Example::

        with EventWriter(path, metadata) as writer:
            for table in tables:
                writer.write(table)
            writer.metadata = writer.metadata.with_facts(cut_flow=cut_flow)
    """

    def __init__(self, path: Path, metadata: StoreMetadata, row_group: int = ROW_GROUP) -> None:
        """Prepare to write to `path`; nothing is created before the context is entered."""
        self.path = path
        self.num_events = 0
        self._metadata = metadata
        self._schema = metadata.event_schema
        self._row_group = row_group
        self._pending: list[pa.Table] = []
        self._pending_rows = 0
        self._sums = np.zeros((2, len(metadata.monomials)))
        self._copies = GroupedSums(len(metadata.monomials)) if metadata.copies else None
        self._stack = contextlib.ExitStack()
        self._parquet: pq.ParquetWriter | None = None

    @property
    def metadata(self) -> StoreMetadata:
        """The metadata that the file will carry; may be replaced until the context is left."""
        return self._metadata

    @metadata.setter
    def metadata(self, value: StoreMetadata) -> None:
        if value.event_schema != self._schema:
            msg = f"the process and the extra weights of {self.path} cannot change once writing has begun"
            raise SchemaError(msg)
        self._metadata = value

    def __enter__(self) -> "EventWriter":
        """Open the temporary file."""
        with contextlib.ExitStack() as stack:
            temporary = stack.enter_context(atomic_output(self.path))
            self._parquet = pq.ParquetWriter(temporary, self._schema.arrow(), compression="zstd")
            self._stack = stack.pop_all()
        return self

    def write(self, table: pa.Table) -> None:
        """Append events; absent nullable columns become null.

        Raises:
            SchemaError: if the columns of `table` do not fit the schema.
            NonFiniteError: if a weight or a coefficient is NaN or infinite.
        """
        rows = self._schema.conform(table)
        coefficients = EventBatch(rows, self._metadata).coefficients
        self._sums += np.stack([coefficients.sum(axis=0), (coefficients**2).sum(axis=0)])
        if self._copies is not None:
            self._copies.add(coefficients, rows.column("parton_event").to_numpy())
        self.num_events += rows.num_rows
        self._pending.append(rows)
        self._pending_rows += rows.num_rows
        if self._pending_rows >= self._row_group:
            self._flush()

    def cross_section(self) -> CrossSection:
        """Return the sum of the coefficients written so far, in pb, with its Monte-Carlo error.

        The error is that of N events (parton events, where these are copies), √(Σc² − (Σc)²/N), and in quadrature the
        one of the cross section that their
        weights were normalised to, if it is known: unweighted events alone do not tell it.
        """
        (total, squares), trials = self._sums, self.num_events
        if self._copies is not None:
            squares, trials = self._copies.second.diagonal(), self._copies.groups
        common = float(self._metadata.facts.get(NORMALISATION_ERROR, 0.0)) * total
        variance = np.maximum(squares - total**2 / max(trials, 1), 0.0) + common**2
        return CrossSection(coefficients=tuple(total.tolist()), errors=tuple(np.sqrt(variance).tolist()))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Finish the file, or remove it if the block failed."""
        with self._stack:
            if kind is not None:
                with contextlib.suppress(OSError, pa.ArrowException):
                    self._writer.close()
                self._stack.__exit__(kind, error, trace)
                return
            self._flush()
            self._writer.add_key_value_metadata({_KEY: self._final_metadata().to_json().encode()})
            self._writer.close()

    @property
    def _writer(self) -> pq.ParquetWriter:
        if self._parquet is None:
            msg = f"use EventWriter({self.path}) in a `with` block"
            raise SchemaError(msg)
        return self._parquet

    def _flush(self) -> None:
        if self._pending:
            self._writer.write_table(pa.concat_tables(self._pending), row_group_size=self._row_group)
            self._pending, self._pending_rows = [], 0

    def _final_metadata(self) -> StoreMetadata:
        facts = self._metadata
        if facts.cross_section is None:
            facts = facts.with_facts(cross_section=self.cross_section())
        return facts if facts.n_generated else facts.with_facts(n_generated=self.num_events)


class EventStore:
    """An event store on disk, opened for reading."""

    def __init__(self, path: Path, metadata: StoreMetadata, num_events: int) -> None:
        """Use `EventStore.open`, which checks the file."""
        self.path = path
        self.metadata = metadata
        self.num_events = num_events

    @classmethod
    def open(cls, path: Path, fingerprint: str | None = None) -> "EventStore":
        """Open `path` and check that it is whole, of this schema version, and has all columns.

        Args:
            path: the Parquet file.
            fingerprint: `EventSchema.fingerprint()` that the events must have, e.g. of those that trained a network.

        Raises:
            EventFileError: if the file is missing, truncated or not Parquet.
            SchemaError: if it is not an event store, or its version, columns or fingerprint differ.
        """
        with _parquet_file(path) as file:
            metadata = _read_metadata(path, file)
            _check_columns(path, file.schema_arrow, metadata)
            store = cls(path, metadata, file.metadata.num_rows)
        found = metadata.event_schema.fingerprint()
        if fingerprint is not None and fingerprint != found:
            raise SchemaError(
                f"{path}: its events have fingerprint {found[:12]}…, but {fingerprint[:12]}… is expected: process, "
                f"partons or columns differ (this store holds {metadata.process}: {', '.join(metadata.parton_names)})"
            )
        return store

    def batches(
        self,
        columns: Sequence[str] | None = None,
        size: int = DEFAULT_BATCH,
        selected_only: bool = False,
        accepted_only: bool = False,
    ) -> Iterator[EventBatch]:
        """Read the events batch by batch, in the order of the file; memory does not grow with the file.

        Args:
            columns: columns to read; the default reads all.
            size: events of a batch; only the last one is smaller.
            selected_only: leave out events that were rejected or to which no selection applies.
            accepted_only: leave out events that were rejected; all of a sample of partons are accepted.

        Raises:
            SchemaError: if a column does not exist.
            EventFileError: if the file is damaged.
        """
        names = [column.name for column in self.metadata.event_schema.columns]
        wanted = list(names if columns is None else columns)
        if unknown := [name for name in wanted if name not in names]:
            raise SchemaError(f"{self.path} has no column {', '.join(unknown)}; it has: {', '.join(names)}")
        if size < 1:
            raise ValueError(f"the batch size must be positive, got {size}")
        keep = False if selected_only else True if accepted_only else None
        read = wanted if keep is None or "selected" in wanted else [*wanted, "selected"]
        for table in _rebatched(self._tables(read, size, keep), size):
            yield EventBatch(table.select(wanted), self.metadata)

    def read(self, columns: Sequence[str], selected_only: bool = False, accepted_only: bool = False) -> EventBatch:
        """Read some columns of all events at once; arguments as of `batches`."""
        batches = self.batches(columns, selected_only=selected_only, accepted_only=accepted_only)
        parts = [batch.table for batch in batches]
        empty = self.metadata.event_schema.arrow().empty_table().select(list(columns))
        return EventBatch(pa.concat_tables([empty, *parts]), self.metadata)

    def _tables(self, columns: list[str], size: int, keep_unknown: bool | None) -> Iterator[pa.Table]:
        """Yield the events: all (None), or the selected ones with or without those to which no selection applies."""
        with _parquet_file(self.path) as file:
            batches = file.iter_batches(batch_size=min(size, ROW_GROUP), columns=columns, use_threads=False)
            while True:
                try:
                    batch = next(batches, None)
                except (OSError, pa.ArrowException) as error:
                    raise EventFileError(f"{self.path} is damaged: {error}; write it again") from error
                if batch is None:
                    return
                table = pa.Table.from_batches([batch])
                if keep_unknown is not None:
                    table = table.filter(pc.fill_null(table.column("selected"), keep_unknown))
                yield table


@contextlib.contextmanager
def _parquet_file(path: Path) -> Iterator[pq.ParquetFile]:
    try:
        with path.open("rb") as raw:
            begin = raw.read(4)
            raw.seek(-4, 2)
            end = raw.read(4)
    except OSError as error:
        if not path.is_file() or path.stat().st_size:
            raise EventFileError(f"cannot read the event store {path}: {error.strerror or error}") from error
        raise EventFileError(f"{path} is empty, expected an event store (Parquet)") from error
    if begin != _MAGIC:
        raise EventFileError(f"{path} is not a Parquet file: expected an event store written by partonic")
    if end != _MAGIC:
        raise EventFileError(f"{path} is truncated: its end is missing. Copy it again, or run the step that made it")
    try:
        file = pq.ParquetFile(path, pre_buffer=False)
    except (OSError, pa.ArrowException) as error:
        raise EventFileError(f"{path} is damaged: {error}. Copy it again, or run the step that made it") from error
    with file:
        yield file


def _read_metadata(path: Path, file: pq.ParquetFile) -> StoreMetadata:
    entries = file.metadata.metadata or {}
    if _KEY not in entries:
        raise SchemaError(f"{path} is Parquet, but not an event store of partonic (no '{_KEY.decode()}' metadata)")
    version = _stored_version(path, entries[_KEY])
    if version != SCHEMA_VERSION:
        raise SchemaError(
            f"{path} has schema version {version}, but this partonic reads version {SCHEMA_VERSION}: "
            "run the step that made it again, or install the partonic that wrote it"
        )
    return StoreMetadata.from_json(entries[_KEY], str(path))


def _stored_version(path: Path, text: bytes) -> object:
    try:
        content = json.loads(text)
    except ValueError as error:
        raise SchemaError(f"{path}: the metadata of the event store are not JSON: {error}") from error
    return content.get("schema_version") if isinstance(content, dict) else None


def _check_columns(path: Path, found: pa.Schema, metadata: StoreMetadata) -> None:
    expected = metadata.event_schema.arrow()
    if missing := [name for name in expected.names if name not in found.names]:
        raise SchemaError(
            f"{path} lacks the columns {', '.join(missing)}: it was cut down or written by another program"
        )
    for field in expected:
        if not found.field(field.name).type.equals(field.type):
            raise SchemaError(f"{path}: column '{field.name}' is {found.field(field.name).type}, expected {field.type}")


def _rebatched(tables: Iterator[pa.Table], size: int) -> Iterator[pa.Table]:
    """Cut and join `tables` so that each has `size` rows, the last one possibly fewer."""
    pending: list[pa.Table] = []
    rows = 0
    for table in tables:
        pending.append(table)
        rows += table.num_rows
        if rows >= size:
            joined = pa.concat_tables(pending)
            whole = rows - rows % size
            for start in range(0, whole, size):
                yield joined.slice(start, size)
            pending, rows = [joined.slice(whole)], rows - whole
    if rows:
        yield pa.concat_tables(pending)

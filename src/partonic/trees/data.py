"""Events to grow trees on, read in batches: arrays, memory-mapped or not, and Parquet files."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from partonic.errors import EventFileError, TrainingError

__all__ = ["ArrayData", "ParquetData", "TreeBatch", "TreeData"]

BATCH = 1 << 17
"""Events of a batch."""


@dataclass(frozen=True)
class TreeBatch:
    """Some events.

    Attributes:
        features: NaN is missing, `(n, F)`.
        coefficients: θ-coefficients c_a of the weights of the events; the first is the weight at θ = 0, `(n, A)`.
        groups: events with the same number stay on one side of the split into training and held-out events, such as
            copies of one parton event; None if each event is its own group, `(n,)`.
        held_out: which events are held out, in place of a part drawn at random, `(n,)`.
    """

    features: Shaped[np.ndarray, "events features"]
    coefficients: Shaped[np.ndarray, "events monomials"]
    groups: Int[np.ndarray, " events"] | None = None
    held_out: Bool[np.ndarray, " events"] | None = None


@runtime_checkable
class TreeData(Protocol):
    """Events that can be read more than once, each time in the same order."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the features."""

    def __len__(self) -> int:
        """Return the number of events."""

    def batches(self) -> Iterator[TreeBatch]:
        """Yield all events."""


class ArrayData:
    """Events in arrays, which may be memory maps (`numpy.load(..., mmap_mode="r")`): they are read in batches.

    Args:
        features: float32 or float64, NaN is missing, `(N, F)`.
        coefficients: c_a of the events, `(N, A)`.
        names: of the features.
        groups: see `TreeBatch`, `(N,)`.
        held_out: see `TreeBatch`, `(N,)`.

    Raises:
        TrainingError: if the lengths differ.
    """

    def __init__(
        self,
        features: Float[np.ndarray, "events features"],
        coefficients: Float[np.ndarray, "entries monomials"],
        names: Sequence[str],
        groups: Int[np.ndarray, " members"] | None = None,
        held_out: Bool[np.ndarray, " flags"] | None = None,
    ) -> None:
        lengths = [len(array) for array in (features, coefficients, groups, held_out) if array is not None]
        if len(set(lengths)) != 1:
            raise TrainingError(
                "features, coefficients, groups and held_out must have a row for each event, got "
                f"{', '.join(map(str, lengths))} rows"
            )
        self._features, self._coefficients, self._groups = features, coefficients, groups
        self._held_out = held_out
        self._names = tuple(names)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the features."""
        return self._names

    def __len__(self) -> int:
        """Return the number of events."""
        return len(self._features)

    def batches(self) -> Iterator[TreeBatch]:
        """Yield all events."""
        for start in range(0, len(self), BATCH):
            rows = slice(start, start + BATCH)
            groups, held = (None if array is None else array[rows] for array in (self._groups, self._held_out))
            yield TreeBatch(np.asarray(self._features[rows]), np.asarray(self._coefficients[rows]), groups, held)


class ParquetData:
    """Events in the columns of a Parquet file.

    Args:
        path: the file.
        features: columns of numbers; null is missing.
        coefficients: either columns of numbers, one for each monomial, or one column of lists of them, as in an event
            store.
        group: column of whole numbers, see `TreeBatch`.

    Raises:
        EventFileError: if the file cannot be read, or has no such columns.
    """

    def __init__(
        self, path: Path, features: Sequence[str], coefficients: Sequence[str] | str, group: str | None = None
    ) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self._path, self._names, self._group = path, tuple(features), group
        self._coefficients = (coefficients,) if isinstance(coefficients, str) else tuple(coefficients)
        try:
            with pq.ParquetFile(path) as file:
                self._length, known = int(file.metadata.num_rows), file.schema_arrow.names
        except (OSError, pa.ArrowException) as error:
            raise EventFileError(f"cannot read {path} as a Parquet file: {error}") from error
        if missing := [name for name in self._columns if name not in known]:
            raise EventFileError(f"{path} has no column {', '.join(missing)}; it has: {', '.join(known)}")

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the features."""
        return self._names

    @property
    def _columns(self) -> list[str]:
        return [*self._names, *self._coefficients, *([self._group] if self._group else [])]

    def __len__(self) -> int:
        """Return the number of events."""
        return self._length

    def batches(self) -> Iterator[TreeBatch]:
        """Yield all events.

        Raises:
            EventFileError: if a column holds no numbers, or lists of different lengths.
        """
        import pyarrow.parquet as pq

        with pq.ParquetFile(self._path) as file:
            for batch in file.iter_batches(batch_size=BATCH, columns=self._columns):
                features = np.column_stack([self._numbers(batch, name) for name in self._names])
                groups = None if self._group is None else self._whole_numbers(batch, self._group)
                yield TreeBatch(features, self._monomials(batch), groups)

    def _monomials(self, batch: Any) -> Shaped[np.ndarray, "events monomials"]:
        """Return c_a of a record batch."""
        import pyarrow as pa

        column = batch.column(self._coefficients[0])
        if len(self._coefficients) > 1 or not pa.types.is_nested(column.type):
            return np.column_stack([self._numbers(batch, name) for name in self._coefficients])
        values = np.asarray(column.flatten().to_numpy(zero_copy_only=False), dtype=np.float64)
        lengths = column.value_lengths().to_numpy(zero_copy_only=False) if len(column) else np.zeros(0)
        if len(values) % max(len(column), 1) or (len(column) and (lengths != lengths[0]).any()):
            raise EventFileError(f"{self._path}: the lists in column {self._coefficients[0]} differ in length")
        return values.reshape(len(column), -1)

    def _numbers(self, batch: Any, name: str) -> Float[np.ndarray, " events"]:
        import pyarrow as pa

        column = batch.column(name)
        if not (
            pa.types.is_floating(column.type) or pa.types.is_integer(column.type) or pa.types.is_boolean(column.type)
        ):
            raise EventFileError(f"{self._path}: column {name} must hold numbers, it holds {column.type}")
        return np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.float64)

    def _whole_numbers(self, batch: Any, name: str) -> Int[np.ndarray, " events"]:
        import pyarrow as pa

        column = batch.column(name)
        if not pa.types.is_integer(column.type) or column.null_count:
            raise EventFileError(f"{self._path}: column {name} must hold a whole number in each row")
        return np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.int64)

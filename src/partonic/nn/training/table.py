"""Training data as a table of tensors, and its batches by index arrays, without handling single events."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from jaxtyping import Int
from torch import Tensor

from partonic.errors import TrainingError
from partonic.nn.training.tensor_file import read_tensors, write_tensors
from partonic.rng import torch_generator

__all__ = ["BatchLoader", "TensorTable"]

Batch = dict[str, Tensor]
"""Columns of the events of a batch."""


class TensorTable:
    """Named tensors with one row for each event; in memory, or memory-mapped from a file that is larger than it."""

    def __init__(self, columns: Mapping[str, Tensor]) -> None:
        """Take the columns as they are, without a copy.

        Args:
            columns: by name, tensors of shape (events, ...).

        Raises:
            TrainingError: if there are no columns, or they differ in length.
        """
        lengths = {name: len(column) for name, column in columns.items()}
        if len(set(lengths.values())) != 1:
            raise TrainingError(f"a table needs columns of one common length, got {lengths}")
        self.columns = dict(columns)

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def rows(self, index: Int[Tensor, "rows"]) -> Batch:
        """Return the rows `index` of each column."""
        return {name: column.index_select(0, index.to(column.device)) for name, column in self.columns.items()}

    def part(self, start: int, stop: int) -> "TensorTable":
        """Return rows `start` to `stop` (exclusive), sharing memory with this table."""
        return TensorTable({name: column[start:stop] for name, column in self.columns.items()})

    def with_columns(self, columns: Mapping[str, Tensor]) -> "TensorTable":
        """Return a table with further columns; those of the same name are replaced."""
        return TensorTable({**self.columns, **columns})

    def to(self, device: str | torch.device) -> "TensorTable":
        """Return a copy on a device: small tables train fastest from the memory of the accelerator."""
        return TensorTable({name: column.to(device) for name, column in self.columns.items()})

    def save(self, path: Path) -> None:
        """Write the table to a safetensors file, whole or not at all.

        Raises:
            OutputError: if it cannot be written.
        """
        write_tensors(path, self.columns, {})

    @classmethod
    def open(cls, path: Path) -> "TensorTable":
        """Open a table that `save` wrote.

        Raises:
            TrainingError: if the file is missing or damaged.
        """
        return cls(read_tensors(path)[0])


class BatchLoader:
    """Batches of a table, in an order that depends on the seed, the key and the epoch alone.

    Lightning sees an iterable of known length. With several processes each takes every `world`-th batch of the one
    common order.
    """

    def __init__(
        self, table: TensorTable, batch_size: int, seed: int, key: tuple[str | int, ...], shuffle: bool = True
    ) -> None:
        """Describe the batches.

        Args:
            table: events.
            batch_size: events of a batch of one process.
            seed: root seed.
            key: name of the order, e.g. ``("regression", "order")``.
            shuffle: a new random order in each epoch, of which the last, incomplete batch is left out; else the order
                of the table, all of it.

        Raises:
            TrainingError: if the table has no rows.
        """
        if len(table) == 0:
            msg = "training needs events, but the table has none: check the selection and `max_events`"
            raise TrainingError(msg)
        self.table, self.batch_size, self.seed, self.key, self.shuffle = table, batch_size, seed, key, shuffle
        self.epoch, self.rank, self.world = 0, 0, 1

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose order the next iteration takes."""
        self.epoch = epoch

    def share(self, rank: int, world: int) -> None:
        """Take every `world`-th batch, from the one numbered `rank` on."""
        self.rank, self.world = rank, world

    def __len__(self) -> int:
        events = len(self.table)
        if self.shuffle:
            return max(1, events // (self._size() * self.world))
        whole = -(-events // self.batch_size)
        return len(range(self.rank, whole, self.world))

    def __iter__(self) -> Iterator[Batch]:
        events, size = len(self.table), self._size()
        order = None
        for number in range(len(self)):
            if order is None:  # drawn on the first batch, when the epoch is known
                order = self._order(events)
            start = (number * self.world + self.rank) * size
            yield self.table.rows(order[start : start + size])

    def _size(self) -> int:
        """Return the events of a batch: fewer than asked for where the processes have to share a small table."""
        return min(self.batch_size, max(1, len(self.table) // self.world)) if self.shuffle else self.batch_size

    def _order(self, events: int) -> Int[Tensor, "events"]:
        if not self.shuffle:
            return torch.arange(events)
        return torch.randperm(events, generator=torch_generator(self.seed, *self.key, self.epoch))

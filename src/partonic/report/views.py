"""A batch of events as the observables of the report need it: partons as tensors; objects as `features` has them."""

from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from partonic.events.batch import EventBatch
from partonic.features.objects import BatchObjects

__all__ = ["BatchObjects", "BatchPartons", "selection_of"]

Array = NDArray[np.float64]


def selection_of(batch: EventBatch) -> NDArray[np.bool_]:
    """Return which events are selected `(N,)`; False where no selection was applied."""
    return np.asarray(batch.table.column("selected").fill_null(False).to_numpy(zero_copy_only=False), dtype=np.bool_)


class BatchPartons:
    """The events of a batch that have partons."""

    columns = ("partons", "x1", "x2")

    def __init__(self, batch: EventBatch) -> None:
        """Keep the events of `batch` whose partons are known."""
        self.batch = batch.filter(batch.valid("partons"))

    def __len__(self) -> int:
        """Return the number of events."""
        return len(self.batch)

    @cached_property
    def momenta(self) -> torch.Tensor:
        """Final-state momenta (E, px, py, pz), GeV, `(N, n, 4)`."""
        values = np.array(self.batch.column("partons"), dtype=np.float64)
        return torch.from_numpy(values.reshape(len(self), len(self.batch.metadata.parton_names), 4))

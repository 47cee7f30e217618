"""Simulated events that a surrogate did not learn, or those that it is to learn: partons, objects and coefficients."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray
from torch import Tensor

from partonic.errors import SchemaError
from partonic.events.batch import PHOTON_COLUMNS, RECO_COLUMNS, EventBatch, RecoEvents
from partonic.events.store import EventStore
from partonic.mem.transfer.layout import TransferLayout
from partonic.progress import SILENT, Progress

__all__ = ["SimulatedEvents", "read_events"]

_COLUMNS = ("coefficients", "x1", "x2", "partons", "hadronic_top", "selected")
_BATCH = 20_000


@dataclass(frozen=True, eq=False)
class SimulatedEvents:
    """Events of stores, selected and rejected ones.

    Attributes:
        momenta: partons in the order of the decay channel, laboratory, GeV, `(N, n, 4)`.
        selected: which were selected, `(N,)`.
        coefficients: pb, `(N, A)`.
        reco: objects of the selected events, M of them, in their order.
    """

    momenta: Float[Tensor, "events partons 4"]
    selected: Bool[Tensor, " events"]
    coefficients: Float[np.ndarray, "events monomials"]
    reco: RecoEvents

    def __len__(self) -> int:
        """Return the number of events."""
        return len(self.momenta)

    def take(self, rows: Int[Tensor, " rows"]) -> "SimulatedEvents":
        """Return events with some numbers."""
        place = self.selected.cumsum(dim=0) - 1
        of_selected = place[rows][self.selected[rows]]
        numbers = rows.numpy()
        return SimulatedEvents(
            self.momenta[rows], self.selected[rows], self.coefficients[numbers], self.reco.select(of_selected)
        )


def read_events(
    stores: Sequence[Path], layout: TransferLayout, rows: tuple[int, int], progress: Progress = SILENT
) -> SimulatedEvents:
    """Read some events of stores one after another.

    Args:
        stores: event stores of simulated events.
        layout: partons, objects and cuts.
        rows: number of the first event and of the one after the last, counted through all stores.
        progress: told the number of events.

    Raises:
        SchemaError: if none of them is selected, or the stores lack columns.
    """
    pieces: list[tuple[Tensor, Tensor, NDArray[np.float64], RecoEvents]] = []
    progress.start("reading events", rows[1] - rows[0], "events")
    for batch in _batches(stores, layout, rows):
        selected = np.asarray(batch.column("selected")).astype(np.bool_)
        reco = batch.filter(selected).reco(layout.jets_max)
        momenta = layout.decay_channel.truth(batch).momenta.float()
        pieces.append((momenta, torch.from_numpy(selected), batch.coefficients, reco))
        progress.advance(len(batch))
    progress.finish()
    if not any(bool(piece[1].any()) for piece in pieces):
        names = ", ".join(map(str, stores))
        raise SchemaError(f"none of the events {rows[0]} to {rows[1]} of {names} is selected: give more events")
    objects = {name: torch.cat([getattr(each[3], name) for each in pieces]) for name in RecoEvents.__dataclass_fields__}
    return SimulatedEvents(
        momenta=torch.cat([each[0] for each in pieces]),
        selected=torch.cat([each[1] for each in pieces]),
        coefficients=np.concatenate([each[2] for each in pieces]),
        reco=RecoEvents(**objects),
    )


def _batches(stores: Sequence[Path], layout: TransferLayout, rows: tuple[int, int]) -> Iterator[EventBatch]:
    columns = (*_COLUMNS, *RECO_COLUMNS, *(PHOTON_COLUMNS if layout.photons else ()))
    first, last = rows
    number = 0
    for path in stores:
        for batch in EventStore.open(path).batches(columns=columns, size=_BATCH):
            places = np.arange(number, number + len(batch))
            number += len(batch)
            inside = (places >= first) & (places < last)
            if inside.any():
                yield batch.filter(inside)
            if number >= last:
                return

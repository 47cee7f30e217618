"""Training events of the transfer function as a table of tensors: objects in sequence, and their partons."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.errors import SchemaError
from partonic.events.batch import JET_FEATURES, LEPTON_FEATURES, PHOTON_COLUMNS, EventBatch, RecoEvents
from partonic.events.store import EventStore
from partonic.features.decay_channel import DecayChannel
from partonic.mem.transfer.layout import TransferLayout
from partonic.mem.transfer.objects import ObjectTable, kinds_of, object_table
from partonic.nn.training import TensorTable
from partonic.progress import SILENT, Progress

__all__ = ["COLUMNS", "ExtraColumns", "objects_of", "transfer_table"]

COLUMNS = (
    "coefficients", "x1", "x2", "partons", "hadronic_top", "selected", *(f"jet_{name}" for name in JET_FEATURES),
    "jet_tagged", *(f"lepton_{name}" for name in LEPTON_FEATURES), "lepton_pdg", "met_pt", "met_phi",
)  # fmt: skip
"""Columns of the event store that training reads; with photons in the decay channel, theirs, too."""

_BATCH = 20_000


@runtime_checkable
class ExtraColumns(Protocol):
    """Makes further columns of training events."""

    def __call__(
        self,
        batch: EventBatch,
        reco: RecoEvents,
        momenta: Float[Tensor, "events partons 4"],
        decay_channel: DecayChannel,
    ) -> dict[str, Tensor]:
        """Return columns of these events, given their true partons in the order of the decay channel."""


def transfer_table(
    stores: Sequence[Path],
    layout: TransferLayout,
    max_events: int | None = None,
    progress: Progress = SILENT,
    extra: ExtraColumns | None = None,
) -> TensorTable:
    """Read the selected events of stores of simulated events.

    Events outside the layout's cuts (an event store with other cuts, say) are left out.

    Args:
        stores: event stores.
        layout: objects and cuts.
        max_events: stop after so many events; None for all.
        progress: told of events read.
        extra: makes further columns.

    Raises:
        SchemaError: if a store lacks what the training needs, or no event is usable.
    """
    pieces: list[Mapping[str, Tensor]] = []
    number = 0
    progress.start("reading events", max_events, "events")
    for batch in _batches(stores, layout):
        left = None if max_events is None else max_events - number
        columns = _columns(batch, layout, left, extra)
        pieces.append(columns)
        number += len(columns["mask"])
        progress.advance(len(columns["mask"]))
        if number == max_events:
            break
    progress.finish()
    if not number:
        names = ", ".join(str(path) for path in stores)
        raise SchemaError(f"no selected event of {names} lies within the cuts that the transfer function is made for")
    return TensorTable({name: torch.cat([piece[name] for piece in pieces]) for name in pieces[0]})


def objects_of(columns: Mapping[str, Tensor], layout: TransferLayout) -> ObjectTable:
    """Return the objects of some rows of a table, without slots that no event fills."""
    used = layout.missing + 1 + int(columns["jets"].max())
    slots = columns["mask"].shape[1]
    kind = torch.tensor(kinds_of(layout, slots))
    names = set(ObjectTable.__dataclass_fields__) - {"kind"}
    table = ObjectTable(kind=kind.to(columns["mask"].device), **{name: columns[name] for name in names})
    return table.trimmed(min(used, slots))


def _batches(stores: Sequence[Path], layout: TransferLayout) -> Iterator[EventBatch]:
    columns = (*COLUMNS, *(PHOTON_COLUMNS if layout.photons else ()))
    for path in stores:
        yield from EventStore.open(path).batches(columns=columns, size=_BATCH, selected_only=True)


def _columns(
    batch: EventBatch, layout: TransferLayout, most: int | None, extra: ExtraColumns | None
) -> dict[str, Tensor]:
    """Return the columns of the first `most` usable events of a batch."""
    reco = batch.reco(layout.jets_max)
    table, decay_channel = object_table(reco, layout), layout.decay_channel
    momenta = decay_channel.truth(batch).momenta.float()
    usable = table.inside & torch.isfinite(momenta).all(dim=2).all(dim=1)
    usable &= usable.cumsum(dim=0) <= (len(usable) if most is None else most)
    columns = {name: values[usable] for name, values in vars(table).items() if name != "kind"}
    columns["momenta"] = momenta[usable]
    if extra is not None:
        chosen = batch.filter(usable.numpy())
        columns |= extra(chosen, reco.select(usable), columns["momenta"], decay_channel)
    return columns

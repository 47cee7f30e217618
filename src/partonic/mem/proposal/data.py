"""Training events of the proposal network as a table of tensors: objects and the numbers of their partons."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from partonic.errors import SchemaError
from partonic.event_status import OK
from partonic.events.batch import JET_FEATURES, LEPTON_FEATURES, PHOTON_COLUMNS, EventBatch
from partonic.events.store import EventStore
from partonic.features.decay_channel_status import decay_channel_status
from partonic.features.inputs import JET_TOKEN, MET_TOKEN
from partonic.features.known_of_event import described
from partonic.features.object_tokens import CHARGED_LEPTON_TOKEN, EVENT_FEATURES, PHOTON_TOKEN, object_tokens
from partonic.nn.training import TensorTable
from partonic.physics.phasespace import PartonCube
from partonic.progress import SILENT, Progress
from partonic.unfolding.view import DecayChannelView

__all__ = ["COLUMNS", "proposal_table", "with_reflections"]

COLUMNS = (
    "x1", "x2", "partons", "hadronic_top", "selected", *(f"jet_{name}" for name in JET_FEATURES), "jet_tagged",
    *(f"lepton_{name}" for name in LEPTON_FEATURES), "lepton_pdg", "met_pt", "met_phi",
)  # fmt: skip
"""Columns of the event store that training reads; with photons in the decay channel, theirs, too."""

_SIGN_OF_Y = {
    "jets": [JET_TOKEN.index("sin_phi")],
    "leptons": [CHARGED_LEPTON_TOKEN.index("sin_phi")],
    "met": [MET_TOKEN.index("sin_phi")],
    "event": [EVENT_FEATURES.index("py")],
    "photons": [PHOTON_TOKEN.index("sin_phi")],
}
"""Features that change sign with y."""

_BATCH = 20_000
_FEWEST_JETS = 1


def proposal_table(
    stores: Sequence[Path],
    view: DecayChannelView,
    max_jets: int,
    max_events: int | None = None,
    progress: Progress = SILENT,
    *,
    only_described: bool = False,
) -> TensorTable:
    """Read the selected, usable events of stores of simulated events, about 700 bytes of each.

    Args:
        stores: event stores.
        view: the partons in the order of their decay channel, and their unit cube.
        max_jets: hardest jets kept.
        max_events: stop after so many events; None for all.
        progress: told of events read.
        only_described: without what the transfer function leaves open (`described`).

    Returns:
        the columns of `ObjectTokens.columns`, ``numbers`` in the frame of each event (float64), and ``jet_count``.

    Raises:
        SchemaError: if a store lacks what the training needs, or no event is usable.
    """
    pieces: list[Mapping[str, Tensor]] = []
    number = 0
    progress.start("reading events", max_events, "events")
    for batch in _batches(stores, view):
        columns = _columns(batch, view, max_jets, only_described=only_described)
        if max_events is not None:
            columns = {name: values[: max_events - number] for name, values in columns.items()}
        pieces.append(columns)
        number += len(columns["numbers"])
        progress.advance(len(columns["numbers"]))
        if number == max_events:
            break
    progress.finish()
    if not number:
        names = ", ".join(str(path) for path in stores)
        raise SchemaError(f"no selected event of {names} has what the decay channel '{view.name}' needs")
    return TensorTable({name: torch.cat([piece[name] for piece in pieces]) for name in pieces[0]})


def with_reflections(table: TensorTable, cube: PartonCube) -> TensorTable:
    """Return the events, and after them their mirror images in the plane of the beam and the reference: y → −y.

    In the frame of an event this changes the sign of all azimuths. It is the reversal of all momenta (naive time
    reversal) times a rotation.
    """
    columns = dict(table.columns)
    for name, places in _SIGN_OF_Y.items():
        if name not in columns:
            continue
        signs = torch.ones(columns[name].shape[-1])
        signs[places] = -1.0
        columns[name] = columns[name] * signs
    numbers = columns["numbers"].clone()
    for place in cube.azimuth_numbers:
        numbers[:, place] = torch.remainder(-numbers[:, place], 1.0)
    columns["numbers"] = numbers
    return TensorTable({name: torch.cat([table.columns[name], columns[name]]) for name in columns})


def _batches(stores: Sequence[Path], view: DecayChannelView) -> Iterator[EventBatch]:
    columns = (*COLUMNS, *(PHOTON_COLUMNS if view.decay_channel.photons else ()))
    for path in stores:
        yield from EventStore.open(path).batches(columns=columns, size=_BATCH, selected_only=True)


def _columns(batch: EventBatch, view: DecayChannelView, max_jets: int, *, only_described: bool) -> dict[str, Tensor]:
    decay_channel = view.decay_channel
    status = decay_channel_status(batch.reco(), decay_channel, _FEWEST_JETS)
    usable = batch.filter(np.array([word == OK for word in status], dtype=np.bool_))
    reco = described(usable.reco(), decay_channel) if only_described else usable.reco()
    tokens = object_tokens(reco, decay_channel, max_jets)
    numbers, _ = view.numbers(view.truth(usable))
    columns = tokens.columns()
    return {**columns, "numbers": view.numbers_in(numbers, tokens.frame), "jet_count": reco.jet_mask.sum(dim=1)}

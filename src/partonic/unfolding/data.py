"""Training data: what the networks need of each selected event, read from event stores into memory-mapped arrays.

Stores are read in batches and written once, as compact arrays beside the training; training reads them in any order
without holding them in memory. The arrays carry a hash of all that they depend on, so that a resumed training finds
them and a changed one makes them anew.
"""

import json
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from partonic.errors import SchemaError
from partonic.event_status import OK
from partonic.events.batch import MAX_JETS, EventBatch
from partonic.events.reconstructed import count_selected
from partonic.events.store import EventStore
from partonic.features.event_status import event_status
from partonic.features.frame import EventFrame
from partonic.features.inputs import EventTokens, event_tokens
from partonic.files import output_folder, write_json
from partonic.physics.kinematics import azimuth, pseudorapidity, transverse_momentum
from partonic.progress import SILENT, Progress
from partonic.provenance import content_hash
from partonic.unfolding.provenance.truth import AssignmentTruth, assignment_truth
from partonic.unfolding.view import PartonView

__all__ = ["COLUMNS", "TrainingData", "frame_of", "prepare_data", "tokens_of", "truth_of", "view_arrays"]

COLUMNS = (
    "event_id", "weight", "x1", "x2", "partons", "isr_partons", "isr_x1", "isr_x2", "hadronic_top",
    "decay_partons", "decay_pdg", "decay_origin", "selected", "jet_pt", "jet_eta", "jet_phi", "jet_mass", "jet_btag",
    "jet_tagged", "jet_provenance", "jet_match", "lepton_pt", "lepton_eta", "lepton_phi", "lepton_mass", "lepton_pdg",
    "lepton_isolation", "met_pt", "met_phi",
)  # fmt: skip
"""Columns of the event store that training reads."""

_BATCH = 20_000
_RECORD = "data.json"
_VERSION = 2
"""Of the arrays: raised when they mean something else."""


@dataclass(frozen=True)
class TrainingData:
    """Arrays of the selected, usable events, memory-mapped.

    Attributes:
        arrays: by name, first axis the event.
        events: their number.
        skipped: selected events that were left out, by reason.
    """

    arrays: Mapping[str, Tensor]
    events: int
    skipped: Mapping[str, int]


def prepare_data(
    stores: Sequence[Path],
    views: Sequence[PartonView],
    folder: Path,
    max_events: int | None = None,
    progress: Progress = SILENT,
) -> TrainingData:
    """Read the selected events of `stores` into memory-mapped arrays in `folder`, or find them there.

    Args:
        stores: event stores of simulated events.
        views: parton views whose truth is needed.
        folder: for the arrays; what an interrupted call left is made anew.
        max_events: stop after so many events; None for all.
        progress: told of events read.

    Raises:
        SchemaError: if a store lacks what the training needs or holds copies of parton events, or no event is usable.
    """
    opened = [EventStore.open(path) for path in stores]
    _refuse_copies(opened)
    identity = content_hash(
        {
            "stores": [[str(path.resolve()), path.stat().st_size, path.stat().st_mtime_ns] for path in stores],
            "version": _VERSION,
            "views": [[view.name, list(view.masses), view.collider_energy] for view in views],
            "max_events": max_events,
        }
    )
    record = folder / _RECORD
    if not (record.exists() and json.loads(record.read_text(encoding="utf-8")).get("identity") == identity):
        shutil.rmtree(folder, ignore_errors=True)
        _write(opened, views, output_folder(folder), max_events, identity, progress)
    return _open(folder)


def _refuse_copies(stores: Sequence[EventStore]) -> None:
    """Refuse parton events simulated several times: here all events count alike, so each would count once a copy."""
    for store in stores:
        if store.metadata.copies:
            raise SchemaError(
                f"{store.path} holds parton events several times, each copy with a part of the weight, and networks of "
                "the unfolding take all events for equal: train them on events that were simulated without "
                "`simulation.fractional_smearing` (`unfolding.stores`)"
            )


def tokens_of(arrays: Mapping[str, Tensor]) -> EventTokens:
    """Return the features of the events in `arrays`."""
    return EventTokens(
        arrays["jets"], arrays["jet_mask"], arrays["lepton"], arrays["met"], arrays["boost"], frame_of(arrays)
    ).trimmed()


def frame_of(arrays: Mapping[str, Tensor]) -> EventFrame:
    """Return the canonical frames of the events in `arrays`."""
    return EventFrame(arrays["azimuth"], arrays["mirrored"])


def truth_of(arrays: Mapping[str, Tensor], jets: int) -> AssignmentTruth:
    """Return the true assignments of the events in `arrays`, for the first `jets` jets."""
    return AssignmentTruth(arrays["assignment"], arrays["jet_provenance"]).limited_to(jets)


def view_arrays(view: PartonView, arrays: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the truth of a view: ``numbers`` (float64) and ``particles`` (pT, η, φ), in the canonical frame."""
    prefix = f"{view.name}_"
    return {name.removeprefix(prefix): values for name, values in arrays.items() if name.startswith(prefix)}


def _write(
    stores: Sequence[EventStore],
    views: Sequence[PartonView],
    folder: Path,
    max_events: int | None,
    identity: str,
    progress: Progress,
) -> None:
    writer = _ArrayWriter(folder)
    skipped: Counter[str] = Counter()
    progress.start("reading events", max_events, "events")
    for batch in _batches(stores):
        status = event_status(batch.reco())
        skipped.update(fault for fault in status if fault != OK)
        left = None if max_events is None else max_events - writer.events
        rows = [row for row, word in enumerate(status) if word == OK][:left]
        mask = np.zeros(len(batch), dtype=np.bool_)
        mask[rows] = True
        writer.add(_arrays(batch.filter(mask), views))
        progress.advance(len(rows))
        if max_events is not None and writer.events >= max_events:
            break
    progress.finish()
    if not writer.events:
        for store in stores:
            count_selected(store, "train on")
        raise SchemaError(f"no selected event can be used for training; left out: {dict(skipped)}")
    writer.finish({"identity": identity, "skipped": dict(skipped)})


def _batches(stores: Sequence[EventStore]) -> Iterator[EventBatch]:
    for store in stores:
        yield from store.batches(columns=COLUMNS, size=_BATCH, selected_only=True)


def _arrays(batch: EventBatch, views: Sequence[PartonView]) -> dict[str, NDArray[np.generic]]:
    """Return everything of a batch, in canonical frames."""
    tokens, truth = event_tokens(batch.reco()), assignment_truth(batch, MAX_JETS)
    arrays: dict[str, Tensor] = {
        "jets": tokens.jets,
        "jet_mask": tokens.jet_mask,
        "lepton": tokens.lepton,
        "met": tokens.met,
        "boost": tokens.boost,
        "azimuth": tokens.frame.azimuth,
        "mirrored": tokens.frame.mirrored,
        "event_id": torch.from_numpy(np.array(batch.column("event_id"))),
        "weight": torch.from_numpy(np.array(batch.weight)),
        "assignment": truth.assignment,
        "jet_provenance": truth.provenance,
    }
    for view in views:
        arrays |= {f"{view.name}_{name}": values for name, values in _view_truth(view, batch, tokens.frame).items()}
    return {name: values.numpy() for name, values in arrays.items()}


def _view_truth(view: PartonView, batch: EventBatch, frame: EventFrame) -> dict[str, Tensor]:
    events = view.truth(batch)
    numbers, _ = view.numbers(events)
    turned = frame.momenta_in(events.momenta)
    first = turned[:, :3]
    particles = torch.stack([transverse_momentum(first), pseudorapidity(first), azimuth(first)], dim=-1)
    return {
        "numbers": view.numbers_in(numbers, frame),
        "particles": particles.float(),
        "p_z": turned[..., 3].sum(dim=1).float(),
        "radiation": (turned[:, 3, 1:] if len(view.masses) > 3 else torch.zeros_like(turned[:, 0, 1:])).float(),
    }


class _ArrayWriter:
    """Appends to one flat file per array; the record, written last, makes them valid."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.events = 0
        self._columns: dict[str, tuple[str, tuple[int, ...]]] = {}

    def add(self, arrays: Mapping[str, NDArray[np.generic]]) -> None:
        for name, values in arrays.items():
            self._columns[name] = (values.dtype.str, values.shape[1:])
            with (self.folder / f"{name}.bin").open("ab") as file:
                file.write(np.ascontiguousarray(values).tobytes())
        self.events += len(next(iter(arrays.values())))

    def finish(self, record: Mapping[str, object]) -> None:
        columns = {name: {"dtype": dtype, "shape": list(shape)} for name, (dtype, shape) in self._columns.items()}
        write_json(self.folder / _RECORD, {**record, "events": self.events, "columns": columns})


def _open(folder: Path) -> TrainingData:
    record = json.loads((folder / _RECORD).read_text(encoding="utf-8"))
    events = int(record["events"])
    arrays = {}
    for name, column in record["columns"].items():
        shape = (events, *column["shape"])
        # Copy-on-write: torch wants writable memory, and nothing may change the files.
        mapped = np.memmap(folder / f"{name}.bin", dtype=np.dtype(column["dtype"]), mode="c", shape=shape)
        arrays[name] = torch.from_numpy(mapped)
    return TrainingData(arrays, events, record["skipped"])

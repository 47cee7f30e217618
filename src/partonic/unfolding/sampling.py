"""Sampling the events of a store: batch by batch, resumed after any interruption, with the same result.

A batch of selected events has random numbers of its own, spawned from the root seed, the view and the number of the
batch, and becomes one part, a small file of samples that is written whole or not at all. When all parts are there they
are joined and removed. A run that was killed finds its parts by a hash of all that they depend on: store, model,
settings, seed, versions.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch

from partonic.config.unfolding import SamplingConfig
from partonic.errors import EventFileError, WorkflowError
from partonic.event_status import OK
from partonic.events.batch import RECO_COLUMNS, EventBatch, RecoEvents
from partonic.events.reconstructed import count_selected
from partonic.events.schema import StoreMetadata
from partonic.events.store import EventStore
from partonic.nn.device import check_device
from partonic.nn.flows.flow import Precision
from partonic.parallel import number_of_workers, run_tasks
from partonic.parts import parts_folder, remove_parts
from partonic.progress import SILENT, Progress
from partonic.provenance import content_hash, file_digest, package_versions
from partonic.rng import torch_generator
from partonic.unfolding.partons import PartonSamples
from partonic.unfolding.samples_file import SamplesFile, SamplesMetadata, samples_table, write_samples
from partonic.unfolding.view import CubeView

__all__ = ["LoadedModel", "PartonSampler", "SamplingResult", "sample_store"]

_SETS_IN_MEMORY = 250_000
_COLUMNS = ("event_id", *RECO_COLUMNS)


@runtime_checkable
class PartonSampler(Protocol):
    """What samples partons: an `Unfolder`, or anything of the same shape."""

    @property
    def view(self) -> CubeView: ...  # noqa: D102

    def check(self, metadata: StoreMetadata, where: str) -> None:
        """Raise a SchemaError if a store holds events that the sampler was not made for."""

    def sample(
        self, reco: RecoEvents, samples: int, generator: torch.Generator, precision: Precision = "float32"
    ) -> PartonSamples:
        """Draw sets of partons for each event; bad events come back with their status."""


@dataclass(frozen=True)
class LoadedModel:
    """A sampler and what it is known by.

    Attributes:
        sampler: the model in memory.
        name: its folder, or ``pretrained``.
        fingerprint: hash of its settings and weights.
        load: importable function that makes the sampler on a device, for worker processes; without it there is one
            worker, whatever the settings say.
    """

    sampler: PartonSampler
    name: str
    fingerprint: str
    load: Callable[[str], PartonSampler] | None = None


@dataclass(frozen=True)
class SamplingResult:
    """What a sampling gave.

    Attributes:
        path: the file of samples.
        samples_per_event: sets of partons for each event.
        counts: number of events by status.
    """

    path: Path
    samples_per_event: int
    counts: dict[str, int]

    def __str__(self) -> str:
        """Return one line for the terminal."""
        faults = [f"{number} {status}" for status, number in sorted(self.counts.items()) if status != OK]
        left_out = f", not unfolded: {', '.join(faults)}" if faults else ""
        good = self.counts.get(OK, 0)
        return f"{good} events with {self.samples_per_event} samples each{left_out}, in {self.path}"


def sample_store(
    store: Path,
    model: LoadedModel,
    config: SamplingConfig,
    seed: int,
    output: Path,
    progress: Progress = SILENT,
) -> SamplingResult:
    """Sample partons for the selected events of a store.

    Args:
        store: event store (Parquet).
        model: what samples.
        config: settings.
        seed: root seed.
        output: the file of samples. Beside it, `<name>.parts` holds the batches until all are there.
        progress: told about each batch.

    Raises:
        EventFileError: if the store is damaged, or has no selected event.
        SchemaError: if its events are not such as the model was trained on.
        ConfigError: if the device is not there.
        WorkflowError: if workers die, or the scheduler cannot be reached.
        OutputError: if the result cannot be written.
    """
    check_device(config.device)
    events = EventStore.open(store)
    model.sampler.check(events.metadata, str(store))
    metadata = _metadata(events, model, config, seed)
    if (finished := _finished(output, metadata.key)) is not None:
        return finished
    parts = _make_parts(events, model, config, metadata, output, progress)
    write_samples(output, _joined(parts), metadata)
    remove_parts(output)
    return _result(output, SamplesFile.open(output).metadata)


def _metadata(store: EventStore, model: LoadedModel, config: SamplingConfig, seed: int) -> SamplesMetadata:
    view, digest, settings = model.sampler.view, file_digest(store.path), config.physics()
    content: dict[str, object] = {
        "store": digest,
        "view": view.name,
        "model": model.fingerprint,
        "sampling": settings,
        "seed": seed,
        "versions": package_versions(("partonic", "numpy", "torch")),
    }
    return SamplesMetadata(
        view=view.name,
        particles=view.particles,
        dimensions=view.dimensions,
        samples_per_event=config.samples_per_event,
        collider_energy=view.collider_energy,
        seed=seed,
        sampling=settings,
        model=model.name,
        model_fingerprint=model.fingerprint,
        store=str(store.path),
        store_digest=digest,
        key=content_hash(content),
        versions=package_versions(),
    )


def _finished(output: Path, key: str) -> SamplingResult | None:
    """Return the result of an earlier run with the same key, if it is there and whole."""
    found = _whole(output)
    return _result(output, found) if found and found.key == key else None


def _whole(path: Path) -> SamplesMetadata | None:
    """Return the metadata of a file of samples, or None if it is not there or not whole."""
    try:
        return SamplesFile.open(path).metadata
    except EventFileError:
        return None


def _result(output: Path, metadata: SamplesMetadata) -> SamplingResult:
    return SamplingResult(output, metadata.samples_per_event, metadata.counts)


def _make_parts(
    store: EventStore,
    model: LoadedModel,
    config: SamplingConfig,
    metadata: SamplesMetadata,
    output: Path,
    progress: Progress,
) -> list[Path]:
    total, size = _selected(store, config.max_events), _batch_size(config)
    folder = parts_folder(output, metadata.key)
    parts = [folder / f"part-{number:06d}.parquet" for number in range(-(-total // size))]
    missing = frozenset(number for number, part in enumerate(parts) if not _whole(part))
    done = min((len(parts) - len(missing)) * size, total)
    progress.start(f"sampling {metadata.view}", total, "events", done=done)
    bad = 0
    batches = (pair for pair in enumerate(_batches(store, size, total)) if pair[0] in missing)
    for number, table in _tables(batches, len(missing), model, config, metadata):
        write_samples(parts[number], [table], metadata)
        bad += pc.sum(pc.not_equal(table.column("status"), OK)).as_py()
        progress.advance(table.num_rows, not_unfolded=bad)
    progress.finish()
    return parts


def _tables(
    batches: Iterator[tuple[int, EventBatch]],
    number_of_batches: int,
    model: LoadedModel,
    config: SamplingConfig,
    metadata: SamplesMetadata,
) -> Iterator[tuple[int, pa.Table]]:
    """Yield the samples of batches, in the order in which they are done."""
    alone = model.load is None or config.device != "cpu" or number_of_batches == 1
    if alone or (config.scheduler is None and number_of_workers(config) == 1):
        for number, batch in batches:
            yield number, _sample_batch(batch, number, model.sampler, config, metadata)
        return
    tasks = ((model.fingerprint, model.load, batch, number, config, metadata) for number, batch in batches)
    yield from run_tasks(_sample_on_worker, tasks, config, "unfolding.sampling", WorkflowError)


def _sample_on_worker(
    fingerprint: str,
    load: Callable[[str], PartonSampler],
    batch: EventBatch,
    number: int,
    config: SamplingConfig,
    metadata: SamplesMetadata,
) -> tuple[int, pa.Table]:
    """Sample a batch on a worker, which has one core and keeps the model that it loaded."""
    torch.set_num_threads(1)
    if fingerprint not in _LOADED:
        _LOADED.clear()
        _LOADED[fingerprint] = load(config.device)
    return number, _sample_batch(batch, number, _LOADED[fingerprint], config, metadata)


_LOADED: dict[str, PartonSampler] = {}
"""The model that a worker loaded, by its fingerprint."""


def _selected(store: EventStore, limit: int | None) -> int:
    """Return how many events are sampled.

    Raises:
        EventFileError: if there is none.
    """
    total = count_selected(store, "unfold")
    return total if limit is None else min(total, limit)


def _batch_size(config: SamplingConfig) -> int:
    return max(1, min(config.batch_events, _SETS_IN_MEMORY // config.samples_per_event))


def _batches(store: EventStore, size: int, total: int) -> Iterator[EventBatch]:
    """Yield the first `total` selected events, `size` at a time."""
    left = total
    for batch in islice(store.batches(columns=_COLUMNS, size=size, selected_only=True), -(-total // size)):
        yield EventBatch(batch.table.slice(0, left), batch.metadata)
        left -= len(batch)


def _sample_batch(
    batch: EventBatch, number: int, sampler: PartonSampler, config: SamplingConfig, metadata: SamplesMetadata
) -> pa.Table:
    generator = torch_generator(metadata.seed, "sample", metadata.view, number, device=config.device)
    samples = sampler.sample(batch.reco(), config.samples_per_event, generator, config.precision)
    return samples_table(batch.column("event_id").astype(np.int64), samples)


def _joined(parts: Sequence[Path]) -> Iterator[pa.Table]:
    for part in parts:
        file = SamplesFile.open(part)
        yield from file.tables(file.num_events)

"""The matrix element method over the events of a store: on Dask workers, resumed after any interruption.

Batches of selected events become parts, small files of coefficients that are written whole or not at all. When all are
there they are joined and removed. A run that was killed finds its parts by a hash of all that they depend on: store,
models, settings, seed, versions. Every event has random numbers of its own, so that the result does not depend on
batches, workers or interruptions.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch

from partonic.config.mem import MemConfig
from partonic.errors import EventFileError, WorkflowError
from partonic.events.batch import RECO_COLUMNS, EventBatch, RecoEvents
from partonic.events.reconstructed import count_selected
from partonic.events.store import EventStore
from partonic.inference.coefficients.coefficients_file import (
    CoefficientsMetadata,
    CrossSectionRecord,
    read_coefficients,
    read_metadata,
    write_coefficients,
)
from partonic.inference.coefficients.event_coefficients import EventCoefficients
from partonic.mem.compatibility import check_store
from partonic.mem.integral.importance_sampling import EventIntegrator
from partonic.mem.integral.integrand import Ingredients
from partonic.mem.integral.result import MemResult, run_facts
from partonic.nn.allocation import keep_freed_memory
from partonic.parallel import run_tasks
from partonic.parts import parts_folder, remove_parts
from partonic.progress import SILENT, Progress
from partonic.provenance import content_hash, file_digest, package_versions
from partonic.unfolding.sampling import check_device

__all__ = ["MemJob", "integrate_store"]

_LOG = logging.getLogger(__name__)
_COLUMNS = ("event_id", *RECO_COLUMNS)


@dataclass(frozen=True)
class MemJob:
    """The hypothesis that events are integrated under.

    Attributes:
        name: of the component, usually that of the process.
        fingerprint: hash of all that the ingredients depend on; two jobs with the same one are the same.
        load: builds the ingredients with the networks on a device; workers call it, too.
        cross_section: the fiducial cross section, given the ingredients; None if it is not known.
    """

    name: str
    fingerprint: str
    load: Callable[[str], Ingredients] = field(compare=False)
    cross_section: Callable[[Ingredients], CrossSectionRecord] | None = field(default=None, compare=False)


def integrate_store(
    store: Path,
    job: MemJob,
    config: MemConfig,
    seed: int,
    output: Path,
    progress: Progress = SILENT,
) -> MemResult:
    """Integrate the selected events of a store.

    Args:
        store: event store (Parquet).
        job: the hypothesis.
        config: settings.
        seed: root seed.
        output: the file of coefficients. Beside it, `<name>.parts` holds the batches until all are there.
        progress: told of each batch.

    Raises:
        EventFileError: if the store is damaged, or has no selected event.
        SchemaError: if its events are not such as the models were trained on.
        ModelError: if a model is missing or damaged.
        NonFiniteError: if a factor of an integrand is NaN, or infinite.
        WorkflowError: if workers die or the scheduler cannot be reached.
        OutputError: if the result cannot be written.
    """
    events = EventStore.open(store)
    device = _device(config.device)
    key = _key(events, job, config, seed)
    if (finished := _finished(output, key)) is not None:
        return finished
    _selected(events, config.max_events)  # before the models are loaded and the cross section is computed
    ingredients = job.load(device)
    check_store(ingredients, events.metadata, str(store))
    section = job.cross_section(ingredients) if job.cross_section else None  # first, for it may not be known
    metadata = _metadata(events, ingredients, job, config, seed, key)
    parts = _make_parts(events, ingredients, job, config, metadata, output, progress)
    coefficients = EventCoefficients.concatenate([read_coefficients(part)[0] for part in parts])
    facts = {**metadata.facts, **run_facts(coefficients, config)}
    write_coefficients(output, coefficients, metadata.model_copy(update={"facts": facts, "cross_section": section}))
    remove_parts(output)
    return MemResult.of_file(output, facts)


def _device(name: str) -> str:
    """Return the device that is meant.

    Raises:
        ConfigError: if it is not there.
    """
    chosen = ("cuda" if torch.cuda.is_available() else "cpu") if name == "auto" else name
    check_device(chosen)
    return chosen


def _key(store: EventStore, job: MemJob, config: MemConfig, seed: int) -> str:
    """Return a hash of all that the coefficients depend on."""
    return content_hash(
        {
            "store": file_digest(store.path),
            "models": job.fingerprint,
            "name": job.name,
            "settings": config.physics(),
            "max_events": config.max_events,
            "seed": seed,
            "versions": package_versions(("partonic", "numpy", "torch")),
        }
    )


def _finished(output: Path, key: str) -> MemResult | None:
    """Return the result of an earlier run with the same key, if it is there and whole."""
    found = _whole(output)
    return MemResult.of_file(output, found.facts) if found and found.facts.get("key") == key else None


def _whole(path: Path) -> CoefficientsMetadata | None:
    """Return the metadata of a file of coefficients, or None if it is not there or not whole."""
    try:
        return read_metadata(path)
    except EventFileError:
        return None


def _metadata(
    store: EventStore, ingredients: Ingredients, job: MemJob, config: MemConfig, seed: int, key: str
) -> CoefficientsMetadata:
    monomials = ingredients.process.monomials
    return CoefficientsMetadata(
        parameters=monomials.parameters,
        exponents=monomials.exponents,
        source="mem",
        seed=seed,
        config={"mem": config.model_dump(mode="json")},
        versions=package_versions(),
        store=str(store.path),
        store_digest=file_digest(store.path),
        facts={
            "key": key,
            "component": job.name,
            "models": job.fingerprint,
            "initial_states": None if ingredients.initial_state is None else list(ingredients.initial_state.classes),
        },
    )


def _make_parts(
    store: EventStore,
    ingredients: Ingredients,
    job: MemJob,
    config: MemConfig,
    metadata: CoefficientsMetadata,
    output: Path,
    progress: Progress,
) -> list[Path]:
    total, size = _selected(store, config.max_events), config.batch_events
    folder = parts_folder(output, content_hash({"key": metadata.facts["key"], "batch_events": size}))
    parts = [folder / f"part-{number:06d}.parquet" for number in range(-(-total // size))]
    missing = [number for number, part in enumerate(parts) if not _whole(part)]
    progress.start(f"integrating {job.name}", total, "events", done=min((len(parts) - len(missing)) * size, total))
    flagged, shares = 0, []
    for number, done in _results(store, ingredients, job, config, metadata.seed or 0, missing, total):
        write_coefficients(parts[number], done, metadata)
        usable = done.usable()
        flagged += int((~usable).sum())
        shares += (done.effective_sample_size[usable] / done.points[usable]).tolist()
        figures = {"effective": f"{np.median(shares):.3f}"} if shares else {}
        progress.advance(len(done), without=flagged, **figures)
    progress.finish()
    return parts


def _results(
    store: EventStore,
    ingredients: Ingredients,
    job: MemJob,
    config: MemConfig,
    seed: int,
    missing: Sequence[int],
    total: int,
) -> Iterator[tuple[int, EventCoefficients]]:
    """Yield the coefficients of the batches that are missing, in the order in which they are done."""
    batches = _batches(store, config.batch_events, total, frozenset(missing))
    if config.scheduler is None and (config.workers == 1 or _device(config.device) != "cpu" or len(missing) == 1):
        integrator = EventIntegrator(ingredients, config, seed)
        for number, event_id, reco in batches:
            yield number, integrator.integrate(reco, event_id)
        return
    tasks = ((job, config, seed, *batch) for batch in batches)
    yield from run_tasks(_integrate_batch, tasks, config, "mem", WorkflowError)


def _batches(store: EventStore, size: int, total: int, wanted: frozenset[int]) -> Iterator[tuple[int, Any, RecoEvents]]:
    """Yield number, event numbers and objects of the batches wanted among the first `total` selected events."""
    left, count = total, -(-total // size)
    for number, batch in enumerate(islice(store.batches(columns=_COLUMNS, size=size, selected_only=True), count)):
        part = EventBatch(batch.table.slice(0, left), batch.metadata)
        left -= len(batch)
        if number in wanted:
            yield number, part.column("event_id").astype(np.int64), part.reco()


def _integrate_batch(
    job: MemJob, config: MemConfig, seed: int, number: int, event_id: Any, reco: RecoEvents
) -> tuple[int, EventCoefficients]:
    """Integrate a batch on a worker, which works on one core and keeps what it loaded."""
    keep_freed_memory()
    torch.set_num_threads(1)
    return number, _worker_integrator(job, config.model_dump_json(), seed).integrate(reco, event_id)


@lru_cache(maxsize=4)
def _worker_integrator(job: MemJob, config: str, seed: int) -> EventIntegrator:
    settings = MemConfig.model_validate_json(config)
    _LOG.info("loading the models of %s", job.name)
    return EventIntegrator(job.load(_device(settings.device)), settings, seed)


def _selected(store: EventStore, limit: int | None) -> int:
    """Return how many events are integrated.

    Raises:
        EventFileError: if there is none.
    """
    total = count_selected(store, "integrate")
    return total if limit is None else min(total, limit)

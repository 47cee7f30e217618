"""An estimator over the events of a store: on Dask workers, resumed after any interruption.

Batches of selected events become parts, small files of coefficients that are written whole or not at all. When all are
there they are joined and removed. A run that was killed finds its parts by a hash of all that they depend on: store,
models, settings, seed, versions. The coefficients of an event do not depend on batches, workers or interruptions.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path

import torch

from partonic.errors import EventFileError, OutputError, WorkflowError
from partonic.estimators.estimator import Estimator, EstimatorJob, RatesOfSamples, RunSettings
from partonic.estimators.result import EstimateResult
from partonic.event_status import count_statuses
from partonic.events.batch import EventBatch
from partonic.events.reconstructed import count_selected
from partonic.events.store import EventStore
from partonic.inference.coefficients.coefficients_file import (
    CoefficientsMetadata,
    read_coefficients,
    read_metadata,
    write_coefficients,
)
from partonic.inference.coefficients.event_coefficients import EventCoefficients
from partonic.nn.allocation import keep_freed_memory
from partonic.nn.device import chosen_device
from partonic.parallel import run_tasks
from partonic.parts import parts_folder, remove_parts
from partonic.progress import SILENT, Progress
from partonic.provenance import content_hash, file_digest, package_versions

__all__ = ["estimate_store"]

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Run:
    """A job over the events of a store.

    Attributes:
        store: the events.
        job: the estimator.
        settings: how the work is shared out.
        section: name of these settings, for messages.
        key: hash of all that the coefficients depend on.
        total: number of events.
    """

    store: EventStore
    job: EstimatorJob
    settings: RunSettings
    section: str
    key: str
    total: int


def estimate_store(
    store: Path,
    job: EstimatorJob,
    settings: RunSettings,
    output: Path,
    progress: Progress = SILENT,
    *,
    section: str = "mem",
) -> EstimateResult:
    """Return the coefficients of the selected events of a store, in a file.

    Args:
        store: event store (Parquet).
        job: the estimator.
        settings: how the work is shared out; nothing depends on it but `max_events`.
        output: the file of coefficients. Beside it, `<name>.parts` holds the batches until all are there.
        progress: told of each batch.
        section: name of `settings` in an analysis file, for messages.

    Raises:
        EventFileError: if the store is damaged, or has no selected event.
        SchemaError: if its events are not such as the estimator was made for.
        ModelError: if a model is missing or damaged.
        NonFiniteError: if the estimator gives a NaN for an event whose status is ok.
        WorkflowError: if workers die or the scheduler cannot be reached.
        OutputError: if the result cannot be written, or `output` is the store.
    """
    if output.resolve() == store.resolve():
        raise OutputError(f"{output} is the event store; give the coefficients a file of their own")
    events = EventStore.open(store)
    device = chosen_device(settings.device)
    key = _key(events, job, settings.max_events)
    if (finished := _whole(output)) is not None and finished.facts.get("key") == key:
        return EstimateResult.of_file(output, finished.facts)
    total = _number_of_events(events, job, settings.max_events)  # before models are loaded and cross sections computed
    estimator = job.load(device)
    estimator.check(events.metadata, str(store))
    cross_section = estimator.cross_section()  # first, for it may not be known
    run = _Run(events, job, settings, section, key, total)
    metadata = _metadata(run, estimator)
    parts = _make_parts(run, estimator, metadata, output, progress)
    coefficients = EventCoefficients.concatenate([read_coefficients(part)[0] for part in parts])
    made = {"counts": count_statuses(coefficients.status), "figures": dict(estimator.figures(coefficients))}
    facts = {**metadata.facts, **made}
    rates: dict[str, object] = {"cross_section": cross_section}
    if isinstance(estimator, RatesOfSamples):
        rates["sample_cross_sections"] = estimator.sample_cross_sections()
    write_coefficients(output, coefficients, metadata.model_copy(update={"facts": facts, **rates}))
    remove_parts(output)
    return EstimateResult.of_file(output, facts)


def _key(store: EventStore, job: EstimatorJob, max_events: int | None) -> str:
    """Return a hash of all that the coefficients depend on."""
    return content_hash(
        {
            "store": file_digest(store.path),
            "models": job.fingerprint,
            "name": job.name,
            "settings": dict(job.settings),
            "max_events": max_events,
            "seed": job.seed,
            "versions": package_versions(("partonic", "numpy", "torch")),
        }
    )


def _whole(path: Path) -> CoefficientsMetadata | None:
    """Return the metadata of a file of coefficients, or None if it is not there or not whole."""
    try:
        return read_metadata(path)
    except EventFileError:
        return None


def _metadata(run: _Run, estimator: Estimator) -> CoefficientsMetadata:
    return CoefficientsMetadata(
        parameters=estimator.monomials.parameters,
        exponents=estimator.monomials.exponents,
        reference_point=dict(estimator.reference_point),
        source=run.job.source,
        seed=run.job.seed,
        config=dict(run.job.config),
        versions=package_versions(),
        store=str(run.store.path),
        store_digest=file_digest(run.store.path),
        facts={"key": run.key, "component": run.job.name, "models": run.job.fingerprint, **estimator.facts()},
    )


def _make_parts(
    run: _Run, estimator: Estimator, metadata: CoefficientsMetadata, output: Path, progress: Progress
) -> list[Path]:
    total, size = run.total, run.settings.batch_events
    folder = parts_folder(output, content_hash({"key": run.key, "batch_events": size}))
    parts = [folder / f"part-{number:06d}.parquet" for number in range(-(-total // size))]
    missing = [number for number, part in enumerate(parts) if not _whole(part)]
    progress.start(
        f"{run.job.doing} {run.job.name}", total, "events", done=min((len(parts) - len(missing)) * size, total)
    )
    flagged = 0
    for number, done in _results(run, estimator, missing):
        write_coefficients(parts[number], done, metadata)
        flagged += int((~done.usable()).sum())
        progress.advance(len(done), without=flagged, **estimator.quality(done))
    progress.finish()
    return parts


def _results(run: _Run, estimator: Estimator, missing: Sequence[int]) -> Iterator[tuple[int, EventCoefficients]]:
    """Yield the coefficients of the batches that are missing, in the order in which they are done."""
    batches, settings = _batches(run, estimator.columns, frozenset(missing)), run.settings
    on_cpu = chosen_device(settings.device) == "cpu"
    if settings.scheduler is None and (settings.workers == 1 or not on_cpu or len(missing) == 1):
        for number, batch in batches:
            yield number, estimator.estimate(batch)
        return
    tasks = ((run.key, run.job, settings.device, *batch) for batch in batches)
    yield from run_tasks(_estimate_batch, tasks, settings, run.section, WorkflowError)


def _batches(run: _Run, columns: Sequence[str], wanted: frozenset[int]) -> Iterator[tuple[int, EventBatch]]:
    """Yield number and events of the batches wanted among the first selected events."""
    left, size = run.total, run.settings.batch_events
    names = ("event_id", *columns)
    whose = run.job.reads_objects
    read = run.store.batches(columns=names, size=size, selected_only=whose, accepted_only=not whose)
    for number, batch in enumerate(islice(read, -(-left // size))):
        part = EventBatch(batch.table.slice(0, left), batch.metadata)
        left -= len(batch)
        if number in wanted:
            yield number, part


def _estimate_batch(
    key: str, job: EstimatorJob, device: str, number: int, batch: EventBatch
) -> tuple[int, EventCoefficients]:
    """Work on a batch on a worker, which has one core and keeps what it loaded."""
    keep_freed_memory()
    torch.set_num_threads(1)
    return number, _worker_estimator(key, job, device).estimate(batch)


@lru_cache(maxsize=4)
def _worker_estimator(key: str, job: EstimatorJob, device: str) -> Estimator:
    _LOG.info("loading the estimator of %s for the run %s", job.name, key[:12])
    return job.load(chosen_device(device))


def _number_of_events(store: EventStore, job: EstimatorJob, limit: int | None) -> int:
    """Return how many events there are to work on.

    Raises:
        EventFileError: if there is none.
    """
    if job.reads_objects:
        total = count_selected(store, job.purpose)
    else:
        total = sum(len(batch) for batch in store.batches(["selected"], accepted_only=True))
    if not total:
        raise EventFileError(f"{store.path} has no selected event, so there is nothing to {job.purpose}")
    return total if limit is None else min(total, limit)

"""Reweighting a store: chunks of events on Dask workers, resumed after any interruption.

Every chunk becomes a part, a small file that is written whole or not at all. When all are there the store is written
anew with their coefficients, and they are removed. A run that was killed finds its parts by a hash of all that they
depend on: events, model, settings, versions.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from partonic.config.reweighting import ReweightConfig
from partonic.errors import EventFileError, OutputError, ProcessError, WorkflowError
from partonic.events.batch import EventBatch
from partonic.events.readers.source import fixed_lists
from partonic.events.store import EventStore, EventWriter
from partonic.parallel import run_tasks
from partonic.parts import parts_folder, remove_parts
from partonic.progress import SILENT, Progress
from partonic.provenance import content_hash, file_digest, package_versions
from partonic.reweighting.basis import Basis, basis_of
from partonic.reweighting.chunk import ReweightedChunk, ReweightingJob, reweight_chunk
from partonic.reweighting.chunk_files import Summary, is_whole, read_part, write_part
from partonic.reweighting.engine import Engine, check_model, open_engine
from partonic.reweighting.result import FACTS, ReweightResult
from partonic.reweighting.subprocess import COLUMNS, count_subprocesses, subprocess_text

__all__ = ["reweight_store"]


def reweight_store(
    store: Path,
    config: ReweightConfig,
    output: Path,
    progress: Progress = SILENT,
    *,
    theta: Mapping[str, float] | None = None,
    section: str = "reweight",
    config_record: Mapping[str, Any] | None = None,
) -> ReweightResult:
    """Write a store with the same events and with coefficients of θ from the matrix element of a model.

    w(θ) = w |M(θ)|²/|M(θ_gen)|² with w the weight of the event. All other columns are kept.

    Args:
        store: event store with hard partons.
        config: engine, model, parameters.
        output: the new store. Beside it, `<name>.parts` holds the chunks until all are there.
        progress: told the number of events.
        theta: θ of the generation; None: what the store says.
        section: name of the settings, for messages.
        config_record: what the new store says of the settings that made its events; None: what `store` says.

    Raises:
        ConfigError: if the settings do not fit the events, or consent to run the code of the model is missing.
        DependencyError: if the package of the engine is not installed.
        EventFileError: if the store is damaged, or its events lack what is needed.
        ProcessError: if the model does not contain a subprocess, |M|² is not the polynomial, or it vanishes at θ_gen.
        ParameterError: if the model lacks a parameter, or one has no effect.
        WorkflowError: if workers die or the scheduler cannot be reached.
        OutputError: if the result cannot be written, or `output` is the store.
    """
    if output.resolve() == store.resolve():
        raise OutputError(f"{output} is the store that is read; give the reweighted events a file of their own")
    check_model(config)
    events = EventStore.open(store)
    basis = basis_of(config, events.metadata, str(store), theta)
    subprocesses = count_subprocesses(events)
    engine = open_engine(config)
    key = _key(store, config, basis, engine)
    if (finished := _finished(output, key)) is not None:
        return finished
    for particles in subprocesses:  # before any work: all that the model lacks, and one generation for all workers
        engine.build(particles)
    job = ReweightingJob(key, config, basis, str(store))
    parts = _make_parts(events, job, output, progress, section)
    summary = Summary.of(parts)
    summary.check(basis, store)
    facts = {
        **_facts(config, basis, engine, key),
        "residual": {"largest": float(summary.residual.max()), "median": float(np.median(summary.residual))},
        "subprocesses": {subprocess_text(particles): number for particles, number in subprocesses.items()},
        "events_without_alpha_s": summary.without_alpha_s,
    }
    _write(events, parts, basis, facts, output, config_record)
    remove_parts(output)
    return ReweightResult.of_store(output)


def _key(store: Path, config: ReweightConfig, basis: Basis, engine: Engine) -> str:
    return content_hash(
        {
            "store": file_digest(store),
            "model": engine.fingerprint,
            "engine": [engine.name, engine.version],
            "settings": config.physics(),
            "theta": basis.generation.tolist(),
            "monomials": [list(basis.monomials.parameters), [list(powers) for powers in basis.monomials.exponents]],
            "versions": package_versions(("partonic", "numpy", "torch")),
        }
    )


def _finished(output: Path, key: str) -> ReweightResult | None:
    """Return the result that is there already, if it is that of this run."""
    try:
        facts = EventStore.open(output).metadata.facts.get(FACTS, {})
    except EventFileError:
        return None
    return ReweightResult.of_store(output) if facts.get("key") == key else None


def _make_parts(
    events: EventStore, job: ReweightingJob, output: Path, progress: Progress, section: str
) -> Sequence[Path]:
    total, size = events.num_events, job.config.chunk_events
    folder = parts_folder(output, content_hash({"key": job.key, "chunk_events": size}))
    parts = [folder / f"part-{number:06d}.parquet" for number in range(-(-total // size))]
    missing = frozenset(number for number, part in enumerate(parts) if not is_whole(part))
    progress.start("reweighting events", total, "events", done=min((len(parts) - len(missing)) * size, total))
    tasks = ((job, number, batch) for number, batch in _chunks(events, size, missing))
    largest = 0.0
    for number, chunk in run_tasks(reweight_chunk, tasks, job.config, section, WorkflowError):
        _check_residual(chunk, job, number)
        write_part(parts[number], chunk)
        largest = max(largest, float(chunk.residual.max()))
        progress.advance(len(chunk.residual), residual=largest)
    progress.finish()
    return parts


def _chunks(events: EventStore, size: int, wanted: frozenset[int]) -> Iterator[tuple[int, EventBatch]]:
    several = len(events.metadata.process_info.final_states) > 1
    names = ("event_id", "weight", "alpha_s", *COLUMNS, *(("parton_pdg",) if several else ()))
    for number, batch in enumerate(events.batches(names, size=size)):
        if number in wanted:
            yield number, batch


def _check_residual(chunk: ReweightedChunk, job: ReweightingJob, number: int) -> None:
    bad = chunk.residual > job.config.max_residual
    if bad.any():
        first = number * job.config.chunk_events + int(np.argmax(chunk.residual))
        raise ProcessError(
            f"{job.where}: |M(θ)|^2 of {int(bad.sum())} of {len(bad)} events is no polynomial of "
            f"{', '.join(job.basis.monomials.names)}: at points that were not used it is off by up to "
            f"{chunk.residual.max():.1e} (row {first}), and max_residual allows {job.config.max_residual:.0e}. Does "
            "the model allow several operators in an amplitude (limit them with `orders`, or raise `degree`), does a θ "
            "change a mass or width, or are the `scales` of θ far too large?"
        )


def _facts(config: ReweightConfig, basis: Basis, engine: Engine, key: str) -> dict[str, Any]:
    return {
        "key": key,
        "engine": engine.name,
        "version": engine.version,
        "model": config.model.name,
        "model_fingerprint": engine.fingerprint,
        "settings": config.physics(),
        "theta": {name: float(value) for name, value in basis.theta.items()},
        "basis": basis.points.tolist(),
        "check_points": basis.checks.tolist(),
    }


def _write(
    events: EventStore,
    parts: Sequence[Path],
    basis: Basis,
    facts: Mapping[str, Any],
    output: Path,
    config_record: Mapping[str, Any] | None,
) -> None:
    """Write the store with the coefficients of the parts, which are read one after another."""
    old = events.metadata
    versions = {**old.versions, str(facts["engine"]): str(facts["version"])} if facts["version"] else old.versions
    metadata = old.with_facts(
        parameters=basis.monomials.parameters, exponents=basis.monomials.exponents, theta=dict(basis.theta),
        cross_section=None, facts={**old.facts, FACTS: dict(facts)}, versions=versions,
        config=old.config if config_record is None else dict(config_record),
    )  # fmt: skip
    size = len(read_part(parts[0]))
    with EventWriter(output, metadata) as writer:
        for part, batch in zip(parts, events.batches(size=size), strict=True):
            coefficients = read_part(part)
            place = batch.table.schema.get_field_index("coefficients")
            lists = fixed_lists(coefficients, pa.float64())
            writer.write(batch.table.set_column(place, "coefficients", lists))

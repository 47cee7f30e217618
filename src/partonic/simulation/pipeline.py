"""From an LHE file to the event store: chunks of events, simulated in parallel, resumed after any interruption.

The events are cut into chunks of `chunk_events`. A chunk has its own random numbers, spawned from the root seed and its
number, and becomes one part, a small event store that is written whole or not at all. When all parts are there they
are merged into the final store and removed. A run that was killed finds its parts by a hash of all that they depend on
(content of the LHE file, settings, seed, versions) and makes the missing ones only: the same events as without
interruption.
"""

import contextlib
import json
import re
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from html import unescape
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from partonic.config.simulation import SimulationConfig
from partonic.errors import EventFileError
from partonic.events.lhe_normalisation import lhe_factors
from partonic.events.merging import combined_metadata, merge_parts
from partonic.events.schema import CrossSection, CutFlowStep, ProcessInfo, StoreMetadata
from partonic.events.store import NORMALISATION_ERROR, EventStore
from partonic.events.weights import ThetaWeights, column_name, theta_weights
from partonic.parallel import WorkerSettings, run_tasks
from partonic.parts import parts_folder, remove_parts
from partonic.progress import SILENT, Progress
from partonic.provenance import content_hash, package_versions
from partonic.rng import pythia_seed
from partonic.simulation.chunk import ChunkCopies, ChunkJob, ChunkResult, simulate_chunk
from partonic.simulation.copies import CopiesPlan, plan_copies
from partonic.simulation.event_table import ColourFlows
from partonic.simulation.forced_decays import branching_fraction, decays_in_use
from partonic.simulation.lhe_source import LheFacts, event_texts, lhe_facts
from partonic.simulation.pythia_settings import configured_pythia

__all__ = [
    "SIMULATION_HASH",
    "ChunkWork",
    "SimulationResult",
    "check_simulation",
    "chunk_job",
    "make_store",
    "simulate",
    "texts_of",
]

SIMULATION_HASH = "simulation_hash"
"""Key in `StoreMetadata.facts`: hash of all that the events depend on."""

_SEPARATOR = b"</event>"

ChunkWork = Callable[[ChunkJob, int, bytes, int, Path, ChunkCopies | None], ChunkResult]
"""Makes a part: job, number of the chunk, compressed texts, number of the first event, path, copies."""


@dataclass(frozen=True)
class SimulationResult:
    """What a simulation gave.

    Attributes:
        path: the event store.
        events: number of generated events.
        selected: number of selected events.
        cut_flow: events and weights (pb) after each cut.
        cross_section: of the process times the branching fraction of the forced decays, by monomial, in pb.
    """

    path: Path
    events: int
    selected: int
    cut_flow: tuple[CutFlowStep, ...]
    cross_section: CrossSection

    def __str__(self) -> str:
        """Return one line for the terminal."""
        last = self.cut_flow[-1]
        return (
            f"{self.selected} of {self.events} events selected, {last.weight:.4g} ± {last.weight_error:.2g} pb "
            f"(forced decays included), in {self.path}"
        )


def check_simulation(config: SimulationConfig) -> None:
    """Check that Pythia is there and accepts all settings, without initialising it.

    Raises:
        ConfigError: if Pythia rejects a setting; the message names it.
        DependencyError: if Pythia is not installed.
    """
    configured_pythia(config, pythia_seed(0, "check"))


def simulate(
    lhe: Path,
    process: ProcessInfo,
    config: SimulationConfig,
    seed: int,
    output: Path,
    progress: Progress = SILENT,
) -> SimulationResult:
    """Shower, measure and select the events of an LHE file, and write them to an event store.

    Args:
        lhe: Les Houches events, plain or gzip, ours or of another generator.
        process: the hard process: partons of the store and monomials of θ.
        config: settings.
        seed: root seed.
        output: the event store (Parquet). Beside it, `<name>.parts` holds the chunks until all are there.
        progress: told about each finished chunk.

    Raises:
        ConfigError: if Pythia rejects a setting, the forced decays do not fit the process, or a target of fractional
            smearing is none of its monomials.
        EventFileError: if the LHE file is truncated or malformed, not of this process, or holds decays of resonances
            whose decays are forced.
        SimulationError: if Pythia gives up too often, or workers die.
        OutputError: if the result cannot be written.
    """
    check_simulation(config)
    facts = lhe_facts(lhe)
    return make_store(chunk_job(facts, process, config, seed), facts, output, simulate_packed, config, progress)


def make_store(
    job: ChunkJob, facts: LheFacts, output: Path, work: ChunkWork, workers: WorkerSettings, progress: Progress = SILENT
) -> SimulationResult:
    """Make the event store of an LHE file, chunk by chunk; chunks that an interrupted run left are kept.

    Args:
        job: what all chunks share; the fact ``simulation_hash`` of its metadata stands for all that the events depend
            on.
        facts: of the file.
        output: the store.
        work: makes a chunk.
        workers: where it is made.
        progress: told about each finished chunk.

    Raises:
        PartonicError: of `work`, or if the result cannot be written.
    """
    digest, size = job.metadata.facts[SIMULATION_HASH], job.config.chunk_events
    if (finished := _finished(output, digest)) is not None:
        return finished
    folder = parts_folder(output, digest)
    parts = [folder / f"part-{number:06d}.parquet" for number in range(-(-facts.num_events // size))]
    plan, smearing = None, job.config.fractional_smearing
    if smearing is not None:
        plan = plan_copies(job, facts.path, facts.num_events, folder, smearing, progress)
    _make_parts(job, (facts, parts, plan), work, workers, progress)
    metadata = combined_metadata([EventStore.open(part).metadata for part in parts])
    merge_parts(parts, output, metadata, progress)
    remove_parts(output)
    return _result(output, EventStore.open(output).metadata)


def chunk_job(facts: LheFacts, process: ProcessInfo, config: SimulationConfig, seed: int) -> ChunkJob:
    """Return what all chunks of an LHE file share: settings, metadata, normalisation of the weights.

    Raises:
        ConfigError: if the forced decays do not fit the process.
        EventFileError: if the file is empty, not of this process, or its weights do not give the coefficients.
    """
    _check_file(facts, process)
    record = _own_record(facts.header)
    process = _with_final_states(process, facts, record)
    points = _theta_weights(facts, process)
    extra = tuple(name for name in facts.weights if name not in points.names)
    normalisation, rule = lhe_factors(facts.strategy, facts.sums)
    fraction = branching_fraction(config.decays, process.parton_pdg)
    metadata = StoreMetadata.for_process(
        process,
        weight_names=tuple(column_name(name) for name in extra),
        theta={name: float(value) for name, value in dict(record.get("theta", {})).items()},
        seed=seed,
        config={"simulation": config.physics()},
        photons=config.with_photons,
        copies=config.fractional_smearing is not None,
        versions=package_versions(),
        facts={
            SIMULATION_HASH: _hash(facts, process, config, seed),
            "lhe_file": facts.path.name,
            "lhe_sha256": facts.digest,
            "normalisation": rule,
            "branching_fraction": fraction,
            NORMALISATION_ERROR: _normalisation_error(facts, record),
        },
    )
    return ChunkJob(
        config=config.model_copy(update={"decays": decays_in_use(config.decays, process.parton_pdg)}),
        facts=replace(facts, header="", weights={}),
        metadata=metadata,
        factors={number: factor * fraction for number, factor in normalisation.items()},
        theta_weights=points,
        extra_weights=extra,
        seed=seed,
        own=bool(record),
        colour_flows=_colour_flows(facts, record),
    )


def _with_final_states(process: ProcessInfo, facts: LheFacts, record: Mapping[str, Any]) -> ProcessInfo:
    """Return the process with the final states of the channels that our own record names.

    Raises:
        EventFileError: if they have another number of partons than the process.
    """
    try:
        named = tuple(tuple(int(pdg) for pdg in state) for state in record.get("final_states", ()))
    except (TypeError, ValueError) as error:
        raise EventFileError(f"the header <partonic> of {facts.path} is damaged: final_states, {error!r}") from error
    wrong = next((state for state in named if len(state) != len(process.parton_pdg)), None)
    if wrong is not None:
        raise EventFileError(
            f"{facts.path} has events of the final state {list(wrong)}, but the process '{process.name}' has "
            f"{len(process.parton_pdg)} partons, {list(process.parton_pdg)}: is it a file of another process?"
        )
    return replace(process, final_states=(*process.final_states, *named))


def _colour_flows(facts: LheFacts, record: Mapping[str, Any]) -> ColourFlows:
    """Return the colour flows of each channel from our own record; empty without one."""
    try:
        return tuple(
            tuple(np.array(lines, dtype=np.int64).reshape(-1, 2) for lines in flows)
            for flows in record.get("colour_flows", ())
        )
    except (TypeError, ValueError) as error:
        raise EventFileError(f"the header <partonic> of {facts.path} is damaged: colour_flows, {error!r}") from error


def _normalisation_error(facts: LheFacts, record: Mapping[str, Any]) -> float:
    """Return the relative error of the cross section; our own record knows how its processes are correlated."""
    own = record.get("cross_section")
    if isinstance(own, dict) and own.get("value"):
        return abs(float(own["error"]) / float(own["value"]))
    return facts.relative_error


def _theta_weights(facts: LheFacts, process: ProcessInfo) -> ThetaWeights:
    """Return the weights that give the coefficients; a process without parameters needs none."""
    if not process.monomials.parameters:
        return ThetaWeights((), np.zeros((0, 0)))
    return theta_weights(facts.weights, process.monomials, {}, str(facts.path), standard_model=process.standard_model)


def _check_file(facts: LheFacts, process: ProcessInfo) -> None:
    if not facts.num_events:
        raise EventFileError(f"{facts.path} has no events")
    energy = 2.0 * (facts.beam_energies[0] * facts.beam_energies[1]) ** 0.5
    if abs(energy / process.collider_energy - 1.0) > 1e-3:
        raise EventFileError(
            f"{facts.path}: its beams collide at √S = {energy:g} GeV, but the process is at "
            f"{process.collider_energy:g} GeV: set process.collider_energy to the one of the file"
        )


def _own_record(header: str) -> dict[str, Any]:
    """Return what our generator wrote into the header, or nothing for files of others."""
    found = re.search(r"<partonic>(.*?)</partonic>", header, re.DOTALL)
    try:
        return dict(json.loads(unescape(found.group(1)))) if found else {}
    except ValueError:
        return {}


def _hash(facts: LheFacts, process: ProcessInfo, config: SimulationConfig, seed: int) -> str:
    return content_hash(
        {
            "lhe": facts.digest,
            "process": [process.name, process.parton_pdg, process.monomials.names, process.collider_energy],
            **_of_resonances(process),
            "config": config.physics(),
            "seed": seed,
            "versions": package_versions(("partonic", "pythia8mc", "fastjet", "numpy")),
        }
    )


def _of_resonances(process: ProcessInfo) -> dict[str, object]:
    """Return what the events depend on where the matrix element decays resonances."""
    tree = process.decay_tree
    return {"resonances": repr(tree)} if tree.of_matrix_element else {}


def _finished(output: Path, digest: str) -> SimulationResult | None:
    """Return the result of an earlier run with the same hash, if it is there and whole."""
    if not output.is_file():
        return None
    with contextlib.suppress(EventFileError):
        metadata = EventStore.open(output).metadata
        if metadata.facts.get(SIMULATION_HASH) == digest:
            return _result(output, metadata)
    return None


def _result(output: Path, metadata: StoreMetadata) -> SimulationResult:
    section = metadata.cross_section or CrossSection(coefficients=(), errors=())
    return SimulationResult(output, metadata.n_generated, metadata.cut_flow[-1].events, metadata.cut_flow, section)


def _make_parts(
    job: ChunkJob,
    todo_of: tuple[LheFacts, Sequence[Path], CopiesPlan | None],
    work: ChunkWork,
    workers: WorkerSettings,
    progress: Progress,
) -> None:
    facts, parts, plan = todo_of
    missing = {number for number, part in enumerate(parts) if not _is_whole(part)}
    size = job.config.chunk_events
    number_of = np.ones(facts.num_events, dtype=np.int64) if plan is None else plan.number
    total = int(number_of.sum())
    todo = sum(int(number_of[number * size : (number + 1) * size].sum()) for number in missing)
    selected = failed = 0
    progress.start("simulating", total, "events", done=total - todo)
    tasks = _tasks(job, facts.path, parts, missing, plan)
    results = run_tasks(work, tasks, workers)
    with contextlib.closing(results):  # stops the workers at once if this process is interrupted
        for result in results:
            selected, failed = selected + result.selected, failed + result.failed
            progress.advance(result.events, selected=selected, failed=failed)
    progress.finish()


def _is_whole(part: Path) -> bool:
    if not part.is_file():
        return False
    try:
        EventStore.open(part)
    except EventFileError:
        return False
    return True


def _tasks(
    job: ChunkJob, path: Path, parts: Sequence[Path], missing: set[int], plan: CopiesPlan | None
) -> Iterator[tuple[Any, ...]]:
    """Yield the tasks of the missing parts; the file is read once, as far as the last of them."""
    texts = event_texts(path)
    size = job.config.chunk_events
    for number in range(max(missing, default=-1) + 1):
        chunk = list(islice(texts, size))
        if number in missing:
            packed = zlib.compress(_SEPARATOR.join(chunk), 1)
            copies = None if plan is None else plan.of(number * size, len(chunk))
            yield job, number, packed, number * size, parts[number], copies


def simulate_packed(
    job: ChunkJob, number: int, packed: bytes, first: int, path: Path, copies: ChunkCopies | None = None
) -> ChunkResult:
    """Simulate a chunk whose texts were compressed for the way to the worker."""
    return simulate_chunk(job, number, texts_of(packed), first, path, copies)


def texts_of(packed: bytes) -> list[bytes]:
    """Return the texts of the events of a chunk that was compressed."""
    return zlib.decompress(packed).split(_SEPARATOR)

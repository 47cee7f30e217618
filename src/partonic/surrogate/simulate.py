"""From an LHE file to the event store by a surrogate: in seconds what shower and detector take minutes for.

Each parton event is accepted with the probability ε(z) of the learned acceptance, and reconstructed objects are drawn
for the accepted ones from their learned density given the partons. Weights, coefficients and the hard process are those
of `partonic.simulation.pipeline`, and so are chunks, resuming and the store.
"""

from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from partonic.config.simulation import SimulationConfig
from partonic.errors import ConfigError, SimulationError
from partonic.events.batch import EventBatch, RecoEvents
from partonic.events.cut_flow import CutFlow
from partonic.events.schema import ProcessInfo
from partonic.events.store import EventWriter
from partonic.progress import SILENT, Progress
from partonic.provenance import content_hash
from partonic.rng import torch_generator
from partonic.simulation.chunk import ChunkCopies, ChunkJob, ChunkResult, weight_columns
from partonic.simulation.event_table import hard_process_columns
from partonic.simulation.lhe_chunk import LheChunk, parse_chunk
from partonic.simulation.lhe_source import lhe_facts
from partonic.simulation.pipeline import SIMULATION_HASH, SimulationResult, chunk_job, make_store, texts_of
from partonic.surrogate.columns import object_columns, with_charges
from partonic.surrogate.model import FACT, DetectorSurrogate, surrogate_folder

__all__ = ["accepted_events", "possible", "simulate_by_surrogate"]

_STEPS = ("generated", "selected by the surrogate")

_ATTEMPTS = 100
"""How often an event that is not possible is drawn again."""


@dataclass(frozen=True)
class _Workers:
    """One process, unless more were asked for: to start workers takes longer than to draw some 10,000 events."""

    workers: int
    scheduler: str | None


def simulate_by_surrogate(
    lhe: Path,
    process: ProcessInfo,
    config: SimulationConfig,
    seed: int,
    output: Path,
    progress: Progress = SILENT,
) -> SimulationResult:
    """Write the events of an LHE file, reconstructed by a surrogate, to an event store.

    The store says so under the fact ``surrogate``: kind, folder, fingerprint and closure of the model.

    Args:
        lhe: Les Houches events, plain or gzip.
        process: the hard process: partons of the store and monomials of θ.
        config: settings, with `surrogate`.
        seed: root seed.
        output: the event store (Parquet); beside it, ``<name>.parts`` holds the chunks until all are there.
        progress: told about each finished chunk.

    Raises:
        ConfigError: if the surrogate learned other settings, or the section names none.
        EventFileError: if the LHE file is truncated or malformed, or not of this process.
        ModelError: if the surrogate is missing or damaged.
        SchemaError, ProcessError: if it learned another process, energy or decay channel.
        SimulationError: if it draws events with more energy than the collider has again and again, or workers die.
        OutputError: if the result cannot be written.
    """
    if config.surrogate is None:
        message = "the section `simulation` names no surrogate: add `surrogate: {model: pretrained}`"
        raise ConfigError(message)
    surrogate = DetectorSurrogate.load(surrogate_folder(config.surrogate.model, process.name))
    facts = lhe_facts(lhe)
    job = chunk_job(facts, process, config, seed)
    surrogate.check(job.metadata, job.config)
    known = job.metadata.facts
    digest = content_hash({"simulation": known[SIMULATION_HASH], "surrogate": surrogate.fingerprint})
    job = replace(
        job,
        metadata=job.metadata.with_facts(facts={**known, SIMULATION_HASH: digest, FACT: surrogate.facts()}),
    )
    work = partial(_draw_packed, str(surrogate.folder), surrogate.fingerprint)
    workers = _Workers(config.workers or 1, config.scheduler)
    return make_store(job, facts, output, work, workers, progress)


@lru_cache(maxsize=1)
def _loaded(folder: str, fingerprint: str) -> DetectorSurrogate:
    """Return the surrogate of a folder, kept from one chunk to the next.

    Raises:
        SimulationError: if it is not the one that the run began with.
    """
    surrogate = DetectorSurrogate.load(Path(folder))
    if surrogate.fingerprint != fingerprint:
        raise SimulationError(f"the surrogate {folder} was changed while events were drawn from it: run again")
    return surrogate


def _draw_packed(
    folder: str,
    fingerprint: str,
    job: ChunkJob,
    number: int,
    packed: bytes,
    first: int,
    path: Path,
    copies: ChunkCopies | None = None,
) -> ChunkResult:
    """Draw the events of one chunk and write them to `path`, whole or not at all."""
    surrogate, names = _loaded(folder, fingerprint), (*job.theta_weights.names, *job.extra_weights)
    chunk = parse_chunk(texts_of(packed), first, names)
    parton_event = None if copies is None else np.repeat(chunk.event_ids, copies.number)
    chunk = chunk if copies is None else chunk.repeated(copies.number, copies.first)
    table = _table(job, chunk, surrogate, torch_generator(job.seed, "surrogate", number))
    if parton_event is not None:
        table = table.append_column("parton_event", pa.array(parton_event))
    flow = CutFlow(_STEPS)
    flow.add(table.column("cut").to_numpy(), table.column("weight").to_numpy(), parton_event)
    with EventWriter(path, job.metadata.with_facts(cut_flow=flow.steps(), n_generated=len(chunk))) as writer:
        writer.write(table)
    return ChunkResult(len(chunk), flow.steps()[-1].events, 0)


def _table(job: ChunkJob, chunk: LheChunk, surrogate: DetectorSurrogate, generator: torch.Generator) -> pa.Table:
    columns = {
        **weight_columns(job, chunk),
        **hard_process_columns(chunk, job.metadata.process_info, job.own, job.colour_flows),
    }
    hadronic = _hadronic_tops(surrogate, columns, len(chunk), generator)
    columns["hadronic_top"] = pa.array(hadronic, pa.int8())
    batch = EventBatch(pa.table(columns), job.metadata)
    momenta = surrogate.layout.decay_channel.truth(batch).momenta
    selected, reco = accepted_events(surrogate, momenta, job.metadata.collider_energy, generator)
    if reco is not None and surrogate.layout.decays == "semileptonic":
        reco = with_charges(reco, hadronic[selected.numpy()])
    return pa.table(columns | object_columns(reco, selected.numpy(), job.config.decays.leptons, generator))


def _hadronic_tops(
    surrogate: DetectorSurrogate, columns: dict[str, pa.Array], events: int, generator: torch.Generator
) -> np.ndarray:
    """Return PDG ids of the only hadronic top of each event, 0 where there is none or two.

    Which top of a semileptonic pair decays to quarks is drawn: W⁺ and W⁻ have the same branching fractions.
    """
    layout = surrogate.layout
    if layout.decays == "semileptonic":
        return np.asarray(12 * torch.randint(2, (events,), generator=generator) - 6)
    if layout.decays != "hadronic":
        return np.zeros(events, dtype=np.int64)
    place = next(place for place, pdg in enumerate(layout.parton_pdg) if abs(pdg) == 6)
    if "parton_pdg" not in columns:
        return np.full(events, layout.parton_pdg[place])
    return np.asarray(columns["parton_pdg"].flatten()).reshape(events, -1)[:, place]


def accepted_events(
    surrogate: DetectorSurrogate,
    momenta: Float[Tensor, "events partons 4"],
    collider_energy: float,
    generator: torch.Generator,
) -> tuple[Bool[Tensor, " events"], RecoEvents | None]:
    """Return which events are accepted, drawn with ε(z), and their objects; None if none is.

    Args:
        surrogate: draws them.
        momenta: partons in the order of the decay channel, laboratory, GeV.
        collider_energy: √S in GeV; events with more energy are drawn again.
        generator: of the random numbers.

    Raises:
        SimulationError: if an event is not possible however often it is drawn.
    """
    probability = surrogate.acceptance.log_probability(momenta).exp()
    accepted = torch.rand(len(momenta), generator=generator, dtype=torch.float64) < probability
    rows = accepted.nonzero()[:, 0]
    if not len(rows):
        return accepted, None
    reco = surrogate.objects.sample(momenta[rows], generator)
    for _ in range(_ATTEMPTS):
        again = (~possible(reco, collider_energy)).nonzero()[:, 0]
        if not len(again):
            return accepted, reco
        drawn = surrogate.objects.sample(momenta[rows[again]], generator)
        reco = RecoEvents(**{name: _put(values, again, getattr(drawn, name)) for name, values in vars(reco).items()})
    raise SimulationError(
        f"the surrogate {surrogate.folder} drew {len(again)} of {len(rows)} events {_ATTEMPTS} times with more energy "
        f"than {collider_energy:g} GeV, or not finite: its training failed, or these partons are far from those it "
        "learned; train it longer, on more events"
    )


def possible(reco: RecoEvents, collider_energy: float) -> Bool[Tensor, " events"]:
    """Return which events are finite and have less energy than the collider: tails of densities know no such limit."""
    energy = reco.met[:, 0].double() + 0.0 * reco.met[:, 1].double()
    for objects in (reco.jets, reco.leptons, reco.photons):
        numbers = objects[..., :3].double()
        energy = energy + (numbers[..., 0] * torch.cosh(numbers[..., 1]) + 0.0 * numbers[..., 2]).sum(dim=1)
    return energy < collider_energy


def _put(values: Tensor, rows: Tensor, new: Tensor) -> Tensor:
    """Return values with some rows replaced."""
    result = values.clone()
    result[rows] = new
    return result

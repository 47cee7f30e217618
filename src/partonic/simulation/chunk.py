"""One chunk of events, from the text of the LHE file to rows of the event store: the task of a worker."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
from jaxtyping import Float, Int

from partonic.config.simulation import SimulationConfig
from partonic.errors import EventFileError
from partonic.events.cut_flow import CutFlow, cut_names
from partonic.events.readers.source import fixed_lists
from partonic.events.schema import StoreMetadata
from partonic.events.selection import SELECTED
from partonic.events.store import EventWriter
from partonic.events.weights import ThetaWeights, weights_to_coefficients
from partonic.processes.decay_tree import DecayTree
from partonic.rng import numpy_generator
from partonic.simulation.event_table import ColourFlows, decay_columns, hard_process_columns, isr_columns, reco_columns
from partonic.simulation.forced_decays import forced_resonances
from partonic.simulation.harvest import ShoweredEvents
from partonic.simulation.isr import isr_view
from partonic.simulation.lhe_chunk import LheChunk, parse_chunk
from partonic.simulation.lhe_source import LheFacts
from partonic.simulation.reconstruct import ParticleLevel, reconstruct
from partonic.simulation.shower import Shower

__all__ = [
    "ChunkCopies",
    "ChunkJob",
    "ChunkResult",
    "event_coefficients",
    "simulate_chunk",
    "step_names",
    "weight_columns",
]

_SHOWER_CUT = 0
"""Value of the column `cut` of an event on which Pythia gave up."""

_DECAYED = 2
"""ISTUP of an intermediate resonance, which the file has decayed."""

_MAX_RESIDUAL = 1e-3
"""Largest relative deviation of the weights of an event from the polynomial in θ."""


@dataclass(frozen=True)
class ChunkJob:
    """What is the same for all chunks of a run.

    Attributes:
        config: settings of the simulation, with the decays in use for the process.
        facts: facts of the LHE file (its header left out, it may be long).
        metadata: of each part; the cut flow is added.
        factors: from the units of the file to pb, forced decays included, by process number.
        theta_weights: weights of the file that give the coefficients.
        extra_weights: identifiers in the file of the extra weights, in the order of the metadata.
        seed: root seed.
        own: whether our generator wrote the file, so that the number of a process is 1 + the index of its channel.
        colour_flows: colour lines of each flow of each channel, as our generator records them in the file; empty for
            the file of another one.
    """

    config: SimulationConfig
    facts: LheFacts
    metadata: StoreMetadata
    factors: dict[int, float]
    theta_weights: ThetaWeights
    extra_weights: tuple[str, ...]
    seed: int
    own: bool
    colour_flows: ColourFlows

    @property
    def tree(self) -> DecayTree:
        """Resonances of the process."""
        return self.metadata.process_info.decay_tree

    def key(self) -> tuple[str, str, int]:
        """Return what an initialised shower depends on."""
        return f"{self.config!r} {self.tree!r}", self.facts.digest, self.seed


@dataclass(frozen=True)
class ChunkResult:
    """What a worker tells about a finished chunk.

    Attributes:
        events: number of events.
        selected: number of selected events.
        failed: number of events on which Pythia gave up.
    """

    events: int
    selected: int
    failed: int


class _Worker:
    """The shower of a worker process, kept from one chunk to the next; its state never enters the result."""

    def __init__(self) -> None:
        self._key: tuple[str, str, int] | None = None
        self._shower: Shower | None = None

    def shower(self, job: ChunkJob) -> Shower:
        if self._shower is None or self._key != job.key():
            self._shower, self._key = Shower(job.config, job.facts, job.seed, job.tree), job.key()
        return self._shower


@lru_cache(maxsize=1)
def _worker() -> _Worker:
    return _Worker()


def step_names(config: SimulationConfig) -> tuple[str, ...]:
    """Return the names of the steps of the cut flow."""
    return ("generated", "showered", *cut_names(config.selection, config.jets))


@dataclass(frozen=True)
class ChunkCopies:
    """How often the parton events of a chunk are simulated.

    Attributes:
        number: of copies of each event, at least one, `(N,)`.
        first: number of the first copy among those of the whole file.
    """

    number: Int[np.ndarray, " events"]
    first: int


def simulate_chunk(
    job: ChunkJob, number: int, texts: Sequence[bytes], first: int, path: Path, copies: ChunkCopies | None = None
) -> ChunkResult:
    """Simulate the events of one chunk and write them to `path`, whole or not at all.

    Args:
        job: what all chunks share.
        number: of the chunk, from 0; it determines the random numbers.
        texts: LHE texts of the events.
        first: number of the first event in the file.
        path: store to write.
        copies: of each event; None without fractional smearing.

    Raises:
        PartonicError: if an event is malformed, Pythia gives up too often, or the part cannot be written.
    """
    names = (*job.theta_weights.names, *job.extra_weights)
    chunk = parse_chunk(texts, first, names)
    parton_event = None if copies is None else np.repeat(chunk.event_ids, copies.number)
    chunk = chunk if copies is None else chunk.repeated(copies.number, copies.first)
    _check_undecayed(chunk, job.config, job.tree)
    generator = numpy_generator(job.seed, "simulate", number, "detector")
    shower = _worker().shower(job)
    blocks = [_simulated(job, events, generator) for events in shower.run(chunk, number)]
    order, _ = shower.order(len(chunk), number)
    table = _table(job, chunk, pa.concat_tables(blocks).take(pa.array(np.argsort(order))))
    if parton_event is not None:
        table = table.append_column("parton_event", pa.array(parton_event))
    cut, weight = (table.column(name).to_numpy() for name in ("cut", "weight"))
    flow = CutFlow(step_names(job.config))
    flow.add(cut, weight, parton_event)
    with EventWriter(path, job.metadata.with_facts(cut_flow=flow.steps(), n_generated=len(chunk))) as writer:
        writer.write(table)
    return ChunkResult(len(chunk), int((cut == SELECTED).sum()), int((cut == _SHOWER_CUT).sum()))


def _check_undecayed(chunk: LheChunk, config: SimulationConfig, tree: DecayTree) -> None:
    """Refuse resonances that the file has decayed already: Pythia keeps such decays, whatever is to be forced.

    Those that the matrix element of the process decays are as they should be.
    """
    expected = {pdg for resonance in tree.of_matrix_element for pdg in resonance.pdg_ids}
    forced = [pdg for pdg in forced_resonances(config.decays) if pdg not in expected]
    decayed = (chunk.particles[:, 1] == _DECAYED) & np.isin(chunk.particles[:, 0], forced)
    if decayed.any():
        row = int(np.argmax(decayed))
        event = chunk.first + int(np.searchsorted(chunk.offsets, row, side="right")) - 1
        raise EventFileError(
            f"event {event} of the LHE file holds the decay of particle {int(chunk.particles[row, 0])}, which "
            "simulation.decays wants to choose: set higgs and tops to inclusive, so that the decays of the file stay"
        )


def _simulated(job: ChunkJob, events: ShoweredEvents, generator: np.random.Generator) -> pa.Table:
    """Return the columns of everything after the hard process."""
    metadata = job.metadata
    reco = reconstruct(ParticleLevel(events.particles, events.heavy), generator, job.config)
    # The cuts of the selection come after that of the shower.
    passed_on = np.where(reco.cut == SELECTED, SELECTED, reco.cut + _SHOWER_CUT + 1)
    cut = np.where(events.failed, _SHOWER_CUT, passed_on).astype(np.int8)
    return pa.table(
        {
            **isr_columns(isr_view(events, metadata.collider_energy, job.tree, len(metadata.parton_pdg))),
            **decay_columns(events.decays),
            **reco_columns(reco, events.decays, job.config.jets.match_radius),
            "cut": pa.array(cut),
        }
    )


def _table(job: ChunkJob, chunk: LheChunk, simulated: pa.Table) -> pa.Table:
    columns = {
        **weight_columns(job, chunk),
        **hard_process_columns(chunk, job.metadata.process_info, job.own, job.colour_flows),
    }
    return pa.table(columns | dict(zip(simulated.column_names, simulated.columns, strict=True)))


def event_coefficients(job: ChunkJob, texts: Sequence[bytes], first: int) -> Float[np.ndarray, "events monomials"]:
    """Return the coefficients of the weights of consecutive events, in pb.

    Raises:
        EventFileError: if an event is malformed, or its weights do not follow the polynomial.
    """
    chunk = parse_chunk(texts, first, (*job.theta_weights.names, *job.extra_weights))
    return _weights(job, chunk)[1]


def weight_columns(job: ChunkJob, chunk: LheChunk) -> dict[str, pa.Array]:
    """Return number, weight, coefficients and extra weights of events, in pb.

    Raises:
        EventFileError: if the weights of an event do not follow the polynomial, or its process is unknown.
    """
    weight, coefficients, extra = _weights(job, chunk)
    columns = {
        "event_id": pa.array(chunk.event_ids),
        "weight": pa.array(weight),
        "coefficients": fixed_lists(coefficients, pa.float64()),
    }
    names = job.metadata.weight_names
    return columns | {f"weight_{name}": pa.array(extra[:, index]) for index, name in enumerate(names)}


def _weights(job: ChunkJob, chunk: LheChunk) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return weights `(N,)`, coefficients `(N, A)` and extra weights of events, in pb."""
    processes = chunk.facts[:, 1].astype(np.int64).tolist()
    try:
        factor = np.array([job.factors[process] for process in processes])
    except KeyError as error:
        raise EventFileError(f"the LHE file has events of process {error}, which its <init> block lacks") from error
    weight = factor * chunk.facts[:, 2]
    named = factor[:, None] * chunk.named_weights
    at_points, extra = np.split(named, [len(job.theta_weights.names)], axis=1)
    monomials = job.metadata.monomials
    if job.theta_weights.names:
        coefficients = weights_to_coefficients(monomials, job.theta_weights, at_points, chunk.event_ids, _MAX_RESIDUAL)
    else:
        constant = np.array([not any(powers) for powers in monomials.exponents], dtype=np.float64)
        coefficients = weight[:, None] * constant
    return weight, coefficients, extra

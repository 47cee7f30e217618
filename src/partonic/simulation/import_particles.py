"""Particle-level events of other programs (HepMC) through our detector response, jets and selection.

The reader of HepMC files gives the whole generator record of an event; its final particles go the same way as those of
our own shower, and its decay tree gives the truth. The view after initial-state radiation is left empty: which partons
start the hardest interaction is not written in a uniform way.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
from jaxtyping import Bool

from partonic.config.importing import ImportConfig
from partonic.config.simulation import SimulationConfig
from partonic.errors import EventFileError
from partonic.events.cut_flow import cut_names
from partonic.events.importing import ImportResult, import_events
from partonic.events.readers.generator_record import GeneratorRecord
from partonic.events.readers.hepmc.reader import PARTICLE_COLUMNS
from partonic.events.readers.source import EventSource
from partonic.events.schema import ProcessInfo
from partonic.processes.decay_tree import ANY_FINAL_STATE, DecayTree
from partonic.progress import SILENT, Progress
from partonic.rng import numpy_generator
from partonic.simulation.event_table import decay_columns, reco_columns
from partonic.simulation.harvest import DecayTable
from partonic.simulation.particles import ParticleTable, event_offsets
from partonic.simulation.reconstruct import ParticleLevel, reconstruct
from partonic.simulation.species import has_heavy_quark

__all__ = ["import_particles", "particle_level", "simulated_source"]

_FINAL = 1
"""HepMC status of final particles."""

_BLOCK = 250


def import_particles(
    config: ImportConfig,
    process: ProcessInfo,
    simulation: SimulationConfig,
    seed: int,
    output: Path,
    progress: Progress = SILENT,
) -> ImportResult:
    """Write the events of HepMC files, as our detector would see them, into a store.

    Args:
        config: the section `import`, with format ``hepmc``.
        process: process of the analysis.
        simulation: detector, jets and selection; decays and shower are those of the file.
        seed: root seed of the detector response.
        output: path of the store, written whole or not at all.
        progress: told the number of events.

    Raises:
        EventFileError: if a file is missing, damaged, or has events without final particles.
        OutputError: if the store cannot be written.
    """

    def finished(source: EventSource) -> EventSource:
        return simulated_source(source, simulation, seed)

    return import_events(config, process, output, progress, finished=finished)


def simulated_source(source: EventSource, simulation: SimulationConfig, seed: int) -> EventSource:
    """Return `source` with reconstructed objects in place of its particles."""
    metadata = source.metadata.with_facts(
        seed=seed,
        config={**source.metadata.config, "simulation": simulation.physics()},
        photons=simulation.with_photons,
    )
    cuts = cut_names(simulation.selection, simulation.jets)
    return replace(source, metadata=metadata, tables=_simulated_tables(source, simulation, seed), cuts=cuts)


def _simulated_tables(source: EventSource, simulation: SimulationConfig, seed: int) -> Iterator[pa.Table]:
    first, tree = 0, source.metadata.process_info.decay_tree
    for table in source.tables:
        for start in range(0, table.num_rows, _BLOCK):
            generator = numpy_generator(seed, "import", first + start, "detector")
            yield _simulated(table.slice(start, _BLOCK).combine_chunks(), simulation, generator, tree)
        first += table.num_rows


def _simulated(
    table: pa.Table, simulation: SimulationConfig, generator: np.random.Generator, tree: DecayTree
) -> pa.Table:
    events, decays = particle_level(table, tree)
    reco = reconstruct(events, generator, simulation)
    columns = {name: table.column(name) for name in table.column_names if name not in PARTICLE_COLUMNS}
    columns |= decay_columns(decays) | reco_columns(reco, decays, simulation.jets.match_radius)
    return pa.table(columns)


def particle_level(table: pa.Table, tree: DecayTree = ANY_FINAL_STATE) -> tuple[ParticleLevel, DecayTable]:
    """Return the final particles, heavy hadrons and decay products of events with `PARTICLE_COLUMNS`.

    Args:
        table: the events.
        tree: resonances whose decay products are looked for.

    Raises:
        EventFileError: if an event has no final particle.
    """
    columns = {name: table.column(name).combine_chunks() for name in PARTICLE_COLUMNS}
    pdg, status, mother = (
        np.asarray(columns[f"particle_{name}"].flatten()).astype(np.int64) for name in ("pdg", "status", "mother")
    )
    momenta = np.asarray(columns["particle_momentum"].flatten(), dtype=np.float64).reshape(-1, 4)
    counts = np.asarray(columns["particle_pdg"].value_lengths()).astype(np.int64)
    offsets = event_offsets(counts)
    whole = ParticleTable(pdg, momenta, offsets)
    final = status == _FINAL
    particles = whole.select(final)
    if not particles.counts.all():
        event = table.column("event_id")[int(np.argmin(particles.counts))].as_py()
        raise EventFileError(f"event {event} has no final particle (status 1): is it a particle-level event?")
    parent = np.where(mother < 0, -1, np.repeat(offsets[:-1], counts) + mother)
    heavy = whole.select(_last_heavy(pdg, final, parent))
    return ParticleLevel(particles, heavy), _decays(GeneratorRecord(pdg, mother, momenta, counts), tree)


def _last_heavy(pdg: np.ndarray, final: np.ndarray, parent: np.ndarray) -> Bool[np.ndarray, " particles"]:
    """Return the b and c hadrons without a daughter of the same flavour, and the final b and c quarks."""
    last: Bool[np.ndarray, " particles"] = final & np.isin(np.abs(pdg), (4, 5))
    for quark in (4, 5):
        hadron = has_heavy_quark(pdg, quark)
        decays_further = np.zeros(len(pdg) + 1, dtype=bool)  # the last entry is that of "no mother"
        decays_further[parent[hadron]] = True
        last |= hadron & ~decays_further[:-1]
    return last


def _decays(record: GeneratorRecord, tree: DecayTree) -> DecayTable:
    products = record.decay_products(tree)
    table = ParticleTable(record.pdg[products.rows], record.momenta[products.rows], event_offsets(products.counts))
    return DecayTable(table, products.origin.astype(np.int8), tree)

"""Particle-level events of other generators (HepMC): jets, detector response and selection as for our own shower.

The reader gives the particles of each event beside the columns of the store; here they become reconstructed objects.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from jaxtyping import Bool, Int

from partonic.config.importing import ImportConfig
from partonic.config.simulation import SimulationConfig
from partonic.events.importing import ImportResult, write_events
from partonic.events.readers.generator_record import DecayProducts, GeneratorRecord
from partonic.events.readers.hepmc import PARTICLE_COLUMNS, read_hepmc
from partonic.events.schema import ProcessInfo
from partonic.progress import SILENT, Progress
from partonic.rng import numpy_generator
from partonic.simulation.event_table import decay_columns, reco_columns
from partonic.simulation.harvest import DecayTable
from partonic.simulation.particles import ParticleTable, event_offsets
from partonic.simulation.reconstruct import ParticleLevel, reconstruct
from partonic.simulation.selection import cut_names
from partonic.simulation.species import has_heavy_quark

__all__ = ["import_hepmc"]

_FINAL = 1
"""HepMC status of a particle that reaches the detector."""

_EVENTS_AT_A_TIME = 500
"""Events reconstructed together. Their random numbers depend on this number: it must not change."""


def import_hepmc(
    section: ImportConfig,
    process: ProcessInfo,
    simulation: SimulationConfig,
    seed: int,
    output: Path,
    progress: Progress = SILENT,
) -> ImportResult:
    """Write the events of HepMC files into a store, after jets, detector response and selection.

    Args:
        section: the section `import`.
        process: process of the analysis.
        simulation: its sections `detector`, `jets` and `selection` are used.
        seed: root seed; the same seed gives the same response.
        output: path of the store.
        progress: told the number of events.

    Raises:
        EventFileError: if a file is missing, truncated or malformed.
        OutputError: if the store cannot be written.
    """
    source = read_hepmc(section, process)
    tables = _reconstructed(source.tables, simulation, seed)
    cuts = cut_names(simulation.selection, simulation.jets)
    config = {**source.metadata.config, "simulation": simulation.physics()}
    metadata = source.metadata.model_copy(update={"config": config, "seed": seed})
    return write_events(replace(source, metadata=metadata, tables=tables, cuts=cuts), output, progress)


def _reconstructed(tables: Iterator[pa.Table], config: SimulationConfig, seed: int) -> Iterator[pa.Table]:
    for number, table in enumerate(_cut_small(tables)):
        generator = numpy_generator(seed, "import", number, "detector")
        events = _ParticleRecord.of(table)
        decays = events.decays()
        reco = reconstruct(
            ParticleLevel(events.select(events.final), events.select(events.last_heavy)), generator, config
        )
        columns: dict[str, Any] = {
            **decay_columns(decays),
            **reco_columns(reco, decays, config.jets.match_radius),
        }
        kept = table.drop_columns(list(PARTICLE_COLUMNS))
        yield pa.table(dict(zip(kept.column_names, kept.columns, strict=True)) | columns)


def _cut_small(tables: Iterator[pa.Table]) -> Iterator[pa.Table]:
    for table in tables:
        for start in range(0, len(table), _EVENTS_AT_A_TIME):
            yield table.slice(start, _EVENTS_AT_A_TIME).combine_chunks()


@dataclass(frozen=True)
class _ParticleRecord:
    """All particles of N events of a HepMC file.

    Attributes:
        record: ids, mothers and momenta.
        status: HepMC status.
        offsets: where the particles of each event begin, `(N + 1,)`.
    """

    record: GeneratorRecord
    status: Int[np.ndarray, " particles"]
    offsets: Int[np.ndarray, " bounds"]

    @classmethod
    def of(cls, table: pa.Table) -> "_ParticleRecord":
        pdg, status, momenta, mother = (
            _flat(table, f"particle_{name}") for name in ("pdg", "status", "momentum", "mother")
        )
        counts = table["particle_pdg"].combine_chunks().value_lengths().to_numpy(zero_copy_only=False)
        record = GeneratorRecord(
            pdg.astype(np.int64), mother.astype(np.int64), momenta.reshape(-1, 4), counts.astype(np.int64)
        )
        return cls(record, status, event_offsets(record.counts))

    @property
    def final(self) -> Bool[np.ndarray, " particles"]:
        """Particles that reach the detector."""
        result: Bool[np.ndarray, " particles"] = self.status == _FINAL
        return result

    @property
    def last_heavy(self) -> Bool[np.ndarray, " particles"]:
        """Particles that give jets their flavour: b and c hadrons none of whose daughters has the same heavy quark."""
        pdg, mother = self.record.pdg, self.record.mother
        rows = np.flatnonzero(mother >= 0)
        parent = self.offsets[:-1][self.record.event[rows]] + mother[rows]
        last = np.zeros(len(pdg), dtype=bool)
        for quark in (4, 5):
            hadron = has_heavy_quark(pdg, quark)
            goes_on = np.zeros(len(pdg), dtype=bool)
            goes_on[parent[hadron[rows]]] = True
            last |= hadron & ~goes_on
        result: Bool[np.ndarray, " particles"] = last | (np.isin(np.abs(pdg), (4, 5)) & self.final)
        return result

    def select(self, mask: Bool[np.ndarray, " particles"]) -> ParticleTable:
        """Return the particles for which `mask` is True."""
        return ParticleTable(self.record.pdg, self.record.momenta, self.offsets).select(mask)

    def decays(self) -> DecayTable:
        """Return the decay products of H, t and t̄."""
        products: DecayProducts = self.record.decay_products()
        rows = products.rows
        table = ParticleTable(self.record.pdg[rows], self.record.momenta[rows], event_offsets(products.counts))
        return DecayTable(table, products.origin.astype(np.int8))


def _flat(table: pa.Table, name: str) -> np.ndarray:
    values: np.ndarray = table[name].combine_chunks().flatten().to_numpy(zero_copy_only=False)
    return values

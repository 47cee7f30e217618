"""Import events of another generator, simulation or experiment into an event store.

HepMC files hold particles, not reconstructed events; they pass through jets, detector response and selection first
(`partonic.simulation`).
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from partonic.config.importing import ImportConfig
from partonic.errors import ConfigError
from partonic.events.cut_flow import CutFlow
from partonic.events.readers.source import EventSource
from partonic.events.schema import CrossSection, ProcessInfo
from partonic.events.store import EventStore, EventWriter
from partonic.progress import SILENT, Progress

__all__ = ["ImportResult", "import_events", "open_source", "write_source"]


@dataclass(frozen=True)
class ImportResult:
    """What an import wrote.

    Attributes:
        path: the event store.
        num_events: number of events in it.
        num_selected: number of events that are selected; 0 for parton-level events, to which no selection applies.
        cross_section: sum of their coefficients, pb.
    """

    path: Path
    num_events: int
    num_selected: int
    cross_section: CrossSection | None

    def __str__(self) -> str:
        """Return one line for the terminal."""
        selected = f", {self.num_selected} selected" if self.num_selected else ""
        section = self.cross_section
        stated = "" if section is None else f", {section.coefficients[0]:.6g} ± {section.errors[0]:.2g} pb at θ = 0"
        return f"{self.num_events} events imported{selected}{stated}: {self.path}"


def open_source(config: ImportConfig, process: ProcessInfo) -> EventSource:
    """Open the files of the section `import` with the reader of their format.

    Raises:
        EventFileError: if a file is missing, damaged or lacks something needed.
        ConfigError: if the format needs the simulation.
    """
    match config.format:
        case "lhe":
            from partonic.events.readers.lhe import read_lhe

            return read_lhe(config, process)
        case "nanoaod":
            from partonic.events.readers.nanoaod import read_nanoaod

            return read_nanoaod(config, process)
        case "delphes":
            from partonic.events.readers.delphes import read_delphes

            return read_delphes(config, process)
        case "hepmc":
            message = "HepMC events pass through the detector simulation: use partonic.simulation.import_particles"
            raise ConfigError(message)


def import_events(
    config: ImportConfig, process: ProcessInfo, output: Path, progress: Progress = SILENT
) -> ImportResult:
    """Write the events of the section `import` into a store.

    The store is written atomically: an interrupted or failed import leaves nothing, and an older store as it was.

    Args:
        config: the section `import`.
        process: process of the analysis.
        output: path of the store.
        progress: told the number of events.

    Raises:
        EventFileError: if a file is missing, damaged, or an event of it is malformed.
        ConfigError: if a setting does not fit the files.
        OutputError: if the store cannot be written.
    """
    return write_source(open_source(config, process), output, progress)


def write_source(source: EventSource, output: Path, progress: Progress = SILENT) -> ImportResult:
    """Write the events of a source into a store, with the cut flow of its selection; whole or not at all.

    Args:
        source: the events.
        output: path of the store.
        progress: told the number of events.

    Raises:
        EventFileError: if an event is malformed.
        OutputError: if the store cannot be written.
    """
    flow = CutFlow(("all events", *source.cuts))
    selected = 0
    progress.start("importing events", source.num_events, "events")
    with EventWriter(output, source.metadata) as writer:
        for table in source.tables:
            writer.write(table)
            flow.add(_cut(table), np.asarray(table.column("weight")))
            selected += _selected(table)
            progress.advance(len(table))
        facts = {**source.metadata.facts, "largest_theta_residual": source.residual.largest}
        writer.metadata = writer.metadata.with_facts(cut_flow=flow.steps(), facts=facts)
    progress.finish()
    store = EventStore.open(output)
    return ImportResult(output, store.num_events, selected, store.metadata.cross_section)


def _cut(table: pa.Table) -> np.ndarray:
    """Return the column `cut`, −1 where no selection applies."""
    if "cut" not in table.column_names:
        return np.full(len(table), -1, dtype=np.int8)
    return np.asarray(pc.fill_null(table.column("cut"), -1))


def _selected(table: pa.Table) -> int:
    return int(pc.sum(table.column("selected")).as_py() or 0) if "selected" in table.column_names else 0

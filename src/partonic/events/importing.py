"""Import events of another generator, simulation or experiment into an event store.

HepMC files hold particles, not reconstructed events; they pass through jets, detector response and selection first
(`partonic.simulation`).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
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
from partonic.events.watching import LeftOut, Watch
from partonic.progress import SILENT, Progress

__all__ = ["ImportResult", "import_events", "open_source"]


@dataclass(frozen=True)
class ImportResult:
    """What an import wrote.

    Attributes:
        path: the event store.
        num_events: number of events in it.
        num_selected: number of events that are selected; None for parton-level events, to which no selection applies.
        cross_section: sum of their coefficients, pb; None for collision data.
        warnings: what its user should know of the sample.
    """

    path: Path
    num_events: int
    num_selected: int | None
    cross_section: CrossSection | None
    warnings: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return one line for the terminal, and one for each warning."""
        selected = "" if self.num_selected is None else f", {self.num_selected} selected"
        section = self.cross_section
        error = f" ± {section.errors[0]:.2g}" if section is not None and section.errors[0] else ""
        stated = "" if section is None else f", {section.coefficients[0]:.6g}{error} pb at θ = 0"
        line = f"{self.num_events} events imported{selected}{stated}: {self.path}"
        return "\n".join([line, *(f"  attention: {warning}" for warning in self.warnings)])


def open_source(config: ImportConfig, process: ProcessInfo, left_out: frozenset[int] = frozenset()) -> EventSource:
    """Open the files of the section `import` with the reader of their format.

    Args:
        config: the section `import`.
        process: process of the analysis.
        left_out: numbers of events that are treated as if they were not in the files.

    Raises:
        EventFileError: if a file is missing, damaged or lacks something needed.
    """
    match config.format:
        case "lhe":
            from partonic.events.readers.lhe import read_lhe

            return read_lhe(config, process, left_out)
        case "nanoaod":
            from partonic.events.readers.root.nanoaod import read_nanoaod

            return read_nanoaod(config, process, left_out)
        case "delphes":
            from partonic.events.readers.root.delphes import read_delphes

            return read_delphes(config, process, left_out)
        case "hepmc":
            from partonic.events.readers.hepmc.reader import read_hepmc

            return read_hepmc(config, process, left_out)


def import_events(
    config: ImportConfig,
    process: ProcessInfo,
    output: Path,
    progress: Progress = SILENT,
    *,
    finished: Callable[[EventSource], EventSource] | None = None,
) -> ImportResult:
    """Write the events of the section `import` into a store.

    The store is written atomically: an interrupted or failed import leaves nothing, and an older store as it was. Where
    wild or doubled events are to be dropped, the files are read once more without them, so that number of events and
    normalisation come from the same count.

    Args:
        config: the section `import`.
        process: process of the analysis.
        output: path of the store.
        progress: told the number of events.
        finished: turns the events of the files into those of the store; needed for HepMC, whose particles pass through
            jets, detector response and selection (`partonic.simulation.import_particles`).

    Raises:
        EventFileError: if a file is missing, damaged, or an event of it is malformed.
        ConfigError: if a setting does not fit the files, or the format needs the simulation.
        OutputError: if the store cannot be written.
    """
    if config.format == "hepmc" and finished is None:
        message = "HepMC events pass through the detector simulation: use partonic.simulation.import_particles"
        raise ConfigError(message)
    left_out = LeftOut()
    while True:
        source = open_source(config, process, left_out.numbers())
        watch = Watch(config, source, left_out)
        watched = replace(source, tables=watch.tables())
        try:
            return _write(watched if finished is None else finished(watched), watch, output, progress)
        except _ReadAgain:
            progress.finish()


class _ReadAgain(Exception):  # noqa: N818 (no error: nothing is wrong with a file that is read twice)
    """More events are to be left out than were in this reading."""


def _write(source: EventSource, watch: Watch, output: Path, progress: Progress) -> ImportResult:
    """Write the events of a source into a store, with the cut flow of its selection; whole or not at all.

    Raises:
        _ReadAgain: if events were found that are to be left out; nothing is written.
    """
    flow = CutFlow(("all events", *source.cuts))
    selected: int | None = None
    progress.start("importing events", source.num_events, "events")
    with EventWriter(output, source.metadata) as writer:
        for table in source.tables:
            writer.write(table)
            flow.add(_cut(table), np.asarray(table.column("weight")))
            chosen = _selected(table)
            selected = selected if chosen is None else (selected or 0) + chosen
            progress.advance(len(table))
        if watch.needs_another_reading():
            raise _ReadAgain
        watch.note()
        facts = {**source.metadata.facts, **source.notes.all_facts()}
        writer.metadata = writer.metadata.with_facts(cut_flow=flow.steps(), facts=facts)
    progress.finish()
    store = EventStore.open(output)
    is_data = bool(store.metadata.config.get("import", {}).get("data"))
    section = None if is_data else store.metadata.cross_section
    return ImportResult(output, store.num_events, selected, section, tuple(source.notes.warnings))


def _cut(table: pa.Table) -> np.ndarray:
    """Return the column `cut`, −1 where no selection applies."""
    if "cut" not in table.column_names:
        return np.full(len(table), -1, dtype=np.int8)
    return np.asarray(pc.fill_null(table.column("cut"), -1))


def _selected(table: pa.Table) -> int | None:
    """Return how many events are selected; None where no selection applies."""
    if "selected" not in table.column_names:
        return None
    number = pc.sum(table.column("selected")).as_py()
    return None if number is None else int(number)

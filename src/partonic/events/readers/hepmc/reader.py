"""HepMC3 (and HepMC2) text files: whole particle-level events of any shower, e.g. Sherpa or Herwig.

The particles are passed on as a flat table; jets, detector response and selection are applied to it as to our own
events. Whatever units a file uses, energies become GeV and lengths mm. A first pass over the text counts the events and
adds up their weights, because the weights are normalised to the cross section, which a file states with its last event.
The events themselves are read by a child process (`process`).
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from partonic.config.importing import ImportConfig
from partonic.errors import EventFileError
from partonic.events.readers.cross_sections import check_one_sample, plausible_cross_section
from partonic.events.readers.files import sample_files
from partonic.events.readers.generator_record import GeneratorRecord
from partonic.events.readers.hard_process import HardPartons, hard_partons
from partonic.events.readers.hepmc.process import record_batches
from partonic.events.readers.hepmc.scan import HepmcSummary, scan_hepmc
from partonic.events.readers.hepmc.weights import HepmcWeights, weights_of_files
from partonic.events.readers.notes import Notes
from partonic.events.readers.numbering import Numbering
from partonic.events.readers.source import EventSource, fixed_lists, imported_process, source_metadata
from partonic.events.readers.theta_solver import CoefficientSolver
from partonic.events.schema import ProcessInfo
from partonic.events.store import NORMALISATION_ERROR

__all__ = ["PARTICLE_COLUMNS", "read_hepmc"]

PARTICLE_COLUMNS = {
    "particle_pdg": pa.list_(pa.int32()),
    "particle_status": pa.list_(pa.int32()),
    "particle_momentum": pa.list_(pa.float64()),
    "particle_mother": pa.list_(pa.int32()),
    "particle_vertex": pa.list_(pa.float64()),
}
"""Columns beside those of the store: PDG id and HepMC status (1 final, 2 decayed, 4 beam) of every particle; momenta
(E, px, py, pz) in GeV, flattened; index in the event of the first mother, −1 for none; production vertex (x, y, z, ct)
in mm, flattened."""

_MOST_EVENTS = 500
"""Events of a table: an event has about a thousand particles, 100 kB."""

_BEAM = 4
_PROTON = 2212
_LARGEST_FRACTION = 1.001
"""Largest momentum fraction that rounding explains."""


def read_hepmc(config: ImportConfig, process: ProcessInfo, left_out: frozenset[int] = frozenset()) -> EventSource:
    """Read HepMC files (plain or compressed). The tables have the columns of the store and `PARTICLE_COLUMNS`.

    Args:
        config: the section `import`.
        process: process of the analysis; its partons are looked for in every event.
        left_out: numbers of events in the sample that are treated as if they were not in the files.

    Raises:
        EventFileError: if a file is missing, truncated or malformed, there is no cross section, the files do not belong
            together, or the weights do not give the coefficients. Faults of single events are raised while the tables
            are read.
    """
    info, notes = imported_process(config, process), Notes()
    files = [Path(file) for file in sample_files(config)]
    summaries = _scanned(files, left_out)
    _check_copies(config.copies, files, summaries)
    numbering = Numbering(files, [found.count for found in summaries])
    weights = weights_of_files(files, summaries, config, notes)
    factor, section, error = _factor(config, files, summaries, weights, notes)
    texts = {name: name for name in weights.others}
    solver = CoefficientSolver.of(config, info, texts, str(files[0]), numbering=numbering, notes=notes)
    columns = weights.kept(config, solver.names)
    for path, found in zip(files, summaries, strict=True):
        _compare_with_stated(path, found, notes)
    programs = dict.fromkeys(name for found in summaries for name in found.programs)
    facts = {
        "normalisation": f"all weights sum to {section} pb",
        NORMALISATION_ERROR: error,
        "nominal_weight": weights.nominal_rule,
        "weight_texts": {column: name for name, column in columns.items()},
        "format_version": ", ".join(dict.fromkeys(f"{found.kind} {found.version}".strip() for found in summaries)),
        **({"generators": list(programs)} if programs else {}),
    }
    count = sum(found.kept for found in summaries)
    metadata = source_metadata(config, info, list(columns.values()), count, facts, files=files, identity=True)
    metadata = metadata.model_copy(update={"copies": config.copies > 1})
    reader = _Reader(files, summaries, numbering, solver, weights, factor, columns, left_out)
    return solver.source(metadata, reader.tables(), count)


def _scanned(files: Sequence[Path], left_out: frozenset[int]) -> list[HepmcSummary]:
    summaries: list[HepmcSummary] = []
    for path in files:
        summaries.append(scan_hepmc(path, sum(found.count for found in summaries), left_out))
    if not any(found.kept for found in summaries):
        raise EventFileError(f"{files[0]}: there is no event in the files of the sample")
    return summaries


def _check_copies(copies: int, files: Sequence[Path], summaries: Sequence[HepmcSummary]) -> None:
    for path, found in zip(files, summaries, strict=True):
        if found.count % copies:
            raise EventFileError(
                f"{path} has {found.count} events, which are not {copies} of each parton event: expected a multiple of "
                "`import.copies`, all copies of an event one after another"
            )


def _factor(
    config: ImportConfig, files: Sequence[Path], summaries: Sequence[HepmcSummary], weights: HepmcWeights, notes: Notes
) -> tuple[float, float, float]:
    """Return the factor from the units of the files to pb, the cross section in pb, and its relative error.

    Raises:
        EventFileError: if there is no cross section, those of files are not of one sample, or weights sum to nothing.
    """
    total = sum(weights.total(index, found) for index, found in enumerate(summaries))
    section, error = config.cross_section, 0.0
    if section is None:
        kept = [index for index, found in enumerate(summaries) if found.kept]
        stated = [_stated(files[index], summaries[index], weights.place(index), notes) for index in kept]
        check_one_sample([(value, str(files[index])) for index, (value, _) in zip(kept, stated, strict=True)], notes)
        shares = [summaries[index].kept / sum(summaries[each].kept for each in kept) for index in kept]
        section = sum(value * share for (value, _), share in zip(stated, shares, strict=True))
        errors = [spread * share for (_, spread), share in zip(stated, shares, strict=True)]
        sensible = all(math.isfinite(value) and value >= 0.0 for value in errors)
        error = math.hypot(*errors) / section if sensible and sum(errors) < section else 0.0
    if not (total > 0 and math.isfinite(total)):
        raise EventFileError(
            f"{files[0]}: the event weights sum to {total:g} and cannot be normalised to {section:g} pb. Another "
            "weight can be named with import.nominal_weight"
        )
    return section / total, section, error


def _stated(path: Path, found: HepmcSummary, place: int | None, notes: Notes) -> tuple[float, float]:
    """Return the cross section of the nominal weight that a file states, and its uncertainty, 0 for none."""
    section, error = found.stated(place)
    if section is None:
        raise EventFileError(f"{path} states no cross section: give import.cross_section in pb")
    plausible_cross_section(section, "GenCrossSection of its last event", str(path))
    for value in found.documents:
        plausible_cross_section(value, "GenCrossSection of one of its listings", str(path))
    if found.documents:
        check_one_sample(
            [(value, f"listing {number} of {path}") for number, value in enumerate(found.documents, start=1)], notes
        )
    return section, error or 0.0


def _compare_with_stated(path: Path, found: HepmcSummary, notes: Notes) -> None:
    if found.accepted is not None and found.accepted != found.count:
        notes.warn(
            f"{path}: its last event states {found.accepted} accepted events, the file has {found.count}. A part of a "
            "run is fine; if the events were selected, give the cross section of those that are left with "
            "import.cross_section"
        )


@dataclass(frozen=True)
class _Reader:
    """Makes tables of the events of a sample that is understood."""

    files: Sequence[Path]
    summaries: Sequence[HepmcSummary]
    numbering: Numbering
    solver: CoefficientSolver
    weights: HepmcWeights
    factor: float
    columns: Mapping[str, str]
    left_out: frozenset[int]

    def tables(self) -> Iterator[pa.Table]:
        """Read the files one after another."""
        size = min(self.solver.config.batch_size, _MOST_EVENTS)
        waiting: list[pa.Table] = []
        for events in self._events():
            waiting.append(events)
            while sum(len(table) for table in waiting) >= size:
                whole = pa.concat_tables(waiting)
                yield self._table(whole.slice(0, size).combine_chunks())
                waiting = [whole.slice(size)]
        if sum(len(table) for table in waiting):
            yield self._table(pa.concat_tables(waiting).combine_chunks())

    def _events(self) -> Iterator[pa.Table]:
        """Yield what the child sends with the numbers of the events in the sample, without those left out."""
        for index, (path, summary) in enumerate(zip(self.files, self.summaries, strict=True)):
            if not summary.count:
                continue
            done = 0
            for batch in record_batches(path, summary.kind):
                numbers = self.numbering.first(index) + done + np.arange(len(batch))
                table = pa.Table.from_batches([batch])
                self._check(path, summary, table, done)
                table = self._with_weights(table, index).append_column("event_id", pa.array(numbers))
                done += len(batch)
                kept = [number not in self.left_out for number in numbers.tolist()]
                yield table if all(kept) else table.filter(pa.array(kept))
            if done != summary.count:
                raise EventFileError(
                    f"{path}: event {done} (the first is 0) is malformed: the HepMC library does not read it; expected "
                    f"{summary.count} events"
                )

    def _check(self, path: Path, summary: HepmcSummary, table: pa.Table, done: int) -> None:
        """Check what the child says of each event against the first pass."""
        problems = pc.index(pc.is_valid(table.column("problem")), value=True).as_py()
        if problems >= 0:
            raise EventFileError(
                f"{path}: event {done + problems} (the first is 0) cannot be read: {table['problem'][problems]}"
            )
        if not summary.names:
            return
        lengths = np.asarray(pc.list_value_length(table.column("weights")))
        if (wrong := np.flatnonzero(lengths != len(summary.names))).size:
            raise EventFileError(
                f"{path}: event {done + wrong[0]} (the first is 0) has {lengths[wrong[0]]} weights, expected "
                f"{len(summary.names)}: {', '.join(summary.names[:10])}"
            )

    def _with_weights(self, table: pa.Table, file: int) -> pa.Table:
        """Put the weights in one order for all files: the nominal one, then the others; (1,) for events without."""
        rows = table.num_rows
        order = self.weights.order(file)
        flat = np.asarray(table.column("weights").combine_chunks().flatten(), dtype=np.float64)
        values = flat.reshape(rows, -1)[:, order] if order else np.ones((rows, 1))
        place = table.schema.get_field_index("weights")
        return table.set_column(place, "weights", fixed_lists(values, pa.float64())).drop_columns(["problem"])

    def _table(self, events: pa.Table) -> pa.Table:
        ids = np.asarray(events.column("event_id"), dtype=np.int64)
        names = ["", *self.weights.others]
        flat = np.asarray(events.column("weights").combine_chunks().flatten(), dtype=np.float64)
        weights = dict(zip(names, flat.reshape(len(ids), -1).T, strict=True))
        nominal = self.factor * weights[""]
        theta = np.array([weights[name] for name in self.solver.names], dtype=np.float64).reshape(-1, len(ids)).T
        for name in self.columns:
            self._check_finite(weights[name], ids, f"weight '{name}'")
        record = self._record(events, ids)
        partons = self._partons(record, ids)
        columns: dict[str, Any] = {
            "event_id": ids,
            "weight": nominal,
            "coefficients": fixed_lists(self.solver.solve(nominal, theta, self.factor, ids), pa.float64()),
            "event_number": events.column("event_number").combine_chunks(),
            **({"parton_event": ids // self.solver.config.copies} if self.solver.config.copies > 1 else {}),
            **_pdf_columns(events.column("pdf")),
            "partons": fixed_lists(partons.momenta, pa.float64()),
            **partons.columns(),
        }
        columns |= {f"weight_{column}": self.factor * weights[name] for name, column in self.columns.items()}
        for name, kind in PARTICLE_COLUMNS.items():
            columns[name] = events.column(name.removeprefix("particle_")).combine_chunks().cast(kind)
        return pa.table(columns)

    def _check_finite(self, values: NDArray[np.float64], ids: NDArray[np.int64], what: str) -> None:
        if (bad := np.flatnonzero(~np.isfinite(values))).size:
            raise EventFileError(f"{self.numbering.where(int(ids[bad[0]]))}: {what} is NaN or infinite")

    def _record(self, events: pa.Table, ids: NDArray[np.int64]) -> GeneratorRecord:
        def flat(name: str) -> NDArray[Any]:
            return np.asarray(events.column(name).combine_chunks().flatten())

        counts = np.asarray(pc.list_value_length(events.column("pdg"))).astype(np.int64)
        momenta = flat("momentum").astype(np.float64).reshape(-1, 4)
        self._check_finite(momenta.sum(axis=1), np.repeat(ids, counts), "the momentum of a particle")
        pdg, mother = flat("pdg").astype(np.int64), flat("mother").astype(np.int64)
        beams = np.flatnonzero(flat("status") == _BEAM)
        event = np.repeat(np.arange(len(ids)), counts)[beams]
        if (np.bincount(event, minlength=len(ids)) < 2).any():
            self.solver.notes.warn(
                "there are events without two beam particles (status 4): whether their beams are those of the process "
                "was not checked"
            )
        self._check_beams(pdg[beams], momenta[beams, 0], ids[event])
        return GeneratorRecord(pdg=pdg, mother=mother, momenta=momenta, counts=counts)

    def _check_beams(self, pdg: NDArray[np.int64], energy: NDArray[np.float64], event: NDArray[np.int64]) -> None:
        """Check the beam particles of each event; events with less than two are noted."""
        numbers, first, counts = np.unique(event, return_index=True, return_counts=True)
        stated = 0.5 * self.solver.process.collider_energy
        for number, place, count in zip(numbers.tolist(), first.tolist(), counts.tolist(), strict=True):
            beams, energies = pdg[place : place + count], energy[place : place + count]
            if count > 2 or (beams != _PROTON).any():
                raise EventFileError(
                    f"{self.numbering.where(number)}: its beam particles (status 4) are {', '.join(map(str, beams))}, "
                    f"expected two protons ({_PROTON}, {_PROTON}). Other colliders are not supported"
                )
            if count < 2:
                continue
            root_s = 2.0 * math.sqrt(max(float(energies[0] * energies[1]), 0.0))
            if not math.isclose(root_s, 2.0 * stated, rel_tol=1e-3):
                raise EventFileError(
                    f"{self.numbering.where(number)}: its beams collide at √S = {root_s:g} GeV, but the process is at "
                    f"{2.0 * stated:g} GeV: set process.collider_energy to the one of the file"
                )

    def _partons(self, record: GeneratorRecord, ids: NDArray[np.int64]) -> HardPartons:
        def where(row: int) -> str:
            return self.numbering.where(int(ids[row]))

        return hard_partons(record, self.solver.process, self.solver.config, where)


def _known(pdf: Sequence[float]) -> bool:
    """Whether an event says what entered the hard process; writers put 0, −1 or NaN for what they do not know."""
    return 0.0 < pdf[2] <= _LARGEST_FRACTION and 0.0 < pdf[3] <= _LARGEST_FRACTION


def _pdf_columns(column: pa.ChunkedArray) -> dict[str, pa.Array]:
    """Return the columns of what entered the hard process, null where an event does not say."""
    pdf = [p if p is not None and _known(p) else None for p in column.to_pylist()]
    return {
        "initial_pdg": pa.array([None if p is None else [int(p[0]), int(p[1])] for p in pdf], pa.list_(pa.int32(), 2)),
        "x1": pa.array([None if p is None else p[2] for p in pdf], pa.float64()),
        "x2": pa.array([None if p is None else p[3] for p in pdf], pa.float64()),
        "scale": pa.array([None if p is None or not (0.0 < p[4] < math.inf) else p[4] for p in pdf], pa.float64()),
    }

"""HepMC3 (and HepMC2) text files: whole particle-level events of any shower, e.g. Sherpa or Herwig.

The particles are passed on as a flat table; jets, detector response and selection are applied to it as to our own
events. Whatever units a file uses, energies become GeV and lengths mm. A first pass over the text counts the events and
adds up their weights, because the weights are normalised to the cross section, which a file states with its last event.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from partonic.config.importing import ImportConfig
from partonic.errors import EventFileError
from partonic.events.readers.files import sample_files
from partonic.events.readers.generator_record import GeneratorRecord
from partonic.events.readers.hepmc_scan import HepmcSummary, scan_hepmc
from partonic.events.readers.numbering import Numbering
from partonic.events.readers.source import EventSource, fixed_lists, imported_process, kept_weights, source_metadata
from partonic.events.readers.theta_solver import CoefficientSolver
from partonic.events.schema import ProcessInfo
from partonic.events.weights import column_name

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


def read_hepmc(config: ImportConfig, process: ProcessInfo, left_out: frozenset[int] = frozenset()) -> EventSource:
    """Read HepMC files (plain or gzip). The tables have the columns of the store and `PARTICLE_COLUMNS`.

    Args:
        config: the section `import`.
        process: process of the analysis; its partons are looked for in every event.
        left_out: numbers of events in the sample that are treated as if they were not in the files.

    Raises:
        EventFileError: if a file is missing, truncated or malformed, there is no cross section, or the weights do not
            give the coefficients. Faults of single events are raised while the tables are read.
    """
    info = imported_process(config, process)
    files = [Path(file) for file in sample_files(config)]
    summaries = [scan_hepmc(path) for path in files]
    names = summaries[0].names
    if different := [path for path, found in zip(files, summaries, strict=True) if found.names != names]:
        raise EventFileError(f"{different[0]} has other weights than {files[0]}: import them as separate samples")
    factor, section = _factor(config, files, summaries)
    numbering = Numbering(files, [found.count for found in summaries])
    texts = {name: name for name in names[1:]}
    solver = CoefficientSolver.of(config, info, texts, str(files[0]), numbering=numbering)
    extra = [name for name in names[1:] if name not in solver.names and kept_weights(config, [column_name(name)])]
    count = sum(found.count for found in summaries)
    facts = {
        "normalisation": f"all weights sum to {section} pb",
        "weight_texts": {column_name(name): name for name in extra},
    }
    metadata = source_metadata(config, info, [column_name(name) for name in extra], count, facts, files=files)
    tables = _tables(dict(zip(files, summaries, strict=True)), solver, factor, extra)
    return solver.source(metadata, tables, count)


def _factor(config: ImportConfig, files: list[Path], summaries: list[HepmcSummary]) -> tuple[float, float]:
    total = sum(found.total for found in summaries)
    stated = [(found.cross_section, found.count) for found in summaries if found.cross_section]
    section = config.cross_section
    if section is None:
        if len(stated) < len(summaries):
            raise EventFileError(f"{files[0]} states no cross section: give import.cross_section in pb")
        section = sum(value * count for value, count in stated) / sum(count for _, count in stated)
    if total == 0 or not math.isfinite(total):
        raise EventFileError(f"{files[0]}: the event weights sum to {total} and cannot be normalised to {section} pb")
    return section / total, section


def _tables(
    files: Mapping[Path, HepmcSummary], solver: CoefficientSolver, factor: float, extra: list[str]
) -> Iterator[pa.Table]:
    first_id = 0
    rows: list[_Event] = []
    for path, summary in files.items():
        for event in _events(path, summary):
            rows.append(event)
            if len(rows) == min(solver.config.batch_size, _MOST_EVENTS):
                yield _table(rows, first_id, solver, factor, extra)
                first_id += len(rows)
                rows = []
    if rows:
        yield _table(rows, first_id, solver, factor, extra)


@dataclass(frozen=True)
class _Event:
    """Arrays of one event; `where` names it in messages."""

    where: str
    weights: Mapping[str, float]
    nominal: float
    pdg: np.ndarray
    status: np.ndarray
    momenta: np.ndarray
    mother: np.ndarray
    vertex: np.ndarray
    pdf: tuple[int, int, float, float, float] | None


def _events(path: Path, summary: HepmcSummary) -> Iterator[_Event]:
    """Read the events of a file; `pyhepmc` stops without a word at one it cannot read, so they are counted."""
    import pyhepmc

    index = 0
    try:
        with pyhepmc.open(str(path)) as file:
            for record in file:
                yield _converted(record, f"{path}: event {index} (the first is 0)", summary.names)
                index += 1
    except (EOFError, OSError, RuntimeError, ValueError) as error:
        raise EventFileError(f"{path}: event {index} (the first is 0) cannot be read: {error}") from error
    if index != summary.count:
        raise EventFileError(f"{path}: event {index} (the first is 0) is malformed; expected {summary.count} events")


def _converted(record: Any, where: str, names: tuple[str, ...]) -> _Event:
    import pyhepmc

    record.set_units(pyhepmc.Units.GEV, pyhepmc.Units.MM)
    weights = list(record.weights)
    if len(weights) != len(names):
        raise EventFileError(f"{where} has {len(weights)} weights, expected {len(names)}: {', '.join(names[:10])}")
    if not np.isfinite(weights).all():
        raise EventFileError(f"{where}: weight '{names[int(np.argmin(np.isfinite(weights)))]}' is NaN or infinite")
    particles = record.numpy.particles
    momenta = np.stack([particles.e, particles.px, particles.py, particles.pz], axis=-1)
    if not np.isfinite(momenta).all():
        raise EventFileError(f"{where}: the momentum of a particle is NaN or infinite")
    mother, vertex = _production(record, len(momenta))
    return _Event(
        where,
        dict(zip(names, weights, strict=True)),
        weights[0],
        np.array(particles.pid),
        np.array(particles.status),
        momenta,
        mother,
        vertex,
        _pdf(record),
    )


def _production(record: Any, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the index of the first mother (−1: none) and the production vertex (x, y, z, ct) in mm."""
    mother = np.full(count, -1, dtype=np.int32)
    vertex = np.zeros((count, 4))
    for point in record.vertices:
        produced = [particle.id - 1 for particle in point.particles_out]
        incoming = point.particles_in
        if incoming:
            mother[produced] = incoming[0].id - 1
        place = point.position
        vertex[produced] = (place.x, place.y, place.z, place.t)
    return mother, vertex


def _pdf(record: Any) -> tuple[int, int, float, float, float] | None:
    info = record.pdf_info
    if info is None or info.x1 <= 0:
        return None
    return info.parton_id1, info.parton_id2, info.x1, info.x2, info.scale


def _table(events: list[_Event], first_id: int, solver: CoefficientSolver, factor: float, extra: list[str]) -> pa.Table:
    ids = np.arange(first_id, first_id + len(events))
    nominal = factor * np.array([event.nominal for event in events])
    values = np.array([[event.weights[name] for name in solver.names] for event in events]).reshape(len(events), -1)
    pdf = [event.pdf for event in events]
    columns: dict[str, Any] = {
        "event_id": ids,
        "weight": nominal,
        "coefficients": fixed_lists(solver.solve(nominal, values, factor, ids), pa.float64()),
        "initial_pdg": pa.array([None if p is None else list(p[:2]) for p in pdf], pa.list_(pa.int32(), 2)),
        "x1": pa.array([None if p is None else p[2] for p in pdf], pa.float64()),
        "x2": pa.array([None if p is None else p[3] for p in pdf], pa.float64()),
        "scale": pa.array([None if p is None or p[4] <= 0 else p[4] for p in pdf], pa.float64()),
        "partons": fixed_lists(_partons(events, solver), pa.float64()),
    }
    for name in extra:
        columns[f"weight_{column_name(name)}"] = factor * np.array([event.weights[name] for event in events])
    for name, kind in PARTICLE_COLUMNS.items():
        arrays = [getattr(event, _FIELDS[name]).ravel() for event in events]
        offsets = np.concatenate([[0], np.cumsum([len(array) for array in arrays])]).astype(np.int32)
        columns[name] = pa.ListArray.from_arrays(offsets, pa.array(np.concatenate(arrays), kind.value_type))
    return pa.table(columns)


_FIELDS = {
    "particle_pdg": "pdg",
    "particle_status": "status",
    "particle_momentum": "momenta",
    "particle_mother": "mother",
    "particle_vertex": "vertex",
}


def _partons(events: list[_Event], solver: CoefficientSolver) -> np.ndarray:
    wanted = solver.process.parton_pdg
    record = GeneratorRecord(
        pdg=np.concatenate([event.pdg for event in events]).astype(np.int64),
        mother=np.concatenate([event.mother for event in events]).astype(np.int64),
        momenta=np.concatenate([event.momenta for event in events]),
        counts=np.array([len(event.pdg) for event in events]),
    )
    rows = record.hard_partons(wanted, solver.config.parton_copy)
    if (rows < 0).any():
        event, parton = np.argwhere(rows < 0)[0]
        raise EventFileError(
            f"{events[event].where} has no particle with PDG id {wanted[parton]}. Set import.partons to the PDG ids "
            "that every event of this sample has, or to [] for none"
        )
    momenta: np.ndarray = record.momenta[rows].reshape(len(events), -1)
    return momenta

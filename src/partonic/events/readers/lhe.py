"""Les Houches event files: parton events with named weights (hep-ph/0109068, hep-ph/0609017, arXiv:1405.1067).

A first pass adds up the weights, because their meaning (IDWTUP) involves the number of events; a second one streams the
events through `pylhe`. Weights whose text states a θ point give the coefficients; the others stay as named columns.
"""

import contextlib
import gzip
import io
import json
import math
import warnings
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from partonic.config.importing import ImportConfig
from partonic.errors import EventFileError
from partonic.events.readers.files import sample_files
from partonic.events.readers.lhe_event import PartonRow, event_columns
from partonic.events.readers.numbering import Numbering
from partonic.events.readers.source import EventSource, imported_process, kept_weights, source_metadata
from partonic.events.readers.theta_solver import CoefficientSolver
from partonic.events.schema import ProcessInfo
from partonic.events.store import NORMALISATION_ERROR
from partonic.events.weights import WeightSums, column_name, lhe_factors

__all__ = ["read_lhe"]

_PARSE_ERRORS = (ValueError, IndexError, KeyError, AttributeError, TypeError)
_READ_ERRORS = (RuntimeWarning, EOFError, zlib.error, OSError)
_END = "</LesHouchesEvents>"


@dataclass(frozen=True)
class _LheFile:
    """One file, opened.

    Attributes:
        path: the file.
        init: beams, weighting strategy and cross sections, as `pylhe` has them.
        columns, texts: column name and description of each declared weight, by identifier.
        record: what our own generator wrote into the header; None in files of others.
        events: the events, as `pylhe` has them.
    """

    path: Path
    init: Any
    columns: Mapping[str, str]
    texts: Mapping[str, str]
    record: Mapping[str, Any] | None
    events: Iterator[Any]


def read_lhe(config: ImportConfig, process: ProcessInfo, left_out: frozenset[int] = frozenset()) -> EventSource:
    """Read LHE files (plain or gzip) into the columns of the store.

    Args:
        config: the section `import`: files, partons, θ points of weights, normalisation, ...
        process: process of the analysis.
        left_out: numbers of events in the sample that are treated as if they were not in the files.

    Raises:
        EventFileError: if a file is missing, truncated or malformed, its beams differ from those of the process, or
            its weights do not give the coefficients. Faults of single events are raised while the tables are read.
    """
    info = imported_process(config, process)
    files = [Path(file) for file in sample_files(config)]
    scans = [_scan(path) for path in files]
    numbering = Numbering(files, [sum(count for count, _ in scan.values()) for scan in scans])
    sums = _all_sums(files, scans)
    with _opened(files[0]) as first:
        strategy = first.init.initInfo.weightingStrategy
        theta = config.theta or (first.record or {}).get("theta", {})
        error = _normalisation_error(first) if config.cross_section is None else 0.0
    factors, rule = lhe_factors(strategy, sums, config.normalisation, config.cross_section)
    solver = CoefficientSolver.of(config, info, first.texts, str(files[0]), numbering=numbering, theta=theta)
    names = {
        name: first.columns[name]
        for name in first.columns
        if name not in solver.names and kept_weights(config, [first.columns[name]])
    }
    count = sum(entry.count for entry in sums.values())
    facts = {
        "normalisation": rule,
        NORMALISATION_ERROR: error,
        "stated_cross_section": sum(entry.cross_section for entry in sums.values()),
        "weight_texts": {column: first.texts[name] for name, column in names.items()},
    }
    metadata = source_metadata(config, info, list(names.values()), count, facts, files=files).with_facts(theta=theta)
    return solver.source(metadata, _tables(files, solver, factors, names), count)


def _normalisation_error(file: _LheFile) -> float:
    """Return the relative error of the cross section; our own record knows how its processes are correlated."""
    own = (file.record or {}).get("cross_section")
    if isinstance(own, dict) and own.get("value"):
        return abs(float(own["error"]) / float(own["value"]))
    total = abs(sum(entry.xSection for entry in file.init.procInfo))
    return math.hypot(*(entry.error for entry in file.init.procInfo)) / total if total else 0.0


def _tables(
    files: list[Path], solver: CoefficientSolver, factors: Mapping[int, float], names: Mapping[str, str]
) -> Iterator[pa.Table]:
    rows: list[PartonRow] = []
    number = 0
    for path in files:
        with _opened(path) as file:
            _check_beams(file, solver.process)
            for index, event in enumerate(file.events):
                rows.append(_row(file, index, event, solver, names))
                if len(rows) == solver.config.batch_size:
                    yield event_columns(rows, number, solver, factors, list(names.values()))
                    number += len(rows)
                    rows = []
    if rows:
        yield event_columns(rows, number, solver, factors, list(names.values()))


def _row(file: _LheFile, index: int, event: Any, solver: CoefficientSolver, names: Mapping[str, str]) -> PartonRow:
    where = f"{file.path}: event {index} (the first is 0)"
    values = []
    for name in chain(solver.names, names):
        value = event.weights.get(name)
        if value is None:
            raise EventFileError(
                f"{where} lacks the weight '{name}'; it has {len(event.weights)} weights: "
                f"{', '.join(list(event.weights)[:10]) or 'none'}. Repair the file, or leave that weight out with "
                "`extra_weights` or `weight_points`"
            )
        if name not in solver.names and not math.isfinite(value):
            raise EventFileError(f"{where}: weight '{name}' is {value}, expected a finite number")
        values.append(value)
    row = PartonRow.of(event, where, solver.process, file.init.initInfo, own=file.record is not None)
    return row.with_weights(values[: len(solver.names)], values[len(solver.names) :])


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[_LheFile]:
    import pylhe

    with _raw(path) as raw:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", RuntimeWarning)
                content = pylhe.LesHouchesEvents.frombuffer(raw)
        except (*_PARSE_ERRORS, *_READ_ERRORS, StopIteration) as error:
            raise EventFileError(f"{path}: its header or <init> block cannot be read as LHE: {error}") from error
        events = _checked_events(path, iter(content.events))
        first = next(events, None)
        header = content.header
        columns, texts = _declared([] if header is None else header.initrwgt.entries)
        for name in [] if first is None else first.weights:
            columns.setdefault(name, column_name(name))
            texts.setdefault(name, "")
        if len(set(columns.values())) < len(columns):
            columns = {name: column_name(str(index), column) for index, (name, column) in enumerate(columns.items())}
        record = None if header is None else _own_record(header.extra_elements)
        yield _LheFile(path, content.init, columns, texts, record, chain([] if first is None else [first], events))


def _own_record(elements: list[Any]) -> Mapping[str, Any] | None:
    """Return the JSON that our own generator writes into the header, None if there is none."""
    text = next((element.text for element in elements if element.tag == "partonic"), None)
    try:
        record = None if text is None else json.loads(text)
    except ValueError:
        return None  # another program's element of the same name
    return record if isinstance(record, dict) else None


def _raw(path: Path) -> io.BufferedReader | gzip.GzipFile:
    with path.open("rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
    return gzip.GzipFile(path, "rb") if packed else path.open("rb")


def _declared(entries: list[Any]) -> tuple[dict[str, str], dict[str, str]]:
    """Return column names and texts of the declared weights, by identifier."""
    columns, texts = {}, {}
    for entry in entries:
        group = (getattr(entry, "attributes", {}).get("name") or "") if hasattr(entry, "weights") else ""
        for weight in entry.weights if hasattr(entry, "weights") else [entry]:
            columns[weight.id] = column_name(group, weight.id)
            texts[weight.id] = weight.name
    return columns, texts


def _checked_events(path: Path, events: Iterator[Any]) -> Iterator[Any]:
    """Pass the events on; what `pylhe` finds wrong with one becomes an error with its number."""
    for index in range(2**62):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", RuntimeWarning)
                event = next(events)
        except StopIteration:
            return
        except _PARSE_ERRORS as error:
            raise EventFileError(
                f"{path}: event {index} (the first is 0) is malformed: {error}. Expected the line NUP IDPRUP XWGTUP "
                "SCALUP AQEDUP AQCDUP and one line of 13 numbers for each particle"
            ) from error
        except _READ_ERRORS as error:
            raise EventFileError(f"{path}: truncated or damaged at event {index} (the first is 0): {error}") from error
        yield event


def _all_sums(files: list[Path], scans: list[dict[int, tuple[int, float]]]) -> dict[int, WeightSums]:
    """Add up the weights of all files by process; their cross sections are averaged with the numbers of events."""
    counts: dict[int, int] = {}
    totals: dict[int, float] = {}
    sections: dict[int, float] = {}
    inits = [_init(path) for path in files]
    strategies = {init.initInfo.weightingStrategy for init in inits}
    if len(strategies) > 1:
        raise EventFileError(
            f"the files {files[0]} ... have different weighting strategies IDWTUP ({sorted(strategies)}): import them "
            "as separate samples"
        )
    found = [(scan, init.procInfo) for scan, init in zip(scans, inits, strict=True)]
    all_events = sum(count for scan, _ in found for count, _ in scan.values())
    for scan, processes in found:
        share = sum(count for count, _ in scan.values()) / max(all_events, 1)
        for entry in processes:
            sections[entry.procId] = sections.get(entry.procId, 0.0) + share * entry.xSection
        for process, (count, total) in scan.items():
            counts[process] = counts.get(process, 0) + count
            totals[process] = totals.get(process, 0.0) + total
    keys = {**sections, **counts}
    return {key: WeightSums(counts.get(key, 0), totals.get(key, 0.0), sections.get(key, 0.0)) for key in keys}


def _init(path: Path) -> Any:
    with _opened(path) as file:
        return file.init


def _scan(path: Path) -> dict[int, tuple[int, float]]:
    """Return number and sum of weights by process, from the first line of every event; check that the file ends."""
    sums: dict[int, tuple[int, float]] = {}
    number, ended = 0, False
    try:
        with _raw(path) as raw, io.TextIOWrapper(raw, encoding="utf-8") as lines:
            for line in lines:
                ended = ended or _END in line
                if line.lstrip().startswith(("<event>", "<event ")):
                    fields = next(filter(str.strip, lines), "").split()
                    process, weight = int(float(fields[1])), float(fields[2])
                    if not math.isfinite(weight):
                        raise ValueError(f"its weight XWGTUP is {weight}")
                    count, total = sums.get(process, (0, 0.0))
                    sums[process] = (count + 1, total + weight)
                    number += 1
    except (ValueError, IndexError) as error:
        raise EventFileError(
            f"{path}: the first line of event {number} (the first is 0) is malformed: {error}; expected NUP IDPRUP "
            "XWGTUP SCALUP AQEDUP AQCDUP"
        ) from error
    except _READ_ERRORS as error:
        raise EventFileError(f"{path}: truncated or damaged at event {number} (the first is 0): {error}") from error
    if not ended:
        raise EventFileError(f"{path} is truncated: {_END} is missing after {number} events. Copy it again")
    return sums


def _check_beams(file: _LheFile, process: ProcessInfo) -> None:
    beams = file.init.initInfo
    energy = 2.0 * np.sqrt(beams.energyA * beams.energyB)
    if not np.isclose(energy, process.collider_energy, rtol=1e-3):
        raise EventFileError(
            f"{file.path}: its beams collide at √S = {energy:g} GeV, but the process is at "
            f"{process.collider_energy:g} GeV: set process.collider_energy to the one of the file"
        )

"""Les Houches event files: parton events with named weights (hep-ph/0109068, hep-ph/0609017, arXiv:1405.1067).

A first pass adds up the weights, because their meaning (IDWTUP) involves the number of events; a second one streams the
events. Both read through `partonic.events.text`. Weights whose text states a θ point give the coefficients; the others
stay as named columns. A file may hold several documents; each is treated as a file of its own.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from partonic.config.importing import ImportConfig
from partonic.errors import EventFileError
from partonic.events.readers.files import sample_files
from partonic.events.readers.lhe_event import PartonRow, event_columns
from partonic.events.readers.lhe_sample import LheSection, Normalisation, check_documents, normalised, scanned
from partonic.events.readers.lhe_weights import LheWeights, WeightReader, check_same_meaning, weights_of
from partonic.events.readers.notes import Notes
from partonic.events.readers.numbering import Numbering
from partonic.events.readers.source import EventSource, imported_process, source_metadata
from partonic.events.readers.theta_solver import CoefficientSolver
from partonic.events.schema import ProcessInfo
from partonic.events.store import NORMALISATION_ERROR
from partonic.events.text.lhe_text import LheText

__all__ = ["read_lhe"]


def read_lhe(config: ImportConfig, process: ProcessInfo, left_out: frozenset[int] = frozenset()) -> EventSource:
    """Read LHE files (plain or compressed) into the columns of the store.

    Args:
        config: the section `import`: files, partons, θ points of weights, normalisation, ...
        process: process of the analysis.
        left_out: numbers of events in the sample that are treated as if they were not in the files.

    Raises:
        EventFileError: if a file is missing, truncated or malformed, its beams differ from those of the process, the
            files do not belong together, or their weights do not give the coefficients. Faults of single events are
            raised while the tables are read.
    """
    info, notes = imported_process(config, process), Notes()
    files = [Path(file) for file in sample_files(config)]
    documents, counts = _scanned(files, left_out)
    sections = [section for sections in documents for section in sections]
    numbering = Numbering(files, counts)
    check_documents(sections, info, notes)
    normalisation = normalised(sections, config, notes)
    full = [section for section in sections if section.count]
    theta = _generation(full, config)
    weights = _weights(full, config, info, notes)
    solver = CoefficientSolver.of(
        config, info, weights[0].texts, full[0].where, numbering=numbering, notes=notes, theta=theta
    )
    check_same_meaning(full, weights, config, solver.names)
    columns = weights[0].kept(config, solver.names)
    count = sum(section.kept for section in full)
    facts = {
        "normalisation": normalisation.rule,
        NORMALISATION_ERROR: normalisation.error,
        "stated_cross_section": normalisation.stated if np.isfinite(normalisation.stated) else None,
        "nominal_weight": "XWGTUP",
        "weight_texts": {column: weights[0].texts[name] for name, column in columns.items()},
    }
    metadata = source_metadata(config, info, list(columns.values()), count, facts, files=files).with_facts(theta=theta)
    reader = _Reader(files, documents, numbering, solver, normalisation, columns, left_out)
    return solver.source(metadata, reader.tables(), count)


def _scanned(files: Sequence[Path], left_out: frozenset[int]) -> tuple[list[list[LheSection]], list[int]]:
    """Return the documents and the number of events of each file."""
    documents: list[list[LheSection]] = []
    counts: list[int] = []
    for path in files:
        documents.append(scanned(path, sum(counts), left_out))
        counts.append(sum(section.count for section in documents[-1]))
    return documents, counts


def _generation(sections: Sequence[LheSection], config: ImportConfig) -> Mapping[str, float]:
    """Return θ of the generation: of the user, or what our own generator wrote; nothing else is known of other files.

    Raises:
        EventFileError: if documents were generated at different θ, or at another one than the user says.
    """
    stated = [section.header.theta for section in sections]
    for section, theta in zip(sections, stated, strict=True):
        if theta != stated[0]:
            raise EventFileError(
                f"{sections[0].where} was generated at θ = {stated[0]}, {section.where} at {theta}: import them as "
                "separate samples"
            )
    named = {**stated[0], **config.theta}
    if stated[0] and config.theta and any(config.theta.get(name, 0.0) != stated[0].get(name, 0.0) for name in named):
        raise EventFileError(
            f"{sections[0].where} was generated at θ = {stated[0]}, as its header says, but import.theta is "
            f"{config.theta}: leave import.theta out"
        )
    return config.theta or stated[0]


def _weights(
    sections: Sequence[LheSection], config: ImportConfig, process: ProcessInfo, notes: Notes
) -> list[LheWeights]:
    """Return the weights of each document; none where none is wanted, so that nothing is wrong with them either."""
    if not config.extra_weights and (config.theta_independent or not process.monomials.parameters):
        return [LheWeights({}, {}) for _ in sections]
    return [weights_of(section, notes) for section in sections]


@dataclass(frozen=True)
class _Reader:
    """Makes tables of the events of a sample that is understood."""

    files: Sequence[Path]
    documents: Sequence[Sequence[LheSection]]
    numbering: Numbering
    solver: CoefficientSolver
    normalisation: Normalisation
    columns: Mapping[str, str]
    left_out: frozenset[int]

    def tables(self) -> Iterator[pa.Table]:
        """Read the files one after another."""
        rows: list[PartonRow] = []
        for row in self._rows():
            rows.append(row)
            if len(rows) == self.solver.config.batch_size:
                yield self._table(rows)
                rows = []
        if rows:
            yield self._table(rows)

    def _table(self, rows: Sequence[PartonRow]) -> pa.Table:
        return event_columns(rows, self.solver, self.normalisation.factors, list(self.columns.values()))

    def _rows(self) -> Iterator[PartonRow]:
        before = 0
        for index, (path, sections) in enumerate(zip(self.files, self.documents, strict=True)):
            text = LheText(path)
            readers = [WeightReader(tuple(section.header.weights) if self._named else ()) for section in sections]
            for number, event in enumerate(text.events(), start=self.numbering.first(index)):
                if number not in self.left_out:
                    place = len(text.documents) - 1
                    yield self._row(event, number, sections[place], readers[place], before + place)
            before += len(sections)

    @property
    def _named(self) -> bool:
        return bool(self.solver.names or self.columns)

    def _row(self, text: bytes, number: int, section: LheSection, reader: WeightReader, document: int) -> PartonRow:
        where = self.numbering.where(number)
        theta = self.solver.names
        try:
            row = PartonRow.of(text, where, self.solver.process, section.header)
            values = reader.values(text, [*theta, *self.columns], where)
        except ValueError as error:
            raise EventFileError(f"{where} is malformed: {error}") from error
        extra = values[len(theta) :]
        for name, value in zip(self.columns, extra, strict=True):
            if not np.isfinite(value):
                raise EventFileError(f"{where}: weight '{name}' is {value}, expected a finite number")
        return row.with_weights(number, self.normalisation.units[document], values[: len(theta)], extra)

"""Features of events of which some are coefficients that another estimator gave the same events.

Files of coefficients are found by the digest of the store that they are of. An event that its file does not have (an
estimator may have worked on a part of the events only) has no such features at all, and is left out; one for which the
estimator failed has them as missing, which the networks are told by a flag.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from partonic.errors import ConfigError, EventFileError
from partonic.events.batch import EventBatch
from partonic.events.store import EventStore
from partonic.features.named import NamedFeatures
from partonic.inference.coefficients.coefficients_file import read_coefficients, read_metadata
from partonic.inference.coefficients.event_coefficients import EventCoefficients
from partonic.polynomial import Monomials
from partonic.provenance import file_digest
from partonic.sbi.stacking.names import CoefficientName, expanded_names, is_coefficient, sources_of

__all__ = ["CoefficientFiles", "EventFeatures"]

Array = NDArray[np.float64]

CoefficientFiles = Mapping[str, Sequence[Path]]
"""Files of coefficients by the name that stands before the colon in features."""


@dataclass(frozen=True, eq=False)
class _Known:
    """Coefficients by event.

    Attributes:
        coefficients: in the order of their file.
        order: their places in ascending order of the numbers of the events.
        ascending: these numbers.
    """

    coefficients: EventCoefficients
    order: NDArray[np.int64]
    ascending: NDArray[np.int64]

    @classmethod
    def of(cls, coefficients: EventCoefficients) -> "_Known":
        order = np.argsort(coefficients.event_id, kind="stable").astype(np.int64)
        ascending = coefficients.event_id[order]
        if (np.diff(ascending) == 0).any():
            message = "a file of coefficients has an event twice: make it anew"
            raise EventFileError(message)
        return cls(coefficients, order, ascending)

    def rows(self, event_id: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the row of each event, −1 where it is not there."""
        if not len(self.ascending):
            return np.full(len(event_id), -1, dtype=np.int64)
        place = np.minimum(np.searchsorted(self.ascending, event_id), len(self.ascending) - 1)
        found: NDArray[np.int64] = np.where(self.ascending[place] == event_id, self.order[place], -1)
        return found

    def column(self, name: CoefficientName) -> Array:
        """Return one number of all events."""
        names = self.coefficients.monomials.names
        if name.monomial not in names:
            raise ConfigError(
                f"the coefficients of '{name.source}' have no monomial '{name.monomial}'; there are: {', '.join(names)}"
            )
        place = names.index(name.monomial)
        if name.kind == "R":
            return self.coefficients.ratios[:, place]
        errors: Array = np.sqrt(np.maximum(self.coefficients.covariance[:, place, place], 0.0))
        return errors


class EventFeatures:
    """Features of the events of one store, plain ones and coefficients.

    Attributes:
        metadata: of the store.
        names: of the F features, all written out.
        columns: columns of the store that they are made from, beside ``event_id``.
        digests: of the files of coefficients that were read, by name.
    """

    def __init__(self, names: Sequence[str], store: EventStore, files: CoefficientFiles | None = None) -> None:
        """Find out how each feature is made, and read the coefficients of the events.

        Args:
            names: as in the analysis file, or written out.
            store: the events.
            files: of coefficients, of any stores; those of this store are read.

        Raises:
            ConfigError: if a name is not known, is given twice, or no file of its coefficients is named.
            EventFileError: if no file is of this store, or one is missing or damaged.
        """
        self.metadata = store.metadata
        sources = sources_of(names)
        found = {source: _file_of(source, store, (files or {}).get(source, ())) for source in sources}
        monomials: dict[str, Monomials] = {source: read_metadata(path).monomials for source, path in found.items()}
        self._known = {source: _Known.of(read_coefficients(path)[0]) for source, path in found.items()}
        self.digests = {source: file_digest(path) for source, path in found.items()}
        plain = [name for name in names if not is_coefficient(name)]
        self._plain = NamedFeatures(plain, store.metadata) if plain else None
        self._columns: dict[str, Array] = {}
        written: list[str] = []
        for name in expanded_names(names, monomials):
            if is_coefficient(name):
                self._columns[name] = self._known[name.partition(":")[0]].column(CoefficientName.parse(name))
                written.append(name)
            else:
                written += NamedFeatures([name], store.metadata).names
        if repeated := sorted({name for name in written if written.count(name) > 1}):
            raise ConfigError(f"features are listed twice: {', '.join(repeated)}")
        self.names = tuple(written)
        self.columns = () if self._plain is None else self._plain.columns

    def of(self, batch: EventBatch) -> Array:
        """Return the features of N events, `(N, F)`, NaN where an event does not have one."""
        values = np.full((len(batch), len(self.names)), np.nan)
        if self._plain is not None:
            plain = self._plain.of(batch)
            for number, name in enumerate(self._plain.names):
                values[:, self.names.index(name)] = plain[:, number]
        for name, column in self._columns.items():
            rows = self._known[name.partition(":")[0]].rows(_numbers(batch))
            values[:, self.names.index(name)] = np.where(rows >= 0, column[rows], np.nan) if len(column) else np.nan
        return values

    def has(self, batch: EventBatch) -> NDArray[np.bool_]:
        """Return which events are in all files of coefficients, `(N,)`."""
        found = np.ones(len(batch), dtype=np.bool_)
        for known in self._known.values():
            found &= known.rows(_numbers(batch)) >= 0
        return found


def _numbers(batch: EventBatch) -> NDArray[np.int64]:
    numbers: NDArray[np.int64] = batch.column("event_id").astype(np.int64)
    return numbers


def _file_of(source: str, store: EventStore, paths: Sequence[Path]) -> Path:
    """Return the file of the events of a store."""
    if not paths:
        raise ConfigError(
            f"the features `{source}:…` are coefficients, but no file of them is named: give `sbi.coefficients."
            f"{source}`, or let a step `{source}` of the analysis make them"
        )
    digest = file_digest(store.path)
    for path in paths:
        if read_metadata(path).store_digest == digest:
            return path
    raise EventFileError(
        f"none of the files of coefficients {', '.join(map(str, paths))} is of the events of {store.path}: make the "
        f"coefficients '{source}' of these events, or name their file in `sbi.coefficients.{source}`"
    )

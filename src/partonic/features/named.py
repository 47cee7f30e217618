"""Features of events by name: what an analysis file lists for networks that take plain numbers.

A name is one of

- ``high_level``: all of `partonic.features.high_level.FEATURES`, or one of them;
- ``met_px``, ``met_py``: components of the missing transverse momentum in GeV;
- a column of the event store with one number an event, e.g. ``met_pt``;
- a place in a column of lists, e.g. ``jet_pt[0]`` or ``partons[3]`` (from 0);
- an observable of photons or several leptons, e.g. ``transverse_mass_wz``
  (`partonic.features.object_observables`, `partonic.features.trilepton`);
- ``s_hat``, ``t_hat``, ``u_hat`` of the partons (`partonic.features.mandelstam`);
- an observable of the partons that the process defines, e.g. ``mass_WZ``;
- the logarithm of one of these, e.g. ``log(s_hat)``, where it is positive.

What an event does not have is NaN.
"""

import re
from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray

from partonic.errors import ConfigError
from partonic.events.batch import RECO_COLUMNS, EventBatch
from partonic.events.schema import StoreMetadata
from partonic.features.high_level import FEATURES, high_level_features
from partonic.features.mandelstam import MANDELSTAM, MANDELSTAM_COLUMNS, mandelstam
from partonic.features.object_observables import OBJECT_OBSERVABLES, Evaluated
from partonic.features.objects import BatchObjects
from partonic.features.trilepton import TRILEPTON
from partonic.process_registry import find_process, process_names
from partonic.processes.definition import PartonObservable

__all__ = ["HIGH_LEVEL", "OF_OBJECTS", "NamedFeatures"]

Array = NDArray[np.float64]
Reader = Callable[[EventBatch], Array]

HIGH_LEVEL = "high_level"
"""Stands for all high-level features."""

OF_OBJECTS = {**OBJECT_OBSERVABLES, **TRILEPTON}
"""Observables of photons and several leptons by name."""

_ELEMENT = re.compile(r"^(\w+)\[(\d+)\]$")
_LOGARITHM = re.compile(r"^log\((.+)\)$")
_HIDDEN_GROUPS = ("event", "identity", "selection")
"""Groups of columns that are no features: numbers, weights, and what was decided with them."""


class NamedFeatures:
    """Features of the events of a store.

    Attributes:
        names: of the F features, with ``high_level`` written out.
        columns: columns of the store that they are made from.
        metadata: of the store.
    """

    def __init__(self, names: Sequence[str], metadata: StoreMetadata) -> None:
        """Find out how each feature is made.

        Args:
            names: as in the analysis file.
            metadata: of the store.

        Raises:
            ConfigError: if a name is not known for such events, or is given twice.
        """
        expanded = [each for name in names for each in (FEATURES if name == HIGH_LEVEL else (name,))]
        if repeated := sorted({name for name in expanded if expanded.count(name) > 1}):
            raise ConfigError(f"features are listed twice: {', '.join(repeated)}")
        if not expanded:
            message = "expected one feature at least, e.g. `features: [high_level]`"
            raise ConfigError(message)
        self.names = tuple(expanded)
        self.metadata = metadata
        found = [self._reader(name) for name in self.names]
        self._readers = [reader for reader, _ in found]
        self.columns = tuple(dict.fromkeys(column for _, columns in found for column in columns))

    def of(self, batch: EventBatch) -> Array:
        """Return the features of N events with `columns`, `(N, F)`, NaN where an event does not have one."""
        if not len(batch):
            return np.zeros((0, len(self.names)))
        plain = high_level_features(batch.reco()) if set(self.names) & set(FEATURES) else None
        columns = []
        for name, reader in zip(self.names, self._readers, strict=True):
            ready = plain is not None and name in FEATURES
            columns.append(plain[:, FEATURES.index(name)] if ready and plain is not None else reader(batch))
        return np.stack(columns, axis=1).astype(np.float64)

    def _reader(self, name: str) -> tuple[Reader, tuple[str, ...]]:
        """Return what makes a feature, and the columns that it needs."""
        if inner := _LOGARITHM.match(name):
            reader, needed = self._reader(inner[1])
            plain = inner[1] in FEATURES
            return (lambda batch: _log(_high_level(batch, inner[1]) if plain else reader(batch))), needed
        if name in FEATURES:
            return _never, RECO_COLUMNS
        if name in ("met_px", "met_py"):
            return (_met_x if name == "met_px" else _met_y), ("met_pt", "met_phi")
        columns = {each.name: each.type for each in self.metadata.event_schema.columns if self._is_feature(each.group)}
        if name in columns and not _is_list(columns[name]):
            return (lambda batch: _scalar(batch, name)), (name,)
        if (place := _ELEMENT.match(name)) and place[1] in columns and _is_list(columns[place[1]]):
            return (lambda batch: _element(batch, str(place[1]), int(place[2]))), (str(place[1]),)
        if name in OF_OBJECTS:
            optional = tuple(each for each in BatchObjects.optional if each in columns)
            return _of_objects(OF_OBJECTS[name]), (*BatchObjects.columns, *optional)
        if name in MANDELSTAM and len(self.metadata.parton_names) == 2:
            return (lambda batch: mandelstam(batch, name)), MANDELSTAM_COLUMNS
        return self._parton_observable(name, columns)

    @staticmethod
    def _is_feature(group: str) -> bool:
        return group not in _HIDDEN_GROUPS

    def _parton_observable(self, name: str, columns: dict[str, pa.DataType]) -> tuple[Reader, tuple[str, ...]]:
        facts = self.metadata
        known: tuple[PartonObservable, ...] = ()
        if facts.process in process_names():
            known = find_process(facts.process).observables(facts.parton_names)
        for observable in known:
            if observable.name == name:
                needed = ("partons", "x1", "x2", *(("parton_pdg",) if len(facts.final_states) > 1 else ()))
                return _of_partons(observable), needed
        lists = sorted(f"{each}[0]" for each, kind in columns.items() if _is_list(kind))
        plain = sorted(each for each, kind in columns.items() if not _is_list(kind))
        raise ConfigError(
            f"there is no feature '{name}' of '{facts.process}' events; known: {HIGH_LEVEL} ({', '.join(FEATURES)}), "
            f"met_px, met_py, columns ({', '.join(plain)}), places in lists ({', '.join(lists)}), observables of "
            f"objects ({', '.join(OF_OBJECTS)}), {', '.join(MANDELSTAM)} of two partons, and observables of "
            f"the partons ({', '.join(each.name for each in known) or 'none for this process'})"
        )


def _high_level(batch: EventBatch, name: str) -> Array:
    values: Array = high_level_features(batch.reco())[:, FEATURES.index(name)]
    return values


def _log(values: Array) -> Array:
    found: Array = np.log(np.where(values > 0, values, np.nan))
    return found


def _of_partons(observable: PartonObservable) -> Reader:
    def read(batch: EventBatch) -> Array:
        values: Array = observable.of(batch.partons().momenta, _pdg_ids(batch)).double().numpy()
        return values

    return read


def _of_objects(observable: Evaluated) -> Reader:
    def read(batch: EventBatch) -> Array:
        known = batch.valid("jet_pt")
        found, exists = observable(BatchObjects(batch))
        values = np.full(len(batch), np.nan)
        values[known] = np.where(exists, found, np.nan)
        return values

    return read


def _never(batch: EventBatch) -> Array:
    """Stand for high-level features, which are made all at once."""
    return np.full(len(batch), np.nan)


def _met_x(batch: EventBatch) -> Array:
    return _scalar(batch, "met_pt") * np.cos(_scalar(batch, "met_phi"))


def _met_y(batch: EventBatch) -> Array:
    return _scalar(batch, "met_pt") * np.sin(_scalar(batch, "met_phi"))


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind))


def _scalar(batch: EventBatch, name: str) -> Array:
    """Return a column of one number an event, NaN where it is null, `(N,)`."""
    values: Array = batch.table.column(name).cast(pa.float64()).to_numpy(zero_copy_only=False).astype(np.float64)
    return values


def _element(batch: EventBatch, name: str, place: int) -> Array:
    """Return one place of a column of lists, NaN where the list is shorter, `(N,)`."""
    column = batch.table.column(name)
    if pa.types.is_fixed_size_list(column.type):
        whole = np.asarray(batch.column(name), dtype=np.float64)
        return whole[:, place] if place < whole.shape[1] else np.full(len(batch), np.nan)
    values, mask = batch.padded(name, place + 1)
    found: Array = np.where(mask[:, place], values[:, place].astype(np.float64), np.nan)
    return found


def _pdg_ids(batch: EventBatch) -> torch.Tensor:
    """Return the PDG ids of the partons of each event, `(N, n)`."""
    if "parton_pdg" in batch.table.column_names:
        return torch.from_numpy(np.asarray(batch.column("parton_pdg"), dtype=np.int64))
    return torch.tensor(batch.metadata.parton_pdg).expand(len(batch), -1)

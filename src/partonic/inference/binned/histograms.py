"""Histograms of observables that the settings name: their values for the events of a store, and their templates."""

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray

from partonic.config.inference import HistogramConfig
from partonic.errors import EventFileError, InferenceError
from partonic.events.batch import RECO_COLUMNS, EventBatch
from partonic.events.store import EventStore
from partonic.features.high_level import FEATURES, high_level_features
from partonic.features.object_observables import OBJECT_OBSERVABLES
from partonic.features.objects import BatchObjects
from partonic.inference.binned.binning import Binning
from partonic.inference.binned.templates import Templates
from partonic.polynomial import Monomials
from partonic.process_registry import find_process, process_names

__all__ = ["filled_histograms", "object_observable_names", "observables_of_store"]

Array = NDArray[np.float64]
Values = Callable[[EventBatch], Array]


def filled_histograms(
    sections: Mapping[str, HistogramConfig],
    store: EventStore,
    event_id: NDArray[np.int64],
    monomials: Monomials,
    weights: Array,
) -> dict[str, Templates]:
    """Return the templates of histograms by name.

    Args:
        sections: what is binned, by name.
        store: the simulated events.
        event_id: numbers of N accepted events of it.
        monomials: of θ.
        weights: their coefficients c_a, in sum the fiducial cross section, pb, `(N, A)`.

    Raises:
        InferenceError: if the events do not have an observable.
        EventFileError: if the store lacks one of the events.
    """
    found = {}
    for name, section in sections.items():
        values = observables_of_store(store, event_id, tuple(section.edges), section.of, f"inference.binned.{name}")
        outer, *inner = section.edges.values()
        unusable = not np.isfinite(values).all()
        binning = Binning(tuple(section.edges), outer, tuple(inner) * (len(outer) + 1), unusable)
        found[name] = Templates.fill(binning, monomials, values, weights)
    return found


def object_observable_names() -> tuple[str, ...]:
    """Return the names of all observables of reconstructed events, those of photons among them."""
    return (*OBJECT_OBSERVABLES, *FEATURES)


def observables_of_store(
    store: EventStore, event_id: NDArray[np.int64], names: tuple[str, ...], of: str, key: str = "observables"
) -> Array:
    """Return observables of events in the order in which they are asked for, `(N, D)`; NaN where an event has none.

    Args:
        store: the simulated events.
        event_id: numbers of N accepted events of it.
        names: of the D observables.
        of: ``"objects"`` or ``"partons"``.
        key: of the settings that asks for them, for messages.

    Raises:
        InferenceError: if the events do not have an observable.
        EventFileError: if the store lacks one of the events.
    """
    known = _of_objects(store) if of == "objects" else _of_partons(store)
    for name in names:
        if name not in known:
            there = ", ".join(known) or "none"
            raise InferenceError(
                f"`{key}`: {store.path} has no observable '{name}' of its {of}; it has: {there}. Name one of these, or "
                f"set `of: {'partons' if of == 'objects' else 'objects'}`"
            )
    columns = _columns(store, of)
    numbers, values = [np.zeros(0, dtype=np.int64)], [np.zeros((0, len(names)))]
    for batch in store.batches(columns, accepted_only=True):
        numbers.append(batch.column("event_id").astype(np.int64))
        values.append(np.column_stack([known[name](batch) for name in names]))
    found = _in_order(np.concatenate(numbers), np.concatenate(values), event_id, store)
    for name, column in zip(names, found.T, strict=True):
        if len(column) and not np.isfinite(column).any():
            raise InferenceError(
                f"`{key}`: none of {len(column)} events of {store.path} has the observable '{name}': expected events "
                "with the objects that it is made of. Leave it out, or select such events"
            )
    return found


def _of_objects(store: EventStore) -> dict[str, Values]:
    """Return the observables of reconstructed events; none where the store has no reconstructed objects."""
    if "jet_pt" not in _known(store):
        return {}

    def of(name: str) -> Values:
        def evaluate(batch: EventBatch) -> Array:
            result = np.full(len(batch), np.nan)
            has_objects = batch.valid("jet_pt")
            values, defined = OBJECT_OBSERVABLES[name](BatchObjects(batch))
            result[has_objects] = np.where(defined, values, np.nan)
            return result

        return evaluate

    photons = store.metadata.photons
    own = {name: of(name) for name in OBJECT_OBSERVABLES if photons or "photon" not in name}
    return {**own, **{name: partial(_high_level, name) for name in FEATURES}}


def _high_level(name: str, batch: EventBatch) -> Array:
    """Return a high-level feature of events, NaN where they have no reconstructed objects, `(N,)`."""
    values: Array = high_level_features(batch.reco())[:, FEATURES.index(name)]
    return np.where(batch.valid("jet_pt"), values, np.nan)


def _of_partons(store: EventStore) -> dict[str, Values]:
    """Return the observables that the process of the events has of its partons."""
    metadata = store.metadata
    if metadata.process not in process_names() or "partons" not in _known(store):
        return {}
    own = find_process(metadata.process).observables(metadata.parton_names)
    size = len(metadata.parton_pdg)

    def evaluate(function: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]) -> Values:
        def of(batch: EventBatch) -> Array:
            partons = np.array(batch.column("partons"), dtype=np.float64).reshape(len(batch), size, 4)
            pdg = torch.tensor(metadata.parton_pdg).expand(len(batch), -1)
            values: Array = function(torch.from_numpy(partons), pdg).numpy()
            return values

        return of

    return {each.name: evaluate(each.of) for each in own}


def _known(store: EventStore) -> set[str]:
    return {column.name for column in store.metadata.event_schema.columns}


def _columns(store: EventStore, of: str) -> list[str]:
    objects = (*BatchObjects.columns, *BatchObjects.optional, *RECO_COLUMNS)
    known = _known(store)
    wanted = [name for name in dict.fromkeys(objects if of == "objects" else ("partons",)) if name in known]
    return list(dict.fromkeys(("event_id", "weight", *wanted)))


def _in_order(known: NDArray[np.int64], values: Array, event_id: NDArray[np.int64], store: EventStore) -> Array:
    order = np.argsort(known, kind="stable")
    place = np.searchsorted(known[order], event_id).clip(max=max(len(known) - 1, 0))
    if len(event_id) and (not len(known) or not np.array_equal(known[order][place], event_id)):
        raise EventFileError(
            f"{store.path} does not have all events that the coefficients are of among its selected ones: give the "
            "store that they were made from"
        )
    return values[order[place]] if len(event_id) else np.zeros((0, values.shape[1]))

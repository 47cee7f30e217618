"""Regions of events by observables of their objects."""

from pathlib import Path

import numpy as np
import pytest
from tests.report.limit_files import toy_store

from partonic.config.inference import TemplateRegionConfig
from partonic.errors import InferenceError
from partonic.events.store import EventStore
from partonic.inference.binned.histograms import observables_of_store
from partonic.inference.optimised_template.regions import region_of_events


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> EventStore:
    return EventStore.open(toy_store(tmp_path_factory.mktemp("events"), 400))


@pytest.fixture(scope="module")
def ids(store: EventStore) -> np.ndarray:
    return store.read(["event_id"], accepted_only=True).column("event_id").astype(np.int64)


def region(low: float | None, high: float | None) -> TemplateRegionConfig:
    return TemplateRegionConfig(where={"missing_pt": (low, high)})


def test_ranges_are_half_open(store: EventStore, ids: np.ndarray) -> None:
    values = observables_of_store(store, ids, ("missing_pt",), "objects")[:, 0]
    edge = float(np.sort(values)[len(values) // 2])
    found = region_of_events({"low": region(None, edge), "high": region(edge, None)}, store, ids)
    np.testing.assert_array_equal(found, (values >= edge).astype(int))
    inner = region_of_events({"only": region(edge, edge + 20.0)}, store, ids)
    np.testing.assert_array_equal(inner, np.where((values >= edge) & (values < edge + 20.0), 0, -1))
    assert set(inner) == {-1, 0}


def test_without_regions_all_events_are_in_one(store: EventStore, ids: np.ndarray) -> None:
    assert not region_of_events({}, store, ids).any()


def test_no_event_is_in_two(store: EventStore, ids: np.ndarray) -> None:
    with pytest.raises(InferenceError, match=r"is in the regions 'low' and 'all' of `inference.template`"):
        region_of_events({"low": region(None, 50.0), "all": region(0.0, None)}, store, ids)


def test_unknown_observable(store: EventStore, ids: np.ndarray, tmp_path: Path) -> None:
    section = TemplateRegionConfig(where={"mass": (0.0, 1.0)})
    with pytest.raises(InferenceError, match=r"`inference\.template\.regions`: .* has no observable 'mass'"):
        region_of_events({"x": section}, store, ids)

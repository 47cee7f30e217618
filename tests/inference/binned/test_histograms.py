"""Histograms that the settings name, on events of a store."""

from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError
from tests.inference.line_toy import grid
from tests.inference.line_toy import write_store as line_store
from tests.inference.test_samples import CONFIG
from tests.report.limit_files import estimated, toy_store, write

from partonic.config.inference import HistogramConfig, InferenceConfig
from partonic.errors import EventFileError, InferenceError
from partonic.events.batch import RECO_COLUMNS
from partonic.events.store import EventStore
from partonic.features.high_level import FEATURES, high_level_features
from partonic.inference.binned.histograms import filled_histograms, observables_of_store
from partonic.inference.experiments.other_methods import compared
from partonic.inference.samples import Files, load
from partonic.process_registry import find_process


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> EventStore:
    return EventStore.open(toy_store(tmp_path_factory.mktemp("events"), 400))


@pytest.fixture(scope="module")
def ids(store: EventStore) -> np.ndarray:
    return store.read(["event_id"], accepted_only=True).column("event_id").astype(np.int64)


def test_values_are_in_the_order_that_is_asked_for(store: EventStore, ids: np.ndarray) -> None:
    name = find_process("tth").observables(store.metadata.parton_names)[0].name
    backwards = observables_of_store(store, ids[::-1], (name,), "partons")
    np.testing.assert_array_equal(backwards[::-1], observables_of_store(store, ids, (name,), "partons"))
    assert np.ptp(backwards) > 0


def test_high_level_features_are_observables_of_the_objects(store: EventStore, ids: np.ndarray) -> None:
    values = observables_of_store(store, ids, ("sum_pt", "higgs_pair_pt"), "objects")
    whole = high_level_features(store.read(RECO_COLUMNS, accepted_only=True).reco())
    for column, name in enumerate(("sum_pt", "higgs_pair_pt")):
        np.testing.assert_array_equal(values[:, column], whole[:, FEATURES.index(name)])
    assert np.nanmin(values) > 0.0


def test_what_the_events_do_not_have(store: EventStore, ids: np.ndarray, tmp_path: Path) -> None:
    section = {"x": HistogramConfig(edges={"pt_Z": (50.0,)}, of="partons")}
    with pytest.raises(InferenceError, match=r"`inference\.binned\.x`: .* has no observable 'pt_Z' of its partons"):
        filled_histograms(section, store, ids, store.metadata.monomials, np.zeros((len(ids), 6)))
    with pytest.raises(InferenceError, match="no observable 'photon1_pt' of its objects; it has: dilepton_mass"):
        observables_of_store(store, ids, ("photon1_pt",), "objects")
    line = line_store(tmp_path / "line.parquet", grid(9))
    with pytest.raises(InferenceError, match=r"of its partons; it has: none\. Name one of these, or set `of: objects`"):
        observables_of_store(line, ids, ("x",), "partons")
    with pytest.raises(InferenceError, match="has the observable 'dilepton_mass': expected events with the objects"):
        observables_of_store(store, ids, ("dilepton_mass",), "objects")  # they have one lepton
    with pytest.raises(EventFileError, match="does not have all events"):
        observables_of_store(store, np.array([10_000_000]), ("dilepton_mass",), "objects")


def test_two_observables_are_binned_one_in_the_other(store: EventStore, ids: np.ndarray) -> None:
    names = [each.name for each in find_process("tth").observables(store.metadata.parton_names)][:2]
    values = observables_of_store(store, ids, tuple(names), "partons")
    middle = np.median(values, axis=0)
    section = HistogramConfig(edges={name: (float(at),) for name, at in zip(names, middle, strict=True)}, of="partons")
    weights = store.read(["coefficients"], accepted_only=True).coefficients
    filled = filled_histograms({"both": section}, store, ids, store.metadata.monomials, weights)["both"]
    assert filled.signal.shape == (4, 6)
    np.testing.assert_allclose(filled.signal.sum(axis=0), weights.sum(axis=0))
    first = (values < middle).all(axis=1)
    np.testing.assert_allclose(filled.signal[0], weights[first].sum(axis=0))


def test_they_are_compared_with_the_likelihood(store: EventStore, ids: np.ndarray, tmp_path: Path) -> None:
    """Parton truth has more information than any histogram, and the rate less."""
    path = write(tmp_path / "tth.parquet", estimated(store), store)
    name = find_process("tth").observables(store.metadata.parton_names)[0].name
    edges = np.quantile(observables_of_store(store, ids, (name,), "partons"), (0.25, 0.5, 0.75))
    section = {"some": HistogramConfig(edges={name: tuple(edges.tolist())}, of="partons")}
    config = InferenceConfig(luminosity=10.0, compare=True, binned=section)
    found = compared(load(Files(store.path, path), config, 3), config)["comparison"]
    truth, some, rate = (
        np.array(found["information"]["methods"][name]) for name in ("parton truth", "histogram some", "rate only")
    )
    assert found["information"]["parameters"] == ["kappa_tilde_t", "c_tG"]
    for more, less in ((truth, some), (some, rate)):
        assert np.linalg.eigvalsh(more - less).min() > -1e-9 * truth.max()
    assert truth[1, 1] > some[1, 1] > rate[1, 1] > 0
    assert found["methods"]["histogram some"]["c_tG"] is not None


def test_settings_are_checked() -> None:
    with pytest.raises(ValidationError, match="set `compare: true`"):
        InferenceConfig(binned={"x": HistogramConfig(edges={"pt_Z": (1.0,)})})
    with pytest.raises(ValidationError, match="must ascend"):
        HistogramConfig(edges={"pt_Z": (2.0, 1.0)})
    with pytest.raises(ValidationError, match="at most 2"):
        HistogramConfig(edges=dict.fromkeys("abc", (1.0,)))
    assert "binned" not in CONFIG.physics()  # results from before there was this setting stay valid

"""What is read for the sections on the way to limits, and what is computed from it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.report.limit_files import LUMINOSITY, constant, estimated, inferred, toy_store, with_background, write

from partonic.config.report import ReportConfig
from partonic.errors import EventFileError
from partonic.events.store import EventStore, EventWriter
from partonic.inference.coefficients.truth import truth_coefficients
from partonic.inference.record import read_result
from partonic.report import build_report
from partonic.report.fitted import fitted_events
from partonic.report.limits import LimitFiles, read_limits
from partonic.report.predicted import predicted_by_coefficients, predicted_by_inference


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> EventStore:
    return EventStore.open(toy_store(tmp_path_factory.mktemp("store")))


def test_true_weights_are_those_of_the_same_events(store: EventStore, tmp_path: Path) -> None:
    some = estimated(store).select(np.arange(len(estimated(store))) % 3 == 1)
    files = LimitFiles({"tth": write(tmp_path / "tth.parquet", some, store)})
    (events,) = read_limits(files, store).integrated
    batch = store.read(["event_id", "coefficients"])
    np.testing.assert_array_equal(events.weights, batch.coefficients[some.event_id])
    assert list(files.paths()) == [tmp_path / "tth.parquet"]
    assert len(list(LimitFiles({"a": Path("a")}, Path("s"), Path("r/result.json"), Path("d")).paths())) == 5


def test_weights_without_theta_are_no_truth(store: EventStore, imported_store: Path, tmp_path: Path) -> None:
    data = EventStore.open(imported_store)
    path = write(tmp_path / "tth.parquet", truth_coefficients(data))
    (events,) = read_limits(LimitFiles({"tth": path}), data).integrated
    assert events.weights is None
    assert predicted_by_coefficients(events) is None
    path = write(tmp_path / "ttbb.parquet", constant(estimated(store)))
    assert read_limits(LimitFiles({"ttbb": path}), store).integrated[0].weights is None


def test_events_of_another_store_are_refused(store: EventStore, tmp_path: Path) -> None:
    events = estimated(store)
    path = write(tmp_path / "tth.parquet", replace(events, event_id=events.event_id + 1))
    with pytest.raises(EventFileError, match="does not have all events that the coefficients are of"):
        read_limits(LimitFiles({"tth": path}), store)


def test_pseudo_data_are_those_that_were_fitted(store: EventStore, tmp_path: Path) -> None:
    path = write(tmp_path / "tth.parquet", estimated(store, lost=[3, 4]), store)
    record = read_result(inferred(tmp_path / "infer", store.path, path, parameters=("kappa_tilde_t",)))
    events = predicted_by_inference(fitted_events(record))
    data = record.result["data"]
    assert events.data_name == "pseudo-data"
    assert events.counts.sum() + data["without_coefficients"] == data["events"]
    assert sum(map(len, events.data)) == len(events.counts)
    sigma = store.read(["coefficients"], selected_only=True).coefficients
    expected = 1000 * LUMINOSITY * sigma[:, 0]
    lost = expected[[3, 4]].sum()
    assert events.weights[:, 0].sum() == pytest.approx(expected.sum() - lost, rel=1e-9)
    assert events.scale("kappa_tilde_t") == pytest.approx(np.sqrt(sigma[:, 0].sum() / sigma[:, 3].sum()))
    simulated, observed = events.observables("c_tG")
    assert simulated.shape == (len(sigma) - 2, 2)
    assert observed.shape == (len(events.counts), 2)
    again = predicted_by_inference(fitted_events(record))
    np.testing.assert_array_equal(again.counts, events.counts)
    np.testing.assert_array_equal(again.data[0].event_id, events.data[0].event_id)


def test_background_is_part_of_the_prediction_and_is_told_apart(store: EventStore, tmp_path: Path) -> None:
    record = read_result(with_background(tmp_path, store))
    fitted = fitted_events(record)
    events = predicted_by_inference(fitted)
    assert [len(sample) for sample in events.samples] == [len(each.signal) for each in fitted.loaded.samples]
    background = events.weights[len(events.samples[0]) :]
    assert background[:, 0].sum() == pytest.approx(1000 * LUMINOSITY * 0.01)
    assert not background[:, 1:].any()
    assert events.counts.sum() == record.result["data"]["events"]
    assert sum(map(len, events.data)) == len(events.counts)
    (found,) = fitted.discriminations()
    assert (found.background, found.curves[0].name) == ("ttbb", "mem")
    assert found.events == tuple(len(sample) for sample in events.samples)
    # log P_sig/P_bkg is 3 ± 1 for signal, and 0 ± 1 for background: the area is Φ(3/√2).
    assert found.curves[0].auc.value == pytest.approx(0.983, abs=4 * found.curves[0].auc.error)
    assert found.curves[0].auc.error < 0.01
    assert fitted_events(record).discriminations()[0].curves[0].auc == found.curves[0].auc


@pytest.mark.parametrize(("source", "samples"), [("partonic", 1), ("nanoaod", 0)])
def test_only_simulated_events_have_a_prediction(store: EventStore, tmp_path: Path, source: str, samples: int) -> None:
    """Events that are fitted as they are: expected numbers at other θ come from weights, which data do not have."""
    with EventWriter(tmp_path / "events.parquet", store.metadata.with_facts(source=source)) as writer:
        for batch in store.batches():
            writer.write(batch.table)
    events = EventStore.open(tmp_path / "events.parquet")
    path = write(tmp_path / "tth.parquet", estimated(events), events)
    options = {"parameters": ("kappa_tilde_t",), "data": "events", "truth": None, "luminosity": 20.0}
    record = read_result(inferred(tmp_path / "infer", events.path, path, **options))
    found = predicted_by_inference(fitted_events(record))
    assert (len(found.samples), found.data_name) == (samples, "data")
    assert found.counts.sum() == len(found.data[0]) == record.result["data"]["events"]


def test_without_files_the_page_has_no_section_on_limits(store: EventStore, tmp_path: Path) -> None:
    config = ReportConfig(formats=(), sections=("summary",))
    page = build_report(store.path, tmp_path / "report", config, limits=LimitFiles())
    other = build_report(store.path, tmp_path / "other", config)
    assert page.read_bytes() == other.read_bytes()

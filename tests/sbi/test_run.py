"""Coefficients of the events that were not trained on, and their calibration."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.sbi.toy_events import config

from partonic.config.sbi import SbiConfig
from partonic.errors import EventFileError
from partonic.event_status import OK
from partonic.events.store import EventStore
from partonic.features.named import NamedFeatures
from partonic.inference.calibration.calibration_file import read_calibration
from partonic.inference.calibration.joint_calibration import JointCalibration, fit_joint_calibration
from partonic.inference.coefficients.coefficients_file import read_coefficients
from partonic.inference.coefficients.event_coefficients import EventCoefficients
from partonic.polynomial import Monomials
from partonic.provenance import file_digest
from partonic.sbi.data import read_events
from partonic.sbi.estimator import SbiEstimator
from partonic.sbi.gaussian_toy import FEATURE, GaussianToy
from partonic.sbi.run import SbiFiles, coefficients_and_calibration, coefficients_of_store, taken_away
from partonic.sbi.split import parts_of
from partonic.sbi.train import train_sbi

TOY = GaussianToy(1.5)
QUICK = {"training": {"epochs": 3, "batch_size": 256}, "network": {"hidden": [16], "members": 2}}


@pytest.fixture
def store(tmp_path):
    TOY.write(tmp_path / "toy.parquet", TOY.draw(4_000, [0.0], np.random.default_rng(1)))
    return tmp_path / "toy.parquet"


def files(tmp_path, store, trained_on):
    folder = tmp_path / "sbi"
    return SbiFiles(tmp_path / "model", store, (trained_on,), folder / "toy.parquet", folder / "calibration.json")


def test_no_event_is_both_trained_on_and_fitted(store, tmp_path):
    settings = config(**QUICK, shares={"fit": 0.3, "calibration": 0.2})
    train_sbi([store], settings, 5, tmp_path / "model")
    where = files(tmp_path, store, store)
    line = coefficients_and_calibration(where, settings)
    found, metadata = read_coefficients(where.output)
    groups = read_events([store], [FEATURE], "event_id")[0].group
    parts = parts_of(groups, settings.parts(), 5)
    np.testing.assert_array_equal(found.event_id, np.flatnonzero(parts.of("fit")))
    assert read_calibration(where.calibration).events == parts.of("calibration").sum()
    assert line.startswith(f"{len(found)} events")
    assert metadata.source == "sbi"
    assert metadata.facts["method"] == "derivatives"


def test_all_events_are_fitted_if_others_were_trained_on(store, tmp_path):
    other = tmp_path / "other.parquet"
    TOY.write(other, TOY.draw(3_000, [0.0], np.random.default_rng(2)))
    settings = config(**QUICK, shares={"calibration": 0.2}, stores=[str(other)])
    train_sbi([other], settings, 5, tmp_path / "model")
    where = files(tmp_path, store, other)
    coefficients_and_calibration(where, settings)
    assert len(read_coefficients(where.output)[0]) == 4_000
    assert 450 < read_calibration(where.calibration).events < 750


def test_nothing_left_to_fit_is_told(store, tmp_path):
    settings = config(**QUICK)
    train_sbi([store], settings, 5, tmp_path / "model")
    where = files(tmp_path, store, store)
    with pytest.raises(EventFileError, match=r"raise `sbi\.shares\.fit`"):
        coefficients_and_calibration(SbiFiles(where.model, store, (store,), where.output), settings)


def test_the_model_knows_the_stores_that_it_has_seen(store, tmp_path):
    other, copy = tmp_path / "other.parquet", tmp_path / "copy.parquet"
    TOY.write(other, TOY.draw(3_000, [0.0], np.random.default_rng(2)))
    copy.write_bytes(other.read_bytes())
    settings = config(**QUICK, shares={"calibration": 0.2}, stores=[str(other)])
    trained = train_sbi([other], settings, 5, tmp_path / "model")
    assert trained.model.record.stores == (file_digest(other),)
    with pytest.raises(EventFileError, match=r"copy\.parquet holds events that the networks were trained on"):
        coefficients_and_calibration(files(tmp_path, copy, other), settings)
    with pytest.raises(EventFileError, match=r"was not trained on .*toy\.parquet as it is now"):
        coefficients_and_calibration(files(tmp_path, other, store), settings)
    TOY.write(other, TOY.draw(3_000, [0.0], np.random.default_rng(3)))
    with pytest.raises(EventFileError, match=r"was not trained on .*other\.parquet as it is now"):
        coefficients_and_calibration(files(tmp_path, store, other), settings)


def test_of_a_store_that_was_trained_on_only_unseen_events_are_given(store, tmp_path):
    settings = config(**QUICK, shares={"fit": 0.3, "calibration": 0.2})
    train_sbi([store], settings, 5, tmp_path / "model")
    output = tmp_path / "found.parquet"
    line = coefficients_of_store(store, tmp_path / "model", settings, output)
    groups = read_events([store], [FEATURE], "event_id")[0].group
    unseen = np.flatnonzero(parts_of(groups, settings.parts(), 5).of("fit"))
    np.testing.assert_array_equal(read_coefficients(output)[0].event_id, unseen)
    assert line.startswith(f"{len(unseen)} events in")
    assert line.endswith("that were learned from or calibrated with are left out")
    assert coefficients_of_store(store, tmp_path / "model", settings, output) == line
    fresh = tmp_path / "fresh.parquet"
    TOY.write(fresh, TOY.draw(500, [0.0], np.random.default_rng(2)))
    coefficients_of_store(fresh, tmp_path / "model", settings, output)
    assert len(read_coefficients(output)[0]) == 500


def test_a_store_of_which_nothing_is_left_is_refused(store, tmp_path):
    settings = config(**QUICK)
    train_sbi([store], settings, 5, tmp_path / "model")
    with pytest.raises(EventFileError, match="none of these events was left for a fit"):
        coefficients_of_store(store, tmp_path / "model", settings, tmp_path / "found.parquet")
    assert not (tmp_path / "found.parquet").exists()


def test_events_with_objects_go_through_networks_over_them(tmp_path):
    store = Path(__file__).parents[1] / "reference" / "tth_selected.parquet"
    network = {"backbone": "lgatr_slim", "max_jets": 6}
    content = {"preset": "tiny", "features": ["met_pt"], "network": network, "shares": {"fit": 0.3, "calibration": 0.0}}
    settings = SbiConfig.model_validate({**content, "batch_events": 50})
    trained = train_sbi([store], settings, 5, tmp_path / "model")
    where = SbiFiles(tmp_path / "model", store, (store,), tmp_path / "sbi" / "tth.parquet")
    coefficients_and_calibration(where, settings)
    found, metadata = read_coefficients(where.output)
    assert found.usable().all()
    assert 60 < len(found) < 180
    assert metadata.facts["backbone"] == "lgatr_slim"
    events = EventStore.open(store)
    estimator = SbiEstimator(trained.model, NamedFeatures(["met_pt"], events.metadata))
    batch = events.read(("event_id", *estimator.columns), accepted_only=True)
    at_once = estimator.estimate(batch.filter(np.isin(batch.column("event_id"), found.event_id)))
    np.testing.assert_allclose(found.ratios, at_once.ratios, rtol=1e-4, atol=1e-5)


def stiff(calibration, coefficients, rate=None):
    """Return what a calibration gives that knows the mean of each ratio, and nothing of the event."""
    mean = np.nanmean(coefficients.ratios, axis=0)
    return replace(coefficients, ratios=np.where(coefficients.usable()[:, None], mean, np.nan))


def test_a_calibration_that_takes_away_what_was_learned_is_told(monkeypatch, caplog):
    generator = np.random.default_rng(4)
    x, noise = generator.normal(size=(2, 3_000))
    slope = 0.5 * x + 0.3 * noise
    weights = np.stack([np.ones_like(x), slope, 0.5 * slope**2], axis=1)
    ratios = np.stack([np.ones_like(x), 0.5 * x, 0.5 * (0.25 * x**2 + 0.09)], axis=1)
    events = EventCoefficients(
        Monomials.up_to_degree(("t",), 2), np.arange(len(x)), ratios, np.zeros(len(x)), np.zeros((len(x), 3, 3)),
        (OK,) * len(x), np.zeros(len(x)), "sbi",
    )  # fmt: skip
    calibration = fit_joint_calibration(events, weights)
    assert taken_away(calibration, events, weights) == ""
    monkeypatch.setattr(JointCalibration, "apply", stiff)
    told = taken_away(calibration, events, weights)
    assert told.startswith("; attention: the calibration takes away, R² of t 0.")
    assert told.endswith("0.00")
    assert "sbi.calibration: chosen" in caplog.text

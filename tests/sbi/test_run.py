"""Coefficients of the events that were not trained on, and their calibration."""

from pathlib import Path

import numpy as np
import pytest
from tests.sbi.toy_events import config

from partonic.config.sbi import SbiConfig
from partonic.errors import EventFileError
from partonic.events.store import EventStore
from partonic.features.named import NamedFeatures
from partonic.inference.calibration.calibration_file import read_calibration
from partonic.inference.coefficients.coefficients_file import read_coefficients
from partonic.sbi.data import read_events
from partonic.sbi.estimator import SbiEstimator
from partonic.sbi.gaussian_toy import FEATURE, GaussianToy
from partonic.sbi.run import SbiFiles, coefficients_and_calibration
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

"""The learned estimators that ship: they load, know their events, come calibrated, and explain the true ratios."""

from pathlib import Path

import numpy as np
import pytest

from partonic.events.store import EventStore
from partonic.inference.calibration.calibration_file import read_calibration
from partonic.inference.coefficients.event_weights import weights_of
from partonic.inference.coefficients.rate import FiducialRate
from partonic.inference.experiments.estimator_quality import explained
from partonic.pretrained import pretrained_folder, processes_with
from partonic.sbi.estimator import sbi_job
from partonic.trained.model_folder import load_record

REFERENCE = Path(__file__).parents[1] / "reference" / "tth_selected.parquet"
LARGEST_FILE = 10_000_000


@pytest.fixture(params=processes_with("sbi"))
def folder(request: pytest.FixtureRequest) -> Path:
    return pretrained_folder(request.param) / "sbi"


def test_files_are_small_and_name_no_folder(folder: Path) -> None:
    assert sum(path.stat().st_size for path in folder.iterdir()) < LARGEST_FILE
    assert "/" not in str(load_record(folder))
    assert load_record(folder)["events"]["simulation"]["selection"], "it knows which events it is good for"


def test_ratios_of_events_that_no_training_has_seen() -> None:
    """400 selected events at θ = 0: R² of the true ratios that vary is that of a network from these features."""
    folder, store = pretrained_folder("tth") / "sbi", EventStore.open(REFERENCE)
    estimator = sbi_job(folder, REFERENCE).load("cpu")
    estimator.check(store.metadata, "the reference events")
    batch = next(iter(store.batches(selected_only=True, size=400)))
    found = estimator.estimate(batch)
    assert found.usable().all()
    calibration = read_calibration(folder / "calibration.json")
    rate = FiducialRate.from_record(found.monomials, estimator.cross_section())
    calibrated = calibration.apply(found, rate)
    weights = weights_of(store, found.event_id)
    known = explained(calibrated, weights)
    error = 1.0 / np.sqrt(len(found))
    assert known["kappa_tilde_t^2"] > 0.1 - 2.0 * error
    assert known["c_tG"] > 0.1 - 2.0 * error

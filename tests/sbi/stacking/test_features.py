"""Stacking: two estimators that each see one half of an event, and the network that sees what both say."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from tests.sbi.toy_events import config

from partonic.errors import ConfigError, EventFileError
from partonic.estimators.run import estimate_store
from partonic.event_status import OK
from partonic.events.store import EventStore, EventWriter
from partonic.inference.coefficients.coefficients_file import read_coefficients, write_coefficients
from partonic.inference.coefficients.event_coefficients import EventCoefficients
from partonic.sbi.estimator import sbi_job
from partonic.sbi.gaussian_toy import GaussianToy
from partonic.sbi.run import SbiFiles, coefficients_and_calibration
from partonic.sbi.stacking.features import EventFeatures
from partonic.sbi.train import train_sbi

TOY = GaussianToy(1.5)
TRAINING = {
    "training": {"epochs": 8, "batch_size": 512, "learning_rate": 1e-2},
    "network": {"hidden": [16, 16], "members": 2},
}


def write_two_sided(path: Path, events: int, seed: int) -> np.ndarray:
    """Events whose θ² coefficient is tanh x + tanh y + 2 and noise, of the observables x and y; return these."""
    generator = np.random.default_rng(seed)
    x, y = generator.normal(size=(2, events))
    rest = 0.3 * generator.normal(size=events)
    square = np.maximum(np.tanh(x) + np.tanh(y) + 2.0 + rest, 0.0)
    coefficients = np.stack([np.ones(events), np.zeros(events), square], axis=1) / events
    with EventWriter(path, TOY.metadata()) as writer:
        writer.write(
            pa.table(
                {
                    "event_id": pa.array(np.arange(events)),
                    "weight": pa.array(coefficients[:, 0]),
                    "coefficients": pa.FixedSizeListArray.from_arrays(pa.array(coefficients.ravel()), 3),
                    "partons": pa.FixedSizeListArray.from_arrays(pa.array(np.ones(4 * events)), 4),
                    "selected": pa.array(np.ones(events, dtype=bool)),
                    "met_pt": pa.array(np.hypot(x, y).astype(np.float32)),
                    "met_phi": pa.array(np.arctan2(y, x).astype(np.float32)),
                }
            )
        )
    return np.stack([x, y], axis=1)


def coefficients_of(folder: Path, store: Path, name: str, features: list[str], **files: tuple[Path, ...]) -> Path:
    """Train on one store, and return the coefficients of all events of the other store."""
    settings = config(**TRAINING, features=features, stores=["elsewhere.parquet"])
    trained_on = folder / "train.parquet"
    train_sbi([trained_on], settings, 1, folder / name, files=files)
    output = folder / f"{name}-{store.stem}.parquet"
    coefficients_and_calibration(SbiFiles(folder / name, store, (trained_on,), output, features=files), settings)
    return output


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stacking")
    write_two_sided(folder / "train.parquet", 12_000, 1)
    observed = write_two_sided(folder / "test.parquet", 6_000, 2)
    files = {}
    for name, feature in (("left", "met_px"), ("right", "met_py")):
        test = coefficients_of(folder, folder / "test.parquet", name, [feature])
        own = folder / f"{name}-train.parquet"
        settings = config(**TRAINING, features=[feature])
        job = sbi_job(folder / name, folder / "train.parquet")  # of all events: both halves saw them, and say little
        estimate_store(folder / "train.parquet", job, settings, own, section="sbi")
        files[name] = (test, own)
    return folder, observed, files


def error(path: Path, observed: np.ndarray) -> float:
    found = read_coefficients(path)[0]
    truth = np.tanh(observed).sum(axis=1) + 2.0
    return float(np.mean((found.ratios[:, 2] - truth[found.event_id]) ** 2))


def test_the_combination_beats_either_half(made):
    folder, observed, files = made
    features = ["left:ratios", "right:ratios", "left:errors"]
    stacked = coefficients_of(folder, folder / "test.parquet", "stacked", features, **files)
    halves = [error(files[name][0], observed) for name in ("left", "right")]
    together = error(stacked, observed)
    assert min(halves) > 0.3, "half of the variance of tanh x + tanh y is 0.39"
    assert together < 0.03
    facts = read_coefficients(stacked)[1].facts
    assert facts["features"][:2] == ["left:R[theta]", "left:R[theta^2]"]
    settings = EventFeatures(features, EventStore.open(folder / "test.parquet"), files)
    assert set(settings.digests) == {"left", "right"}


def with_some(path: Path, to: Path, keep: np.ndarray, failed: np.ndarray) -> Path:
    """Write the coefficients of some events, in another order; the estimator failed for some."""
    found, metadata = read_coefficients(path)
    nan = np.where(failed, np.nan, 1.0)
    changed = replace(
        found, ratios=found.ratios * nan[:, None], covariance=found.covariance * nan[:, None, None],
        log_reference=found.log_reference * nan, relative_error=found.relative_error * nan,
        status=tuple("failed" if bad else OK for bad in failed),
    )  # fmt: skip
    kept = changed.select(keep)
    half = np.arange(len(kept)) < len(kept) // 2
    write_coefficients(to, EventCoefficients.concatenate([kept.select(~half), kept.select(half)]), metadata)
    return to


def test_events_that_are_not_there_are_left_out_and_those_that_failed_are_flagged(made, caplog):
    folder, _, files = made
    number = np.arange(6_000)
    part = with_some(files["left"][0], folder / "part.parquet", number >= 1_000, number % 7 == 0)
    own = with_some(files["left"][1], folder / "own.parquet", np.arange(12_000) >= 2_000, np.arange(12_000) % 7 == 0)
    few = {"few": (part, own)}
    output = coefficients_of(folder, folder / "test.parquet", "flagged", ["few:ratios", "met_py"], **few)
    assert "2000 events of" in caplog.text
    assert "1000 events are not in the coefficients" in caplog.text
    found = read_coefficients(output)[0]
    np.testing.assert_array_equal(found.event_id, number[1_000:])
    assert found.usable().all(), "a failed event has its other features"
    reader = EventFeatures(["met_py", "few:R[theta^2]"], EventStore.open(folder / "test.parquet"), few)
    batch = EventStore.open(folder / "test.parquet").read(("event_id", *reader.columns))
    values = reader.of(batch)
    np.testing.assert_array_equal(reader.has(batch), number >= 1_000)
    np.testing.assert_array_equal(np.isnan(values[:, 1]), (number < 1_000) | (number % 7 == 0))
    truth = read_coefficients(files["left"][0])[0].ratios[:, 2]
    np.testing.assert_array_equal(values[1_002:1_008, 1], truth[1_002:1_008])


def test_what_cannot_be_read_is_told(made):
    folder, _, files = made
    store = EventStore.open(folder / "test.parquet")
    for names, given, error_type, message in [
        (["mem:ratios"], {}, ConfigError, r"no file of them is named: give `sbi\.coefficients\.mem`"),
        (["left:ratios"], {"left": files["left"][1:]}, EventFileError, "none of the files of coefficients"),
        (["left:R[kappa]"], files, ConfigError, "have no monomial 'kappa'; there are: 1, theta"),
        (["left:ratios", "left:R[theta]"], files, ConfigError, r"listed twice: left:R\[theta\]"),
        (["left:everything"], files, ConfigError, "there is no feature 'left:everything' of coefficients"),
    ]:
        with pytest.raises(error_type, match=message):
            EventFeatures(names, store, given)

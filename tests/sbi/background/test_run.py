"""From events of signal and background to a fit: learned densities against the true ones."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.sbi.background.toy_background import CROSS_SECTION, log_background, write_background
from tests.sbi.toy_events import config

from partonic.config.inference import InferenceConfig
from partonic.errors import ConfigError, ModelError, SchemaError, TrainingError
from partonic.events.store import EventStore
from partonic.features.named import NamedFeatures
from partonic.inference.coefficients.coefficients_file import read_coefficients, write_coefficients
from partonic.inference.infer import infer
from partonic.inference.samples import Files
from partonic.sbi.background.estimator import BackgroundEstimator
from partonic.sbi.background.model import BackgroundModel
from partonic.sbi.background.run import BackgroundFiles, background_coefficients
from partonic.sbi.background.train import train_backgrounds
from partonic.sbi.gaussian_toy import FEATURE, GaussianToy
from partonic.sbi.model import SbiModel
from partonic.sbi.run import SbiFiles, coefficients_and_calibration
from partonic.sbi.stacking.features import EventFeatures
from partonic.sbi.train import train_sbi

TOY = GaussianToy(1.5)
POINTS = (-1.0, 0.0, 1.0)


def settings(folder: Path, **changes):
    return config(**{
        "shares": {"fit": 0.3, "calibration": 0.2},
        "network": {"hidden": [16, 16], "members": 3},
        "training": {"epochs": 6, "batch_size": 512, "learning_rate": 1e-2},
        "backgrounds": {"bkg": {"store": str(folder / "bkg.parquet")}},
        **changes,
    })  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("backgrounds")
    TOY.write(folder / "toy.parquet", TOY.draw(30_000, POINTS, np.random.default_rng(1)), POINTS)
    write_background(folder / "bkg.parquet", 20_000, 2)
    wanted = settings(folder)
    train_sbi([folder / "toy.parquet"], wanted, 5, folder / "model")
    train_backgrounds([folder / "toy.parquet"], wanted, 5, folder / "model" / "backgrounds")
    coefficients_and_calibration(
        SbiFiles(folder / "model", folder / "toy.parquet", (folder / "toy.parquet",), folder / "sbi" / "toy.parquet"),
        wanted,
    )
    files = BackgroundFiles(
        folder / "model" / "backgrounds", folder / "model", folder / "toy.parquet", folder / "sbi" / "toy.parquet",
        {"bkg": folder / "sbi" / "bkg.parquet"},
        {"bkg": {each: folder / "sbi" / "of_bkg" / f"{each}.parquet" for each in ("signal", "bkg")}},
    )  # fmt: skip
    return folder, background_coefficients(files, wanted)


def observed(store: Path, event_id: np.ndarray) -> np.ndarray:
    opened = EventStore.open(store)
    features = NamedFeatures([FEATURE], opened.metadata)
    return features.of(opened.read(("event_id", *features.columns)))[event_id, 0]


def test_the_learned_density_is_the_true_one(made):
    folder, line = made
    for store, path in (("toy", "bkg.parquet"), ("bkg", "of_bkg/bkg.parquet")):
        found, metadata = read_coefficients(folder / "sbi" / path)
        x = observed(folder / f"{store}.parquet", found.event_id)
        difference = found.log_reference - log_background(x, TOY)
        inner = np.abs(x) < 3
        assert np.sqrt(np.mean(difference[inner] ** 2)) < 0.12
        assert abs(difference[inner].mean()) < 0.05
        assert metadata.cross_section.coefficients == pytest.approx((CROSS_SECTION,))
        reliability = metadata.facts["calibration"]
        pulls = (np.array(reliability["found"]) - reliability["stated"]) / np.array(reliability["error"])
        assert np.square(pulls).mean() < 4
        mean, error = reliability["mean_ratio"]
        assert abs(mean - 1.0) < max(4 * error, 0.05)
        assert metadata.facts["scale"]["slope"] == pytest.approx(1.0, abs=0.15)
    assert line == f"backgrounds: {len(found)} of bkg for pseudo-data"


def test_events_for_pseudo_data_were_not_trained_on(made):
    folder, _ = made
    signal, of_signal = (read_coefficients(folder / "sbi" / name)[0] for name in ("toy.parquet", "bkg.parquet"))
    np.testing.assert_array_equal(signal.event_id, of_signal.event_id)
    own = read_coefficients(folder / "sbi" / "of_bkg" / "signal.parquet")[0]
    assert 0.27 * 20_000 < len(own) < 0.33 * 20_000
    truth = TOY.ratios(observed(folder / "bkg.parquet", own.event_id))[:, 2]
    assert np.corrcoef(own.ratios[:, 2], truth)[0, 1] > 0.97


def fitted(folder: Path, source: Path) -> dict:
    """Fit pseudo-data at θ = 0.8 with a free background; the same events whoever made the coefficients."""
    wanted = InferenceConfig.model_validate({
        "source": "sbi", "truth": {"theta": 0.8}, "luminosity": 0.5, "levels": [0.68], "expected": [],
        "parameters": ["theta"],
        "backgrounds": {"bkg": {"uncertainty": None, "events": {
            "store": str(folder / "bkg.parquet"),
            "coefficients": {each: str(source / "of_bkg" / f"{each}.parquet") for each in ("signal", "bkg")},
        }}},
    })  # fmt: skip
    files = Files(folder / "toy.parquet", source / "toy.parquet", {"bkg": source / "bkg.parquet"})
    infer(files, wanted, 3, source / "infer")
    return json.loads((source / "infer" / "result.json").read_text(encoding="utf-8"))


def with_truth(folder: Path) -> Path:
    """Write the true densities of the same events."""
    target = folder / "true"
    for store, name in (("toy", "toy"), ("toy", "bkg"), ("bkg", "of_bkg/signal"), ("bkg", "of_bkg/bkg")):
        found, metadata = read_coefficients(folder / "sbi" / f"{name}.parquet")
        x = observed(folder / f"{store}.parquet", found.event_id)
        if name.endswith("bkg"):
            changed = replace(found, log_reference=log_background(x, TOY), relative_error=np.zeros(len(x)))
        else:
            changed = replace(found, ratios=TOY.ratios(x), covariance=np.zeros_like(found.covariance))
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        write_coefficients(target / f"{name}.parquet", changed, metadata)
    return target


def test_theta_and_background_of_a_fit_are_those_of_the_true_densities(made):
    folder, _ = made
    learned, true = (fitted(folder, source) for source in (folder / "sbi", with_truth(folder)))
    for name in ("theta", "bkg_normalisation"):
        found, expected = learned["best_fit"][name], true["best_fit"][name]
        assert 0 < expected["statistical"] < 0.1
        assert abs(abs(found["value"]) - abs(expected["value"])) < expected["statistical"]
        assert found["statistical"] < 1.25 * expected["statistical"]
    assert learned["best_fit"]["theta"]["integration"] > 0, "the scatter of the members is an error of the fit"


def test_a_model_folder_is_read_again(made):
    folder, _ = made
    model = BackgroundModel.load(folder / "model" / "backgrounds")
    store = EventStore.open(folder / "bkg.parquet")
    features = EventFeatures([FEATURE], store)
    estimator = BackgroundEstimator(model, "bkg", features)
    found = estimator.estimate(store.read(("event_id", *estimator.columns)))
    kept = read_coefficients(folder / "sbi" / "of_bkg" / "bkg.parquet")[0]
    np.testing.assert_allclose(found.log_reference[kept.event_id], kept.log_reference, rtol=1e-6, atol=1e-6)
    assert (kept.relative_error > 0).all()
    with pytest.raises(ModelError, match="knows the backgrounds bkg, not 'other'"):
        BackgroundEstimator(model, "other", features)
    with pytest.raises(ModelError, match="no classifier of backgrounds"):
        BackgroundModel.load(folder / "model")
    with pytest.raises(ModelError):
        SbiModel.load(folder / "model" / "backgrounds")


def test_bad_events_are_refused(made, tmp_path):
    folder, _ = made
    toy = [folder / "toy.parquet"]
    write_background(tmp_path / "other.parquet", 2_000, 1, energy=8_000.0)
    other = {"bkg": {"store": str(tmp_path / "other.parquet")}}
    with pytest.raises(SchemaError, match="are of √S = 8000 GeV"):
        train_backgrounds(toy, settings(folder, backgrounds=other), 1, tmp_path / "a")
    with pytest.raises(SchemaError, match="made from partons, which mean something else"):
        train_backgrounds(toy, settings(folder, features=["partons[3]"]), 1, tmp_path / "b")
    write_background(tmp_path / "few.parquet", 60, 1)
    few = {"bkg": {"store": str(tmp_path / "few.parquet")}}
    with pytest.raises(TrainingError, match="events of 'bkg' to train on"):
        train_backgrounds(toy, settings(folder, backgrounds=few), 1, tmp_path / "c")
    with pytest.raises(ConfigError, match="no feature 'jet_p'"):
        train_backgrounds(toy, settings(folder, features=["jet_p"]), 1, tmp_path / "d")

"""Boosted information trees as a method of simulation-based inference."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.sbi.toy_events import config, known, squared_error, train

from partonic.errors import TrainingError
from partonic.inference.coefficients.coefficients_file import read_coefficients
from partonic.sbi.gaussian_toy import GaussianToy
from partonic.sbi.information_trees import InformationTrees, with_gaps
from partonic.sbi.model import SbiModel
from partonic.sbi.run import SbiFiles, coefficients_and_calibration
from partonic.sbi.train import train_on_events, train_sbi

TOY = GaussianToy(1.5)
TREES = {
    "method": "trees",
    "network": {"members": 2},
    "trees": {"trees": 60, "max_depth": 3, "learning_rate": 0.1, "min_leaf_events": 50},
}


def test_the_toy_is_learned(tmp_path):
    """log r at θ = 0.6 has a mean squared error below 0.004; that of the mean ratio is above 0.05."""
    trained = train(TOY, 30_000, [0.0], tmp_path, **TREES)
    error, uncertainty = squared_error(trained, TOY)
    assert error < 0.004
    assert uncertainty < 0.0005
    constant = trained.model.method
    constant.steps.zero_()
    assert squared_error(trained, TOY)[0] > 0.05


def test_the_validation_loss_is_that_of_the_method(tmp_path):
    settings = config(**TREES)
    sample = known(TOY, 20_000, [0.0], settings)
    trained = train_on_events(sample, settings, 1, tmp_path)
    part, train_part = sample.parts.of("validation"), sample.parts.of("train")
    inputs = trained.model.scaler(torch.from_numpy(sample.events.features[part]))
    targets = sample.events.coefficients / sample.events.coefficients[train_part, 0].mean()
    loss = trained.model.method.losses(inputs, torch.from_numpy(targets[part]), None)[0]
    assert trained.result.best_validation == pytest.approx(float(loss.mean()), rel=0.05)
    assert 0 < trained.result.best_epoch <= trained.result.epochs <= 60
    assert len(trained.result.history.epochs) == trained.result.epochs


def test_a_saved_model_gives_the_same_targets(tmp_path):
    trained = train(TOY, 4_000, [0.0, 1.0], tmp_path / "model", **TREES)
    again = SbiModel.load(tmp_path / "model")
    x = np.linspace(-4.0, 4.0, 200)[:, None]
    np.testing.assert_array_equal(again.targets(x), trained.model.targets(x))
    assert again.targets(x).shape == (2, 200, 3)
    np.testing.assert_array_equal(again.targets(x)[..., 0], 1.0)
    assert again.record.shapes["trees"] == (2,)


def test_members_differ_by_the_number_of_training_events(tmp_path):
    """A bootstrap sample of four times as many events scatters half as much; a single member has no scatter."""
    x = np.random.default_rng(3).normal(size=(2_000, 1))
    settings = {**TREES, "network": {"members": 6}, "trees": {"trees": 20, "max_depth": 2, "min_leaf_events": 50}}
    scatter = []
    for events in (4_000, 16_000):
        trained = train(TOY, events, [0.0], tmp_path / str(events), **settings)
        scatter.append(float(np.sqrt(trained.model.targets(x)[..., 2].var(axis=0, ddof=1).mean())))
    assert 0.3 < scatter[1] / scatter[0] < 0.8
    alone = train(TOY, 4_000, [0.0], tmp_path / "alone", **{**settings, "network": {"members": 1}})
    assert alone.model.targets(x).shape[0] == 1


def test_the_same_seed_gives_the_same_trees_and_a_finished_training_is_only_loaded(tmp_path):
    settings = config(**TREES)
    sample = known(TOY, 3_000, [0.0], settings)
    x = np.linspace(-3.0, 3.0, 50)[:, None]
    found = [
        train_on_events(sample, settings, seed, tmp_path / folder).model.targets(x)
        for seed, folder in ((1, "a"), (1, "b"), (1, "a"), (2, "c"))
    ]
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])
    assert (found[0] != found[3]).any()


def test_missing_features_are_seen_as_such(tmp_path):
    """Half of the events lack x; their ratio is the mean one, whatever the trees say of x = mean."""
    settings = config(**TREES, training={"validation_fraction": 0.3})
    sample = known(TOY, 20_000, [0.0], settings)
    lost = np.random.default_rng(4).random(20_000) < 0.5
    constant = np.full((20_000, 1), 2.5)
    features = np.concatenate([np.where(lost[:, None], np.nan, sample.events.features), constant], axis=1)
    events = replace(sample.events, features=features, names=(*sample.events.names, "constant"))
    trained = train_on_events(replace(sample, events=events), settings, 1, tmp_path)
    c = sample.events.coefficients
    mean = c.sum(axis=0) / c[:, 0].sum()
    error = np.sqrt(np.var(c[:, 2] / c[:, 0]) / 10_000)
    value = trained.model.targets(np.array([[np.nan, 2.5]])).mean(axis=0)[0, 2]
    assert value == pytest.approx(mean[2], abs=5 * error)
    at_mean = trained.model.targets(np.array([[0.0, 2.5]])).mean(axis=0)[0, 2]
    assert abs(at_mean - mean[2]) > 10 * error


def test_gaps_are_where_the_flags_are():
    inputs = np.array([[1.0, 2.0, 0.0, 0.0, 1.0], [3.0, 0.0, 4.0, 1.0, 0.0]], dtype=np.float32)
    found = with_gaps(inputs, np.array([1, 2]))
    np.testing.assert_array_equal(found, [[1.0, 2.0, np.nan], [3.0, np.nan, 4.0]])


def test_signed_weights(tmp_path):
    settings = config(**TREES)
    sample = known(TOY, 20_000, [0.0], settings)
    sign = np.where(np.arange(20_000) % 10 == 0, -1.0, 1.25)
    events = replace(sample.events, coefficients=sample.events.coefficients * sign[:, None])
    trained = train_on_events(replace(sample, events=events), settings, 1, tmp_path)
    assert squared_error(trained, TOY)[0] < 0.02


def test_held_out_events_are_those_of_the_validation(tmp_path):
    settings = config(method="trees")
    settings = settings.model_copy(update={"trees": settings.trees.model_copy(update={"held_out": 0.2})})
    with pytest.raises(TrainingError, match=r"sbi\.trees\.held_out has no meaning here"):
        train_on_events(known(TOY, 2_000, [0.0], settings), settings, 1, tmp_path)


def test_shapes_of_a_method_without_trees():
    method = InformationTrees(3, {})
    assert method.shapes["nodes"] == (0,)
    assert InformationTrees(3, {"nodes": (7, 5)}).shapes["nodes"] == (7, 5)


def test_from_a_store_to_coefficients_and_their_calibration(tmp_path):
    store = tmp_path / "toy.parquet"
    TOY.write(store, TOY.draw(12_000, [0.0, 1.0], np.random.default_rng(1)))
    settings = config(**TREES, reference=[{"theta": 0.0}, {"theta": 1.0}], shares={"fit": 0.3, "calibration": 0.2})
    train_sbi([store], settings, 5, tmp_path / "model")
    folder = tmp_path / "sbi"
    files = SbiFiles(tmp_path / "model", store, (store,), folder / "toy.parquet", folder / "calibration.json")
    coefficients_and_calibration(files, settings)
    found, metadata = read_coefficients(files.output)
    assert metadata.facts["method"] == "trees"
    assert found.usable().all()
    np.testing.assert_allclose(found.ratios[:, 0], 1.0)
    scatter = np.sqrt(found.covariance[:, 2, 2])
    assert (scatter >= 0).all()
    assert 0 < scatter.mean() < 1.0
    assert files.calibration.is_file()


def test_a_backbone_that_trees_do_not_have_is_told(tmp_path, caplog):
    train(TOY, 2_000, [0.0], tmp_path, **{**TREES, "network": {"members": 1, "backbone": "set_transformer"}})
    assert "trees look at the named features (met_px), not at objects" in caplog.text

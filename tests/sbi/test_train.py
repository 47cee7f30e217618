"""The training as a whole: bad events, resume, and what is kept."""

from dataclasses import replace

import numpy as np
import pytest
from tests.sbi.toy_events import config, known, train

from partonic.errors import ConfigError, ParameterError, TrainingError
from partonic.sbi.gaussian_toy import FEATURE, GaussianToy
from partonic.sbi.model import SbiModel
from partonic.sbi.train import train_on_events, train_sbi

TOY = GaussianToy(1.5)
QUICK = {"training": {"epochs": 2, "batch_size": 256}, "network": {"hidden": [8], "members": 2}}


def trained_on(changed, tmp_path, **settings):
    settings = config(**{**QUICK, **settings})
    sample = known(TOY, 2_000, [0.0], settings)
    return train_on_events(replace(sample, events=changed(sample.events)), settings, 1, tmp_path)


def scaled_weights(factor):
    return lambda events: replace(events, coefficients=events.coefficients * factor(len(events))[:, None])


def one_heavy(events):
    return np.where(np.arange(events) == 3, 1e9, 1.0)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (scaled_weights(np.zeros), "at the reference θ = 0 sum to 0"),
        (scaled_weights(lambda events: -np.ones(events)), "at the reference θ = 0 sum to -"),
        (lambda events: replace(events, features=np.full((len(events), 1), 3.0)), "are constant, or no event has them"),
        (
            lambda events: replace(events, features=np.full((len(events), 1), np.nan)),
            "are constant, or no event has them",
        ),
    ],
)
def test_events_that_nothing_can_be_learned_from(changed, message, tmp_path):
    with pytest.raises(TrainingError, match=message):
        trained_on(changed, tmp_path)


def test_all_weight_in_one_event(tmp_path):
    def heavy(events):
        return replace(events, coefficients=events.coefficients * one_heavy(len(events))[:, None])

    settings = config(**QUICK)
    sample = known(TOY, 2_000, [0.0], settings)
    assert sample.parts.of("train")[3], "the heavy event must be trained on"
    with pytest.raises(TrainingError, match=r"count as 1\.0 \(one of them has 100%"):
        train_on_events(replace(sample, events=heavy(sample.events)), settings, 1, tmp_path)


def test_signed_weights_are_learned_from(tmp_path):
    def some_negative(events):
        return np.where(np.arange(events) % 10 == 0, -1.0, 1.25)

    found = trained_on(scaled_weights(some_negative), tmp_path)
    assert np.isfinite(found.result.best_validation)
    assert found.model.record.facts["effective"] < found.model.record.facts["events"]


def test_classes_without_events_and_too_few_points(tmp_path):
    settings = {"method": "morphing", "reference": [{}]}
    with pytest.raises(ParameterError, match="2 basis points are needed"):
        trained_on(lambda events: events, tmp_path, **settings, morphing={"points": [{"theta": 1.0}]})

    far = GaussianToy(3.2)
    alone = config(**{**QUICK, **settings}, morphing={"points": [{"theta": -1000.0}, {"theta": 1000.0}]})
    sample = known(far, 2_000, [0.0], alone)
    with pytest.raises(TrainingError, match="the basis point"):
        train_on_events(sample, alone, 1, tmp_path)


def test_too_few_events(tmp_path):
    settings = config(**QUICK)
    with pytest.raises(TrainingError, match="expected 100 and 10 at least"):
        train_on_events(known(TOY, 90, [0.0], settings), settings, 1, tmp_path)


def test_a_diverging_training_stops_with_the_reason(tmp_path):
    wild = {"epochs": 40, "batch_size": 64, "learning_rate": 1e30, "gradient_clip": None, "average": None}
    with pytest.raises(TrainingError, match=r"not\s+finite"):
        trained_on(lambda events: events, tmp_path, training=wild)


def test_unknown_parameters_are_refused(tmp_path):
    with pytest.raises(ParameterError, match="unknown theory parameter 'kappa'"):
        train(TOY, 1_000, [0.0], tmp_path, **QUICK, reference=[{"kappa": 1.0}])
    with pytest.raises(ParameterError, match="unknown theory parameter 'kappa'"):
        train(TOY, 1_000, [0.0], tmp_path, **QUICK, range={"kappa": [0.0, 1.0]})


def test_a_finished_training_is_only_loaded_and_gives_the_same(tmp_path):
    first = train(TOY, 3_000, [0.0], tmp_path / "a", **QUICK)
    again = train(TOY, 3_000, [0.0], tmp_path / "a", **QUICK)
    other = train(TOY, 3_000, [0.0], tmp_path / "b", **QUICK)
    x = np.linspace(-2, 4, 50)[:, None]
    for same in (again, other, replace(first, model=SbiModel.load(tmp_path / "a"))):
        np.testing.assert_array_equal(same.model.targets(x), first.model.targets(x))
    assert "derivatives on" in str(first)


def test_a_limit_of_the_training_events(tmp_path):
    found = train(TOY, 3_000, [0.0], tmp_path, training={"epochs": 1, "max_events": 500}, network=QUICK["network"])
    assert found.model.record.facts["events"] == 500


def test_from_a_store(tmp_path):
    TOY.write(tmp_path / "toy.parquet", TOY.draw(2_000, [0.0], np.random.default_rng(1)))
    found = train_sbi([tmp_path / "toy.parquet"], config(**QUICK), 1, tmp_path / "model")
    assert found.model.record.process == "gaussian_toy"
    assert found.model.record.cross_section.coefficients[0] == pytest.approx(1.0)
    with pytest.raises(ConfigError, match="no feature 'met_p'"):
        train_sbi([tmp_path / "toy.parquet"], config(features=["met_p"]), 1, tmp_path / "model")
    assert found.model.record.features == (FEATURE,)

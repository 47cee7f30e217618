"""The training as a whole: bad events, resume, and what is kept."""

from dataclasses import replace

import numpy as np
import pytest
from tests.sbi.backbones.object_events import sample
from tests.sbi.toy_events import config, known, train

from partonic.errors import ConfigError, ModelError, ParameterError, SchemaError, TrainingError
from partonic.progress import SilentProgress
from partonic.sbi.gaussian_toy import FEATURE, GaussianToy
from partonic.sbi.model import SbiModel
from partonic.sbi.train import train_on_events, train_sbi

TOY = GaussianToy(1.5)
QUICK = {"training": {"epochs": 2, "batch_size": 256}, "network": {"hidden": [8], "members": 2}}


def trained_on(changed, tmp_path, **settings):
    settings = config(**{**QUICK, **settings})
    drawn = known(TOY, 2_000, [0.0], settings)
    return train_on_events(replace(drawn, events=changed(drawn.events)), settings, 1, tmp_path)


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
    drawn = known(far, 2_000, [0.0], alone)
    with pytest.raises(TrainingError, match="the basis point"):
        train_on_events(drawn, alone, 1, tmp_path)


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


def over_objects(backbone, method="derivatives", **changes):
    """Tiny networks over objects; the named feature knows nothing."""
    return config(
        preset="tiny", method=method, network={"backbone": backbone, "hidden": [8], "members": 2, **changes},
        training={"epochs": 2, "batch_size": 256, "learning_rate": 5e-3},
    )  # fmt: skip


@pytest.mark.parametrize("backbone", ["set_transformer", "lgatr", "lgatr_slim", "lloca"])
def test_networks_over_objects_are_trained_and_come_back(backbone, tmp_path):
    settings = over_objects(backbone)
    drawn = sample(800, settings)
    found = train_on_events(drawn, settings, 1, tmp_path)
    assert found.model.record.slots == drawn.events.slots
    assert np.isfinite(found.result.best_validation)
    loaded, events = SbiModel.load(tmp_path), drawn.events.inputs[:50]
    targets = found.model.targets(events)
    np.testing.assert_array_equal(loaded.targets(events), targets)
    assert targets.shape == (2, 50, 3)
    assert targets[..., 2].std() > 0
    with pytest.raises(ModelError, match="look at the objects of events"):
        loaded.targets(events.features)


@pytest.mark.parametrize("method", ["morphing", "carl", "rascal"])
def test_every_method_takes_them(method, tmp_path):
    settings = over_objects("set_transformer", method, shared=method != "morphing")
    drawn = sample(800, settings)
    found = train_on_events(drawn, settings, 1, tmp_path).model
    assert np.isfinite(found.targets(drawn.events.inputs[:50])).all()
    assert (found.residual(drawn.events.inputs[:50]) is None) == (method == "morphing")


def test_what_only_objects_tell_is_learned_from_them(tmp_path):
    """The target is a function of the distance of two jets, of which a short training learns more than a third."""
    sizes = {"width": 16, "heads": 2, "layers": 1, "feedforward": 32, "dropout": 0.0}
    training = {"epochs": 8, "batch_size": 128, "learning_rate": 5e-3, "average": None}
    settings = config(network={"backbone": "set_transformer", "members": 1, "set_transformer": sizes},
                      training=training)  # fmt: skip
    seeing = train_on_events(sample(4_000, settings), settings, 1, tmp_path / "seeing")
    blind = config(network={"hidden": [16], "members": 1}, training=training)
    known_nothing = train_on_events(sample(4_000, blind), blind, 1, tmp_path / "blind")
    assert known_nothing.result.best_validation > 0.97
    assert seeing.result.best_validation < 0.72


def test_a_killed_training_over_objects_goes_on_to_the_same(tmp_path):
    settings = over_objects("set_transformer", set_transformer={"dropout": 0.2})
    drawn = sample(800, settings)
    whole = train_on_events(drawn, settings, 1, tmp_path / "whole").model

    class Killed(SilentProgress):
        steps = 0

        def advance(self, amount=1, **figures):
            self.steps += 1
            if self.steps == 4:
                raise InterruptedError

    with pytest.raises(InterruptedError):
        train_on_events(drawn, settings, 1, tmp_path / "killed", Killed())
    again = train_on_events(drawn, settings, 1, tmp_path / "killed").model
    events = drawn.events.inputs[:50]
    np.testing.assert_array_equal(again.targets(events), whole.targets(events))


def test_events_without_objects_are_refused_by_networks_over_objects(tmp_path):
    settings = over_objects("set_transformer")
    with pytest.raises(TrainingError, match="backbone set_transformer looks at reconstructed objects"):
        train_on_events(known(TOY, 2_000, [0.0], settings), settings, 1, tmp_path)
    TOY.write(tmp_path / "toy.parquet", TOY.draw(300, [0.0], np.random.default_rng(1)))
    with pytest.raises(SchemaError, match="have no reconstructed objects"):
        train_sbi([tmp_path / "toy.parquet"], settings, 1, tmp_path / "model")

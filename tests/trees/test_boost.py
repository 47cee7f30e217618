import numpy as np
import pytest
from tests.trees.tree_toys import LINEAR, QUADRATIC, few, power_law, smeared_gaussian, true_ratios

from partonic.config.trees import TreeSettings
from partonic.errors import ModelError, TrainingError
from partonic.polynomial import Monomials
from partonic.trees.binned import prepare
from partonic.trees.boost import CHECKPOINT, boost
from partonic.trees.data import ArrayData

LINEAR_OF_TWO = Monomials.up_to_degree(("a", "b"), 1)


def rng(seed=1):
    return np.random.default_rng(seed)


def same(first, second):
    return all(
        np.array_equal(a, b) for a, b in zip((first.nodes, first.steps), (second.nodes, second.steps), strict=True)
    )


def test_information_of_the_power_law():
    """100 trees of depth 2: more than 284,138, what the program of arXiv:2107.10859 reaches with 100,000 events.

    The events here have Σ t² = 284,149.7 exactly, that of the expectation; its own random sample differs by its error.
    """
    data, score = power_law(100_000)
    assert np.sum(score**2) == pytest.approx(284_149.68, abs=0.01)
    found = boost(data, LINEAR, few(trees=100, max_depth=2, learning_rate=0.5, min_leaf_events=50), rng())
    information = float(score @ found.predict(next(data.batches()).features)[:, 1])
    assert 284_138 < information < 284_149.7
    assert found.facts.information["train_with_truth"].value[0, 1] == pytest.approx(np.sum(score), rel=1e-6)
    assert found.facts.information["train_with_truth"].value[1, 1] == pytest.approx(information, rel=1e-7)


def test_ratios_are_the_conditional_means():
    """z ~ N(0, 1), x = z + N(0, 1/2): E[z|x] and E[z²|x] are known; noise and its feature are not learned."""
    events = 60_000
    data = smeared_gaussian(events, rng())[0]
    found = boost(
        data, QUADRATIC, few(trees=200, held_out=0.2, patience=10, min_leaf_events=200, learning_rate=0.1), rng(2)
    )
    test, x = smeared_gaussian(20_000, rng(3))
    predicted, truth = found.predict(next(test.batches()).features, ["x", "noise"]), true_ratios(x)
    np.testing.assert_array_equal(predicted[:, 0], 1.0)
    left = np.mean((predicted - truth) ** 2, axis=0) / np.var(truth, axis=0).clip(1e-9)
    assert left[1] < 0.004
    assert left[2] < 0.03
    assert found.importance["x"] > 0.98
    # E[R₁²] = 1/(1 + σ²), within statistical errors that are small
    information = found.facts.information["held_out"]
    assert information.error[1, 1] < 0.02 * information.value[1, 1]
    held = found.facts.events[1]
    assert information.value[1, 1] / held == pytest.approx(1 / 1.25, abs=4 * information.error[1, 1] / held + 0.005)


def test_learned_ratios_add_up_to_the_cross_section():
    w = np.where(rng(5).random(8_000) < 0.1, -1.0, rng(6).exponential(size=8_000))
    data = smeared_gaussian(8_000, rng(), w)[0]
    found = boost(data, QUADRATIC, few(), rng(2))
    batch = next(data.batches())
    learned = w @ found.predict(batch.features)
    np.testing.assert_allclose(learned, batch.coefficients.sum(axis=0), rtol=1e-5)


def test_negative_weights_change_errors_and_not_the_truth():
    """A fifth of the events counts −1 with the same ratios: the answer is the same, from fewer effective events."""
    w = np.where(rng(5).random(60_000) < 0.2, -1.0, 1.0)
    data = smeared_gaussian(60_000, rng(), w)[0]
    found = boost(data, QUADRATIC, few(min_leaf_events=200), rng(2))
    assert found.facts.negative[0] == pytest.approx(0.2, abs=0.01)
    assert found.facts.effective_events[0] == pytest.approx(60_000 * 0.36, rel=0.05)
    test, x = smeared_gaussian(10_000, rng(3))
    left = np.mean((found.predict(next(test.batches()).features) - true_ratios(x)) ** 2, axis=0)
    assert left[1] < 0.03
    assert left[2] < 0.2


def test_losses_are_those_of_the_predictions():
    data = smeared_gaussian(6_000, rng())[0]
    events = prepare(data, QUADRATIC, few(held_out=0.3), rng(4))
    found = boost(events, QUADRATIC, few(held_out=0.3), rng(2))
    batch, facts = next(data.batches()), found.facts
    for trees in (0, 1, 12, 30):
        residual = batch.coefficients[:, 1:] - found.predict(batch.features, trees=trees)[:, 1:]
        of_event = np.mean((residual / events.scaling.deviation) ** 2, axis=1)
        assert facts.train_loss[trees] == pytest.approx(of_event[events.train].mean(), rel=1e-4)
        assert facts.held_out_loss[trees] == pytest.approx(of_event[events.held_out].mean(), rel=1e-4)
    assert facts.train_loss[0] == pytest.approx(1.0, rel=1e-6)
    assert all(np.diff(facts.train_loss) < 0)
    assert len(facts.train_loss) == 31


def test_it_stops_when_held_out_events_gain_nothing():
    settings = few(trees=300, max_depth=6, min_leaf_events=5, learning_rate=0.5, held_out=0.4, patience=5)
    found = boost(smeared_gaussian(3_000, rng())[0], QUADRATIC, settings, rng(2))
    best = int(np.argmin(found.facts.held_out_loss))
    assert len(found) == best < 100
    assert len(found.facts.held_out_loss) == best + 6
    assert max(found.nodes[:, 3:].max(), found.roots.max()) < len(found.nodes) == len(found.steps)


@pytest.mark.parametrize("changes", [{}, {"row_share": 0.5, "feature_share": 0.5}])
def test_threads_and_an_interruption_do_not_change_a_bit(tmp_path, changes):
    data = smeared_gaussian(70_000, rng())[0]
    settings = few(trees=9, held_out=0.1, **changes)
    whole = boost(data, QUADRATIC, settings, rng(2))
    assert same(whole, boost(data, QUADRATIC, settings, rng(2), threads=2))
    boost(data, QUADRATIC, settings.model_copy(update={"trees": 4}), rng(2), folder=tmp_path, checkpoint_every=3)
    gone_on = boost(data, QUADRATIC, settings, rng(2), folder=tmp_path)
    assert same(whole, gone_on)
    assert gone_on.facts.train_loss == whole.facts.train_loss
    assert gone_on.facts.held_out_loss == whole.facts.held_out_loss
    assert not same(whole, boost(data, QUADRATIC, settings.model_copy(update={"learning_rate": 0.1}), rng(2)))


class Interrupted:
    """Stops a training after some trees."""

    def __init__(self, trees):
        self.left, self.done = trees, 0

    def start(self, description, total, unit, done=0):
        self.done = done

    def advance(self, amount=1, **figures):
        assert set(figures) == {"loss"}
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt

    def finish(self):
        pass


def test_a_killed_training_goes_on_from_its_checkpoint(tmp_path):
    data, settings = smeared_gaussian(2_000, rng())[0], few(trees=8)
    with pytest.raises(KeyboardInterrupt):
        boost(data, LINEAR_OF_TWO, settings, rng(2), folder=tmp_path, checkpoint_every=3, progress=Interrupted(7))
    progress = Interrupted(100)
    found = boost(data, LINEAR_OF_TWO, settings, rng(2), folder=tmp_path, checkpoint_every=3, progress=progress)
    assert progress.done == 6
    assert same(found, boost(data, LINEAR_OF_TWO, settings, rng(2)))


def test_a_damaged_checkpoint_says_how_to_begin_anew(tmp_path):
    data = smeared_gaussian(2_000, rng(1))[0]
    settings = TreeSettings(trees=4, max_depth=2)
    boost(data, QUADRATIC, settings, rng(2), folder=tmp_path)
    weights = tmp_path / CHECKPOINT / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-8])
    with pytest.raises(ModelError, match=r"checkpoint: remove .*, and the training begins anew"):
        boost(data, QUADRATIC, settings, rng(2), folder=tmp_path)


def test_a_checkpoint_of_another_training_is_refused(tmp_path):
    data, settings = smeared_gaussian(2_000, rng())[0], few(trees=2)
    boost(data, QUADRATIC, settings, rng(2), folder=tmp_path)
    for changes, message in (
        ({"settings": few(trees=2, max_depth=2)}, "other settings"),
        ({"data": smeared_gaussian(2_000, rng(9))[0]}, "other events"),
        ({"monomials": LINEAR_OF_TWO}, "other monomials"),
        ({"generator": rng(3)}, "seed"),
    ):
        arguments = {"data": data, "monomials": QUADRATIC, "settings": settings, "generator": rng(2)} | changes
        with pytest.raises(TrainingError, match=rf"{CHECKPOINT} belongs to a training with .*{message}"):
            boost(**arguments, folder=tmp_path)


def test_one_large_derivative_does_not_hide_the_others():
    """A ratio a million times larger than the other: standardised targets learn both, plain ones only the large one."""
    x = rng().normal(size=(20_000, 2))
    c = np.column_stack([np.ones(20_000), 1e6 * x[:, 0], x[:, 1]])
    data = ArrayData(x, c, ["x", "y"])
    left = []
    for standardise in (True, False):
        found = boost(data, LINEAR_OF_TWO, few(trees=20, standardise=standardise, max_depth=2), rng(2))
        left.append(np.var((found.predict(x) - c)[:, 1:], axis=0) / np.var(c[:, 1:], axis=0))
    assert max(left[0]) < 0.3
    assert left[1][0] < 0.1
    assert left[1][1] > 0.9


@pytest.mark.parametrize("loss", ["squared", "cross_entropy"])
def test_base_points_lead_to_the_same_ratios(loss):
    data = smeared_gaussian(40_000, rng())[0]
    settings = few(base_points=((0.3,), (-0.3,)), loss=loss, min_leaf_events=200)
    found = boost(data, QUADRATIC, settings, rng(2))
    test, x = smeared_gaussian(10_000, rng(3))
    left = np.mean((found.predict(next(test.batches()).features) - true_ratios(x)) ** 2, axis=0)
    assert left[1] < 0.02
    assert left[2] < 0.3


def test_what_cannot_be_learned():
    data = smeared_gaussian(2_000, rng())[0]
    with pytest.raises(TrainingError, match="3 coefficients each, but there are 2 monomials"):
        boost(data, LINEAR, few(), rng())
    with pytest.raises(TrainingError, match=r"of the monomial 1; got a"):
        boost(data, Monomials(("a",), ((1,), (0,), (2,))), few(), rng())
    with pytest.raises(TrainingError, match="no split by any feature lowers the loss"):
        boost(data, QUADRATIC, few(min_leaf_weight=0.4999, min_leaf_events=999.9), rng())
    with pytest.raises(TrainingError, match=r"prepare the events with settings\.held_out"):
        boost(prepare(data, QUADRATIC, few(), rng()), QUADRATIC, few(held_out=0.2, patience=2), rng())


def test_features_that_know_nothing():
    noise = rng(1).normal(size=(3_000, 1))
    data = ArrayData(noise, np.column_stack([np.ones(3_000), rng(2).normal(size=3_000)]), ["noise"])
    with pytest.raises(TrainingError, match="no number of trees lowers the loss on the"):
        boost(data, LINEAR, few(learning_rate=1.0, max_depth=8, min_leaf_events=5, held_out=0.5, patience=3), rng(3))


def test_a_draw_of_no_events_does_nothing():
    data = smeared_gaussian(300, rng())[0]
    found = boost(data, QUADRATIC, few(trees=5, row_share=1e-4), rng(2))
    np.testing.assert_array_equal(found.steps, 0.0)
    assert found.facts.train_loss == pytest.approx([1.0] * 6)


def test_a_constant_ratio_is_predicted_as_it_is():
    data = smeared_gaussian(2_000, rng())[0]
    batch = next(data.batches())
    batch.coefficients[:, 1] = 1e-17 * rng(5).normal(size=2_000)  # rounding errors of a term that vanishes
    found = boost(data, QUADRATIC, few(trees=3), rng(2))
    assert found.facts.constant == ("a",)
    assert np.ptp(found.predict(batch.features)[:, 1]) == 0.0
    assert np.ptp(found.predict(batch.features)[:, 2]) > 1.0


def test_prepared_events_can_be_learned_from_again():
    data = smeared_gaussian(3_000, rng())[0]
    events = prepare(data, QUADRATIC, few(trees=5), rng(4))
    before = events.digest()
    first = boost(events, QUADRATIC, few(trees=5), rng(2))
    assert events.digest() == before
    assert same(first, boost(events, QUADRATIC, few(trees=5), rng(3)))
    assert not same(first, boost(events, QUADRATIC, few(trees=5, max_depth=2), rng(2)))


def test_information_of_a_training_that_was_stopped_is_that_of_its_predictions():
    data = smeared_gaussian(4_000, rng())[0]
    settings = few(trees=300, max_depth=6, min_leaf_events=5, learning_rate=0.5, held_out=0.4, patience=5)
    events = prepare(data, QUADRATIC, settings, rng(4))
    batch = next(data.batches())
    for given in (events, data):
        found = boost(given, QUADRATIC, settings, rng(4))
        ratios = found.predict(batch.features)
        rows = events.held_out if given is events else prepare(data, QUADRATIC, settings, rng(4)).held_out
        for name, factor in (
            ("held_out", batch.coefficients[:, :1] * ratios),
            ("held_out_with_truth", batch.coefficients),
        ):
            expected = factor[rows].T @ ratios[rows]
            np.testing.assert_allclose(found.facts.information[name].value, expected, rtol=1e-5, atol=1e-3)

import numpy as np
import pytest
from tests.trees.tree_toys import QUADRATIC, few, smeared_gaussian

from partonic.errors import TrainingError
from partonic.trees.binned import prepare
from partonic.trees.objective import objective_of


@pytest.fixture(scope="module")
def events():
    return prepare(smeared_gaussian(4_000, np.random.default_rng(1))[0], QUADRATIC, few(), np.random.default_rng(2))


def test_derivatives_count_in_units_of_their_deviation(events):
    found = objective_of(events, few())
    np.testing.assert_allclose(found.split_matrix, np.eye(2), atol=1e-6)
    plain = objective_of(events, few(standardise=False))
    np.testing.assert_allclose(plain.split_matrix, np.diag(events.scaling.deviation), rtol=1e-12)


def test_base_points_are_polynomials_of_the_derivatives(events):
    points = ((1.0,), (-2.0,))
    found = objective_of(events, few(base_points=points, standardise=False))
    expected = np.array([[1.0, 1.0], [-2.0, 4.0]]) * events.scaling.deviation
    np.testing.assert_allclose(found.split_matrix, expected, rtol=1e-12)
    entropy = objective_of(events, few(base_points=points, loss="cross_entropy"))
    np.testing.assert_allclose(entropy.split_matrix, expected, rtol=1e-12)
    assert entropy.entropy


def test_the_mean_has_a_loss_of_one(events):
    for settings in (few(), few(base_points=((1.0,), (-2.0,))), few(target_weights=(3.0, 0.5))):
        found = objective_of(events, settings)
        assert found.loss_at_mean(events.statistics, events.train) == pytest.approx(1.0, rel=1e-6)


def test_change_of_the_loss_is_that_of_the_events(events):
    found = objective_of(events, few(base_points=((0.5,), (-1.0,))))
    rng = np.random.default_rng(4)
    leaf = rng.integers(0, 3, len(events.codes))
    steps = rng.normal(size=(3, 2)) * 0.2
    statistics = events.statistics.astype(np.float64)
    sums = np.zeros((3, 3))
    np.add.at(sums, leaf, statistics)
    after = statistics.copy()
    after[:, 1:] -= after[:, :1] * steps[leaf]
    losses = [found.loss_at_mean(values, events.train) for values in (statistics, after)]
    assert found.loss_change(sums, steps) / statistics[:, 0].sum() == pytest.approx(losses[1] - losses[0], rel=1e-9)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"target_weights": (1.0,)}, r"each derivative \(a, a\^2\): expected 2, got 1"),
        ({"target_weights": (1.0,), "base_points": ((1.0,), (2.0,))}, "each base point: expected 2, got 1"),
        ({"base_points": ((1.0,),)}, r"1 base points do not tell all of a, a\^2 apart"),
        ({"base_points": ((1.0,), (0.0,))}, "must be finite and differ from θ = 0"),
    ],
)
def test_targets_that_do_not_fit(events, changes, message):
    with pytest.raises(TrainingError, match=message):
        objective_of(events, few(**changes))


def test_base_points_of_other_parameters(events):
    with pytest.raises(TrainingError, match=r"base_points: each point needs 1 values \(a\), got \[1.0, 2.0\]"):
        objective_of(events, few(base_points=((1.0, 2.0), (2.0, 1.0))))


def test_weights_only_on_what_is_constant():
    rng = np.random.default_rng(1)
    data = smeared_gaussian(1_000, rng)[0]
    next(data.batches()).coefficients[:, 2] = 4.0
    events = prepare(data, QUADRATIC, few(), rng)
    with pytest.raises(TrainingError, match="no target with a weight differs"):
        objective_of(events, few(target_weights=(0.0, 1.0)))

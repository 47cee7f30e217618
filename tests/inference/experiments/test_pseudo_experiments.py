from dataclasses import replace

import numpy as np
import pytest
from tests.inference.likelihood.test_event_terms import NOISE
from tests.inference.line_toy import coefficients, grid, pool_of, setup

from partonic.inference.experiments.pool import Source
from partonic.inference.experiments.pseudo_experiments import (
    Outcomes,
    Setup,
    _best_and_profiles,
    nearest_point,
    run_experiments,
)
from partonic.inference.likelihood.mixture import BackgroundRate


@pytest.fixture(scope="module")
def pool():
    return pool_of(grid(2000))


@pytest.fixture(scope="module")
def outcomes(pool):
    study = setup()
    return run_experiments(study, pool, study.mixture.point({"b": 0.8}), ("test",), range(40))


def test_pulls_and_q_of_a_regular_point(outcomes):
    assert outcomes.valid.all()
    pulls = (outcomes.phi[:, :2] - [0.0, 0.8]) / outcomes.errors[:, :2]
    assert (np.abs(pulls.mean(axis=0)) < 4 / np.sqrt(40)).all()
    assert (np.abs(pulls.std(axis=0, ddof=1) - 1) < 4 / np.sqrt(80)).all()
    # for a Gaussian likelihood q is the square of the pull
    np.testing.assert_allclose(outcomes.q, pulls**2, atol=0.5, rtol=0.5)
    assert (outcomes.q_joint >= outcomes.q.max(axis=1) - 1e-6).all()
    np.testing.assert_allclose(outcomes.q_total, outcomes.q)
    assert abs(outcomes.events.mean() - 1000 * (1 + 0.64 * 8 / 15)) < 4 * np.sqrt(1341 / 40)


def test_of_two_equal_maxima_the_one_near_the_truth_is_kept(outcomes):
    assert (outcomes.phi[:, 1] > 0).all()


def test_nearest_is_meant_in_errors_with_their_correlations():
    points, truth = np.array([[0.00, -0.5], [0.05, 0.48]]), np.array([0.0, 0.5])
    known = np.array([[400.0, 0.0], [0.0, 300.0]])
    np.testing.assert_array_equal(nearest_point(points, truth, known), points[1])  # the other sign is 17 errors away
    np.testing.assert_array_equal(nearest_point(points, truth, np.diag([400.0, 0.0])), points[0])
    along, across = np.array([0.1, 0.6]), np.array([0.05, 0.45])
    correlated = np.array([[100.0, -90.0], [-90.0, 100.0]])
    np.testing.assert_array_equal(nearest_point(np.array([across, along]), truth, correlated), along)


def test_each_experiment_has_random_numbers_of_its_own(pool, outcomes):
    study = setup()
    some = run_experiments(study, pool, study.mixture.point({"b": 0.8}), ("test",), range(7, 9))
    np.testing.assert_array_equal(some.phi, outcomes.phi[7:9])
    other = run_experiments(study, pool, study.mixture.point({"b": 0.8}), ("other",), range(7, 9))
    assert (other.phi[:, 0] != some.phi[:, 0]).all()


def test_integration_errors_enter_the_total(rng):
    pool = pool_of(grid(500), coefficients(grid(500), 9 * NOISE, rng))
    study = setup()
    found = run_experiments(study, pool, study.mixture.point({"b": 0.8}), ("test",), range(3))
    assert (found.q_total < found.q).all()


def test_constraints_are_centred_anew_in_each_experiment(pool):
    study = setup()
    model = replace(study.mixture, luminosity_uncertainty=0.3)
    free = replace(study, mixture=model, interest=("a",), shape_only=True)
    found = run_experiments(free, pool, model.point({"b": 0.8}), ("test",), range(30))
    # the shape does not know the luminosity: its fit is the centre of the constraint
    assert abs(found.phi[:, -1].mean() - 1) < 4 * 0.3 / np.sqrt(30)
    assert abs(found.phi[:, -1].std(ddof=1) / 0.3 - 1) < 4 / np.sqrt(60)


def test_failed_fits_are_counted(pool):
    """Without a constraint or a rate the background can take everything."""
    study = setup(backgrounds=(BackgroundRate("other", 0.004, uncertainty=None),), free_signal_strength=True)
    twins = replace(pool, terms=replace(pool.terms, rows=np.hstack([pool.terms.rows, pool.terms.rows[:, :1]])),
                    weights=np.hstack([pool.weights, pool.weights[:, :1] * 0.4]),
                    without_coefficients=np.zeros((2, 7)))  # fmt: skip
    twins = replace(twins, component=np.arange(len(twins)) % 2)
    found = run_experiments(study, twins, study.mixture.point(), ("test",), range(2))
    assert not found.valid.any()


def test_empty_samples_are_counted_as_failed(pool):
    study = Setup(replace(setup().mixture, luminosity=1e-9), ("a",), shape_only=True)
    found = run_experiments(study, pool, study.mixture.point(), ("test",), range(2))
    assert not found.valid.any()
    assert np.isnan(found.phi).all()
    assert found.events.tolist() == [0.0, 0.0]


def test_written_and_read_again(tmp_path, outcomes):
    outcomes.save(tmp_path / "part.parquet")
    again = Outcomes.load(tmp_path / "part.parquet")
    for name in ("phi", "errors", "q", "q_total", "q_joint", "events", "non_positive", "valid"):
        np.testing.assert_array_equal(getattr(again, name), getattr(outcomes, name))
    both = Outcomes.concatenate([outcomes, again])
    assert both.phi.shape == (80, 4)


def test_source_is_a_source(pool):
    assert isinstance(pool.source(setup().mixture, setup().mixture.point()), Source)


def test_the_other_sign_is_found_from_starts_near_the_truth(pool):
    """b and −b are equally good: from a narrow lattice around b = 1.2 every experiment finds both, and half have −b.

    A study that misses the other maximum, where that is the higher one, states a coverage that data do not have.
    """
    study = setup()
    truth = study.mixture.point({"b": 1.2})
    source = pool.source(study.mixture, truth)
    for number in range(10):
        sample = source.draw(np.random.default_rng(number))
        function = study.likelihood(pool, sample.weights, sample.without_coefficients)
        near = np.vstack([truth, truth + 0.1 * (np.arange(len(truth)) == 1)])
        best, _ = _best_and_profiles(study, function, truth, near)
        assert {-1.0, 1.0} <= set(np.sign(best.maxima[:, 1]))


def test_both_estimates_are_kept(pool):
    """The highest maximum, whichever its sign, and the one nearest to the truth of those that are not excluded."""
    study = setup()
    found = run_experiments(study, pool, study.mixture.point({"b": 1.2}), ("both",), range(30))
    assert (found.phi[:, 1] > 0).all()
    np.testing.assert_allclose(abs(found.best[:, 1]), found.phi[:, 1], rtol=1e-4)

from dataclasses import replace

import numpy as np
import pytest
from tests.inference.line_toy import coefficients, draw, grid, mixture, pool_of, setup

from partonic.errors import InferenceError
from partonic.inference.experiments.coverage import Fraction, _widened, coverage_study, pool_errors
from partonic.inference.experiments.pseudo_experiments import Setup
from partonic.inference.experiments.study import Plan
from partonic.inference.likelihood.fit import fit

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    pool = pool_of(grid(4000))
    plan = Plan(100, tmp_path_factory.mktemp("coverage") / "coverage")
    return coverage_study(setup(), pool, [{"b": 0.8}, {}], plan)


def binomial(fraction):
    """Error of a fraction of 100 experiments."""
    return np.sqrt(fraction * (1 - fraction) / 100)


def test_regular_points_are_covered(study):
    """At b = 0.8 the likelihood is regular: intervals cover as often as they say, without bias."""
    regular = study[0]
    assert (regular.experiments, regular.failed) == (100, 0)
    assert regular.theta == {"a": 0.0, "b": 0.8}
    for each in regular.parameters:
        for level in ("0.68", "0.95"):
            fraction = each.coverage[level]
            assert abs(fraction.value - float(level)) < 3.5 * binomial(float(level))
            assert fraction.error < 0.06
            # The pool is a grid without fluctuations of its own, but its size says that it could have some.
            assert each.coverage[level].value <= each.coverage_pool[level].value
        assert abs(each.bias_pull) < 3.5
        assert each.bias == pytest.approx(each.mean - each.truth)
        assert abs(each.pull_width - 1) < 3.5 / np.sqrt(2 * 100)
    assert regular.parameters[0].right_sign is None  # the truth is the nominal value
    # b and −b are equally good: the best fit is of either sign, and its mean is near 0, not at the truth
    squared = regular.parameters[1]
    assert squared.bias_error < squared.best_bias_error
    assert squared.best_bias == pytest.approx(-2 * 0.8 * (1 - squared.right_sign.value), abs=0.1)
    assert abs(regular.joint["0.95"].value - 0.95) < 3.5 * binomial(0.95)
    assert len(regular.histograms["a"]) == 100
    assert regular.effective_pool_size > 3000


def test_a_squared_coupling_is_covered_too_often_at_zero(study):
    """Half of the experiments fit b = 0 and have q = 0: the asymptotic 68% interval covers 84%."""
    squared = study[1].parameters[1]
    fraction = squared.coverage["0.68"]
    assert abs(fraction.value - 0.84) < 3.5 * binomial(0.84)
    regular = study[1].parameters[0].coverage["0.95"]
    assert abs(regular.value - 0.95) < 3.5 * binomial(0.95)


def test_the_error_of_the_pool_widens_intervals():
    """q = (θ̂ − θ)²/σ² with σ² = 1, other errors squared 0.5 and the pool's 0.5: the total variance is 2."""
    q = np.array([8.0, 0.0, 8.0])
    total = q / 1.5
    np.testing.assert_allclose(_widened(q, total, np.full(3, np.sqrt(0.5))), [4.0, 0.0, 4.0])
    np.testing.assert_allclose(_widened(q, total, np.array([np.nan, 1.0, np.nan])), [8 / 1.5, 0.0, 8 / 1.5])


def test_fractions_have_binomial_errors():
    fraction = Fraction.of(340, 500)
    assert fraction.value == 0.68
    assert fraction.error == pytest.approx(np.sqrt(0.68 * 0.32 / 500), rel=0.01)
    assert Fraction.of(10, 10).error > 0


def test_pool_error_is_the_scatter_of_pools(rng):
    """Fits of the Asimov samples of many small pools scatter by the pool error: where the rate is not theirs."""
    errors, fits = [], []
    theta = {"a": 0.3, "b": 0.9}
    study = setup()
    truth = study.mixture.point(theta)
    for _ in range(40):
        pool = pool_of(draw(rng, 1000))
        source = pool.source(study.mixture, truth)
        errors.append(pool_errors(study, pool, source, truth)[:2])
        sample = source.asimov()
        likelihood = study.likelihood(pool, sample.weights, sample.without_coefficients)
        fits.append(fit(likelihood, truth, candidates=truth[None], verify=False).phi[:2])
    pulls = (np.array(fits) - truth[:2]) / np.array(errors)
    assert (np.abs(pulls.mean(axis=0)) < 4 / np.sqrt(40)).all()
    assert (np.abs(pulls.std(axis=0, ddof=1) - 1) < 4 / np.sqrt(80)).all()


def test_pool_of_the_rate_has_no_error_for_exact_coefficients():
    """The pool shifts rate and shape by the same amount, and they compensate."""
    pool = pool_of(grid(4000))
    model = mixture()
    same = replace(model, signal=replace(model.signal, coefficients=pool.total()))
    study = Setup(same, ("a", "b"))
    truth = same.point({"b": 0.5})
    found = pool_errors(study, pool, pool.source(same, truth), truth)
    assert (found[:2] < 1e-6).all()


def test_pool_error_of_a_flat_direction_is_not_a_number():
    """Signal strength and luminosity only act together, and b not at all to first order at 0; a is determined."""
    study = setup()
    pool = pool_of(grid(1000))
    truth = study.mixture.point({"a": 0.3})
    free = replace(study, mixture=replace(study.mixture, free_signal_strength=True, luminosity_uncertainty=1e9))
    found = pool_errors(free, pool, pool.source(free.mixture, truth), truth)
    assert np.isnan(found[[1, 2, 3]]).all()
    assert 0 < found[0] < 1


def test_pool_error_where_chance_makes_a_minimum(rng):
    """At b = 0 log L is a minimum along b for half of all pools, which the error of a does not know."""
    study = setup()
    truth = study.mixture.point({"a": 0.3})
    errors, curvatures = [], []
    for _ in range(10):
        pool = pool_of(draw(rng, 500))
        source = pool.source(study.mixture, truth)
        sample = source.asimov()
        likelihood = study.likelihood(pool, sample.weights, sample.without_coefficients)
        curvatures.append(likelihood.derivatives(truth).hessian[1, 1])
        errors.append(pool_errors(study, pool, source, truth)[:2])
    assert min(curvatures) < 0 < max(curvatures)
    assert np.isfinite([each[0] for each in errors]).all()
    assert np.ptp([each[0] for each in errors]) < 0.3 * np.mean([each[0] for each in errors])
    assert np.isnan([each[1] for each in errors]).all()


def test_nothing_can_be_fitted(tmp_path):
    empty = Setup(replace(setup().mixture, luminosity=1e-9), ("a",), shape_only=True)
    pool = pool_of(grid(50), coefficients(grid(50)))
    with pytest.raises(InferenceError, match=r"none of 2 pseudo-experiments at .* has a maximum"):
        coverage_study(empty, pool, [{}], Plan(2, tmp_path / "coverage"))

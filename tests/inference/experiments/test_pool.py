from dataclasses import replace

import numpy as np
import pytest
from tests.inference.likelihood.test_event_terms import NOISE, background
from tests.inference.line_toy import LUMINOSITY, SIGMA, coefficients, grid, mixture, pool_of, ratios, without

from partonic.errors import InferenceError, ParameterError
from partonic.inference.coefficients.response import CalibrationResponse
from partonic.inference.experiments.pool import Pool, PoolSample
from partonic.inference.likelihood.mixture import BackgroundRate


def mixed_pool(generator, events=400):
    """Signal events, and background events with (1 + x)/2 that have both densities."""
    x, y = grid(events), np.sqrt(generator.uniform(0, 4, events)) - 1
    return Pool.of(
        [
            PoolSample(0, SIGMA / events * ratios(x), coefficients(x), (background(x),)),
            PoolSample(1, np.full((events, 1), 0.004 / events), coefficients(y), (background(y),)),
        ]
    )


def test_yields_at_any_theta():
    pool, model = pool_of(grid(500)), mixture()
    phi = model.point({"a": 0.5, "b": 1.0})
    source = pool.source(model, phi)
    x = grid(500)
    expected = 1000 * LUMINOSITY * SIGMA / 500 * ((1 + 0.5 * x) ** 2 + (1 - x**2) ** 2)
    np.testing.assert_allclose(source.yields, expected, rtol=1e-4)
    assert source.effective_size == pytest.approx(expected.sum() ** 2 / (expected**2).sum(), rel=1e-3)
    np.testing.assert_allclose(pool.total(), SIGMA * ratios(x).mean(axis=0), atol=1e-12)


def test_pseudo_experiments_have_the_yields_as_means(rng):
    """Counts are Poisson numbers: mean and variance of each event's count are its yield."""
    pool, model = pool_of(grid(5)), mixture()
    source = pool.source(model, model.point({"a": 0.5}))
    draws = np.array([source.draw(rng).weights for _ in range(2000)])
    error = np.sqrt(source.yields / 2000)
    assert (np.abs(draws.mean(axis=0) - source.yields) < 4.5 * error).all()
    assert (np.abs(draws.var(axis=0) / source.yields - 1) < 4.5 * np.sqrt(2 / 2000)).all()


def test_mixtures_have_the_expected_number_of_each_process(rng):
    pool = mixed_pool(rng)
    model = mixture(backgrounds=(BackgroundRate("other", 0.004, uncertainty=0.1),))
    phi = model.point({"a": 0.3, "other_normalisation": 1.5})
    sample = pool.source(model, phi).asimov()
    numbers = [sample.weights[pool.component == c].sum() for c in (0, 1)]
    np.testing.assert_allclose(numbers, [1000 * LUMINOSITY * SIGMA * (1 + 0.03), 600.0], rtol=1e-6)


def test_events_without_coefficients_are_drawn_too(rng):
    x = grid(100)
    bad = x > 0.5
    pool = pool_of(x, without(coefficients(x), bad))
    assert len(pool) == 75
    model = mixture()
    source = pool.source(model, model.point({"a": 0.5}))
    total = 1000 * LUMINOSITY * SIGMA * (1 + 0.25 / 3)
    share = ((1 + 0.5 * x[bad]) ** 2).sum() / ((1 + 0.5 * x) ** 2).sum()
    assert source.without_coefficients == pytest.approx(total * share, rel=1e-3)
    numbers = [source.draw(rng).without_coefficients for _ in range(400)]
    assert abs(np.mean(numbers) - total * share) < 4 * np.sqrt(total * share / 400)


def test_written_and_read_again(tmp_path, rng):
    pool = pool_of(grid(20), coefficients(grid(20), NOISE, rng))
    pool.save(tmp_path / "pool.safetensors")
    again = Pool.load(tmp_path / "pool.safetensors")
    np.testing.assert_array_equal(again.terms.rows, pool.terms.rows)
    np.testing.assert_array_equal(again.terms.covariance, pool.terms.covariance)
    np.testing.assert_array_equal(again.weights, pool.weights)
    assert (again.terms.correct_bias, again.terms.floor) == (True, 1e-4)
    assert again.terms.response is None


@pytest.mark.parametrize("reference", [None, np.array([1.0, 0, 0, 0.5, 0, 0.5])])
def test_calibration_is_written_too(tmp_path, rng, reference):
    response = CalibrationResponse(rng.normal(size=(20, 3)), np.eye(6)[:2], np.eye(6), reference)
    pool = pool_of(grid(20), replace(coefficients(grid(20)), response=response))
    pool.save(tmp_path / "pool.safetensors")
    again = Pool.load(tmp_path / "pool.safetensors").terms.response
    np.testing.assert_array_equal(again.design, response.design)
    np.testing.assert_array_equal(again.covariance, response.covariance)
    assert again.reference is None if reference is None else (again.reference == reference).all()


def test_few_negative_weights_are_left_out_and_many_refused():
    weights = SIGMA / 1000 * ratios(grid(1000))
    weights[:5] *= -1
    model = mixture()
    pool = Pool.of([PoolSample(0, weights, coefficients(grid(1000)))])
    source = pool.source(model, model.point())
    assert (source.yields[:5] == 0).all()
    assert source.yields.sum() == pytest.approx(1000 * LUMINOSITY * SIGMA)
    weights[:50] = -np.abs(weights[:50])
    with pytest.raises(InferenceError, match=r"5.26% of the weights of process 0 are negative, more than 1%"):
        Pool.of([PoolSample(0, weights, coefficients(grid(1000)))]).source(model, model.point())


def test_pools_that_cannot_be(rng):
    x = grid(10)
    with pytest.raises(ParameterError, match=r"the weights of process 0 must have shape \(10, 6\), got \(10, 5\)"):
        Pool.of([PoolSample(0, np.ones((10, 5)), coefficients(x))])
    with pytest.raises(InferenceError, match="the sample is empty"):
        pool_of(x, without(coefficients(x), x < 2))
    model = mixture(backgrounds=(BackgroundRate("other", 0.004),))
    pool = mixed_pool(rng)
    signal_only = replace(
        pool, terms=pool.terms.select(pool.component == 0), weights=pool.weights[pool.component == 0],
        component=pool.component[pool.component == 0],
    )  # fmt: skip
    with pytest.raises(InferenceError, match="the pool has no event of process 1, of which 400 are expected"):
        signal_only.source(model, model.point())


def test_negative_numbers_cannot_be_drawn_but_may_be_fitted(rng):
    pool = mixed_pool(rng)
    model = mixture(backgrounds=(BackgroundRate("other", 0.004, uncertainty=0.1),))
    phi = model.point({"other_normalisation": -1.0})
    assert model.expected_by_component(phi)[1] == pytest.approx(-400.0)
    with pytest.raises(InferenceError, match=r"none may be negative; choose another `inference\.truth`"):
        pool.source(model, phi)

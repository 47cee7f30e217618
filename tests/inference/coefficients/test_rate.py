import numpy as np
import pytest
from tests.inference.line_toy import MONOMIALS, SIGMA, SIGMAS, draw, grid, rate, ratios, write_store

from partonic.errors import EventFileError, NonFiniteError, ParameterError
from partonic.inference.coefficients.rate import FiducialRate


def test_sum_over_accepted_events(tmp_path, rng):
    x = draw(rng, 3000)
    selected = np.arange(3000) % 3 > 0
    found = FiducialRate.from_store(write_store(tmp_path / "e.parquet", x, selected=selected))
    weights = SIGMA / 3000 * ratios(x[selected])
    np.testing.assert_allclose(found.coefficients, weights.sum(axis=0), atol=1e-15)
    summed = weights.sum(axis=0)
    np.testing.assert_allclose(found.covariance, weights.T @ weights - np.outer(summed, summed) / 3000, atol=1e-18)


def test_error_of_a_fixed_number_of_events(rng, tmp_path):
    """Of 400 generated events a quarter is accepted: the scatter is binomial, √(1 − 1/4) of a Poisson number's."""
    values, errors = [], []
    for number in range(60):
        accepted = rng.random(400) < 0.25
        found = FiducialRate.from_store(write_store(tmp_path / f"{number}.parquet", grid(400), selected=accepted))
        values.append(float(found.coefficients[0]))
        errors.append(float(found.covariance[0, 0]) ** 0.5)
    pulls = (np.array(values) - 0.25 * SIGMA) / np.array(errors)
    assert abs(pulls.mean()) < 4 / np.sqrt(60)
    assert abs(pulls.std(ddof=1) - 1) < 4 / np.sqrt(2 * 60)
    assert np.mean(errors) == pytest.approx(np.sqrt(0.25 * 0.75 / 400) * SIGMA, rel=0.05)


def test_a_store_of_accepted_events_only_does_not_tell_their_error_too_small(tmp_path):
    """With no rejected event the number of those generated is not known: equal weights do not give an error of 0."""
    found = FiducialRate.from_store(write_store(tmp_path / "e.parquet", grid(400)))
    assert found.covariance[0, 0] == pytest.approx(SIGMA**2 / 400)


def test_error_covers_repetitions(rng, tmp_path):
    """The scatter of σ(θ) over independent stores of a Poisson number of events is its stated error."""
    theta, values, errors = np.array([0.5, 1.0]), [], []
    for number in range(60):
        x = draw(rng, int(rng.poisson(500)))
        store = write_store(tmp_path / f"{number}.parquet", x)
        found = FiducialRate.from_store(store)
        scale = len(x) / 500  # the weights of a store sum to σ: give each the same weight in all stores
        values.append(float(found.sigma(theta)) * scale)
        errors.append(float(found.error(theta)) * scale)
    pulls = (np.array(values) - float(rate().sigma(theta))) / np.array(errors)
    assert abs(pulls.mean()) < 4 / np.sqrt(60)
    assert abs(pulls.std(ddof=1) - 1) < 4 / np.sqrt(2 * 60)


def test_values_gradient_and_record():
    found = rate(0.02)
    points = np.array([[0.0, 0.0], [0.5, -1.0]])
    np.testing.assert_allclose(found.sigma(points), SIGMA * np.array([1.0, 1 + 0.25 / 3 + 8 / 15]))
    np.testing.assert_allclose(found.gradient(points)[1], SIGMA * np.array([2 * 0.5 / 3, -2 * 8 / 15]))
    np.testing.assert_allclose(found.error(points), 0.02 * found.sigma(points))
    again = FiducialRate.from_record(MONOMIALS, found.record())
    np.testing.assert_array_equal(again.covariance, found.covariance)
    assert FiducialRate.constant(2.0, 0.1).error(np.zeros(0)) == pytest.approx(0.1)


def test_what_does_not_fit(tmp_path):
    with pytest.raises(ParameterError, match="needs 6 cross sections"):
        FiducialRate(MONOMIALS, np.ones(5), np.zeros((5, 5)))
    with pytest.raises(NonFiniteError, match="NaN or infinite"):
        FiducialRate(MONOMIALS, SIGMAS * np.nan, np.zeros((6, 6)))
    store = write_store(tmp_path / "e.parquet", grid(5), selected=np.zeros(5, dtype=bool))
    with pytest.raises(EventFileError, match="has no selected event"):
        FiducialRate.from_store(store)

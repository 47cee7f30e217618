import numpy as np
import pytest

from partonic.errors import NonFiniteError
from partonic.plots import Axis, Histogram, PolynomialHistogram
from partonic.polynomial import Monomials

AXIS = Axis("x", "x", (0.0, 1.0, 2.0))
MONOMIALS = Monomials.up_to_degree(("a", "b"), 2)


def squared_amplitudes(rng: np.random.Generator, number: int) -> np.ndarray:
    """Coefficients of |M_0 + a M_1 + b M_2|² of random real amplitudes: positive at every θ."""
    m0, m1, m2 = rng.normal(1.0, 0.3, (3, number))
    return np.stack([m0**2, 2 * m0 * m1, 2 * m0 * m2, m1**2, 2 * m1 * m2, m2**2], axis=-1)


def filled(rng: np.random.Generator, number: int = 500) -> tuple[PolynomialHistogram, np.ndarray, np.ndarray]:
    values, coefficients = rng.uniform(-0.5, 2.5, number), squared_amplitudes(rng, number)
    histogram = PolynomialHistogram(AXIS, MONOMIALS)
    for part in np.array_split(np.arange(number), 3):
        histogram.fill(values[part], coefficients[part])
    return histogram, values, coefficients


def test_content_and_error_at_any_theta_are_those_of_the_reweighted_events(rng: np.random.Generator) -> None:
    histogram, values, coefficients = filled(rng)
    for theta in ([0.0, 0.0], [1.0, 0.0], [-0.7, 2.0]):
        direct = Histogram(AXIS)
        direct.fill(values, coefficients @ MONOMIALS.evaluate(theta))
        content, error = histogram.at(theta)
        np.testing.assert_allclose(content, direct.contents, rtol=1e-12)
        np.testing.assert_allclose(error, direct.errors, rtol=1e-12)
        assert histogram.total(theta)[0] == pytest.approx(direct.total, rel=1e-12)
        assert histogram.note == direct.note


def test_error_of_the_ratio_is_the_spread_over_pseudo_experiments(rng: np.random.Generator) -> None:
    theta, repeats = [0.8, -0.4], 1500
    ratios, errors = np.empty((repeats, 2)), np.empty((repeats, 2))
    for k in range(repeats):
        histogram, _, _ = filled(rng, rng.poisson(400))
        ratios[k], errors[k] = histogram.ratio(theta, [0.0, 0.0])
    spread = ratios.std(axis=0, ddof=1)
    np.testing.assert_allclose(np.sqrt((errors**2).mean(axis=0)), spread, rtol=5 / np.sqrt(2 * repeats))


def test_correlation_makes_the_ratio_more_precise_than_independent_samples(rng: np.random.Generator) -> None:
    histogram, _, _ = filled(rng)
    ratio, error = histogram.ratio([0.1, 0.0], [0.0, 0.0])
    (top, top_error), (bottom, bottom_error) = histogram.at([0.1, 0.0]), histogram.at([0.0, 0.0])
    independent = ratio * np.hypot(top_error / top, bottom_error / bottom)
    assert (error < 0.3 * independent).all()


def test_events_that_all_scale_alike_give_a_ratio_without_error(rng: np.random.Generator) -> None:
    weights = rng.exponential(1.0, 200)
    coefficients = weights[:, None] * np.array([1.0, 2.0, 0.0, 1.0, 0.0, 0.0])  # w (1 + a)²
    histogram = PolynomialHistogram(AXIS, MONOMIALS)
    histogram.fill(rng.uniform(0, 2, 200), coefficients)
    ratio, error = histogram.ratio([1.0, 0.0], [0.0, 0.0])
    np.testing.assert_allclose(ratio, 4.0, rtol=1e-12)
    np.testing.assert_allclose(error, 0.0, atol=1e-7)
    assert histogram.total_ratio([0.0, 0.0], [0.0, 0.0]) == (1.0, 0.0)


def test_coefficients_of_everything_with_errors(rng: np.random.Generator) -> None:
    histogram, _, coefficients = filled(rng)
    sums, errors = histogram.total_coefficients()
    np.testing.assert_allclose(sums, coefficients.sum(axis=0), rtol=1e-12)
    np.testing.assert_allclose(errors, np.sqrt((coefficients**2).sum(axis=0)), rtol=1e-12)


def test_empty_bins_have_no_ratio() -> None:
    histogram = PolynomialHistogram(AXIS, MONOMIALS)
    assert histogram.is_empty
    assert np.isnan(histogram.ratio([1.0, 0.0], [0.0, 0.0])[0]).all()


def test_coefficients_that_are_not_finite_are_an_error() -> None:
    with pytest.raises(NonFiniteError, match="event weights filled into 'x' are not finite"):
        PolynomialHistogram(AXIS, MONOMIALS).fill([0.5], np.full((1, 6), np.nan))


def test_what_cancels_to_rounding_is_zero(rng: np.random.Generator) -> None:
    weights = rng.exponential(1.0, 500)
    exact = weights[:, None] * np.array([1.0, 2.0, 0.0, 1.0, 0.0, 0.0])
    histogram = PolynomialHistogram(AXIS, MONOMIALS)
    histogram.fill(rng.uniform(0, 2, 500), exact * (1 + 1e-15 * rng.normal(size=exact.shape)))
    content, error = histogram.at([-1.0, 0.0])
    assert content.tolist() == error.tolist() == [0.0, 0.0]

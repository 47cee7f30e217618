from dataclasses import replace

import numpy as np
import pytest
from tests.inference.line_toy import MONOMIALS, coefficients, draw, grid, without

from partonic.errors import InferenceError, ParameterError
from partonic.inference.likelihood.event_terms import EventTerms
from partonic.polynomial import Monomials

NOISE = np.diag([0.0, 0.02, 0.01, 0.03, 0.01, 0.02]) ** 2
NOISE[1, 3] = NOISE[3, 1] = 2e-4


def background(x, relative_error=0.0):
    """P_b(x) = (1 + x)/2 times 0.004 pb."""
    events = coefficients(x)
    n = len(x)
    return replace(
        events, monomials=Monomials.constant(), ratios=np.ones((n, 1)), covariance=np.zeros((n, 1, 1)),
        log_reference=np.log(0.004 * (1 + x) / 2), relative_error=np.full(n, relative_error),
    )  # fmt: skip


def test_rows_are_densities_in_units_of_the_reference(rng):
    x = draw(rng, 30)
    terms = EventTerms.of(coefficients(x), [background(x)])
    theta = np.array([0.4, 0.8])
    vector = np.array([*(1.5 * MONOMIALS.evaluate(theta)), 0.7])
    signal = 0.01 / 2 * ((1 + 0.4 * x) ** 2 + 0.64 * (1 - x**2) ** 2)
    other = 0.004 * (1 + x) / 2
    expected = (1.5 * signal + 0.7 * other) / (0.005 + other)
    np.testing.assert_allclose(np.exp(terms.log_values(vector[None]))[:, 0], expected, rtol=1e-6)
    assert terms.covariance is None


def test_densities_of_any_size_are_fine():
    x = grid(6)
    shifted = replace(coefficients(x), log_reference=np.full(6, -5000.0))
    terms = EventTerms.of(shifted, [replace(background(x), log_reference=np.full(6, -4999.0))])
    share = 1 / (1 + np.e)
    np.testing.assert_allclose(terms.rows[:, 0], share)


@pytest.mark.parametrize("noisy", [False, True])
def test_derivatives_against_differences(rng, noisy):
    x = draw(rng, 40)
    terms = EventTerms.of(coefficients(x, NOISE, rng) if noisy else coefficients(x), floor=1e-2)
    vector, weights = MONOMIALS.evaluate([-1.2, 0.05]), rng.uniform(0, 2, 40)
    assert (np.abs(terms.rows @ vector) < 0.05).any(), "some events must be near the floor"
    found = terms.derivatives(vector, weights)
    assert found.value == pytest.approx(float(terms.sums(vector[None], weights)[0]), rel=1e-12)
    step = 1e-6
    for k, shift in enumerate(np.eye(6) * step):
        up, down = (terms.derivatives(vector + sign * shift, weights) for sign in (1, -1))
        assert found.gradient[k] == pytest.approx((up.value - down.value) / (2 * step), rel=1e-5, abs=1e-4)
        slope = (up.gradient - down.gradient) / (2 * step)
        np.testing.assert_allclose(found.hessian[k], slope, rtol=1e-4, atol=1e-3 * np.abs(slope).max())


def test_floor_leaves_densities_that_are_not_small(rng):
    x = draw(rng, 100)
    vector = MONOMIALS.evaluate([0.2, 0.3])
    terms = EventTerms.of(coefficients(x))
    exact = np.log(terms.rows @ vector)
    np.testing.assert_allclose(terms.log_values(vector[None])[:, 0], exact, atol=1e-7)


def test_negative_densities_are_finite_falling_and_counted():
    rows = np.array([[1.0], [1e-4], [0.0], [-1e-3], [-1.0]])
    terms = EventTerms(rows)
    values = terms.log_values(np.ones((1, 1)))[:, 0]
    assert np.isfinite(values).all()
    assert (np.diff(values) < 0).all()
    assert terms.non_positive(np.ones(1), np.ones(5)) == 3
    assert terms.non_positive(np.ones(1), np.array([1.0, 1.0, 0.0, 1.0, 0.0])) == 1


def test_bias_of_the_logarithm_is_taken_off(rng):
    """The mean of log f over noise is log f − Var f/2f²; the corrected one is log f within its error."""
    x = np.full(40_000, 0.3)
    noise = np.diag([0.0, 0.0, 0.0, 0.0, 0.0, 0.3**2])
    vector = MONOMIALS.evaluate([0.0, 1.0])
    events = coefficients(x, noise, rng)
    truth = np.log(1 + (1 - 0.09) ** 2)
    corrected = EventTerms.of(events).log_values(vector[None])[:, 0]
    plain = EventTerms.of(events, correct_bias=False).log_values(vector[None])[:, 0]
    error = plain.std() / np.sqrt(len(x))
    assert error < 1e-3
    assert plain.mean() - truth < -10 * error
    # what is left is of fourth order in the noise
    assert abs(corrected.mean() - truth) < 0.1 * abs(plain.mean() - truth)


def test_errors_of_the_reference_enter_mixtures_only(rng):
    x = draw(rng, 5)
    signal = replace(coefficients(x), relative_error=np.full(5, 0.1))
    assert EventTerms.of(signal).covariance is None
    mixed = EventTerms.of(signal, [background(x, 0.2)])
    share = 0.005 / (0.005 + 0.004 * (1 + x) / 2)
    np.testing.assert_allclose(mixed.covariance[:, 0, 0], (0.1 * share) ** 2)
    np.testing.assert_allclose(mixed.covariance[:, 0, 1], 0.01 * share**2 * 2 * x)
    np.testing.assert_allclose(mixed.covariance[:, 6, 6], (0.2 * (1 - share)) ** 2)


def test_noise_drawn_anew_has_the_covariance(rng):
    terms = EventTerms(np.zeros((20_000, 6)), np.repeat(NOISE[None], 20_000, axis=0))
    drawn = terms.perturbed(rng).rows
    error = np.sqrt((np.outer(np.diag(NOISE), np.diag(NOISE)) + NOISE**2) / 20_000)
    assert (np.abs(drawn.T @ drawn / 20_000 - NOISE) <= 4.5 * error).all()
    with pytest.raises(InferenceError, match="the coefficients are exact"):
        EventTerms(np.zeros((2, 6))).perturbed(rng)


def test_many_points_at_once_are_the_same_in_blocks(rng, monkeypatch):
    terms = EventTerms.of(coefficients(draw(rng, 50), NOISE, rng))
    vectors = MONOMIALS.evaluate(rng.normal(size=(7, 2)))
    whole = terms.sums(vectors, np.ones(50))
    monkeypatch.setattr("partonic.inference.likelihood.event_terms._BLOCK", 60)
    np.testing.assert_allclose(terms.sums(vectors, np.ones(50)), whole, rtol=1e-12)


def test_other_events_and_events_without_coefficients(rng):
    x = draw(rng, 6)
    with pytest.raises(ParameterError, match="are of other events"):
        EventTerms.of(coefficients(x), [replace(background(x), event_id=np.arange(1, 7))])
    with pytest.raises(ParameterError, match="expected events that all have coefficients"):
        EventTerms.of(without(coefficients(x), x > 0))

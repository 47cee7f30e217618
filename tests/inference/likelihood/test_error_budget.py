from dataclasses import replace

import numpy as np
import pytest
from tests.inference.likelihood.test_event_terms import NOISE
from tests.inference.line_toy import (
    LUMINOSITY,
    MONOMIALS,
    SIGMA,
    SIGMAS,
    coefficients,
    draw,
    likelihood,
    mixture,
    ratios,
)

from partonic.errors import InferenceError
from partonic.inference.calibration.joint_calibration import fit_joint_calibration
from partonic.inference.coefficients.rate import FiducialRate
from partonic.inference.likelihood.error_budget import (
    calibration_covariance,
    difference_variances,
    error_budget,
    integration_covariance,
    rate_covariance,
    resampled_fits,
    training_errors,
    training_variance,
)
from partonic.inference.likelihood.event_terms import EventTerms
from partonic.inference.likelihood.fit import fit
from partonic.inference.likelihood.mixture import Mixture
from partonic.inference.likelihood.unbinned import ExtendedLikelihood

LARGE = 9 * NOISE


@pytest.fixture
def noisy(rng):
    terms = EventTerms.of(coefficients(draw(rng, 1300, a=0.3, b=0.8), LARGE, rng))
    function = ExtendedLikelihood(mixture(), terms, np.ones(1300))
    return function, fit(function)


def test_integration_error_is_the_scatter_of_noise_drawn_anew(noisy, rng):
    function, best = noisy
    expected = np.sqrt(np.diag(integration_covariance(function, best)))[:2]
    found = resampled_fits(function, best, 150, rng)[:, :2]
    found[:, 1] *= np.sign(found[:, 1] * best.phi[1])
    np.testing.assert_allclose(found.std(axis=0, ddof=1), expected, rtol=4 / np.sqrt(300))
    assert (expected > 0).all()
    assert (expected < best.errors[:2]).all()


def test_rate_error_is_the_shift_of_another_rate(rng):
    """The fits with cross sections drawn from their covariance scatter as the formula says."""
    spread = np.diag(np.array([1.0, 0, 0, 2.0, 0, 1.0]) * 1e-4) ** 2
    x = draw(rng, 1300, a=0.4, b=0.8)
    model = replace(mixture(), signal=FiducialRate(MONOMIALS, SIGMAS, spread))
    function = ExtendedLikelihood(model, EventTerms.of(coefficients(x)), np.ones(1300), 50.0)
    best = fit(function)
    expected = np.sqrt(np.diag(rate_covariance(function, best)))[:2]
    found = []
    for _ in range(120):
        drawn = FiducialRate(MONOMIALS, rng.multivariate_normal(SIGMAS, spread, method="eigh"), spread)
        other = replace(function, mixture=replace(model, signal=drawn))
        phi = fit(other, best.phi, candidates=best.maxima, verify=False).phi
        found.append([phi[0], abs(phi[1])])
    np.testing.assert_allclose(np.std(found, axis=0, ddof=1), expected, rtol=4 / np.sqrt(240))


def test_variances_of_differences_against_noise_drawn_anew(noisy, rng):
    function, best = noisy
    points = best.phi + np.array([[0.1, 0, 0, 0], [0, 0.1, 0, 0], [-0.1, 0.1, 0, 0]])
    function = replace(function, events=replace(function.events, correct_bias=False))
    integration, rate, calibration = difference_variances(function, best.phi, points)
    assert not rate.any()
    assert not calibration.any()
    changes = []
    for _ in range(300):
        again = replace(function, events=function.events.perturbed(rng))
        changes.append(again(points) - float(again(best.phi)))
    np.testing.assert_allclose(np.var(changes, axis=0, ddof=1), integration, rtol=4.5 * np.sqrt(2 / 300))


def test_variance_of_a_difference_from_the_rate():
    """log L changes by −L Δσ: its variance is L² Var(Δσ)."""
    error = 0.02
    model = Mixture(FiducialRate(MONOMIALS, SIGMAS, error**2 * np.outer(SIGMAS, SIGMAS)), fitted=("a", "b"))
    function = ExtendedLikelihood(model, EventTerms.of(coefficients(np.zeros(3))), np.ones(3))
    there = model.point({"a": 1.0})
    rate = difference_variances(function, model.point(), there[None]).rate
    assert rate[0] == pytest.approx((300_000 * error * 0.01 / 3) ** 2)


def test_expected_weights_count_once(noisy):
    """A weight y stands for y events of independent noise: variance y, not y²."""
    function, best = noisy
    doubled = replace(function, weights=np.full(1300, 2.0))
    once = integration_covariance(function, best)
    np.testing.assert_allclose(integration_covariance(doubled, best, expected=True), 2 * once)
    np.testing.assert_allclose(integration_covariance(doubled, best), 4 * once)


def test_budget_adds_in_quadrature(noisy):
    function, best = noisy
    budget = error_budget(function, best, training=np.array([0.3, 0.0, 0.0, 0.0]))
    np.testing.assert_allclose(budget.statistical, best.errors)
    np.testing.assert_allclose(
        budget.total[0], np.sqrt(best.errors[0] ** 2 + budget.integration[0] ** 2 + budget.rate[0] ** 2 + 0.09)
    )
    exact = likelihood(np.linspace(-0.9, 0.9, 100))
    of_exact = error_budget(exact, fit(exact))
    assert not of_exact.integration.any()
    assert not of_exact.calibration.any()


def test_training_error_is_the_scatter_of_members(rng):
    x = draw(rng, 1000, a=0.3)
    members = [likelihood(x), likelihood(x * 0.98), likelihood(x * 1.01)]
    fits = [fit(member, candidates=np.array([[0.3, 0.2, 1.0, 1.0]]), verify=False) for member in members]
    errors = training_errors(fits)
    assert errors[0] == pytest.approx(np.std([each.phi[0] for each in fits], ddof=1))
    points = np.array([[0.5, 0.1, 1.0, 1.0], [0.3, 0.0, 1.0, 1.0]])
    best = np.array([0.3, 0.0, 1.0, 1.0])
    variance = training_variance(members, best, points)
    assert variance[0] == pytest.approx(np.var([float(m(points[0]) - m(best)) for m in members], ddof=1))
    assert variance[1] < 1e-20
    with pytest.raises(InferenceError, match="needs two sets of coefficients or more, got 1"):
        training_errors(fits[:1])
    with pytest.raises(InferenceError, match="needs two sets of coefficients or more, got 1"):
        training_variance(members[:1], best, points)


def test_exact_coefficients_cannot_be_drawn_anew(rng):
    exact = likelihood(draw(rng, int(1000 * LUMINOSITY * 0.01)))
    with pytest.raises(InferenceError, match="the coefficients are exact"):
        resampled_fits(exact, fit(exact), 1, rng)


def smeared(generator, events):
    """Simulated events whose estimate is of x with an error, and their weights; x as at a = b = 0."""
    x = generator.uniform(-1, 1, events)
    seen = np.clip(x + 0.3 * generator.normal(size=events), -1, 1)
    return coefficients(seen), SIGMA / events * ratios(x)


def calibrated(generator, events, seen, rate):
    """Calibrate with a fresh sample, and apply it to the events that are fitted."""
    return EventTerms.of(fit_joint_calibration(*smeared(generator, events)).apply(seen, rate))


@pytest.fixture
def data(rng):
    """Estimates of 1300 events at a = 0.3, b = 0.8."""
    return coefficients(np.clip(draw(rng, 1300, a=0.3, b=0.8) + 0.3 * rng.normal(size=1300), -1, 1))


def test_calibration_error_is_the_scatter_of_calibrations(rng, data):
    """Fits of the same events, calibrated with one fresh sample after another, scatter as the formula says."""
    model = mixture()
    function = ExtendedLikelihood(model, calibrated(rng, 3000, data, model.signal), np.ones(1300))
    best = fit(function)
    expected = np.sqrt(np.diag(calibration_covariance(function, best)))[:2]
    points = best.phi + np.array([[0.1, 0, 0, 0], [0, 0.1, 0, 0], [-0.1, 0.1, 0, 0]])
    differences, found = [], []
    for _ in range(120):
        again = replace(function, events=calibrated(rng, 3000, data, model.signal))
        phi = fit(again, best.phi, candidates=best.maxima, verify=False).phi
        found.append([phi[0], phi[1] * np.sign(phi[1] * best.phi[1])])
        differences.append(again(points) - float(again(best.phi)))
    np.testing.assert_allclose(np.std(found, axis=0, ddof=1), expected, rtol=4 / np.sqrt(240))
    variances = difference_variances(function, best.phi, points)
    np.testing.assert_allclose(np.var(differences, axis=0, ddof=1), variances.calibration, rtol=4.5 * np.sqrt(2 / 120))
    assert error_budget(function, best).calibration[:2] == pytest.approx(expected)
    assert error_budget(function, best).total[0] > np.hypot(best.errors[0], 0.99 * expected[0])


def test_rate_error_moves_the_means_of_calibrated_ratios_too(rng, data):
    """Drawn cross sections shift rate and means together."""
    spread = np.diag(np.array([1.0, 0, 0, 2.0, 0, 1.0]) * 1e-4) ** 2
    rate = FiducialRate(MONOMIALS, SIGMAS, spread)
    model = replace(mixture(), signal=rate)
    calibration = fit_joint_calibration(*smeared(rng, 3000))
    function = ExtendedLikelihood(model, EventTerms.of(calibration.apply(data, rate)), np.ones(1300))
    best = fit(function)
    expected = np.sqrt(np.diag(rate_covariance(function, best)))[:2]
    points = best.phi + np.array([[0.1, 0, 0, 0], [0, 0.1, 0, 0]])
    found, differences = [], []
    for _ in range(120):
        drawn = FiducialRate(MONOMIALS, rng.multivariate_normal(SIGMAS, spread, method="eigh"), spread)
        again = ExtendedLikelihood(
            replace(model, signal=drawn), EventTerms.of(calibration.apply(data, drawn)), np.ones(1300)
        )
        phi = fit(again, best.phi, candidates=best.maxima, verify=False).phi
        found.append([phi[0], phi[1] * np.sign(phi[1] * best.phi[1])])
        differences.append(again(points) - float(again(best.phi)))
    np.testing.assert_allclose(np.std(found, axis=0, ddof=1), expected, rtol=4 / np.sqrt(240))
    variance = difference_variances(function, best.phi, points).rate
    np.testing.assert_allclose(np.var(differences, axis=0, ddof=1), variance, rtol=4.5 * np.sqrt(2 / 120))
    fixed = replace(function, events=replace(function.events, response=None))
    assert not np.allclose(np.sqrt(np.diag(rate_covariance(fixed, best)))[:2], expected, rtol=0.1)

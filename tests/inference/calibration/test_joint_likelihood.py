"""The likelihood of a calibration: derivatives, known maxima, the sum rule, and what one event does to it."""

from dataclasses import replace

import numpy as np
import pytest
from tests.inference.toy_coefficients import MONOMIALS, squared_amplitude

from partonic.errors import ParameterError
from partonic.inference.calibration import joint_likelihood
from partonic.inference.calibration.joint_likelihood import CalibrationLikelihood, points_of_theta
from partonic.polynomial import Monomials

REFERENCE = np.array([1.0, 0, 0, 2.0, 0, 3.0])


@pytest.fixture
def theta():
    return points_of_theta(MONOMIALS, REFERENCE, 12)


def amplitudes(rng, count, noise):
    """True and estimated squared amplitudes `(N, 6)`, which share a part."""
    common = rng.normal(size=(count, 8, 3)) * np.array([1.0, 0.6, 0.5])
    common[:, 0, 0] += 1.0
    return (squared_amplitude(common + noise * rng.normal(size=common.shape)) for _ in range(2))


def problem(truth, estimate, powers, w=None):
    """Return the likelihood, with shares of the estimate as features, and what the directions are of."""
    in_reference = truth @ REFERENCE
    w = in_reference if w is None else w * in_reference
    shares, values = estimate / (estimate @ REFERENCE)[:, None], truth / in_reference[:, None]
    features, changes = shares[:, 1:] - w @ shares[:, 1:] / w.sum(), values[:, 1:] - w @ values[:, 1:] / w.sum()
    # P_0 = h − 2 P_aa − 3 P_bb, in which h does not vary
    directions = np.column_stack([-REFERENCE[1:], np.eye(5)]) @ powers
    return CalibrationLikelihood.of(features, w, values @ powers, directions), changes


def at(theta):
    return MONOMIALS.evaluate(theta).T


def test_points_are_around_the_standard_model_in_units_of_the_rate():
    theta = points_of_theta(MONOMIALS, REFERENCE)
    assert theta.shape == (33, 2)
    assert not theta[0].any()
    distance = np.linalg.norm(theta / np.sqrt(REFERENCE[[3, 5]]), axis=1)
    assert distance.max() <= 1.0
    assert distance[1:].min() > 0
    assert np.abs(np.sort(distance[1:]) - np.linspace(0, 1, 32)).max() < 0.1
    for sign in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
        assert (np.sign(theta[1:]) == sign).all(axis=1).sum() > 3
    np.testing.assert_array_equal(theta, points_of_theta(MONOMIALS, REFERENCE))
    assert len(points_of_theta(Monomials.up_to_degree(tuple("abcd"), 2), np.ones(15))) == 61


def test_a_parameter_that_only_scales_the_rate_stays_where_it_is():
    theta = points_of_theta(MONOMIALS, np.array([1.0, 0, 0, 0, 0, 3.0]))
    assert not theta[:, 0].any()
    assert theta[:, 1].any()
    assert points_of_theta(MONOMIALS, np.eye(6)[0]).tolist() == [[0.0, 0.0]]


def test_derivatives_are_those_of_differences(rng, theta):
    function, _ = problem(*amplitudes(rng, 400, 0.3), at(theta))
    slopes = 0.1 * rng.normal(size=(5, 5))
    gradient, hessian = function._gradient(slopes).ravel(), function._hessian(slopes)
    step = 1e-5
    for number in range(25):
        change = step * np.eye(25)[number].reshape(5, 5)
        assert gradient[number] == pytest.approx((function(slopes + change) - function(slopes - change)) / (2 * step),
                                                 rel=1e-5, abs=1e-8)  # fmt: skip
        found = function._gradient(slopes - change) - function._gradient(slopes + change)
        np.testing.assert_allclose(hessian[number], found.ravel() / (2 * step), rtol=1e-5, atol=1e-8)


def test_true_densities_have_the_largest_likelihood(rng, theta):
    """Features that are the truth: nothing else explains the events as well (Gibbs' inequality)."""
    truth, _ = amplitudes(rng, 500, 0.3)
    function, _ = problem(truth, truth, at(theta))
    assert function.identifiable
    assert not problem(truth, truth, at(theta[:3]))[0].identifiable
    found = function.maximum(np.zeros((5, 5)))
    np.testing.assert_allclose(found, np.eye(5), atol=1e-6)
    assert function(found) > function(0.9 * found) > function(np.zeros((5, 5))) == 0.0


def test_maximum_does_not_depend_on_the_start(rng, theta):
    function, _ = problem(*amplitudes(rng, 500, 0.5), at(theta))
    found = function.maximum(np.zeros((5, 5)))
    far = 20 * np.eye(5)
    assert -np.inf < function(far) < -1
    np.testing.assert_allclose(function.maximum(far), found, atol=1e-6)
    np.testing.assert_allclose(function._gradient(found), 0.0, atol=1e-9)
    for _ in range(10):
        assert function(found + 0.01 * rng.normal(size=(5, 5))) < function(found)


def test_sum_rule_holds_where_the_likelihood_is_of_one_point(rng):
    """E_0[ρ_a/ρ_0] = σ_a/σ_0 for whatever has slopes that are a combination of those found."""
    truth, estimate = amplitudes(rng, 800, 0.6)
    powers = np.eye(6)[:, :1]  # θ = 0
    function, _ = problem(truth, estimate, powers)
    assert not function.identifiable
    function = replace(function, directions=np.ones((1, 1)))
    slopes = function.maximum(np.zeros((5, 1)))
    rho = function.means + function.features @ slopes
    w = function.weights[:, 0]
    any_other = rng.normal(size=5)
    assert w @ ((0.3 + function.features @ any_other) / rho[:, 0]) / w.sum() == pytest.approx(
        0.3 / function.means[0], rel=1e-8
    )


def influence_of(function, slopes, changes, **options):
    return np.concatenate([part for _, part in function.influence(slopes, changes, **options)])


def test_influence_is_what_leaving_an_event_out_changes(rng, theta):
    """Fitted without one event, f̄ and the means anew: typical ones, and those of the largest influence."""
    truth, estimate = amplitudes(rng, 300, 0.3)
    function, changes = problem(truth, estimate, at(theta))
    slopes = function.maximum(np.zeros((5, 5)))
    influence = influence_of(function, slopes, changes)
    flat = influence.reshape(300, -1)
    scale = np.sqrt((flat**2).sum(axis=0))
    assert (np.abs(flat.sum(axis=0)) < 0.2 * scale).all()  # what leverage adds has no reason to cancel
    order = np.argsort(np.linalg.norm(flat, axis=1))
    for number in (*order[[150, 220, 280]], *order[-3:]):
        w = np.where(np.arange(300) == number, 0.0, 1.0)
        without = problem(truth, estimate, at(theta), w)[0].maximum(slopes)
        found = (slopes - without).ravel() / scale
        expected = flat[number] / scale
        assert np.linalg.norm(found - expected) < 0.1 * np.linalg.norm(expected)


def test_influence_without_leverage_is_a_derivative(rng, theta, monkeypatch):
    """Z by the weight of one event, and in portions as of all at once."""
    truth, estimate = amplitudes(rng, 200, 0.3)
    function, changes = problem(truth, estimate, at(theta))
    slopes = function.maximum(np.zeros((5, 5)))
    influence = influence_of(function, slopes, changes, leverage=False)
    np.testing.assert_allclose(influence.sum(axis=0), 0.0, atol=1e-9)
    step = 1e-3
    for number in (0, 77, int(np.argmax(np.abs(influence).sum(axis=(1, 2))))):
        ends = [
            problem(truth, estimate, at(theta), np.where(np.arange(200) == number, 1 + sign * step, 1.0))[0].maximum(
                slopes
            )
            for sign in (1, -1)
        ]
        largest = np.abs(influence[number]).max()
        np.testing.assert_allclose((ends[0] - ends[1]) / (2 * step), influence[number], atol=1e-3 * largest)
    whole = influence_of(function, slopes, changes)
    monkeypatch.setattr(joint_likelihood, "EVENTS_AT_ONCE", 64)
    np.testing.assert_allclose(influence_of(function, slopes, changes), whole, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("noise", [0.0, 1e-3, 1e-2])
def test_densities_that_nearly_vanish_do_not_hold_the_search_up(rng, theta, noise):
    """One squared amplitude, which is zero somewhere: the maximum is reached, in a few steps."""
    common = rng.normal(size=(4_000, 1, 3)) * np.array([1.0, 0.6, 0.5])
    common[:, 0, 0] += 1.0
    truth, estimate = (squared_amplitude(common + noise * rng.normal(size=common.shape)) for _ in range(2))
    function, changes = problem(truth, estimate, at(theta))
    found = function.maximum(np.zeros((5, 5)))
    assert np.abs(function._gradient(found)).max() < 1e-6
    influence = influence_of(function, found, changes, leverage=False)
    np.testing.assert_allclose(influence.sum(axis=0), 0.0, atol=1e-5)


def test_negative_densities_have_no_likelihood(rng, theta):
    truth, estimate = amplitudes(rng, 300, 0.3)
    assert problem(truth, estimate, at(theta))[0].positive
    truth[5, 0] *= -0.5
    assert not problem(truth, estimate, at(theta))[0].positive


def test_without_enough_steps_it_says_so(rng, theta, monkeypatch):
    monkeypatch.setattr(joint_likelihood, "_MOST_STEPS", 1)
    function, _ = problem(*amplitudes(rng, 100, 0.3), at(theta))
    with pytest.raises(ParameterError, match="not found in 1 steps or less with 100 events and 25 numbers to fit"):
        function.maximum(np.zeros((5, 5)))

from dataclasses import replace

import numpy as np
import pytest
from tests.inference.likelihood.test_event_terms import NOISE, background
from tests.inference.line_toy import LUMINOSITY, SIGMA, SIGMAS, coefficients, draw, grid, likelihood, mixture

from partonic.errors import InferenceError, ParameterError
from partonic.inference.likelihood.event_terms import EventTerms
from partonic.inference.likelihood.mixture import BackgroundRate
from partonic.inference.likelihood.unbinned import ExtendedLikelihood


def signal_density(x, a, b):
    return SIGMA / 2 * ((1 + a * x) ** 2 + b**2 * (1 - x**2) ** 2)


def sigma(a, b):
    return SIGMA * (1 + a**2 / 3 + b**2 * 8 / 15)


def mixed(x, **options):
    """Two backgrounds: one with a constrained normalisation, one that is free."""
    backgrounds = (BackgroundRate("one", 0.004, uncertainty=0.2), BackgroundRate("two", 0.002, uncertainty=None))
    second = replace(background(x), log_reference=np.log(0.002 * (1 - x) / 2))
    model = mixture(backgrounds=backgrounds, free_signal_strength=True, luminosity_uncertainty=0.02)
    terms = EventTerms.of(coefficients(x), [background(x), second])
    return ExtendedLikelihood(model, terms, **({"weights": np.ones(len(x))} | options))


def by_hand(x, phi):
    """log L of `mixed`, written out."""
    a, b, mu, n1, n2, scale = phi
    densities = mu * signal_density(x, a, b) + n1 * 0.004 * (1 + x) / 2 + n2 * 0.002 * (1 - x) / 2
    expected = 1000 * LUMINOSITY * scale * (mu * sigma(a, b) + n1 * 0.004 + n2 * 0.002)
    constraints = ((n1 - 1) / 0.2) ** 2 + ((scale - 1) / 0.02) ** 2
    return -expected + len(x) * np.log(scale) + np.log(densities).sum() - 0.5 * constraints


POINTS = np.array([[0, 0, 1, 1, 1, 1], [0.5, -0.8, 1.2, 0.7, 1.4, 0.98], [-0.9, 0.3, 0.5, 1.5, 0.2, 1.03]])


def test_mixture_of_two_backgrounds_against_direct_coding(rng):
    x = draw(rng, 200)
    found = mixed(x)
    expected = np.array([by_hand(x, phi) for phi in POINTS])
    np.testing.assert_allclose(found(POINTS) - found(POINTS[:1]), expected - expected[0], rtol=1e-6)


def variants(rng):
    x = draw(rng, 60)
    weights, norm = rng.uniform(0, 2, 60), np.array([*(SIGMAS * 1.05 + 1e-4), 0.004, 0.002])
    common = {"weights": weights, "without_coefficients": 7.5, "centres": np.array([0, 0, 1, 1.1, 1, 0.99])}
    yield mixed(x)
    yield mixed(x, **common)
    yield mixed(x, **common, shape_only=True)
    yield mixed(x, **common, shape_norm=norm)
    yield mixed(x, **common, shape_only=True, shape_norm=norm)
    noisy = ExtendedLikelihood(mixture(), EventTerms.of(coefficients(x, NOISE, rng)), weights, 3.0)
    yield noisy


def test_gradient_and_hessian_against_differences(rng):
    for function in variants(rng):
        for point in POINTS[1:]:
            phi = point if len(function.free) == 6 else np.array([*point[:2], 1.1, 0.98])
            found = function.derivatives(phi)
            assert found.value == pytest.approx(float(function(phi)), rel=1e-12)
            for k, shift in enumerate(np.eye(len(phi)) * 1e-5):
                up, down = function.derivatives(phi + shift), function.derivatives(phi - shift)
                slope = (up.gradient - down.gradient) / 2e-5
                assert found.gradient[k] == pytest.approx((up.value - down.value) / 2e-5, rel=1e-6, abs=1e-4)
                np.testing.assert_allclose(found.hessian[k], slope, rtol=1e-5, atol=1e-6 * np.abs(slope).max() + 1e-4)


def test_rate_alone_is_a_counting_experiment():
    """With n events that have no coefficients: log L = −L σ(θ) + n log σ(θ)."""
    empty = ExtendedLikelihood(mixture(), EventTerms.of(coefficients(np.zeros(0))), np.zeros(0), 1234.0)
    phi = np.array([[0.3, 0.0, 1, 1], [0.7, 1.0, 1, 1]])
    rates = np.array([sigma(0.3, 0.0), sigma(0.7, 1.0)])
    np.testing.assert_allclose(empty(phi), -1000 * LUMINOSITY * rates + 1234 * np.log(rates))


def test_shape_does_not_know_the_number_of_events(rng):
    x = draw(rng, 100)
    shape = replace(likelihood(x), shape_only=True)
    phi = np.array([[0.0, 0.0, 1, 1], [0.5, 0.7, 1, 1]])
    expected = [np.log(signal_density(x, *point[:2]) / sigma(*point[:2])).sum() for point in phi]
    found = shape(phi)
    assert found[1] - found[0] == pytest.approx(expected[1] - expected[0], rel=1e-6)
    more = replace(shape, without_coefficients=50.0)
    np.testing.assert_allclose(more(phi), found)


def test_densities_are_normalised_with_what_they_integrate_to(rng):
    x = draw(rng, 100)
    norm = SIGMAS * np.array([1.0, 1.0, 1.0, 1.3, 1.0, 0.9])
    found = replace(likelihood(x), shape_norm=norm)
    phi = np.array([[0.0, 0.0, 1, 1], [0.5, 0.7, 1, 1]])
    vectors = found.mixture.vector(phi)
    expected = likelihood(x)(phi) + 100 * np.log((vectors @ SIGMAS) / (vectors @ norm))
    np.testing.assert_allclose(found(phi), expected)


def test_weights_are_repetitions(rng):
    x = draw(rng, 30)
    counts = rng.integers(0, 4, 30)
    repeated = likelihood(np.repeat(x, counts))
    weighted = replace(likelihood(x), weights=counts.astype(float))
    phi = np.array([[0.4, 0.2, 1, 1], [-0.2, 1.0, 1, 1]])
    np.testing.assert_allclose(weighted(phi), repeated(phi), rtol=1e-12)


def test_outside_of_its_domain_it_is_minus_infinity(rng):
    x = draw(rng, 20)
    function = replace(mixed(x), without_coefficients=1.0)
    assert function(np.array([0, 0, 1, 1, 1, -0.1])) == -np.inf
    assert function(np.array([0, 0, -2.0, 1, 1, 1])) == -np.inf


def test_scores_sum_to_the_gradient_of_the_events(rng):
    x = draw(rng, 20)
    function = replace(likelihood(x), shape_only=True)
    phi = np.array([0.4, 0.2, 1.0, 1.0])
    by_rate = function.mixture.stacked_rate @ function.mixture.jacobian(phi) / sigma(0.4, 0.2)
    np.testing.assert_allclose(
        function.scores(phi).sum(axis=0) - 20 * by_rate, function.derivatives(phi).gradient, atol=1e-6
    )


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"weights": np.ones(3)}, ParameterError, "expected 5 weights"),
        ({"weights": np.full(5, np.nan)}, ParameterError, "must be finite"),
        ({"events": EventTerms(np.ones((5, 4)))}, ParameterError, "rows of 4 densities, the mixture has 6"),
        ({"weights": np.zeros(5), "shape_only": True}, InferenceError, "an empty sample has no shape"),
        (
            {"mixture": mixture(free_signal_strength=True), "shape_only": True},
            InferenceError,
            "the signal strength cannot be fitted from the shape",
        ),
    ],
)
def test_what_does_not_fit(changes, error, message):
    with pytest.raises(error, match=message):
        replace(likelihood(grid(5)), **changes)

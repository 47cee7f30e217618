import numpy as np
import pytest

from inference.toy_coefficients import MONOMIALS, toy_events, toy_weights
from partonic.errors import ParameterError
from partonic.inference.coefficients.observables import observable_names, optimal_observables, quantile_edges, score
from partonic.inference.coefficients.rate import FiducialRate
from partonic.polynomial import Monomials


@pytest.fixture
def events():
    return toy_events(toy_weights(np.random.default_rng(1), 500), bad=(3, 7))


def test_definition_in_the_notation_of_experiments(events):
    """2 P_01 and P_1 from finite differences of P(x|θ) along the axis, with the scale θ_0 = 0.4."""
    scale, c = 0.4, 2.5
    plus, minus, zero = (events.at(np.array([0.0, step * scale])) for step in (1.0, -1.0, 0.0))
    twice_p01, p1 = (plus - minus) / 2, (plus + minus - 2 * zero) / 2
    expected = np.stack([twice_p01, p1], axis=1) / (zero + c * p1)[:, None]
    found = optimal_observables(events, "b", scale, c)
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)
    assert np.isnan(found[[3, 7]]).all()
    assert np.isfinite(np.delete(found, [3, 7], axis=0)).all()


@pytest.mark.parametrize("c", [0.3, 1.0, 4.0])
def test_pair_is_sufficient_and_bounded(events, c):
    r1, r2 = optimal_observables(events, "a", scale=1.7, c=c)[events.usable()].T
    for theta in (-0.8, 0.3, 2.0):
        t = theta / 1.7
        density = (1 + t * r1 + (t**2 - c) * r2) / (1 - c * r2)
        np.testing.assert_allclose(density, events.at(np.array([theta, 0.0]))[events.usable()], rtol=1e-10)
    assert np.abs(r1).max() <= 1 / np.sqrt(c)
    assert r2.min() >= 0
    assert r2.max() <= 1 / c
    assert (r1**2 <= 4 * r2 * (1 - c * r2) + 1e-12).all()


def test_score_is_the_slope_of_the_log_density(events):
    theta, step = np.array([0.3, -0.2]), 1e-5
    for rate in (None, FiducialRate(MONOMIALS, np.array([1.0, 0.2, 0.1, 0.5, 0.0, 0.3]), np.zeros((6, 6)))):
        found = score(events, theta, rate)
        for k, direction in enumerate(np.eye(2)):
            ends = [np.log(events.at(theta + sign * step * direction)) for sign in (1, -1)]
            slope = (ends[0] - ends[1]) / (2 * step)
            if rate is not None:
                log_rates = [np.log(rate.sigma(theta + sign * step * direction)) for sign in (1, -1)]
                slope -= (log_rates[0] - log_rates[1]) / (2 * step)
            np.testing.assert_allclose(found[:, k], slope, rtol=1e-6, atol=1e-6)


def test_score_at_zero_is_the_ratio_of_the_linear_term_and_averages_to_the_slope_of_the_rate():
    weights = toy_weights(np.random.default_rng(2), 1000)
    found = score(toy_events(weights), np.zeros(2))
    np.testing.assert_allclose(found, weights[:, 1:3] / weights[:, :1])
    mean = weights[:, 0] @ found / weights[:, 0].sum()
    np.testing.assert_allclose(mean, weights[:, 1:3].sum(axis=0) / weights[:, 0].sum())


def test_density_that_is_not_positive_gives_nan():
    weights = np.array([[1.0, 0.5, 0.0, -3.0, 0.0, 0.1]])
    assert np.isnan(optimal_observables(toy_events(weights), "a")).all()
    assert np.isnan(score(toy_events(weights), np.array([1.0, 0.0]))).all()


def test_weighted_quantiles_have_equal_weight():
    rng = np.random.default_rng(3)
    values, weights = rng.normal(size=4000), rng.uniform(0.1, 2.0, 4000)
    edges = quantile_edges(values, weights, 7)
    shares = np.bincount(np.searchsorted(edges, values), weights) / weights.sum()
    np.testing.assert_allclose(shares, 1 / 7, atol=2 * 2.0 / weights.sum())


@pytest.mark.parametrize("bins", [1, 2, 5, 6])
def test_symmetric_edges(bins):
    rng = np.random.default_rng(4)
    values = rng.normal(size=20_000)
    edges = quantile_edges(values, np.ones(20_000), bins, symmetric=True)
    np.testing.assert_allclose(edges, -edges[::-1])
    shares = np.bincount(np.searchsorted(edges, values), minlength=bins) / 20_000
    np.testing.assert_allclose(shares, 1 / bins, atol=5 * np.sqrt(0.25 / 20_000))


def test_every_bin_holds_a_value():
    assert len(quantile_edges(np.array([1.0, 1.0, 1.0, np.nan]), np.ones(4), 3)) == 0
    values = np.array([0.0, 0.0, 0.0, 0.0, 5.0, 6.0])
    for bins in (2, 3, 10):
        edges = quantile_edges(values, np.ones(6), bins)
        assert np.bincount(np.searchsorted(edges, values, side="right"), minlength=len(edges) + 1).min() > 0


def test_names():
    assert observable_names("kappa") == ("R1[kappa]", "R2[kappa]")


def test_errors(events):
    with pytest.raises(ParameterError, match="unknown theory parameter 'x'"):
        optimal_observables(events, "x")
    with pytest.raises(ParameterError, match="must be > 0, got -1"):
        optimal_observables(events, "a", scale=-1.0)
    linear = Monomials(("a",), ((0,), (1,)))
    with pytest.raises(ParameterError, match=r"need the monomials a and a\^2"):
        optimal_observables(toy_events(np.ones((2, 2)), monomials=linear), "a")
    with pytest.raises(ParameterError, match="the rate is in 1, a,"):
        score(events, np.zeros(2), FiducialRate(linear, np.ones(2), np.zeros((2, 2))))
    with pytest.raises(ParameterError, match="expected events that have it"):
        quantile_edges(np.full(3, np.nan), np.ones(3), 2)
    with pytest.raises(ParameterError, match="positive in sum"):
        quantile_edges(np.arange(3.0), -np.ones(3), 2)
    with pytest.raises(ParameterError, match="number of bins must be 1 or more"):
        quantile_edges(np.arange(3.0), np.ones(3), 0)

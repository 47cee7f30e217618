"""Fisher information against the closed form of events on a line."""

import numpy as np
import pytest
from tests.inference.line_toy import MONOMIALS, SIGMA, grid, ratios

from partonic.inference.experiments.baselines import histogram, rate_only
from partonic.inference.experiments.information import errors_of, information_in_bins, information_of_events

X = grid(20_000)
WEIGHTS = SIGMA / len(X) * ratios(X)
LUMINOSITY = 100.0
EVENTS = SIGMA * 1000 * LUMINOSITY
ORIGIN = np.zeros(2)


def test_events_and_bins_have_their_closed_form() -> None:
    """p ∝ (1 + a x)² + b² (1 − x²)²: at the origin I_aa = N E[4 x²] = 4N/3; two bins of x have (∂ν/∂a)²/ν = N."""
    truth = information_of_events(WEIGHTS, MONOMIALS, ORIGIN, LUMINOSITY)
    np.testing.assert_allclose(truth, [[4 / 3 * EVENTS, 0.0], [0.0, 0.0]], rtol=1e-6, atol=1e-6 * EVENTS)
    halves = histogram("x", MONOMIALS, X, WEIGHTS, (0.0,))
    assert information_in_bins(halves, ORIGIN, LUMINOSITY)[0, 0] == pytest.approx(EVENTS, rel=1e-6)
    rate = rate_only(MONOMIALS, WEIGHTS)
    np.testing.assert_allclose(information_in_bins(rate, ORIGIN, LUMINOSITY), 0.0, atol=1e-9 * EVENTS)


def test_bins_never_have_more_than_events_and_reach_them() -> None:
    theta = np.array([0.3, 0.7])
    truth = information_of_events(WEIGHTS, MONOMIALS, theta, LUMINOSITY)
    lost = []
    for bins in ((0.0,), (-0.5, 0.0, 0.5), tuple(np.linspace(-1, 1, 101)[1:-1])):
        found = information_in_bins(histogram("x", MONOMIALS, X, WEIGHTS, bins), theta, LUMINOSITY)
        lost.append(np.linalg.eigvalsh(truth - found))
        assert lost[-1].min() > -1e-9 * truth.max()
    assert lost[0].max() > lost[1].max() > lost[2].max()
    assert lost[2].max() < 0.01 * truth.max()


def test_errors() -> None:
    alone, together = errors_of(np.array([[4.0, 1.0], [1.0, 1.0]]))
    np.testing.assert_allclose(alone, [0.5, 1.0])
    np.testing.assert_allclose(together, np.sqrt([1 / 3, 4 / 3]))
    alone, together = errors_of(np.array([[4.0, 0.0], [0.0, 0.0]]))
    np.testing.assert_array_equal(alone, [0.5, np.inf])
    assert np.isinf(together).all()
    assert np.isinf(errors_of(np.array([[1.0, 1.0], [1.0, 1.0]]))[1]).all()

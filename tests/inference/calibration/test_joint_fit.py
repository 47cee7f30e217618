"""Which fit is made of which ratios, and that it is the better one where both can be."""

import numpy as np
import pytest
from tests.inference.toy_coefficients import MONOMIALS, toy_weights

from partonic.inference.calibration.joint_fit import fit_slopes, units_of
from partonic.inference.calibration.weighted_columns import inverse_moments
from partonic.polynomial import Monomials


def test_first_order_is_fitted_by_least_squares(rng):
    """Ratios to first order may be negative, and are no densities: the slopes are numpy's."""
    features = rng.normal(size=(2_000, 3))
    truth = np.column_stack([np.ones(2_000), features @ [[1.0, 0.2], [0.0, -0.5], [0.3, 0.0]]])
    truth[:, 1:] += rng.normal(size=(2_000, 2))
    w = rng.uniform(0.5, 1.5, 2_000)
    features -= w @ features / w.sum()
    fit = fit_slopes(Monomials.up_to_degree(("a", "b"), 1), np.array([1.0, 0, 0]), features, truth, w)
    assert fit.theta.shape == (0, 2)
    root = np.sqrt(w)[:, None]
    expected = np.linalg.lstsq(root * features, root * (truth - w @ truth / w.sum()), rcond=None)[0]
    np.testing.assert_allclose(fit.slopes, expected, atol=1e-12)
    # homoscedastic: the sandwich is the textbook's covariance of weighted least squares
    of_slope = fit.covariance.reshape(5, 2, 5, 2)[2:, 0, 2:, 0]
    inverse = inverse_moments((w[:, None] * features).T @ features)
    textbook = inverse @ ((w**2)[:, None] * features).T @ features @ inverse
    np.testing.assert_allclose(np.diag(of_slope), np.diag(textbook), rtol=0.15)


def test_densities_are_fitted_by_likelihood(rng):
    """A few events hardly happen at θ = 0: least squares make their densities negative, the likelihood hardly can."""
    weights = 1e4 * toy_weights(rng, 4_000)
    reference = np.array([1.0, 0, 0, weights[:, 0].sum() / weights[:, 3].sum(), 0,
                          weights[:, 0].sum() / weights[:, 5].sum()])  # fmt: skip
    w = weights @ reference
    truth = weights / w[:, None]
    features = truth[:, [0]] + 0.3 * rng.normal(size=(4_000, 1))
    features -= w @ features / w.sum()
    fit = fit_slopes(MONOMIALS, reference, features, truth, w)
    assert len(fit.theta) == 33
    means = w @ truth / w.sum()
    squares = w @ (features * (truth - means)) / (w @ features**2)
    of_squares, of_likelihood = (means[0] + features[:, 0] * slopes[0] for slopes in (squares, fit.slopes[0]))
    assert of_squares.min() < -0.01
    assert of_likelihood.min() > -0.001


@pytest.mark.parametrize("names", [("a",), ("scale", "a")])
def test_one_ratio_of_first_order_is_fitted_by_least_squares(rng, names):
    """The directions at θ = 0 are rounding, and nothing to divide by."""
    monomials = Monomials.up_to_degree(names, 1)
    features, w = rng.normal(size=(3_000, 2)), rng.uniform(0.5, 1.5, 3_000)
    features -= w @ features / w.sum()
    varying = features @ [1.0, 0.3] + rng.normal(size=3_000)
    truth = np.column_stack([np.ones(3_000), *([2 * np.ones(3_000)] if len(names) > 1 else []), varying])
    fit = fit_slopes(monomials, np.eye(len(monomials))[0], features, truth, w)
    assert len(fit.theta) == 0
    np.testing.assert_allclose(fit.slopes[:, -1], [1.0, 0.3], atol=0.1)
    np.testing.assert_allclose(fit.slopes[:, :-1], 0.0, atol=1e-12)


def test_units_of_the_parameters_do_not_matter(rng):
    """c_kk/σ_0 of 10⁻¹⁰ is no constant: coefficients may be in any units."""
    weights = 1e4 * toy_weights(rng, 2_000)
    features = rng.normal(size=(2_000, 2)) + weights[:, [0]]
    found = []
    for size in (1.0, 1e-5):
        c = weights * np.prod(np.array([size, size]) ** np.array(MONOMIALS.exponents), axis=1)
        total = c.sum(axis=0)
        reference = np.array([1.0, 0, 0, total[0] / total[3], 0, total[0] / total[5]])
        w = c @ reference
        centred = features - w @ features / w.sum()
        fit = fit_slopes(MONOMIALS, reference, centred, c / w[:, None], w)
        assert len(fit.directions) == 5
        found.append(fit.slopes * units_of(MONOMIALS, reference))
    np.testing.assert_allclose(found[0], found[1], atol=1e-9)

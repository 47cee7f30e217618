from dataclasses import replace

import numpy as np
import pytest

from partonic.errors import ParameterError
from partonic.inference.coefficients.response import CalibrationResponse

REFERENCE = np.array([1.0, 0.0, 0.5])


def responses(rng, events=40, reference=None):
    """X and K of toy events with three ratios, of which two are independent."""
    design = np.column_stack([np.ones(events), rng.normal(size=(events, 2))])
    directions = np.array([[1.0, 0.0, -2.0], [0.0, 1.0, 0.0]])
    kernel = np.array([[0.5, 0.2, 1.0], [0.02, 0.03, -0.04], [0.01, -0.02, -0.02]])
    covariance = np.diag(rng.uniform(0.5, 1.0, 6))
    rho = design @ kernel
    return CalibrationResponse(design / rho[:, :1], directions, covariance, reference), design, kernel


def ratios(design, kernel):
    return design @ kernel / (design @ kernel)[:, :1]


def test_moments_are_the_derivative(rng):
    """Against finite differences of Σ w s·B, B = share·R, at fixed s."""
    response, design, kernel = responses(rng)
    shares, weights, slopes = rng.uniform(0.1, 1, 40), rng.uniform(0, 2, 40), rng.normal(size=(40, 3))

    def total(k):
        return weights @ (slopes * shares[:, None] * ratios(design, k)).sum(axis=1)

    found = response.moments(shares[:, None] * ratios(design, kernel), slopes, weights)
    for place in np.ndindex(3, 3):
        step = np.zeros((3, 3))
        step[place] = 1e-6
        assert found[place] == pytest.approx((total(kernel + step) - total(kernel - step)) / 2e-6, rel=1e-6, abs=1e-7)


def test_variance_is_that_of_the_directions(rng):
    response, _, _ = responses(rng)
    moments = rng.normal(size=(2, 3, 3))
    draws = rng.multivariate_normal(np.zeros(6), response.covariance, size=200_000).reshape(-1, 3, 2)
    changes = np.einsum("eda,mda->em", draws @ response.directions, moments)
    np.testing.assert_allclose(np.cov(changes.T), response.variance(moments), rtol=0.05, atol=0.05)


def test_means_follow_the_rate(rng):
    """∂(moments·σ/(h·σ))/∂σ against finite differences."""
    response, _, _ = responses(rng, reference=REFERENCE)
    moments, rate = rng.normal(size=(1, 3, 3)), np.array([0.3, 0.1, 0.2])
    found = response.by_rate(moments, rate)[0]
    for a in range(3):
        step = np.zeros(3)
        step[a] = 1e-6
        up, down = (moments[0, 0] @ (each / (REFERENCE @ each)) for each in (rate + step, rate - step))
        assert found[a] == pytest.approx((up - down) / 2e-6, rel=1e-5, abs=1e-8)
    assert not replace(response, reference=None).by_rate(moments, rate).any()


def test_events_are_selected_and_joined(rng):
    response, _, _ = responses(rng)
    first, rest = response.select(np.arange(40) < 10), response.select(np.arange(40) >= 10)
    again = CalibrationResponse.joined([first, rest])
    np.testing.assert_array_equal(again.design, response.design)
    assert CalibrationResponse.joined([None, None]) is None
    other = replace(rest, covariance=2 * rest.covariance)
    for part in (None, other):
        with pytest.raises(ParameterError, match="calibrated in different ways"):
            CalibrationResponse.joined([first, part])


def test_wrong_covariance(rng):
    response, _, _ = responses(rng)
    with pytest.raises(ParameterError, match=r"need a covariance of shape \(6, 6\), got \(2, 2\)"):
        replace(response, covariance=np.eye(2))

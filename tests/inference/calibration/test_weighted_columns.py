"""Weighted second moments of columns, against numpy where it has them."""

import numpy as np

from partonic.inference.calibration.weighted_columns import (
    as_combinations,
    covariance_of,
    independent_columns,
    inverse_moments,
    without_noise,
)


def test_covariance_is_that_of_numpy(rng):
    values, w = rng.normal(size=(500, 3)), rng.uniform(0.5, 2.0, 500)
    centred = values - w @ values / w.sum()
    np.testing.assert_allclose(covariance_of(centred, w), np.cov(values.T, aweights=w, ddof=0))


def test_columns_that_others_add_up_to_are_found_and_expressed(rng):
    first, second = rng.normal(size=(2, 400))
    values, w = np.column_stack([first, np.full(400, 2.0), second, first - 3.0 * second]), np.ones(400)
    chosen = independent_columns(values, w)
    assert chosen == (0, 2)
    combinations = as_combinations(values - values.mean(axis=0), chosen, w)
    np.testing.assert_allclose(combinations, [[1.0, 0.0, 0.0, 1.0], [0.0, 0.0, 1.0, -3.0]], atol=1e-12)


def test_noise_is_taken_off_but_not_below_a_part(rng):
    spread = np.array([[2.0, 0.3], [0.3, 1.0]])
    np.testing.assert_allclose(without_noise(spread, 0.2 * spread), 0.8 * spread, rtol=1e-9)
    left = without_noise(spread, np.diag([0.0, 5.0]))
    assert np.linalg.eigvalsh(left)[0] > 0
    assert without_noise(np.zeros((0, 0)), np.zeros((0, 0))).shape == (0, 0)


def test_inverse_of_what_events_tell_apart(rng):
    columns = rng.normal(size=(300, 2))
    columns = np.column_stack([columns, columns.sum(axis=1)])
    moments = columns.T @ columns
    inverse = inverse_moments(moments)
    np.testing.assert_allclose(moments @ inverse @ moments, moments, rtol=1e-8)
    np.testing.assert_allclose(inverse_moments(np.diag([4.0, 0.0])), np.diag([0.25, 0.0]))

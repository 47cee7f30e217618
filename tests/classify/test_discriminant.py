import numpy as np
import pytest

from inference.toy_coefficients import toy_events
from partonic.classify.discriminant import discriminant, log_density_ratio
from partonic.errors import ParameterError
from partonic.polynomial import Monomials

SIGNAL = Monomials.up_to_degree(("a",), 2)


@pytest.fixture
def densities():
    rng = np.random.default_rng(1)
    signal, background = np.exp(rng.normal(size=(2, 50)))
    signal = signal[:, None] * np.array([1.0, 0.4, 0.2])
    return signal, background


def pair(densities, **options):
    signal, background = densities
    background_events = toy_events(background[:, None], monomials=Monomials.constant(), **options)
    return toy_events(signal, monomials=SIGNAL), background_events


def test_formula(densities):
    signal, background = densities
    for k in (0.1, 1.0, 7.0):
        expected = signal[:, 0] / (signal[:, 0] + k * background)
        np.testing.assert_allclose(discriminant(*pair(densities), k), expected)


def test_at_another_theta(densities):
    signal, background = densities
    at_theta = signal @ np.array([1.0, 0.5, 0.25])
    found = discriminant(*pair(densities), 2.0, np.array([0.5]))
    np.testing.assert_allclose(found, at_theta / (at_theta + 2.0 * background))


def test_densities_beyond_floating_point_numbers():
    far = np.array([[1e-300], [1e300]])
    signal = toy_events(far, monomials=Monomials.constant())
    background = toy_events(far[::-1].copy(), monomials=Monomials.constant())
    np.testing.assert_array_equal(discriminant(signal, background, 1.0), [0.0, 1.0])
    np.testing.assert_allclose(log_density_ratio(signal, background), [-600 * np.log(10), 600 * np.log(10)])


def test_events_without_coefficients_have_none(densities):
    found = discriminant(*pair(densities, bad=(4,)), 1.0)
    assert np.flatnonzero(np.isnan(found)).tolist() == [4]
    negative = toy_events(np.array([[1.0, -3.0, 0.1]]), monomials=SIGNAL)
    one = toy_events(np.ones((1, 1)), monomials=Monomials.constant())
    assert np.isnan(log_density_ratio(negative, one, np.array([1.0]))).all()


def test_errors(densities):
    with pytest.raises(ParameterError, match="must be > 0, got 0"):
        discriminant(*pair(densities), 0.0)
    with pytest.raises(ParameterError, match="not of the same events"):
        discriminant(*pair(densities, event_id=np.arange(50) + 1), 1.0)

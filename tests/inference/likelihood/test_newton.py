from dataclasses import dataclass

import numpy as np
import pytest

from partonic.inference.likelihood.event_terms import Derivatives
from partonic.inference.likelihood.newton import maximise


@dataclass
class Valleys:
    """log L = −(y² − 1)² − (z − 2y)²/2 : maxima at y = ±1, z = ±2, a saddle at the origin."""

    free: np.ndarray
    evaluations: int = 0

    def __call__(self, phi):
        self.evaluations += 1
        y, z = phi[..., 0], phi[..., 1]
        return np.asarray(-((y**2 - 1) ** 2) - 0.5 * (z - 2 * y) ** 2)

    def derivatives(self, phi):
        y, z = phi
        gradient = np.array([-4 * y * (y**2 - 1) + 2 * (z - 2 * y), -(z - 2 * y)])
        hessian = np.array([[-12 * y**2 + 4 - 4, 2.0], [2.0, -1.0]])
        return Derivatives(float(self(phi)), gradient, hessian)


@pytest.mark.parametrize("start", [(0.4, -1.0), (3.0, 5.0), (-0.1, 8.0), (0.0, 0.0)])
def test_climbs_to_a_maximum_from_anywhere(start):
    found = maximise(Valleys(np.array([True, True])), np.array(start))
    assert found.converged
    assert found.value == pytest.approx(0.0, abs=1e-9)
    np.testing.assert_allclose(np.abs(found.phi), [1.0, 2.0], atol=1e-5)
    np.testing.assert_allclose(found.covariance(), np.linalg.inv([[12.0, -2.0], [-2.0, 1.0]]), rtol=1e-4)
    assert found.steps < 20


def test_parameters_that_are_not_free_stay():
    found = maximise(Valleys(np.array([False, True])), np.array([0.7, 9.0]))
    np.testing.assert_allclose(found.phi, [0.7, 1.4])
    assert found.converged
    np.testing.assert_allclose(found.covariance(), [[0, 0], [0, 1.0]])
    nothing = maximise(Valleys(np.array([True, True])), np.array([0.7, 9.0]), np.zeros(2, dtype=bool))
    assert nothing.converged
    np.testing.assert_array_equal(nothing.phi, [0.7, 9.0])


@dataclass
class Slope:
    """log L = y: no maximum."""

    free: np.ndarray

    def __call__(self, phi):
        return np.asarray(phi[..., 0])

    def derivatives(self, phi):
        return Derivatives(float(phi[0]), np.ones(1), np.zeros((1, 1)))


def test_no_maximum_is_said():
    found = maximise(Slope(np.array([True])), np.array([0.0]))
    assert not found.converged
    assert np.isnan(found.covariance()).all()

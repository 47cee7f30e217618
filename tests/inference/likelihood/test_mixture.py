import numpy as np
import pytest
from tests.inference.line_toy import LUMINOSITY, MONOMIALS, SIGMAS, mixture, rate

from partonic.errors import ParameterError
from partonic.inference.likelihood.mixture import BackgroundRate, Mixture

BACKGROUNDS = (BackgroundRate("ttbb", 0.004, 1e-4, 0.2), BackgroundRate("ttcc", 0.001, uncertainty=None))


@pytest.fixture
def mixed():
    return mixture(backgrounds=BACKGROUNDS, free_signal_strength=True, luminosity_uncertainty=0.02)


def test_parameters_and_which_are_free(mixed):
    names = ("a", "b", "signal_strength", "ttbb_normalisation", "ttcc_normalisation", "luminosity_scale")
    assert mixed.names == names
    assert mixed.free.all()
    fixed = mixture(fitted=("b",), fixed_values={"a": 0.3}, backgrounds=(BackgroundRate("ttbb", 0.004),))
    assert fixed.free.tolist() == [False, True, False, False, False]
    assert fixed.point({"b": 2.0}).tolist() == [0.3, 2.0, 1.0, 1.0, 1.0]


def test_vector_and_its_derivatives(mixed, rng):
    phi = np.array([0.3, -0.7, 1.2, 0.9, 1.1, 1.01])
    vector = mixed.vector(phi)
    np.testing.assert_allclose(vector, [*(1.2 * MONOMIALS.evaluate([0.3, -0.7])), 0.9, 1.1])
    step, factors = 1e-6, rng.normal(size=8)
    for k, shift in enumerate(np.eye(6) * step):
        np.testing.assert_allclose(
            mixed.jacobian(phi)[:, k], (mixed.vector(phi + shift) - mixed.vector(phi - shift)) / (2 * step), atol=1e-8
        )
        slope = (mixed.jacobian(phi + shift) - mixed.jacobian(phi - shift)).T @ factors / (2 * step)
        np.testing.assert_allclose(mixed.curvature(phi, factors)[k], slope, atol=1e-8)


def test_expected_numbers_of_events(mixed):
    phi = mixed.point({"a": 1.0, "signal_strength": 2.0, "ttbb_normalisation": 0.5, "luminosity_scale": 1.1})
    numbers = 1000 * LUMINOSITY * 1.1 * np.array([2 * 0.01 * 4 / 3, 0.002, 0.001])
    np.testing.assert_allclose(mixed.expected_by_component(phi), numbers)


def test_rates_and_constraints_in_one_order(mixed):
    np.testing.assert_allclose(mixed.stacked_rate, [*SIGMAS, 0.004, 0.001])
    assert mixed.stacked_covariance[6, 6] == pytest.approx(1e-8)
    np.testing.assert_array_equal(mixed.constraints[1], [np.inf, np.inf, np.inf, 0.2, np.inf, 0.02])
    held = mixture(theta_constraints={"a": (0.1, 0.5)})
    np.testing.assert_array_equal(held.constraints[:, 0], [0.1, 0.5])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fitted": ("c",)}, "unknown theory parameter 'c': the fit has a, b"),
        ({"fixed_values": {"c": 1.0}}, "unknown theory parameter 'c'"),
        ({"theta_constraints": {"c": (0.0, 1.0)}}, "unknown theory parameter 'c'"),
        ({"fixed_values": {"a": 1.0}}, "a: a parameter is either fitted or fixed"),
        ({"backgrounds": (BACKGROUNDS[0], BACKGROUNDS[0])}, "must have different names"),
    ],
)
def test_what_does_not_fit(options, message):
    with pytest.raises(ParameterError, match=message):
        mixture(**options)


def test_other_mistakes(mixed):
    with pytest.raises(ParameterError, match="the luminosity must be > 0"):
        Mixture(rate(), luminosity=0.0)
    with pytest.raises(ParameterError, match="unknown parameter 'c'"):
        mixed.index("c")
    with pytest.raises(ParameterError, match="unknown parameter 'c'"):
        mixed.point({"c": 1.0})
    with pytest.raises(ParameterError, match="needs a cross section > 0"):
        BackgroundRate("ttbb", 0.0)
    with pytest.raises(ParameterError, match="must be ≥ 0"):
        BackgroundRate("ttbb", 1.0, uncertainty=-0.1)

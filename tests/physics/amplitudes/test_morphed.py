"""Coefficients of θ from evaluations at fixed parameters: exact for polynomials, errors for everything else."""

import math

import pytest
import torch

from partonic.errors import ParameterError, ProcessError
from partonic.physics.amplitudes.amplitude import Amplitude, SquaredMatrixElement
from partonic.physics.amplitudes.morphed import MorphedAmplitude
from partonic.polynomial import Monomials

QUADRATIC = Monomials.up_to_degree(["a", "b"], 2)


class Toy:
    """|M|² = |g² k0 + g a k1 + g² b k2|² with g = √(4π α_s): an operator with and one without a factor g_s."""

    particles = (21, 21, 6, -6)
    colour_flows = (((1, 2), (2, 3), (1, 0), (0, 3)), ((2, 3), (1, 2), (1, 0), (0, 3)))

    def __init__(self, mixed=0.0):
        self.values = {"a": 0.0, "b": 0.0, "aS": 0.118, "ctW": 0.0}
        self.mixed = mixed

    @property
    def parameters(self):
        return dict(self.values)

    def set_parameters(self, values):
        self.values.update(values)

    def amplitudes(self, momenta):
        return momenta[:, 2, 1], momenta[:, 2, 2], momenta[:, 2, 3]

    def squared(self, momenta):
        k0, k1, k2 = self.amplitudes(momenta)
        a, b, g = self.values["a"] + self.values["ctW"], self.values["b"], math.sqrt(4 * math.pi * self.values["aS"])
        return (g**2 * k0 + g * a * k1 + g**2 * b * k2) ** 2 + self.mixed * (g**2 + g**4)

    def flow_squared(self, momenta):
        k0, k1, _ = self.amplitudes(momenta)
        return torch.stack([k0**2, (k1 * self.values["a"]) ** 2], dim=1)


@pytest.fixture
def momenta(torch_rng):
    return torch.rand(30, 4, 4, generator=torch_rng, dtype=torch.float64) + 0.5


@pytest.fixture
def alpha_s(torch_rng):
    return 0.08 + 0.1 * torch.rand(30, generator=torch_rng, dtype=torch.float64)


def test_coefficients_and_their_powers_of_the_strong_coupling(momenta, alpha_s):
    amplitude = MorphedAmplitude(Toy(), QUADRATIC, scales={"a": 2.0, "b": 0.3})
    k0, k1, k2 = Toy().amplitudes(momenta)
    g = torch.sqrt(4 * math.pi * alpha_s)
    expected = torch.stack(
        [g**4 * k0**2, 2 * g**3 * k0 * k1, 2 * g**4 * k0 * k2, g**2 * k1**2, 2 * g**3 * k1 * k2, g**4 * k2**2], dim=1
    )
    torch.testing.assert_close(amplitude.coefficients(momenta, alpha_s), expected, rtol=1e-10, atol=0)
    assert isinstance(amplitude, Amplitude)
    assert isinstance(Toy(), SquaredMatrixElement)


def test_another_name_in_the_matrix_element(momenta, alpha_s):
    renamed = MorphedAmplitude(Toy(), QUADRATIC, names={"a": "ctW"})
    plain = MorphedAmplitude(Toy(), QUADRATIC)
    torch.testing.assert_close(renamed.coefficients(momenta, alpha_s), plain.coefficients(momenta, alpha_s))


def test_a_coefficient_that_vanishes(momenta, alpha_s):
    momenta[:, 2, 2] = 0.0
    coefficients = MorphedAmplitude(Toy(), QUADRATIC).coefficients(momenta, alpha_s)
    torch.testing.assert_close(coefficients[:, [1, 3, 4]], torch.zeros(30, 3, dtype=torch.float64), rtol=0, atol=1e-12)


def test_no_dependence_on_theta(momenta, alpha_s):
    coefficients = MorphedAmplitude(Toy()).coefficients(momenta, alpha_s)
    torch.testing.assert_close(coefficients[:, 0], (4 * math.pi * alpha_s * momenta[:, 2, 1]) ** 2)


def test_no_events():
    empty = torch.zeros(0, 4, 4, dtype=torch.float64)
    assert MorphedAmplitude(Toy(), QUADRATIC).coefficients(empty, empty[:, 0, 0]).shape == (0, 6)


def test_parameters_are_left_at_zero(momenta, alpha_s):
    toy = Toy()
    MorphedAmplitude(toy, QUADRATIC).coefficients(momenta, alpha_s)
    assert toy.parameters == {"a": 0.0, "b": 0.0, "aS": 0.118, "ctW": 0.0}


def test_flow_weights_at_theta(momenta, alpha_s):
    theta = torch.tensor([0.5, 0.0], dtype=torch.float64)
    weights = MorphedAmplitude(Toy(), QUADRATIC).flow_weights(momenta, alpha_s, theta)
    expected = torch.stack([momenta[:, 2, 1] ** 2, (0.5 * momenta[:, 2, 2]) ** 2], dim=1)
    torch.testing.assert_close(weights, expected)


def test_unknown_parameters():
    with pytest.raises(ParameterError, match=r"no parameter 'c'; it has: a, aS, b, ctW"):
        MorphedAmplitude(Toy(), Monomials.up_to_degree(["c"], 2))
    with pytest.raises(ParameterError, match="no parameter 'alphas'"):
        MorphedAmplitude(Toy(), QUADRATIC, strong_coupling="alphas")


def test_wrong_degree_is_noticed(momenta, alpha_s):
    with pytest.raises(ProcessError, match="not a polynomial of the monomials 1, a, b"):
        MorphedAmplitude(Toy(), Monomials.up_to_degree(["a", "b"], 1)).coefficients(momenta, alpha_s)


def test_mixed_coupling_orders_are_noticed(momenta, alpha_s):
    with pytest.raises(ProcessError, match="no pure powers of aS"):
        MorphedAmplitude(Toy(mixed=1.0), QUADRATIC).coefficients(momenta, alpha_s)


def test_fixed_coupling_takes_any_dependence_on_it(momenta, alpha_s):
    toy = Toy(mixed=1.0)
    fixed = MorphedAmplitude(toy, strong_coupling=None).coefficients(momenta, alpha_s)
    torch.testing.assert_close(fixed[:, 0], toy.squared(momenta))

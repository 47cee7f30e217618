"""Targets around a reference and back."""

import numpy as np
import pytest

from partonic.errors import ParameterError
from partonic.polynomial import Monomials
from partonic.sbi.expansion import Expansion

TWO = Monomials.up_to_degree(("a", "b"), 2)


@pytest.mark.parametrize(
    ("monomials", "reference"),
    [
        (TWO, [{}]),
        (TWO, [{"a": 0.7, "b": -2.0}]),
        (TWO, [{"a": 1.0}, {"b": 1.0}, {}]),
        (Monomials(("a", "b"), ((2, 0), (1, 1), (0, 2))), [{"a": 1.0}]),  # not closed under shifts
    ],
)
def test_targets_sum_to_the_density_at_any_point_and_go_back(monomials, reference):
    expansion = Expansion.around(monomials, reference)
    c = np.random.default_rng(1).normal(size=(5, len(monomials)))
    y = expansion.targets(c)
    theta = np.array([[0.3, -1.1], [2.0, 0.5]])
    np.testing.assert_allclose(y @ expansion.row(theta).T, c @ monomials.evaluate(theta).T, atol=1e-12)
    at_reference = np.mean([c @ monomials.evaluate(monomials.point(point)) for point in reference], axis=0)
    np.testing.assert_allclose(y[:, 0], at_reference, atol=1e-12)
    np.testing.assert_allclose(expansion.ratios(y), c, atol=1e-12)


def test_targets_are_derivatives_at_the_reference():
    expansion = Expansion.around(TWO, [{"a": 0.7, "b": -2.0}])
    c = np.array([[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]])  # of 1, a, b, a², ab, b²
    a, b = 0.7, -2.0
    y = expansion.targets(c)[0]
    assert y[1] == pytest.approx(2 + 2 * 4 * a + 5 * b)
    assert y[2] == pytest.approx(3 + 5 * a + 2 * 6 * b)
    assert y[3:] == pytest.approx([4, 5, 6])


def test_gradient_is_that_of_the_row():
    expansion = Expansion.around(TWO, [{"a": 0.7}, {}])
    theta, step = np.array([0.4, 0.2]), 1e-6
    for k in range(2):
        shift = step * np.eye(2)[k]
        numerical = (expansion.row(theta + shift) - expansion.row(theta - shift)) / (2 * step)
        np.testing.assert_allclose(expansion.gradient(theta)[:, k], numerical, atol=1e-8)


def test_a_reference_needs_points_of_known_parameters():
    with pytest.raises(ParameterError, match="one reference point"):
        Expansion.around(TWO, [])
    with pytest.raises(ParameterError, match="unknown theory parameter 'c'"):
        Expansion.around(TWO, [{"c": 1.0}])


def test_a_reference_out_of_all_proportion_is_refused():
    with pytest.raises(ParameterError, match=r"around the reference .*nearer to θ = 0"):
        Expansion.around(Monomials.up_to_degree(("a",), 2), [{"a": 1e9}])

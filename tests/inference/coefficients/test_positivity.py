import numpy as np
import pytest
from tests.inference.toy_coefficients import MONOMIALS, squared_amplitude

from partonic.inference.coefficients.positivity import SMALLEST_SHARE, gram_matrices, shares_of_the_mean
from partonic.polynomial import Monomials


@pytest.fixture
def squares(rng):
    """Coefficients of sums of two squared amplitudes: positive for all θ."""
    return squared_amplitude(rng.normal(size=(200, 2, 3)))


def lowest(ratios):
    """Return the lowest value of each polynomial on a wide grid."""
    axis = np.linspace(-30, 30, 121)
    theta = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    return (ratios @ MONOMIALS.evaluate(theta).T).min(axis=1)


def test_quadratic_form_has_the_values_of_the_polynomial(rng, squares):
    theta = rng.normal(size=2)
    vector = np.array([1.0, *theta])
    forms = gram_matrices(MONOMIALS, squares)
    np.testing.assert_allclose(np.einsum("i,nij,j->n", vector, forms, vector), squares @ MONOMIALS.evaluate(theta))


def test_positive_polynomials_stay(squares):
    assert not shares_of_the_mean(
        MONOMIALS, squares + SMALLEST_SHARE * squares.mean(axis=0), squares.mean(axis=0)
    ).any()


def test_negative_ones_are_moved_just_far_enough(rng, squares):
    mean = squares.mean(axis=0)
    broken = squares - rng.uniform(0.0, 1.0, (200, 1)) * mean
    shares = shares_of_the_mean(MONOMIALS, broken, mean)
    was_negative = lowest(broken) < 0
    assert was_negative.sum() > 20
    assert (shares[was_negative] > 0).all()
    moved = (1 - shares[:, None]) * broken + shares[:, None] * mean
    assert (lowest(moved) > 0).all()
    a_little_less = np.maximum(shares - 1e-3, 0)[:, None]
    forms = gram_matrices(MONOMIALS, (1 - a_little_less) * broken + (a_little_less - SMALLEST_SHARE) * mean)
    assert (np.linalg.eigvalsh(forms)[shares > 1e-3, 0] < 0).all()


def test_a_flat_direction_is_no_reason_to_move():
    """(1 + a)² + b²: positive, with a matrix that is singular."""
    exact = np.array([[1.0, 2.0, 0.0, 1.0, 0.0, 1.0], [1.0, 2.0, 0.0, 1.0, 0.0, 3.0]])
    assert not shares_of_the_mean(MONOMIALS, exact, exact.mean(axis=0)).any()


def test_without_squares_only_the_first_is_kept_positive():
    linear = Monomials.up_to_degree(("a",), 1)
    ratios = np.array([[1.0, 5.0], [-1.0, 5.0]])
    assert gram_matrices(linear, ratios) is None
    assert gram_matrices(Monomials.up_to_degree(("a",), 4), np.ones((1, 5))) is None
    shares = shares_of_the_mean(linear, ratios, np.array([1.0, 0.0]))
    assert shares[0] == 0
    assert shares[1] == pytest.approx(0.5 + SMALLEST_SHARE / 2, rel=1e-6)

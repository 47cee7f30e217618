import numpy as np
import pytest
from tests.inference.toy_coefficients import MONOMIALS, squared_amplitude

from partonic.inference.positivity import are_positive, gram_matrices, shares_of_others
from partonic.polynomial import Monomials

PART = 1e-3


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


def shares_of_the_mean(monomials, ratios, mean):
    return shares_of_others(monomials, ratios, np.tile(mean, (len(ratios), 1)), np.full(len(ratios), PART))


def test_positive_polynomials_stay(squares):
    assert are_positive(MONOMIALS, squares).all()
    mean = squares.mean(axis=0)
    assert not shares_of_the_mean(MONOMIALS, squares + PART * mean, mean).any()


def test_negative_ones_are_moved_just_far_enough(rng, squares):
    mean = squares.mean(axis=0)
    broken = squares - rng.uniform(0.0, 1.0, (200, 1)) * mean
    shares = shares_of_the_mean(MONOMIALS, broken, mean)
    was_negative = lowest(broken) < 0
    assert was_negative.sum() > 20
    assert not are_positive(MONOMIALS, broken)[was_negative].any()
    assert (shares[was_negative] > 0).all()
    moved = (1 - shares[:, None]) * broken + shares[:, None] * mean
    assert (lowest(moved) > 0).all()
    a_little_less = np.maximum(shares - 1e-3, 0)[:, None]
    forms = gram_matrices(MONOMIALS, (1 - a_little_less) * broken + (a_little_less - PART) * mean)
    assert (np.linalg.eigvalsh(forms)[shares > 1e-3, 0] < 0).all()


def test_a_part_of_another_polynomial_is_a_bound_at_all_theta(rng, squares):
    """Each event has a polynomial of its own that it must not be less than half of."""
    others = squared_amplitude(rng.normal(size=(200, 2, 3)))
    mixed = others + rng.uniform(0.0, 1.0, (200, 1)) * (squares - others)
    shares = shares_of_others(MONOMIALS, mixed, others, np.full(200, 0.5))
    assert 50 < (shares > 0).sum() < 150, "of what has more than half of the other nothing is moved"
    moved = (1 - shares[:, None]) * mixed + shares[:, None] * others
    assert (lowest(moved - 0.5 * others) > -1e-6).all()
    assert not are_positive(MONOMIALS, (mixed - 0.5 * others)[shares > 1e-3]).any()


def test_a_flat_direction_is_no_reason_to_move():
    """(1 + a)² + b²: positive, with a matrix that is singular."""
    exact = np.array([[1.0, 2.0, 0.0, 1.0, 0.0, 1.0], [1.0, 2.0, 0.0, 1.0, 0.0, 3.0]])
    assert are_positive(MONOMIALS, exact).all()
    assert not shares_of_the_mean(MONOMIALS, exact, exact.mean(axis=0)).any()


def test_without_squares_only_the_first_is_kept_positive():
    linear = Monomials.up_to_degree(("a",), 1)
    ratios = np.array([[1.0, 5.0], [-1.0, 5.0]])
    assert gram_matrices(linear, ratios) is None
    assert gram_matrices(Monomials.up_to_degree(("a",), 4), np.ones((1, 5))) is None
    assert are_positive(linear, ratios).tolist() == [True, False]
    shares = shares_of_the_mean(linear, ratios, np.array([1.0, 0.0]))
    assert shares[0] == 0
    assert shares[1] == pytest.approx(0.5 + PART / 2, rel=1e-6)


def test_no_events():
    none = np.zeros((0, 6))
    assert shares_of_others(MONOMIALS, none, none, np.zeros(0)).shape == are_positive(MONOMIALS, none).shape == (0,)

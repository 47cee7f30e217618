import math

import numpy as np
import pytest

from partonic.errors import ParameterError
from partonic.polynomial import Monomials, morphing_basis, solve_morphing

QUADRATIC = Monomials.up_to_degree(("a", "b"), 2)
COEFFICIENTS = np.array([[1.0, -2.0, 0.5, 3.0, -0.25, 4.0], [0.0, 1.0, 0.0, 0.0, 1e-6, -1e6]])


def polynomial(a: float, b: float) -> np.ndarray:
    """Written out by hand, c_1 + c_2 a + c_3 b + c_4 a² + c_5 ab + c_6 b²."""
    return COEFFICIENTS @ np.array([1.0, a, b, a * a, a * b, b * b])


def test_order_and_names() -> None:
    assert QUADRATIC.names == ("1", "a", "b", "a^2", "a*b", "b^2")
    assert len(QUADRATIC) == 6


@pytest.mark.parametrize(("count", "degree"), [(1, 2), (3, 2), (2, 4), (5, 1), (4, 0)])
def test_number_of_monomials(count: int, degree: int) -> None:
    monomials = Monomials.up_to_degree([f"p{k}" for k in range(count)], degree)
    assert len(monomials) == math.comb(count + degree, degree)
    assert sorted(map(sum, monomials.exponents)) == [sum(powers) for powers in monomials.exponents]


def test_values(rng: np.random.Generator) -> None:
    points = rng.normal(size=(3, 4, 2))
    values = QUADRATIC.evaluate(points)
    assert values.shape == (3, 4, 6)
    for index in np.ndindex(3, 4):
        np.testing.assert_allclose(COEFFICIENTS @ values[index], polynomial(*points[index]), rtol=1e-12)


def test_gradient_against_finite_differences(rng: np.random.Generator) -> None:
    cubic = Monomials.up_to_degree(("a", "b", "c"), 3)
    points, step = rng.normal(size=(5, 3)), 1e-5
    gradient = cubic.gradient(points)
    assert gradient.shape == (5, len(cubic), 3)
    for k, shift in enumerate(np.eye(3) * step):
        expected = (cubic.evaluate(points + shift) - cubic.evaluate(points - shift)) / (2 * step)
        np.testing.assert_allclose(gradient[..., k], expected, atol=1e-8)


def test_hessian_against_differences_of_the_gradient(rng: np.random.Generator) -> None:
    cubic = Monomials.up_to_degree(("a", "b", "c"), 3)
    points, step = rng.normal(size=(5, 3)), 1e-5
    hessian = cubic.hessian(points)
    assert hessian.shape == (5, len(cubic), 3, 3)
    np.testing.assert_array_equal(hessian, hessian.swapaxes(-1, -2))
    for k, shift in enumerate(np.eye(3) * step):
        expected = (cubic.gradient(points + shift) - cubic.gradient(points - shift)) / (2 * step)
        np.testing.assert_allclose(hessian[..., k], expected, atol=1e-8)


def test_gradient_is_exact_where_a_parameter_vanishes() -> None:
    np.testing.assert_array_equal(QUADRATIC.gradient([0.0, 2.0]), [[0, 0], [1, 0], [0, 1], [0, 0], [2, 0], [0, 4.0]])


def test_process_without_parameters() -> None:
    constant = Monomials.constant()
    assert constant.names == ("1",)
    np.testing.assert_array_equal(constant.evaluate(np.zeros((4, 0))), np.ones((4, 1)))
    assert constant.gradient(np.zeros((4, 0))).shape == (4, 1, 0)
    np.testing.assert_array_equal(constant.point({}), np.zeros(0))
    assert morphing_basis(constant).shape == (1, 0)


def test_point() -> None:
    np.testing.assert_array_equal(QUADRATIC.point({"b": 2.0}), [0.0, 2.0])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"c": 1.0}, "unknown theory parameter 'c'; this process has: a, b"),
        ({"a": math.nan}, "'a' must be finite, got nan"),
        ({"a": math.inf}, "'a' must be finite, got inf"),
    ],
)
def test_bad_point(values: dict[str, float], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        QUADRATIC.point(values)


@pytest.mark.parametrize("theta", [1.0, [1.0], [[1.0, 2.0, 3.0]]])
def test_bad_shape(theta: object) -> None:
    with pytest.raises(ParameterError, match=r"θ needs 2 values \(a, b\) on its last axis"):
        QUADRATIC.evaluate(theta)


@pytest.mark.parametrize(
    ("parameters", "exponents", "message"),
    [
        (("a", "a"), ((1, 0),), "must differ"),
        (("a",), ((1, 0),), "needs 1 non-negative powers"),
        (("a",), ((-1,),), "needs 1 non-negative powers"),
        (("a",), ((1,), (1,)), "listed twice"),
    ],
)
def test_bad_monomials(parameters: tuple[str, ...], exponents: tuple[tuple[int, ...], ...], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        Monomials(parameters, exponents)


@pytest.mark.parametrize("scales", [None, {"a": 0.1, "b": 300.0}])
def test_morphing_gives_back_the_coefficients(scales: dict[str, float] | None) -> None:
    basis = morphing_basis(QUADRATIC, scales)
    assert basis.shape == (6, 2)
    np.testing.assert_array_equal(basis[0], 0.0)
    weights = np.stack([polynomial(*point) for point in basis], axis=1)
    solution = solve_morphing(QUADRATIC, basis, weights)
    largest = np.abs(weights).max(axis=1, keepdims=True)
    size = np.abs(QUADRATIC.evaluate(basis)).max(axis=0)
    assert (np.abs(solution.coefficients - COEFFICIENTS) * size / largest).max() < 1e-13
    assert solution.residual.max() < 1e-14
    assert solution.condition_number < 50


def test_more_weights_than_monomials(rng: np.random.Generator) -> None:
    points = rng.normal(size=(20, 2))
    weights = COEFFICIENTS[:1] @ QUADRATIC.evaluate(points).T
    solution = solve_morphing(QUADRATIC, points, weights)
    np.testing.assert_allclose(solution.coefficients, COEFFICIENTS[:1], atol=1e-12)
    assert solution.residual[0] < 1e-14


def test_residual_tells_weights_that_are_no_polynomial(rng: np.random.Generator) -> None:
    points = rng.normal(size=(200, 2))
    weights = COEFFICIENTS[:1] @ QUADRATIC.evaluate(points).T
    noise = 1e-3 * np.abs(weights).max()
    noisy = weights + noise * rng.standard_normal(weights.shape)
    residual = solve_morphing(QUADRATIC, points, noisy).residual[0]
    expected = 1e-3 * math.sqrt(194 / 200)  # six of 200 degrees of freedom are fitted
    assert abs(residual - expected) < 4 * expected / math.sqrt(2 * 194)


def test_event_without_weight_has_no_residual() -> None:
    basis = morphing_basis(QUADRATIC)
    solution = solve_morphing(QUADRATIC, basis, np.zeros((1, 6)))
    assert solution.residual[0] == 0.0
    assert (solution.coefficients == 0.0).all()


def test_points_that_do_not_determine_the_coefficients() -> None:
    points = [[0.0, 0.0], [1.0, 0.0], [2.0, 0.0], [3.0, 0.0], [4.0, 0.0], [5.0, 0.0]]
    with pytest.raises(ParameterError, match="6 weight points do not determine the 6 monomials"):
        solve_morphing(QUADRATIC, points, np.ones((1, 6)))
    with pytest.raises(ParameterError, match="2 weight points do not determine"):
        solve_morphing(QUADRATIC, [[0.0, 0.0], [1.0, 1.0]], np.ones((1, 2)))


@pytest.mark.parametrize("shape", [(6,), (2, 5)])
def test_weights_of_wrong_shape(shape: tuple[int, ...]) -> None:
    with pytest.raises(ParameterError, match=r"weights must be \(events, 6 points\)"):
        solve_morphing(QUADRATIC, morphing_basis(QUADRATIC), np.ones(shape))


def test_basis_that_does_not_exist() -> None:
    with pytest.raises(ParameterError, match="give the θ points explicitly"):
        morphing_basis(QUADRATIC, {"a": 0.0})
    with pytest.raises(ParameterError, match="unknown theory parameter 'c'"):
        morphing_basis(QUADRATIC, {"c": 1.0})

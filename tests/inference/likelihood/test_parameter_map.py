import numpy as np
import pytest

from partonic.errors import ParameterError
from partonic.inference.likelihood.parameter_map import MappedMonomials, ParameterMap, Term, affine
from partonic.polynomial import Monomials

MONOMIALS = Monomials.up_to_degree(("a", "b"), 2)
DEGREE = np.pi / 180


def circle():
    """a = −1 + 2 cos α, b = sin α + ½ s², with α in degrees."""
    known = {
        "a": (-1.0, (Term("alpha", 2.0, "cos", unit=DEGREE),)),
        "b": (0.0, (Term("alpha", 1.0, "sin", unit=DEGREE), Term("s", 0.5, power=2))),
    }
    return ParameterMap.of(("alpha", "s"), ("a", "b"), known)


def test_values_on_a_circle():
    psi = np.array([[0.0, 0.0], [90.0, 2.0], [180.0, 0.0]])
    np.testing.assert_allclose(circle().value(psi), [[1, 0], [-1, 3], [-3, 0]], atol=1e-12)


def test_derivatives_are_those_of_differences():
    mapped, psi, step = MappedMonomials(MONOMIALS, circle()), np.array([37.0, 0.6]), 1e-4
    moved = step * np.eye(2)
    slopes = np.stack([(mapped.evaluate(psi + d) - mapped.evaluate(psi - d)) / (2 * step) for d in moved], axis=-1)
    np.testing.assert_allclose(mapped.gradient(psi), slopes, atol=1e-8)
    curved = np.stack([(mapped.gradient(psi + d) - mapped.gradient(psi - d)) / (2 * step) for d in moved], axis=-1)
    np.testing.assert_allclose(mapped.hessian(psi), curved, atol=1e-8)


def test_without_a_map_nothing_changes(rng):
    same = ParameterMap.of(("a", "b"), ("a", "b"), {})
    psi = rng.normal(size=(5, 2))
    assert same.is_identity
    for name in ("evaluate", "gradient", "hessian"):
        np.testing.assert_array_equal(
            getattr(MappedMonomials(MONOMIALS, same), name)(psi), getattr(MONOMIALS, name)(psi)
        )


@pytest.mark.parametrize(
    ("text", "constant", "terms"),
    [
        ("1 + delta_kappa_t", 1.0, {"delta_kappa_t": 1.0}),
        ("-0.5*x - 2e-1*y+3", 3.0, {"x": -0.5, "y": -0.2}),
        (1.5, 1.5, {}),
        ("x", 0.0, {"x": 1.0}),
    ],
)
def test_affine_expressions(text, constant, terms):
    found, of = affine(text)
    assert found == constant
    assert {term.source: term.factor for term in of} == terms


@pytest.mark.parametrize("text", ["", "x*y", "2x", "__import__('os')", "x**2", "1 +", "x y"])
def test_what_is_no_sum_is_refused(text):
    with pytest.raises(ParameterError, match=r"cannot read|an empty map"):
        affine(text)


def test_a_term_of_an_unknown_number():
    with pytest.raises(ParameterError, match="'a' depends on 'z', which is no parameter of the fit: x"):
        ParameterMap.of(("x",), ("a",), {"a": (0.0, (Term("z"),))})

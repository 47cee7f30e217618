"""Expected intervals of one bin, whose rate is a quadratic polynomial, from its roots."""

import numpy as np
import pytest
from scipy.optimize import brentq

from partonic.errors import InferenceError
from partonic.inference.binned.binning import Binning
from partonic.inference.binned.templates import BackgroundTemplate, Templates
from partonic.inference.optimised_template.asimov import Asimov
from partonic.polynomial import Monomials

CUT = 3.841459
LINE = Monomials.up_to_degree(("a",), 2)


def one_bin(linear: float, quadratic: float, number: float = 1000.0) -> Asimov:
    """Return the likelihood of one bin with `number` (1 + linear a + quadratic a²) events at 1 fb⁻¹."""
    signal = 1e-3 * number * np.array([[1.0, linear, quadratic]])
    templates = Templates(Binning(("all",), ()), LINE, signal, np.zeros((1, 3, 3)))
    return Asimov.of_templates(templates, np.zeros(1), 1.0)


def roots(linear: float, quadratic: float, number: float = 1000.0) -> list[float]:
    """Return the ends of all intervals by bisection of q = 2 (ν − n − n log ν/n) − CUT on a fine grid."""

    def excess(a: float) -> float:
        rate = 1.0 + linear * a + quadratic * a * a
        return 2.0 * number * (rate - 1.0 - np.log(rate)) - CUT

    grid = np.linspace(-20.0, 20.0, 200_001)
    values = np.array([excess(a) for a in grid])
    return [brentq(excess, *grid[place : place + 2]) for place in np.flatnonzero(values[:-1] * values[1:] < 0)]


@pytest.mark.parametrize(("linear", "quadratic"), [(1.0, 0.3), (2.0, 2.0), (6.0, 20.0), (-7.0, 25.0), (0.0, 4.0)])
def test_all_segments_count(linear: float, quadratic: float) -> None:
    """Where the linear term is large, −linear/quadratic has the rate of the Standard Model, too."""
    ends = roots(linear, quadratic)
    assert len(ends) == (2 if linear == 0.0 else 4)
    expected = sum(high - low for low, high in zip(ends[::2], ends[1::2], strict=True))
    found = one_bin(linear, quadratic).length("a", np.zeros(1), 0.95, quadratic**-0.5)
    assert found == pytest.approx(expected, rel=0.002)


def test_a_free_normalisation_of_the_same_shape_leaves_nothing() -> None:
    """One bin with a free background has no interval: the grid is widened to its end, and stops."""
    signal = np.array([[0.1, 0.1, 0.0]])
    other = BackgroundTemplate("other", np.array([1.0]), np.zeros(1), None)
    templates = Templates(Binning(("all",), ()), LINE, signal, np.zeros((1, 3, 3))).with_backgrounds([other])
    assert Asimov.of_templates(templates, np.zeros(1), 1.0).length("a", np.zeros(1), 0.95, 1.0) > 1.0


def test_nothing_expected() -> None:
    templates = Templates(Binning(("all",), ()), LINE, np.zeros((1, 3)), np.zeros((1, 3, 3)))
    with pytest.raises(InferenceError, match="no event is expected in the template"):
        Asimov.of_templates(templates, np.zeros(1), 1.0)

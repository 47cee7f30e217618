import numpy as np
import pytest

from partonic.errors import ConfigError, NonFiniteError
from partonic.plots import Axis


def test_every_value_has_its_bin_and_the_last_edge_closes_the_last_bin() -> None:
    axis = Axis("x", "x", (0.0, 1.0, 2.0, 4.0))
    values = [-0.1, 0.0, 0.999, 1.0, 3.9, 4.0, 4.1]
    assert axis.index(values).tolist() == [0, 1, 1, 2, 3, 3, 4]


def test_regular_and_counting_axes() -> None:
    axis = Axis.regular("pt", "p", (4, 0.0, 200.0), "GeV", logarithmic=True)
    assert axis.edges == (0.0, 50.0, 100.0, 150.0, 200.0)
    assert axis.title == "p [GeV]"
    counting = Axis.counts("n", "number of jets", (2, 5))
    assert counting.centres.tolist() == [2, 3, 4, 5]
    assert counting.index([2, 5, 6]).tolist() == [1, 4, 5]
    assert counting.title == "number of jets"


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_number_that_is_not_finite_is_an_error_that_says_where(bad: float) -> None:
    with pytest.raises(NonFiniteError, match=r"1 of 3 values of 'pt' are not finite; the first is .* at entry 1"):
        Axis("pt", "p", (0.0, 1.0)).index([0.5, bad, 0.5])


@pytest.mark.parametrize("edges", [(1.0,), (0.0, 0.0), (1.0, 0.0), (0.0, float("nan")), (0.0, float("inf"))])
def test_edges_must_be_finite_and_increase(edges: tuple[float, ...]) -> None:
    with pytest.raises(ConfigError, match="bin edges of 'x' must be two or more finite increasing numbers"):
        Axis("x", "x", edges)

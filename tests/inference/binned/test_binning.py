import numpy as np
import pytest

from partonic.errors import ParameterError
from partonic.inference.binned.binning import Binning


def test_one_observable_with_open_ends():
    binning = Binning(("x",), (0.0, 1.0))
    assert len(binning) == 3
    assert binning.index(np.array([[-9.0], [0.0], [0.5], [1.0], [9.0]])).tolist() == [0, 1, 1, 2, 2]
    assert binning.counts(np.array([[-9.0], [0.5], [0.7]]), np.array([1.0, 2.0, 4.0])).tolist() == [1.0, 6.0, 0.0]


def test_no_edges_is_one_bin():
    assert len(Binning(("x",), ())) == 1
    assert Binning(("x",), ()).counts(np.zeros((4, 1))).tolist() == [4.0]


def test_bins_inside_of_bins():
    binning = Binning(("x", "y"), (0.0,), ((1.0,), (2.0, 3.0)))
    assert len(binning) == 5
    values = np.array([[-1.0, 0.0], [-1.0, 1.5], [1.0, 1.5], [1.0, 2.5], [1.0, 9.0]])
    assert binning.index(values).tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("bins", [(6,), (4, 5)])
def test_quantiles_of_bound_observables_leave_no_bin_empty(bins):
    rng = np.random.default_rng(5)
    x = rng.normal(size=5000)
    values = np.stack([x, x**2 + 0.01 * rng.normal(size=5000)], axis=1)[:, : len(bins)]
    weights = rng.uniform(0.5, 1.5, 5000)
    binning = Binning.quantiles(("x", "y")[: len(bins)], values, weights, bins)
    assert len(binning) == np.prod(bins)
    np.testing.assert_allclose(binning.counts(values, weights) / weights.sum(), 1 / np.prod(bins), rtol=0.02)


def test_events_without_observable_have_a_bin_of_their_own():
    values = np.array([[0.0], [1.0], [np.nan], [2.0], [np.nan]])
    binning = Binning.quantiles(("x",), values, np.ones(5), (3,))
    assert len(binning) == 4
    assert binning.counts(values).tolist() == [1.0, 1.0, 1.0, 2.0]


def test_errors():
    with pytest.raises(ParameterError, match="1 events have no x, and there is no bin for them"):
        Binning(("x",), (0.0,)).index(np.array([[np.nan], [1.0]]))
    with pytest.raises(ParameterError, match="expected values of x for each event"):
        Binning(("x",), (0.0,)).index(np.zeros((3, 2)))
    with pytest.raises(ParameterError, match="finite and ascending"):
        Binning(("x",), (1.0, 0.0))
    with pytest.raises(ParameterError, match="need as many names"):
        Binning(("x", "y"), (1.0,))
    with pytest.raises(ParameterError, match="2 bins of x need as many lists of edges of y, got 1"):
        Binning(("x", "y"), (1.0,), ((0.0,),))
    with pytest.raises(ParameterError, match="as many names and numbers of bins"):
        Binning.quantiles(("x",), np.zeros((3, 2)), np.ones(3), (2,))

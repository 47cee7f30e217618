import numpy as np
import pytest

from partonic.errors import NonFiniteError
from partonic.plots import Axis, Histogram, ratio_of_independent

AXIS = Axis("x", "x", (0.0, 1.0, 2.0, 5.0), "GeV")


def test_sums_and_errors_are_those_of_the_closed_form(rng: np.random.Generator) -> None:
    values, weights = rng.uniform(0, 5, 1000), rng.normal(1.0, 2.0, 1000)
    histogram = Histogram(AXIS)
    for part in np.array_split(np.arange(1000), 7):
        histogram.fill(values[part], weights[part])
    expected, _ = np.histogram(values, AXIS.array, weights=weights)
    squares, _ = np.histogram(values, AXIS.array, weights=weights**2)
    np.testing.assert_allclose(histogram.contents, expected, rtol=1e-12)
    np.testing.assert_allclose(histogram.errors, np.sqrt(squares), rtol=1e-12)
    np.testing.assert_allclose(histogram.density()[0], expected / AXIS.widths, rtol=1e-12)
    assert histogram.total == pytest.approx(weights.sum(), rel=1e-12)
    assert (weights < 0).any()


def test_error_is_the_spread_over_pseudo_experiments(rng: np.random.Generator) -> None:
    repeats = 2000
    contents, errors = np.empty((repeats, 3)), np.empty((repeats, 3))
    for k in range(repeats):
        count = rng.poisson(60)
        histogram = Histogram(AXIS)
        histogram.fill(rng.uniform(0, 5, count), rng.exponential(1.0, count))
        contents[k], errors[k] = histogram.contents, histogram.errors
    spread = contents.std(axis=0, ddof=1)
    # The variance of the spread of a sample of R is about 1/(2R).
    np.testing.assert_allclose(np.sqrt((errors**2).mean(axis=0)), spread, rtol=4 / np.sqrt(2 * repeats))


def test_entries_of_one_event_are_added_before_they_are_squared() -> None:
    histogram = Histogram(AXIS)
    histogram.fill([0.5, 0.6, 1.5, 0.7], [2.0, 2.0, 2.0, 3.0], np.array([0, 0, 0, 1]))
    assert histogram.contents.tolist() == [7.0, 2.0, 0.0]
    assert (histogram.errors**2).tolist() == pytest.approx([16.0 + 9.0, 4.0, 0.0])


def test_the_next_batch_has_new_events() -> None:
    histogram = Histogram(AXIS)
    for _ in range(2):
        histogram.fill([0.5], [2.0], np.array([0]))
    assert histogram.errors[0] ** 2 == pytest.approx(8.0)


def test_overflow_is_shown_in_the_outer_bins_and_said() -> None:
    histogram = Histogram(AXIS)
    assert histogram.is_empty
    assert histogram.note == ""
    histogram.fill([7.0, 4.0], [1.0, 2.0])
    assert histogram.contents.tolist() == [0.0, 0.0, 3.0]
    assert histogram.note == "last bin includes overflow"
    histogram.fill([-1.0], [1.0])
    assert histogram.contents.tolist() == [1.0, 0.0, 3.0]
    assert histogram.note == "first and last bin include under- and overflow"
    record = histogram.record()
    assert record["sum_of_weights"] == [0.0, 0.0, 2.0]
    assert record["overflow"] == [1.0, 1.0, 1]


def test_a_weight_that_is_not_finite_is_an_error() -> None:
    with pytest.raises(NonFiniteError, match=r"1 of 2 event weights filled into 'x' are not finite; the first at .* 1"):
        Histogram(AXIS).fill([0.5, 0.5], [1.0, np.nan])


def test_ratio_of_independent_histograms(rng: np.random.Generator) -> None:
    top, bottom = (np.array([10.0]), np.array([1.0])), (np.array([20.0]), np.array([4.0]))
    ratio, error = ratio_of_independent(top, bottom)
    draws = rng.normal(10, 1.0, 400_000) / rng.normal(20, 4.0, 400_000)
    assert ratio[0] == 0.5
    assert error[0] == pytest.approx(0.5 * np.hypot(0.1, 0.2))
    assert error[0] == pytest.approx(0.5 * np.subtract(*np.quantile(draws, [0.8413, 0.1587])), rel=0.05)
    assert np.isnan(ratio_of_independent(top, (np.zeros(1), np.zeros(1)))[0][0])

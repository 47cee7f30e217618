import numpy as np
import pytest

from partonic.plots import Axis, EfficiencyHistogram, efficiency


def test_unit_weights_give_wilsons_interval() -> None:
    passed, total = 30.0, 100.0
    result = efficiency((passed, passed), (total, total))
    p, n = 0.3, 100.0
    centre, half = (p + 0.5 / n) / (1 + 1 / n), np.sqrt(p * (1 - p) / n + 0.25 / n**2) / (1 + 1 / n)
    assert result.value[0] == pytest.approx(p)
    assert result.value[0] - result.below[0] == pytest.approx(centre - half, rel=1e-12)
    assert result.value[0] + result.above[0] == pytest.approx(centre + half, rel=1e-12)


def test_none_and_all_passing_keep_a_one_sided_error() -> None:
    result = efficiency(([0.0, 50.0], [0.0, 50.0]), ([50.0, 50.0], [50.0, 50.0]))
    assert result.value.tolist() == [0.0, 1.0]
    assert result.below[0] == 0.0
    assert result.above[1] == 0.0
    assert result.above[0] == pytest.approx(1 / 51)
    assert result.below[1] == pytest.approx(1 / 51)


def test_empty_bins_are_undefined_and_null_in_the_results() -> None:
    result = efficiency((0.0, 0.0), (0.0, 0.0))
    assert np.isnan(result.value[0])
    assert result.record() == {"value": [None], "below": [None], "above": [None]}


def test_weighted_error_is_the_spread_over_pseudo_experiments(rng: np.random.Generator) -> None:
    number, repeats, axis = 300, 3000, Axis("x", "x", (0.0, 1.0))
    values, sizes = np.empty(repeats), np.empty(repeats)
    for k in range(repeats):
        weight = rng.exponential(1.0, number)
        passing = rng.uniform(size=number) < np.exp(-weight)  # correlated with the weight
        histogram = EfficiencyHistogram(axis)
        histogram.fill(np.full(number, 0.5), weight, passing)
        result = histogram.result()
        values[k], sizes[k] = result.value[0], 0.5 * (result.below[0] + result.above[0])
    assert values.mean() == pytest.approx(0.25, abs=4 * values.std() / np.sqrt(repeats) + 0.25 / number)
    assert np.sqrt((sizes**2).mean()) == pytest.approx(values.std(), rel=5 / np.sqrt(2 * repeats))


def test_negative_weights_outside_the_physical_range_get_the_plain_error() -> None:
    result = efficiency((-1.0, 5.0), (10.0, 30.0))
    expected = np.sqrt(1.1**2 * 5.0 + 0.1**2 * 25.0) / 10.0
    assert result.value[0] == pytest.approx(-0.1)
    assert result.below[0] == pytest.approx(expected)
    assert result.above[0] == pytest.approx(expected)


def test_overall_counts_the_flows(rng: np.random.Generator) -> None:
    histogram = EfficiencyHistogram(Axis("x", "x", (0.0, 1.0)))
    assert histogram.is_empty
    histogram.fill(np.array([-1.0, 0.5, 2.0, 3.0]), np.ones(4), np.array([True, False, False, False]))
    assert histogram.overall().value[0] == pytest.approx(0.25)
    assert set(histogram.record()) == {"passed", "total", "efficiency"}

import numpy as np
import pytest
from tests.trees.tree_toys import best_split

from partonic.trees.engine import kernels

RNG = np.random.default_rng(3)


def events(count=400, signed=False):
    codes = RNG.integers(0, 12, (count, 3)).astype(np.uint8)
    codes[RNG.random((count, 3)) < 0.1] = 255
    statistics = RNG.normal(size=(count, 3)).astype(np.float32)
    statistics[:, 0] = 1.0 + 0.3 * RNG.random(count)
    if signed:
        statistics[::7, 0] *= -0.5
    statistics[:, 1] += 0.7 * (codes[:, 1] > 5) + 0.4 * (codes[:, 1] == 255)
    return codes, statistics


def histogram_of(codes, statistics, columns=(0, 1, 2)):
    found = np.zeros((3, 256, 4))
    rows = np.arange(len(codes), dtype=np.int32)
    kernels().fill_histogram(codes, statistics, rows, np.array(columns), found)
    return found


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_codes_count_the_edges_below_a_value(dtype):
    features = RNG.normal(size=(500, 2)).astype(dtype)
    features[::9, 1] = np.nan
    edges = np.zeros((2, 6))
    edges[0], edges[1, :3] = np.linspace(-2, 2, 6), (-1.0, 0.0, features[0, 1] if features[0, 1] > 0 else 1.0)
    features[3, 0] = edges[0, 2]  # a value on an edge is below it
    codes = np.empty((500, 2), dtype=np.uint8)
    assert kernels().encode(features, edges, np.array([6, 3]), codes) == -1
    np.testing.assert_array_equal(codes[:, 0], np.searchsorted(edges[0], features[:, 0].astype(float)))
    expected = np.searchsorted(edges[1, :3], features[:, 1].astype(float))
    np.testing.assert_array_equal(codes[:, 1], np.where(np.isnan(features[:, 1]), 255, expected))


def test_the_first_infinite_row_is_reported():
    features = np.zeros((5, 2))
    features[3, 1], features[4, 0] = -np.inf, np.inf
    codes = np.empty((5, 2), dtype=np.uint8)
    assert kernels().encode(features, np.zeros((2, 1)), np.array([1, 1]), codes) == 3


def test_histogram_is_the_sum_over_events():
    codes, statistics = events()
    expected = np.zeros((3, 256, 4))
    for feature in (0, 2):
        channels = np.column_stack([statistics[:, :1].astype(float) ** 2, statistics])
        np.add.at(expected[feature], codes[:, feature], channels)
    np.testing.assert_allclose(histogram_of(codes, statistics, (0, 2)), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("entropy", [False, True])
def test_best_split_is_that_of_trying_all(signed, entropy):
    codes, statistics = events(signed=signed)
    targets = np.array([[1.0, 0.2], [0.0, 0.7]]) * (0.3 if entropy else 1.0)
    gains, choices = np.zeros(3), np.zeros((3, 2), dtype=np.int64)
    objective = (targets, np.ones(2), entropy)
    found = histogram_of(codes, statistics)
    kernels().best_splits(found, np.arange(3), objective, (30.0, 0.0), gains, choices)
    gain, feature, highest, missing_left = best_split(codes, statistics, 30.0, targets, entropy)
    assert gain > 0.5
    assert feature == 1
    assert np.argmax(gains) == feature
    assert gains[feature] == pytest.approx(gain, rel=1e-9)
    left = codes[:, feature] <= highest
    there = codes[:, feature] < 255
    np.testing.assert_array_equal((codes[:, feature] <= choices[feature, 0])[there], left[there])
    assert choices[feature, 1] == missing_left


def test_weights_of_targets_scale_their_gain():
    codes, statistics = events()
    found = histogram_of(codes, statistics)
    gains = []
    for weights in (np.array([1.0, 0.0]), np.array([3.0, 0.0])):
        gains.append(np.zeros(3))
        objective = (np.eye(2), weights, False)
        kernels().best_splits(found, np.arange(3), objective, (5.0, 0.0), gains[-1], np.zeros((3, 2), dtype=np.int64))
    np.testing.assert_allclose(gains[1], 3.0 * gains[0], rtol=1e-12)


def test_a_leaf_that_is_too_light_is_not_made():
    codes, statistics = events()
    found = histogram_of(codes, statistics)
    gains = np.ones(3)
    limits = (1.0, 0.51 * float(statistics[:, 0].sum()))
    kernels().best_splits(
        found, np.arange(3), (np.eye(2), np.ones(2), False), limits, gains, np.zeros((3, 2), dtype=int)
    )
    np.testing.assert_array_equal(gains, 0.0)


@pytest.mark.parametrize("missing_left", [0, 1])
def test_rows_are_parted_and_keep_their_order(missing_left):
    codes, _ = events()
    rows = np.flatnonzero(RNG.random(len(codes)) < 0.6).astype(np.int32)
    before = rows.copy()
    count = kernels().split_rows(codes, rows, (2, 4, missing_left), np.empty_like(rows))
    left = np.where(codes[before, 2] == 255, missing_left == 1, codes[before, 2] <= 4)
    np.testing.assert_array_equal(rows[:count], before[left])
    np.testing.assert_array_equal(rows[count:], before[~left])


def test_a_tree_is_taken_off_the_residuals_and_summed():
    codes, statistics = events()
    nodes = np.array(
        [(1, 5, 1, 1, 2), (-1, 0, 0, -1, -1), (0, 3, 0, 3, 4), (-1,) + (0,) * 4, (-1,) + (0,) * 4], dtype=np.int32
    )
    steps = RNG.normal(size=(5, 2))
    first = np.where(codes[:, 1] == 255, True, codes[:, 1] <= 5)
    leaf = np.where(first, 1, np.where((codes[:, 0] != 255) & (codes[:, 0] <= 3), 3, 4))
    rows = np.arange(0, len(codes), 2, dtype=np.int32)
    before, sums = statistics.copy(), np.zeros((5, 3))
    kernels().apply_tree(codes, statistics, rows, nodes, steps, sums)
    expected = before.astype(float)
    expected[::2, 1:] -= expected[::2, :1] * steps[leaf[::2]]
    np.testing.assert_allclose(statistics, expected, rtol=1e-6, atol=1e-7)
    by_leaf = np.zeros((5, 3))
    np.add.at(by_leaf, leaf[::2], before[::2].astype(float))
    np.testing.assert_allclose(sums, by_leaf, rtol=1e-12, atol=1e-12)
    values = np.zeros((len(codes), 2))
    kernels().predict_rows(codes, np.array([0, 0]), nodes, steps, values)
    np.testing.assert_allclose(values, 2.0 * steps[leaf], rtol=1e-12)

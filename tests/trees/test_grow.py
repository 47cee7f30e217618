import numpy as np
import pytest
from tests.trees.tree_toys import LINEAR, QUADRATIC, best_split, few, smeared_gaussian

from partonic.trees.binned import prepare
from partonic.trees.data import ArrayData
from partonic.trees.engine import Threads, kernels
from partonic.trees.grow import grow
from partonic.trees.objective import objective_of


def rng(seed=1):
    return np.random.default_rng(seed)


def grown(data, monomials, settings, threads=1, columns=None):
    events = prepare(data, monomials, settings, rng(2))
    objective = objective_of(events, settings)
    columns = np.arange(events.codes.shape[1]) if columns is None else np.array(columns)
    with Threads(threads) as pool:
        tree = grow(events.codes, events.statistics, events.train.copy(), columns, objective, settings, pool)
    return tree, events, objective


def leaves(tree, codes):
    """Number of the leaf of each event."""
    values = np.zeros((len(codes), 1))
    numbers = np.arange(len(tree.nodes), dtype=float)[:, None]
    kernels().predict_rows(codes, np.array([0]), tree.nodes, numbers, values)
    return values[:, 0].astype(int)


def test_the_tree_is_that_of_a_search_without_histograms():
    """Depth two, each node by trying all splits of its events, and the value of a leaf from its events."""
    settings = few(max_depth=2, min_leaf_events=40, bins=20)
    tree, events, objective = grown(smeared_gaussian(1_500, rng())[0], QUADRATIC, settings)
    assert len(tree.nodes) == 7
    rows = {0: np.arange(1_500)}
    for node in np.flatnonzero(tree.nodes[:, 0] >= 0):
        here = rows[node]
        gain, feature, highest, _ = best_split(events.codes[here], events.statistics[here], 40, objective.split_matrix)
        assert tree.nodes[node, :2].tolist() == [feature, highest]
        assert tree.gains[node] == pytest.approx(gain, rel=1e-9)
        left = events.codes[here, feature] <= highest
        rows[tree.nodes[node, 3]], rows[tree.nodes[node, 4]] = here[left], here[~left]
    leaf = leaves(tree, events.codes)
    for node in np.flatnonzero(tree.nodes[:, 0] < 0):
        statistics = events.statistics[leaf == node].astype(float)
        np.testing.assert_allclose(tree.values[node], statistics[:, 1:].sum(0) / statistics[:, 0].sum(), rtol=1e-9)


def test_the_best_leaf_is_split_first():
    """Growth by leaf keeps the largest gains of the whole tree among those whose parents are split."""
    data = smeared_gaussian(6_000, rng())[0]
    whole = grown(data, QUADRATIC, few(max_depth=5))[0]
    part = grown(data, QUADRATIC, few(max_depth=5, max_leaves=6))[0]
    assert np.count_nonzero(part.nodes[:, 0] < 0) == 6
    assert np.count_nonzero(whole.nodes[:, 0] < 0) > 20
    waiting, chosen = [0], []
    for _ in range(5):
        best = max(waiting, key=lambda node: whole.gains[node])
        chosen.append(whole.gains[best])
        waiting.remove(best)
        waiting += whole.nodes[best, 3:].tolist()
    assert sorted(part.gains[part.gains > 0]) == pytest.approx(sorted(chosen), rel=1e-9)


def test_no_leaf_is_smaller_than_allowed():
    w = np.where(rng(3).random(5_000) < 0.1, -1.0, rng(4).exponential(size=5_000))
    tree, events, _ = grown(smeared_gaussian(5_000, rng(), w)[0], QUADRATIC, few(max_depth=8, min_leaf_events=60))
    leaf = leaves(tree, events.codes)
    effective = [s.sum() ** 2 / (s**2).sum() for node in np.unique(leaf) if len(s := w[leaf == node])]
    assert len(effective) > 8
    assert min(effective) >= 60 * (1 - 1e-5)
    assert min(w[leaf == node].sum() for node in np.unique(leaf)) > 0


def test_no_leaf_is_lighter_than_allowed():
    tree, events, _ = grown(smeared_gaussian(3_000, rng())[0], QUADRATIC, few(max_depth=8, min_leaf_weight=0.1))
    assert np.bincount(leaves(tree, events.codes)).max() >= 300
    assert min(count for count in np.bincount(leaves(tree, events.codes)) if count) >= 300


@pytest.mark.parametrize("high_are_missing", [False, True])
def test_missing_values_go_where_they_belong(high_are_missing):
    x = np.round(rng().normal(size=4_000), 1)  # few values, so that a split can part them exactly
    ratio = np.where(x > 0.35, 2.0, -1.0)
    seen = x.copy()
    seen[(x > 1.0) if high_are_missing else (x < -0.5)] = np.nan
    data = ArrayData(seen[:, None], np.column_stack([np.ones(4_000), ratio]), ["x"])
    tree, events, _ = grown(data, LINEAR, few(max_depth=1))
    assert tree.nodes[0, 2] == (not high_are_missing)
    values = tree.values[leaves(tree, events.codes), 0] * events.scaling.deviation + events.scaling.mean
    np.testing.assert_allclose(values, ratio, rtol=1e-5)


def test_only_the_chosen_features_are_used():
    tree = grown(smeared_gaussian(3_000, rng())[0], QUADRATIC, few(), columns=[1])[0]
    assert set(tree.nodes[tree.nodes[:, 0] >= 0, 0]) == {1}


def test_threads_do_not_change_a_bit():
    trees = [grown(smeared_gaussian(4_000, rng())[0], QUADRATIC, few(max_depth=6), threads)[0] for threads in (1, 2, 3)]
    for tree in trees[1:]:
        np.testing.assert_array_equal(tree.nodes, trees[0].nodes)
        np.testing.assert_array_equal(tree.values, trees[0].values)

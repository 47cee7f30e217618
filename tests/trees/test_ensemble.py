import numpy as np
import pytest
from tests.trees.tree_toys import QUADRATIC, few, smeared_gaussian

from partonic.errors import ModelError, NonFiniteError
from partonic.trees.boost import boost

RNG = np.random.default_rng(6)


@pytest.fixture(scope="module")
def trees():
    return boost(smeared_gaussian(3_000, RNG)[0], QUADRATIC, few(trees=6), np.random.default_rng(2))


def follow(trees, features):
    """Ratios by a walk down each tree, event by event, on the values and not on codes."""
    found = []
    for event in features:
        total = np.zeros(2)
        for root in trees.roots:
            node = root
            while trees.nodes[node, 0] >= 0:
                feature, highest, missing_left, left, right = trees.nodes[node]
                edge = np.append(trees.bins.edges[feature, : trees.bins.counts[feature]], np.inf)[highest]
                goes_left = missing_left == 1 if np.isnan(event[feature]) else event[feature] <= edge
                node = left if goes_left else right
            total = total + trees.steps[node]
        found.append([1.0, *(trees.scaling.mean + trees.scaling.deviation * total)])
    return np.array(found)


def test_predictions_follow_the_trees(trees):
    features = RNG.normal(size=(300, 2)) * 1.5
    features[::4, 0] = np.nan
    np.testing.assert_allclose(trees.predict(features), follow(trees, features), rtol=1e-12)
    np.testing.assert_array_equal(trees.predict(features, threads=2), trees.predict(features))


def test_single_precision_features(trees):
    features = RNG.normal(size=(300, 2)).astype(np.float32)
    np.testing.assert_array_equal(trees.predict(features), trees.predict(features.astype(np.float64)))
    np.testing.assert_array_equal(trees.predict(np.array([[1, 0]])), trees.predict(np.array([[1.0, 0.0]])))


def test_no_trees_give_the_mean_and_no_events_nothing(trees):
    assert trees.predict(np.zeros((2, 2)), trees=0)[1].tolist() == [1.0, *trees.scaling.mean]
    assert trees.predict(np.zeros((0, 2))).shape == (0, 3)


def test_one_tree_after_the_other(trees):
    features = RNG.normal(size=(50, 2))
    parts = [trees.predict(features, trees=count) for count in range(7)]
    np.testing.assert_array_equal(parts[6], trees.predict(features))
    assert len(trees) == 6
    nodes, steps = trees.tree(3)
    assert nodes[0, 3:].tolist() == [1, 2]
    assert len(nodes) == len(steps) == trees.roots[4] - trees.roots[3]


def test_importance_adds_up(trees):
    assert next(iter(trees.importance)) == "x"
    assert sum(trees.importance.values()) == pytest.approx(1.0)
    assert trees.facts.splits.sum() == np.count_nonzero(trees.nodes[:, 0] >= 0)


def test_other_features_are_refused(trees):
    with pytest.raises(ModelError, match="another order"):
        trees.predict(np.zeros((2, 2)), ["noise", "x"])
    with pytest.raises(ModelError, match=r"expected features \(events, 2\)"):
        trees.predict(np.zeros((2, 3)))
    with pytest.raises(NonFiniteError, match="feature 'noise' is infinite"):
        trees.predict(np.array([[0.0, np.inf]]))

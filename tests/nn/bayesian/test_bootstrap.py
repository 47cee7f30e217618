"""Bootstrap samples of groups."""

import numpy as np

from partonic.nn.bayesian.bootstrap import bootstrap_weights


def test_groups_stay_together_and_members_differ():
    group = np.random.default_rng(1).integers(0, 5_000, size=20_000)
    weights = bootstrap_weights(group, 3, 7).numpy()
    _, first, number = np.unique(group, return_index=True, return_inverse=True)
    np.testing.assert_array_equal(weights, weights[first][number])
    each = weights[first]
    np.testing.assert_allclose(each.mean(axis=0), 1.0, atol=0.06)
    np.testing.assert_allclose(each.var(axis=0), 1.0, atol=0.12)
    assert abs(np.corrcoef(each.T)[0, 1]) < 0.06
    np.testing.assert_array_equal(bootstrap_weights(group, 2, 7).numpy(), weights[:, :2])
    assert (bootstrap_weights(group, 3, 7, "transfer").numpy() != weights).any()
    assert (bootstrap_weights(group, 3, 8).numpy() != weights).any()

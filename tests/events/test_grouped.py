"""Sums of weights whose events are not independent."""

import numpy as np
import pytest

from partonic.events.grouped import GroupedSums, sums_of_groups


@pytest.mark.parametrize("cuts", [(), (3,), (1, 2, 5, 5, 9)])
def test_groups_count_once_however_they_are_cut(rng, cuts):
    groups = np.array([4, 4, 4, 7, 7, 8, 9, 9, 9, 9])
    weights = rng.normal(size=(10, 3))
    sums = GroupedSums(3)
    for part, group in zip(np.split(weights, cuts), np.split(groups, cuts), strict=True):
        sums.add(part, group)
    whole = np.stack([weights[groups == number].sum(axis=0) for number in (4, 7, 8, 9)])
    np.testing.assert_allclose(sums.first, weights.sum(axis=0))
    np.testing.assert_allclose(sums.second, whole.T @ whole)
    assert sums.groups == 4


def test_without_groups_each_event_is_its_own(rng):
    weights = rng.normal(size=(20, 2))
    sums = GroupedSums(2)
    sums.add(weights[:5])
    sums.add(weights[5:])
    np.testing.assert_allclose(sums.second, weights.T @ weights)
    assert sums.groups == 20


def test_runs_of_equal_numbers():
    np.testing.assert_array_equal(sums_of_groups(np.array([1.0, 2.0, 5.0]), np.array([3, 3, 1])), [3.0, 5.0])
    assert len(sums_of_groups(np.zeros(0), np.zeros(0, dtype=np.int64))) == 0

"""Where the training events carry enough information."""

import numpy as np
import pytest

from partonic.sbi.coverage import covered_range
from partonic.sbi.expansion import Expansion
from partonic.sbi.gaussian_toy import GaussianToy
from partonic.sbi.weights import effective_number, sensitivity, targets_by_group


def found(distance, points, events=20_000):
    toy = GaussianToy(distance)
    expansion = Expansion.around(toy.monomials, [{}])
    y = expansion.targets(toy.draw(events, points, np.random.default_rng(1)).coefficients)
    return covered_range(expansion, y, sensitivity(expansion, y))[0], expansion, y


def test_it_ends_where_few_events_have_the_weight():
    (low, high), expansion, y = found(3.0, [0.0])
    assert low == pytest.approx(-high)
    assert 0.05 < high < 0.6, "events at 0 hardly tell of α = 3"
    assert effective_number(y @ expansion.row(np.array([high]))) > 0.05 * effective_number(y[:, 0])
    assert effective_number(y @ expansion.row(np.array([high + 0.3]))) < 0.05 * effective_number(y[:, 0])


def test_events_at_other_points_extend_it():
    assert found(3.0, [-1.0, 0.0, 1.0])[0][1] > 10 * found(3.0, [0.0])[0][1]


def test_copies_are_put_together():
    targets = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    np.testing.assert_array_equal(targets_by_group(targets, np.array([4, 1, 4])), [[3.0, 4.0], [6.0, 8.0]])
    assert targets_by_group(targets, np.array([2, 0, 1])) is targets

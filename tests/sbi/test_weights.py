"""Weights that nothing can be learned from, and the scale of θ."""

import logging

import numpy as np
import pytest

from partonic.errors import TrainingError
from partonic.polynomial import Monomials
from partonic.sbi.expansion import Expansion
from partonic.sbi.weights import (
    check_weights,
    effective_number,
    sensitivity,
    summed_by_group,
    warn_of_blind_validation,
)


def test_effective_number_counts_equal_weights():
    assert effective_number(np.full(70, 0.3)) == pytest.approx(70)
    assert effective_number(np.array([1.0, 1.0, 0.0, 0.0])) == pytest.approx(2)
    assert effective_number(np.zeros(4)) == 0.0


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.zeros(1000), "sum to 0"),
        (np.full(1000, -1.0), "sum to -1000"),
        (np.concatenate([[1e6], np.ones(999)]), "count as 1.0"),
        (np.concatenate([[np.nan], np.ones(999)]), "not finite"),
    ],
)
def test_weights_without_information_are_refused(weights, message):
    with pytest.raises(TrainingError, match=message):
        check_weights(weights, "θ = 0")


def test_negative_weights_are_taken_and_told(caplog):
    weights = np.ones(1000)
    weights[:200] = -1.0
    with caplog.at_level(logging.WARNING):
        check_weights(weights, "θ = 0")
    assert "20% of the weight" in caplog.text
    caplog.clear()
    check_weights(np.ones(1000), "θ = 0")
    assert not caplog.text


def test_sensitivity_is_the_inverse_of_slope_and_curvature():
    monomials = Monomials.up_to_degree(("a", "b"), 2)
    expansion = Expansion.around(monomials, [{}])
    c = np.tile([2.0, 4.0, 0.0, 0.0, 0.0, 18.0], (10, 1))  # c = 2 + 4a + 18b²
    assert sensitivity(expansion, c) == pytest.approx([1 / 2.0, 1 / np.sqrt(18.0)])
    flat = np.tile([2.0, 0, 0, 0, 0, 0], (10, 1))
    assert sensitivity(expansion, flat) == pytest.approx([1.0, 1.0])


def test_copies_of_an_event_count_as_one():
    weights, group = np.array([0.5, 1.0, 0.5, 1.0]), np.array([7, 3, 7, 5])
    assert effective_number(summed_by_group(weights, group)) == pytest.approx(3.0)


def test_a_validation_that_hangs_on_few_events_is_told(caplog):
    targets = np.ones((500, 3))
    targets[:, 1] = 1e-14  # rounding
    targets[:, 2] = np.where(np.arange(500) < 3, 100.0, 0.01)
    warn_of_blind_validation(targets, ("1", "a", "a^2"))
    assert "count as 3." in caplog.text
    assert caplog.text.count("the target") == 1
    assert "the target a^2" in caplog.text
    caplog.clear()
    warn_of_blind_validation(np.ones((500, 3)), ("1", "a", "a^2"))
    assert not caplog.text

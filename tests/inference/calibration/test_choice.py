"""Which calibration is taken: never one that is worse than none on other events, and one that mends what is wrong."""

from dataclasses import replace

import numpy as np
import pytest
from tests.inference.calibration.long_tails import MONOMIALS, long_tails
from tests.inference.calibration.test_joint_calibration import amplitudes
from tests.inference.toy_coefficients import toy_events

from partonic.errors import ParameterError
from partonic.inference.calibration.choice import _chosen, choose_calibration
from partonic.inference.calibration.each_ratio import fit_calibration
from partonic.inference.calibration.joint_calibration import fit_joint_calibration
from partonic.polynomial import Monomials

LONG = {"tail": 2.5, "hidden": 1.5}
"""A few of the events have most of the square."""


def test_the_joint_calibration_is_kept_where_it_is_good(rng):
    """Bit for bit the one that is fitted without a choice."""
    events, weights = amplitudes(rng, 3_000)
    choice = choose_calibration(events, weights)
    assert choice.name == "joint"
    assert choice.calibration.to_json() == fit_joint_calibration(events, weights).to_json()
    assert {each.name: each.gain for each in choice.tried}["joint"] > 0.05


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_long_tails_are_not_spoilt(seed):
    """What is taken is not worse, within errors, than what was learned on other events."""
    events, weights = long_tails(np.random.default_rng(seed), 4_000, **LONG)
    choice = choose_calibration(events, weights)
    tried = {each.name: each for each in choice.tried}
    assert tried[choice.name].gain >= -2 * tried[choice.name].gain_error


def test_what_loses_on_other_events_is_not_taken(rng):
    """Parts of events in the likelihood in place of fits: joint that is worse, that is nearly as good, and ties."""
    none = rng.uniform(0, 1e-3, 1_000)
    assert _chosen({"none": none, "slopes": 1.2 * none, "joint": 0.5 * none}) == "slopes"
    assert _chosen({"none": none, "slopes": 1.2 * none, "joint": 1.18 * none}) == "joint"
    assert _chosen({"none": none, "slopes": 0.9 * none, "joint": 0.8 * none}) == "none"
    assert _chosen({"none": none, "slopes": none + rng.normal(0, 1e-3, 1_000), "joint": 0.5 * none}) == "none"


def test_long_tails_that_are_scaled_are_repaired():
    events, weights = long_tails(np.random.default_rng(1), 4_000)
    wrong = replace(events, ratios=np.where(np.arange(3) == 1, 1.5, 1.0) * events.ratios)
    choice = choose_calibration(wrong, weights, ["slopes"])
    assert choice.name == "slopes"
    assert choice.calibration.slopes[1, 0] == pytest.approx(1 / 1.5, abs=0.1)
    tried = {each.name: each for each in choice.tried}
    assert tried["slopes"].gain > 2 * tried["slopes"].gain_error


def test_another_reference_is_the_same_physics(rng):
    """Ratios to the density at t = 0.4 are mended as those at 0: 1.3 t in place of t, whose answer is known."""
    events, weights = long_tails(rng, 4_000)
    centre = {"t": 0.4}
    powers = MONOMIALS.evaluate(MONOMIALS.point(centre))
    right = replace(events, ratios=events.ratios / (events.ratios @ powers)[:, None], reference_point=centre)
    wrong = right.ratios * np.array([1.0, 1.3, 1.0])
    wrong = replace(right, ratios=wrong / (wrong @ powers)[:, None])
    calibrations = [choose_calibration(wrong, weights, names).calibration for names in (["slopes"], ["none", "tails"])]
    for each in (*calibrations, fit_joint_calibration(wrong, weights), fit_calibration(wrong, weights)):
        found = each.apply(wrong)
        np.testing.assert_allclose(found.ratios @ powers, 1.0, rtol=1e-9)
        assert type(each).from_json(each.to_json()).apply(wrong).ratios == pytest.approx(found.ratios)
        with pytest.raises(ParameterError, match="the coefficients are at θ = 0"):
            each.apply(events)
    found = calibrations[0].apply(wrong)
    assert np.abs(found.ratios - right.ratios)[:, 1].mean() < 0.5 * np.abs(wrong.ratios - right.ratios)[:, 1].mean()


def test_homogeneous_monomials_have_a_calibration(rng):
    """a κ² + b κ κ̃ + c κ̃² at κ = 1: exact ratios stay, at a reference that is not 0."""
    monomials = Monomials(("k", "kt"), ((2, 0), (1, 1), (0, 2)))
    amplitude = rng.normal(size=(3_000, 2, 2)) + np.array([1.5, 0.0])
    first, second = amplitude[:, :, 0], amplitude[:, :, 1]
    true = np.stack([(first**2).sum(1), 2 * (first * second).sum(1), (second**2).sum(1)], axis=1)
    events = replace(toy_events(true, monomials=monomials), reference_point={"k": 1.0})
    found = fit_joint_calibration(events, true).apply(events)
    difference = np.abs(found.ratios - events.ratios)
    assert np.quantile(difference, 0.9) < 1e-3
    np.testing.assert_allclose(found.ratios[:, 0], 1.0, rtol=1e-12)


def test_unknown_names(rng):
    events, weights = long_tails(rng, 100)
    with pytest.raises(ParameterError, match="unknown calibrations best; there are none, means, slopes, tails, joint"):
        choose_calibration(events, weights, ["best"])

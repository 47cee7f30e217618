"""How often a parton event is simulated: the rule of the paper, its limits, and several targets."""

import numpy as np
import pytest

from partonic.config.simulation import FractionalSmearingConfig
from partonic.errors import ConfigError, EventFileError
from partonic.polynomial import Monomials
from partonic.simulation.fractional_smearing import SmearingSums, copies_of, target_columns

MONOMIALS = Monomials.up_to_degree(("a",), 2)
SETTINGS = FractionalSmearingConfig()


def sample(rng, events=20_000, shift=0.0):
    """Coefficients with heavy tails in the linear and quadratic ratio; all weights at a = 0 are 1."""
    linear = shift + rng.standard_t(3, events)
    return np.stack([np.ones(events), linear, 0.25 * linear**2 + rng.exponential(1.0, events)], axis=1)


def targets_of(coefficients, columns=(1, 2)):
    sums = SmearingSums(columns, np.array([1.0, 0.0, 0.0]))
    for part in np.array_split(coefficients, 7):
        sums.add(part)
    return sums.targets()


def test_sums_are_mean_and_deviation(rng):
    coefficients = sample(rng)
    targets = targets_of(coefficients)
    ratios = coefficients[:, 1:] / coefficients[:, :1]
    np.testing.assert_allclose(targets.mean, ratios.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(targets.deviation, ratios.std(axis=0), rtol=1e-9)
    assert targets.reference == 1.0


def test_events_are_split_until_the_threshold_is_reached(rng):
    """The paper's rule, for a target whose mean is near 0: the fewest copies with |w t − μ| ≤ T σ."""
    coefficients = sample(rng)
    targets = targets_of(coefficients, (1,))
    copies = copies_of(coefficients, targets, SETTINGS)
    t, mean, band = coefficients[:, 1], targets.mean[0], 0.5 * targets.deviation[0]
    assert np.abs(t / copies - mean).max() <= band
    fewer = copies > 1
    assert (np.abs(t[fewer] / (copies[fewer] - 1) - mean) > band).all()
    assert (np.abs(t[~fewer] - mean) <= band).all()
    assert 0.2 < fewer.mean() < 0.8


def test_weights_of_unequal_events_count(rng):
    """An event of weight ½ with ratio 2R is as far from the mean as one of weight 1 with R."""
    coefficients = np.concatenate([sample(rng), np.array([[1.0, 6.0, 0.0], [0.5, 6.0, 0.0], [2.0, 6.0, 0.0]])])
    copies = copies_of(coefficients, targets_of(coefficients, (1,)), SETTINGS)
    assert copies[-3] == copies[-2] == copies[-1] > 1


def test_a_mean_far_from_zero_ends(rng):
    """Where no number of copies satisfies the rule, that nearest to the mean is taken, and the search ends."""
    coefficients = sample(rng, shift=10.0)
    targets = targets_of(coefficients, (1,))
    copies = copies_of(coefficients, targets, SETTINGS)
    distance = np.abs(coefficients[:, 1, None] / np.arange(1, 101) - targets.mean[0])
    within = distance <= 0.5 * targets.deviation[0]
    expected = 1 + np.where(within.any(axis=1), within.argmax(axis=1), distance.argmin(axis=1))
    positive = coefficients[:, 1] > 0.0
    assert not within[positive].any(axis=1).all()
    np.testing.assert_array_equal(copies[positive], expected[positive])
    opposite = np.concatenate([coefficients, [[1.0, -30.0, 0.0]]])
    assert 1 < copies_of(opposite, targets, SETTINGS)[-1] <= np.ceil(30.0 / (0.5 * targets.deviation[0]))


def test_a_mean_at_the_edge_of_the_band_asks_for_no_more_than_it_is_worth(rng):
    """A target of about 0.5 ± 1: by the rule alone negative ratios would be split until they nearly vanish."""
    ratios = 0.48 + rng.normal(size=20_000)
    coefficients = np.stack([np.ones_like(ratios), ratios, ratios**2], axis=1)
    targets = targets_of(coefficients, (1,))
    copies = copies_of(coefficients, targets, SETTINGS)
    band = 0.5 * targets.deviation[0]
    assert 0.0 < band - targets.mean[0] < 0.04
    assert np.abs(ratios).max() / band < copies.max() <= np.ceil(2 * np.abs(ratios).max() / band)
    assert copies.mean() < 4.0


def test_the_largest_number_of_copies_holds(rng):
    coefficients = np.concatenate([sample(rng), [[1.0, 1e6, 0.0]]])
    settings = FractionalSmearingConfig(max_copies=10)
    copies = copies_of(coefficients, targets_of(sample(rng)), settings)
    assert copies.max() == copies[-1] == 10


def test_several_targets_take_what_the_most_demanding_asks_for(rng):
    coefficients = sample(rng)
    both = copies_of(coefficients, targets_of(coefficients), SETTINGS)
    each = [copies_of(coefficients, targets_of(coefficients, (column,)), SETTINGS) for column in (1, 2)]
    np.testing.assert_array_equal(both, np.maximum(*each))


def test_a_target_that_does_not_vary_asks_for_nothing():
    coefficients = np.tile([1.0, 3.0, 5.0], (50, 1))
    assert (copies_of(coefficients, targets_of(coefficients), SETTINGS) == 1).all()


def test_rounding_is_no_target(rng):
    """A monomial that vanishes has values of the size of rounding errors, whose spread means nothing."""
    coefficients = sample(rng)
    coefficients[:, 2] = 1e-17 * rng.standard_t(2, len(coefficients))
    linear = copies_of(coefficients, targets_of(coefficients, (1,)), SETTINGS)
    np.testing.assert_array_equal(copies_of(coefficients, targets_of(coefficients), SETTINGS), linear)


def test_targets_by_name():
    assert target_columns(MONOMIALS, SETTINGS) == (1, 2)
    assert target_columns(MONOMIALS, FractionalSmearingConfig(targets=("a^2",))) == (2,)
    with pytest.raises(ConfigError, match=r"targets: 'b' is no monomial of the process; expected some of a, a\^2"):
        target_columns(MONOMIALS, FractionalSmearingConfig(targets=("b",)))
    with pytest.raises(ConfigError, match="no θ-dependence"):
        target_columns(Monomials.constant(), SETTINGS)


def test_weights_without_a_positive_sum_are_refused():
    sums = SmearingSums((1,), np.array([1.0, 0.0, 0.0]))
    sums.add(np.array([[1.0, 2.0, 0.0], [-1.0, 1.0, 0.0]]))
    with pytest.raises(EventFileError, match="positive sum of weights at the Standard Model, got 0 pb of 2 events"):
        sums.targets()

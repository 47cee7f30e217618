"""Expected curves against the likelihood that intervals come from, against sums by hand, and against new samples."""

from dataclasses import replace

import numpy as np
import pytest

from inference.toy_coefficients import MONOMIALS, toy_events, toy_weights
from partonic.inference.experiments.baselines import rate_only
from partonic.inference.experiments.compared import ComparedEvents
from partonic.inference.experiments.comparison import compare_methods
from partonic.inference.experiments.expected_curves import binned_curve, jackknife_groups, unbinned_curve

LUMINOSITY = 300.0


def rows(values):
    theta = np.zeros((len(values), 2))
    theta[:, 0] = values
    return MONOMIALS.evaluate(theta), MONOMIALS.evaluate(np.zeros(2))


def blurred(weights, share=0.5):
    """Ratios that know a part of the truth of each event."""
    mean = weights.sum(axis=0) / weights[:, 0].sum()
    known = share * weights[:, 1:] + (1 - share) * weights[:, :1] * mean[1:]
    return toy_events(np.column_stack([weights[:, 0], known]))


def test_curves_cross_the_level_where_the_intervals_end():
    """Two ways to the same number: the likelihood of the fit, and the sums of the curves."""
    weights = toy_weights(np.random.default_rng(1), 3000)
    events = ComparedEvents(MONOMIALS, weights, {"truth": toy_events(weights), "blurred": blurred(weights)}, {})
    found = compare_methods(events, LUMINOSITY, mean_ratios=True)
    for name in ("a", "b"):
        for method, label in (
            ("truth", "truth, unbinned"),
            ("blurred", "blurred, unbinned"),
            ("rate only", "rate only"),
        ):
            curve = found.curves[name][method]
            for level, interval in zip((0.9945, 3.8415), found.intervals[label][name], strict=True):
                for low, high in interval.segments:
                    ends = np.interp([low, high], found.values[name], curve.q)
                    inside = [end for end, place in zip(ends, (low, high), strict=True)
                              if found.values[name][0] < place < found.values[name][-1]]  # fmt: skip
                    assert inside == pytest.approx([level] * len(inside), abs=0.06)


def test_by_hand():
    weights = toy_weights(np.random.default_rng(2), 50)
    values = np.linspace(-0.3, 0.3, 7)
    at, standard = rows(values)
    curve = unbinned_curve(toy_events(weights), weights, (at, standard), LUMINOSITY, np.arange(50) % 5)
    expected = 3e5 * (weights[:, 0] @ np.log(weights @ at.T / weights[:, :1]) - weights.sum(axis=0) @ at.T)
    np.testing.assert_allclose(curve.q, 2 * (expected.max() - expected), atol=2e-2)
    nu = 3e5 * weights.sum(axis=0) @ at.T
    counted = binned_curve(rate_only(MONOMIALS, weights), (at, standard), LUMINOSITY)
    poisson = nu[3] * np.log(nu) - nu
    np.testing.assert_allclose(counted.q, 2 * (poisson.max() - poisson), atol=1e-9)
    assert counted.statistical is None


def test_the_jackknife_tells_the_scatter_of_independent_samples():
    """200 samples of 500 events: their scatter is what one of them says of itself on average."""
    values = np.array([-0.2, 0.0, 0.2])
    found, said = [], []
    for seed in range(200):
        weights = toy_weights(np.random.default_rng(100 + seed), 500, 0.01)
        curve = unbinned_curve(toy_events(weights), weights, rows(values), 1.0, jackknife_groups(np.arange(500)))
        found.append(curve.q)
        said.append(curve.statistical)
    scatter = np.std(found, axis=0, ddof=1)
    mean = np.sqrt(np.mean(np.square(said), axis=0))
    # 200 samples know a standard deviation to 5 %
    assert scatter[2] / mean[2] == pytest.approx(1.0, abs=0.2)
    assert scatter[0] / mean[0] == pytest.approx(1.0, abs=0.2)


def test_copies_of_one_event_are_in_one_group():
    groups = jackknife_groups(np.array([7, 7, 3, 3, 3, 9]), 20)
    assert len(set(groups[:2])) == len(set(groups[2:5])) == 1
    assert len(set(groups.tolist())) == 3
    weights = np.repeat(toy_weights(np.random.default_rng(3), 200), 5, axis=0) / 5
    values, keys = np.array([-0.2, 0.0, 0.2]), np.repeat(np.arange(200), 5)
    apart, together = (
        unbinned_curve(toy_events(weights), weights, rows(values), LUMINOSITY, each).statistical
        for each in (jackknife_groups(np.arange(1000), 200), jackknife_groups(keys, 200))
    )
    assert together[2] / apart[2] == pytest.approx(5**0.5, rel=0.2)


def test_members_that_differ_are_a_band_that_more_events_do_not_shrink():
    values = np.array([-0.2, 0.0, 0.2])
    bands = []
    for count in (500, 8000):
        weights = toy_weights(np.random.default_rng(4), count)
        estimate = blurred(weights)
        members = [blurred(weights, share) for share in (0.4, 0.5, 0.6)]
        curve = unbinned_curve(estimate, weights, rows(values), LUMINOSITY, np.arange(count) % 20, members)
        bands.append(curve.ensemble)
        qs = [unbinned_curve(each, weights, rows(values), LUMINOSITY, np.arange(count) % 20).q for each in members]
        np.testing.assert_allclose(curve.ensemble, np.std(qs, axis=0, ddof=1))
        one = unbinned_curve(estimate, weights, rows(values), LUMINOSITY, np.arange(count) % 20, members[:1])
        assert one.ensemble is None
    assert bands[1][2] > 0.5 * bands[0][2] > 0


def test_constant_bias_of_the_ratios_cancels_with_their_mean():
    weights = toy_weights(np.random.default_rng(5), 400)
    values = np.linspace(-0.2, 0.2, 5)
    right = toy_events(weights)
    factor = np.array([1.0, 1.0, 1.0, 1.0, 1.0, 1.0])
    wrong = replace(right, ratios=right.ratios * factor + np.array([0.0, 0.3, 0.0, 0.0, 0.0, 0.0]))
    q = [unbinned_curve(each, weights, rows(values), LUMINOSITY, np.arange(400) % 20).q for each in (right, wrong)]
    assert abs(values[q[1].argmin()]) < 0.06
    assert q[0][2] == 0.0

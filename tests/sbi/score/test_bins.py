"""Bins of the score: what is in them, and how well it is known."""

import numpy as np
import pytest

from partonic.errors import TrainingError
from partonic.sbi.score.bins import adaptive_bins
from partonic.sbi.weights import effective_number


def sample(events, seed=1, axes=2):
    """Scores t ~ N(0, 1), targets (1, t_0 + noise, t_0²) times a weight of either sign."""
    generator = np.random.default_rng(seed)
    score = generator.normal(size=(events, axes))
    weight = np.where(generator.uniform(size=events) < 0.05, -0.5, generator.uniform(0.5, 1.5, size=events))
    mean = score[:, 0]
    targets = weight[:, None] * np.stack([np.ones(events), mean + generator.normal(size=events), mean**2], axis=1)
    return score, targets, np.arange(events)


def test_bins_hold_the_averages_of_their_events():
    score, targets, group = sample(20_000)
    bins = adaptive_bins(score, targets, group, 150.0)
    number = bins.find(score)
    assert len(bins.ratios) == 64
    assert sorted(set(number.tolist())) == list(range(len(bins.ratios)))
    for each in range(0, len(bins.ratios), 11):
        inside = targets[number == each]
        np.testing.assert_allclose(bins.ratios[each], inside.sum(axis=0) / inside[:, 0].sum(), rtol=1e-12)
        assert bins.effective[each] == pytest.approx(effective_number(inside[:, 0]))
    assert bins.effective.min() >= 150.0
    sums = targets[:, 0] @ bins.ratios[number]
    np.testing.assert_allclose(sums, targets.sum(axis=0), rtol=1e-10)


def test_averages_follow_what_depends_on_the_score_within_their_error():
    score, targets, group = sample(40_000)
    bins = adaptive_bins(score, targets, group, 200.0)
    test = sample(20_000, seed=2)[0]
    number = bins.find(test)
    truth = np.bincount(number, test[:, 0]) / np.bincount(number)
    pulls = (bins.ratios[:, 1] - truth) / np.sqrt(bins.covariance[:, 1, 1])
    assert np.sqrt(bins.covariance[:, 1, 1]).max() < 0.2
    assert pulls.std() == pytest.approx(1.0, abs=0.25)
    assert abs(pulls.mean()) < 0.3
    np.testing.assert_allclose(bins.covariance[:, 0], 0.0, atol=1e-15)


def test_covariance_is_the_scatter_of_samples():
    found = [adaptive_bins(*sample(400, seed), fewest=380.0 * 0.8) for seed in range(300)]
    assert all(len(each.ratios) == 1 for each in found)
    scatter = np.cov(np.stack([each.ratios[0, 1:] for each in found]).T)
    expected = np.mean([each.covariance[0, 1:, 1:] for each in found], axis=0)
    np.testing.assert_allclose(np.diag(scatter), np.diag(expected), rtol=0.25)


def test_copies_count_as_one_event():
    score, targets, _ = sample(2_000)
    group = np.arange(2_000) // 10
    together = adaptive_bins(np.repeat(score[::10], 10, axis=0), targets, group, 40.0)
    apart = adaptive_bins(np.repeat(score[::10], 10, axis=0), targets, np.arange(2_000), 40.0)
    assert len(together.ratios) < len(apart.ratios)
    one = np.ones((2_000, 1))
    copies = adaptive_bins(one, np.repeat(targets[::10], 10, axis=0), group, 40.0)
    single = adaptive_bins(one[::10], targets[::10], np.arange(200), 40.0)
    np.testing.assert_allclose(copies.covariance, single.covariance, rtol=1e-10, atol=1e-15)


def test_too_few_events_are_told():
    score, targets, group = sample(100)
    with pytest.raises(TrainingError, match="count as fewer than 300"):
        adaptive_bins(score, targets, group, 300.0)
    with pytest.raises(TrainingError, match="do not sum to more than 0"):
        adaptive_bins(score, -targets, group, 10.0)

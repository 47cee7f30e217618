import numpy as np
import pytest
import torch

from partonic.unfolding.quality.ranks import coverage, ks_distance, ks_limit, rank_of_truth, rank_test


def test_rank_counts_the_samples_below(torch_rng):
    samples = torch.tensor([[[1.0], [2.0], [3.0], [4.0]]])
    assert rank_of_truth(torch.tensor([[2.5]]), samples, torch_rng).item() == 2
    assert rank_of_truth(torch.tensor([[0.0]]), samples, torch_rng).item() == 0
    assert rank_of_truth(torch.tensor([[9.0]]), samples, torch_rng).item() == 4


def test_ties_are_broken_evenly(torch_rng):
    ranks = rank_of_truth(torch.zeros(4000, 1), torch.zeros(4000, 3, 1), torch_rng)[:, 0]
    counts = torch.bincount(ranks, minlength=4).double()
    assert ((counts - 1000).abs() < 4.5 * 750**0.5).all()


def test_coverage_of_uniform_ranks_is_the_level():
    levels = np.linspace(0.0, 1.0, 50)
    np.testing.assert_allclose(coverage(np.arange(31), 30, levels), levels, atol=1e-15)
    np.testing.assert_allclose(coverage(np.zeros(5, dtype=np.int64), 9, np.array([0.05, 0.1, 0.7])), [0.5, 1.0, 1.0])


def test_distance_of_known_distributions():
    # All truths at the lowest of 10 places: the cumulative distribution is 1 where the diagonal is at 0.1.
    assert ks_distance(np.zeros(7, dtype=np.int64), 9) == pytest.approx(0.9)
    # Only the lower half of the levels is filled.
    assert ks_distance(np.repeat(np.arange(50), 3), 99) == pytest.approx(0.5)
    assert ks_distance(np.repeat(np.arange(100), 3), 99) == pytest.approx(0.0, abs=1e-12)


def test_distance_of_calibrated_ranks_follows_kolmogorov(rng: np.random.Generator):
    events = 2000
    tests = [rank_test("u", rng.integers(0, 1000, events), 999) for _ in range(200)]
    distances = np.array([test.distance for test in tests])
    error = distances.std(ddof=1) / np.sqrt(200)
    assert abs(distances.mean() - tests[0].distance_if_calibrated) < 4 * error
    assert error < 0.05 * distances.mean()
    above = (distances > ks_limit(events)).mean()
    assert abs(above - 0.05) < 4 * np.sqrt(0.05 * 0.95 / 200)
    spread = np.std([test.histogram for test in tests])
    assert spread == pytest.approx(tests[0].histogram_error, rel=0.05)
    assert np.mean([test.mean_level for test in tests]) == pytest.approx(0.5, abs=4 * 0.29 / np.sqrt(200 * events))


def test_shape_of_the_histogram_tells_what_is_wrong(torch_rng):
    truth = torch.randn(4000, 1, generator=torch_rng)
    noise = torch.randn(4000, 99, 1, generator=torch_rng)
    narrow, wide, low = (
        rank_test("x", rank_of_truth(truth, samples, torch_rng)[:, 0].numpy(), 99)
        for samples in (0.6 * noise, 1.6 * noise, noise - 0.4)
    )
    assert narrow.histogram[[0, -1]].min() > 2.0
    assert narrow.histogram[8:12].max() < 1.0
    assert wide.histogram[[0, -1]].max() < 0.5
    assert wide.histogram[8:12].min() > 1.2
    assert low.mean_level > 0.6
    for test in (narrow, wide, low):
        assert test.distance > 3 * test.distance_limit
        assert test.histogram.mean() == pytest.approx(1.0)

"""Calibration of log density ratios: two Gaussians, whose ratio is known."""

import numpy as np
import pytest

from partonic.errors import TrainingError
from partonic.sbi.background.calibration import RatioScale, calibrated, reliability


def sample(events=40_000, signal=0.2, background=3.0, seed=1):
    """x of signal N(0, 1) and background N(1, 1) with these cross sections; log p_b/p_s is x − 1/2."""
    generator = np.random.default_rng(seed)
    x = np.concatenate([generator.normal(size=events), 1.0 + generator.normal(size=events)])
    is_signal = np.repeat([True, False], events)
    weight = generator.uniform(0.5, 1.5, size=2 * events)
    weights = [np.where(mine, weight, 0.0) for mine in (is_signal, ~is_signal)]
    return x - 0.5, *(w / w.sum() * total for w, total in zip(weights, (signal, background), strict=True))


def test_a_distorted_ratio_is_set_right_within_its_error():
    pulls = []
    for seed in range(20):
        logs, signal, background = sample(4_000, seed=seed)
        scale = calibrated(2.0 * logs + 0.7, signal, background, "ttbb")
        pulls.append([(scale.slope - 0.5) / scale.slope_error, (scale.offset + 0.35) / scale.offset_error])
    assert 0 < scale.slope_error < 0.03
    assert 0 < scale.offset_error < 0.1
    assert np.abs(np.mean(pulls, axis=0)).max() < 0.7
    assert np.std(pulls, axis=0) == pytest.approx(1.0, abs=0.45)


def test_the_sum_of_the_probabilities_is_the_cross_section():
    logs, signal, background = sample()
    scale = calibrated(np.tanh(logs), signal, background, "ttbb")
    odds = np.exp(scale.of(np.tanh(logs))) * 3.0 / 0.2
    assert ((signal + background) * odds / (1 + odds)).sum() == pytest.approx(3.0, rel=1e-6)


def test_reliability_of_the_true_ratio():
    logs, signal, background = sample()
    found = reliability(logs, signal, background)
    pulls = (np.array(found["found"]) - found["stated"]) / np.array(found["error"])
    assert len(pulls) == 10
    assert np.abs(pulls).max() < 4
    assert np.square(pulls).mean() < 2.5
    for name in ("mean_ratio", "mean_inverse"):
        mean, error = found[name]
        assert error < 0.03
        assert abs(mean - 1.0) < 4 * error
    wrong = reliability(logs + 0.5, signal, background)
    assert wrong["mean_inverse"][0] == pytest.approx(np.exp(0.5) * found["mean_inverse"][0])
    assert np.abs((np.array(wrong["found"]) - wrong["stated"]) / np.array(wrong["error"])).max() > 5


def test_what_cannot_be_calibrated_is_told():
    logs, signal, background = sample(2_000)
    with pytest.raises(TrainingError, match="events of the signal for the calibration count as 0"):
        calibrated(logs, 0.0 * signal, background, "ttbb")
    with pytest.raises(TrainingError, match="background 'ttbb' for the calibration count as"):
        calibrated(logs, signal, np.where(np.arange(len(logs)) == 2_500, 1e6, background), "ttbb")
    with pytest.raises(TrainingError, match="does not tell background from signal"):
        calibrated(-logs, signal, background, "ttbb")
    assert RatioScale().of(logs) is not logs
    np.testing.assert_array_equal(RatioScale().of(logs), logs)

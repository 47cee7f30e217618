import numpy as np
import pytest

from partonic.unfolding.quality.bias import FEWEST_EVENTS, binned_bias

EDGES = (0.0, 50.0, 100.0, 200.0)


def test_bias_and_band_are_those_put_in(rng: np.random.Generator):
    truth = rng.uniform(0.0, 200.0, 30_000)
    expected = np.array([0.3, 0.0, -0.1])
    offset = expected[np.digitize(truth, EDGES) - 1]
    bias = binned_bias(truth, offset + 0.2 * rng.normal(size=30_000), EDGES)
    for found, error in ((bias.mean, bias.mean_error), (bias.median, bias.median_error)):
        assert (np.abs(found - expected) < 4 * error).all()
        assert (error < 0.01).all()
    np.testing.assert_allclose(bias.mean_error, 0.2 / np.sqrt(bias.events), rtol=0.05)
    np.testing.assert_allclose(bias.median_error, 0.2 * np.sqrt(np.pi / 2 / bias.events), rtol=0.2)
    np.testing.assert_allclose(bias.high - bias.low, 0.4, rtol=0.05)
    assert bias.events.sum() == 30_000
    value, error = bias.largest_median(50.0, 200.0)
    assert value == pytest.approx(0.1, abs=4 * error)


def test_samples_of_an_event_are_not_counted_as_events(rng: np.random.Generator):
    """With a common error of all samples of an event, only the number of events makes the mean precise."""
    means = []
    for _ in range(60):
        difference = rng.normal(size=(400, 1)) + 0.3 * rng.normal(size=(400, 30))
        bias = binned_bias(np.full(400, 10.0), difference, (0.0, 50.0))
        means.append((bias.mean[0], bias.mean_error[0]))
    values, errors = np.array(means).T
    assert values.std(ddof=1) == pytest.approx(errors.mean(), rel=4 / np.sqrt(2 * 59))
    assert errors.mean() == pytest.approx(np.sqrt((1 + 0.09 / 30) / 400), rel=0.05)


def test_bins_with_few_events_are_undefined():
    truth = np.concatenate([np.full(FEWEST_EVENTS - 1, 10.0), np.full(FEWEST_EVENTS, 60.0), [1e9]])
    bias = binned_bias(truth, np.ones(len(truth)), EDGES)
    assert np.isnan(bias.mean).tolist() == [True, False, True]
    assert bias.events.tolist() == [FEWEST_EVENTS - 1, FEWEST_EVENTS, 0]
    assert bias.largest_median(0.0, 200.0) == (1.0, 0.0)
    assert np.isnan(bias.largest_median(0.0, 50.0)).all()

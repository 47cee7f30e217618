"""Each ratio by its own mean and slopes: repaired where it is wrong, left where it is right, with the right errors."""

from dataclasses import replace

import numpy as np
import pytest
from tests.inference.calibration.long_tails import long_tails
from tests.inference.toy_coefficients import toy_events, toy_weights

from partonic.errors import ParameterError
from partonic.inference.calibration.scaled_fit import fit_scaled_ratios


def scaled(events, factor):
    """Return what an estimator gives whose ratios vary too much around their means."""
    mean = events.ratios.mean(axis=0)
    ratios = mean + factor * (events.ratios - mean)
    ratios[:, 0] = 1.0
    return replace(events, ratios=ratios)


@pytest.mark.parametrize("kind", ["slopes", "tails"])
def test_scaled_ratios_are_repaired(rng, kind):
    weights = toy_weights(rng, 4_000)
    events = toy_events(weights)
    found = fit_scaled_ratios(scaled(events, 1.5), weights, kind).apply(scaled(events, 1.5))
    before = np.abs(scaled(events, 1.5).ratios - events.ratios)[:, 1:].mean()
    assert np.abs(found.ratios - events.ratios)[:, 1:].mean() < 0.15 * before


def test_right_ratios_stay_within_errors():
    """Slopes of ratios that are the truth but for what the event does not tell are 1 within their errors."""
    pulls = []
    for seed in range(30):
        events, weights = long_tails(np.random.default_rng(seed), 2_000)
        found = fit_scaled_ratios(events, weights, "slopes")
        count = len(found.means)
        error = np.sqrt(np.diag(found.covariance))[2 * count :]
        pulls.append((found.slopes[1:, 0] - 1.0) / error[1:])
    pulls = np.array(pulls)
    assert np.abs(pulls.mean(axis=0)).max() < 4.0 / np.sqrt(30)
    assert 0.6 < pulls.std() < 1.4


def test_means_are_those_of_the_rate(rng):
    weights = toy_weights(rng, 2_000)
    events = scaled(toy_events(weights), 1.2)
    events = replace(events, ratios=events.ratios + np.array([0, 0.1, 0, 0, 0, 0.05]))
    found = fit_scaled_ratios(events, weights, "means").apply(events)
    own = weights[:, 0] / weights[:, 0].sum()
    np.testing.assert_allclose(own @ found.ratios, weights.sum(axis=0) / weights[:, 0].sum(), rtol=1e-9, atol=1e-12)


def test_none_changes_nothing(rng):
    weights = toy_weights(rng, 500)
    events = toy_events(weights)
    assert fit_scaled_ratios(events, weights, "none").apply(events) is events


def test_covariance_of_the_response_is_that_of_repetition():
    """Calibrated ratios of a few events scatter over calibrations as their response says."""
    looked_at, _ = long_tails(np.random.default_rng(999), 10)
    values, errors = [], []
    for seed in range(60):
        events, weights = long_tails(np.random.default_rng(seed), 1_500)
        found = fit_scaled_ratios(events, weights, "slopes").apply(looked_at)
        moments = np.zeros((10, found.response.design.shape[1], 3))
        moments[:, :, 1] = found.response.design
        values.append(found.ratios[:, 1])
        errors.append(np.sqrt(np.diag(found.response.variance(moments))))
    widths = np.std(values, axis=0, ddof=1) / np.mean(errors, axis=0)
    np.testing.assert_allclose(widths, 1.0, atol=4.5 / np.sqrt(2 * 60))


def test_too_few_events(rng):
    weights = toy_weights(rng, 30)
    with pytest.raises(ParameterError, match="needs 100 usable events or more, got 30"):
        fit_scaled_ratios(toy_events(weights), weights, "slopes")

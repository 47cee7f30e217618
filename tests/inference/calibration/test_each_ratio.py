from dataclasses import replace

import numpy as np
import pytest

from partonic.errors import ParameterError
from partonic.inference.calibration.each_ratio import fit_calibration
from partonic.inference.coefficients.event_coefficients import EventCoefficients
from partonic.inference.coefficients.rate import FiducialRate
from partonic.polynomial import Monomials

MONOMIALS = Monomials.up_to_degree(("a", "b"), 2)


def coefficients(ratios: np.ndarray) -> EventCoefficients:
    count = len(ratios)
    zeros = np.zeros(count)
    return EventCoefficients(
        monomials=MONOMIALS, event_id=np.arange(count), ratios=ratios, log_reference=zeros,
        covariance=np.tile(0.01 * np.eye(6), (count, 1, 1)), status=("ok",) * count, relative_error=zeros,
        source="toy",
    )  # fmt: skip


def toy(rng: np.random.Generator, count: int = 20_000) -> tuple[EventCoefficients, np.ndarray, np.ndarray]:
    """An estimate that is the truth's conditional mean, stretched by known slopes; and weights that vary."""
    best = rng.normal(0.5, 0.4, (count, 6))
    truth = best + rng.normal(0.0, 0.3, (count, 6))
    slopes = np.array([1.0, 0.5, 0.8, 1.0, 1.3, 2.0])
    ratios = 0.2 + (best - 0.5) / slopes
    ratios[:, 0], truth[:, 0] = 1.0, 1.0
    ratios[:, 3], truth[:, 3] = 0.25, 0.25  # a constant
    weights = rng.uniform(0.5, 1.5, count)[:, None] * truth
    return coefficients(ratios), weights, slopes


def test_slopes_and_means_come_out(rng: np.random.Generator) -> None:
    events, weights, slopes = toy(rng)
    found = fit_calibration(events, weights)
    pulls = (found.slope - slopes)[[1, 2, 4, 5]] / found.slope_error[[1, 2, 4, 5]]
    assert np.all(found.slope_error[[1, 2, 4, 5]] < 0.02)
    assert np.all(np.abs(pulls) < 4)
    assert found.slope[[0, 3]].tolist() == [1.0, 1.0]
    assert np.abs(found.truth[1:3] - 0.5).max() < 4 * found.truth_error[1:3].max() < 0.05


def test_calibrated_events_need_no_calibration(rng: np.random.Generator) -> None:
    events, weights, _ = toy(rng)
    calibrated = fit_calibration(events, weights).apply(events)
    again = fit_calibration(calibrated, weights)
    np.testing.assert_allclose(again.slope, 1.0, atol=1e-9)
    np.testing.assert_allclose(again.estimate, again.truth, atol=1e-9)
    assert np.all(calibrated.ratios[:, 0] == 1.0)


def test_covariance_follows(rng: np.random.Generator) -> None:
    events, weights, _ = toy(rng)
    found = fit_calibration(events, weights)
    np.testing.assert_allclose(found.apply(events).covariance[0], 0.01 * np.diag(found.slope**2))


def test_slope_errors_are_those_of_repetition() -> None:
    """The spread of the slope over independent samples is its error."""
    slopes, errors = [], []
    for seed in range(200):
        events, weights, _ = toy(np.random.default_rng(seed), 400)
        found = fit_calibration(events, weights)
        slopes.append(found.slope[1])
        errors.append(found.slope_error[1])
    assert np.std(slopes) / np.mean(errors) == pytest.approx(1.0, abs=4 / np.sqrt(2 * 200))


def test_unusable_events_are_left_out_and_stay_so(rng: np.random.Generator) -> None:
    events, weights, _ = toy(rng, 100)
    ratios = events.ratios.copy()
    ratios[3] = np.nan
    broken = replace(events, ratios=ratios, status=("ok",) * 3 + ("zero acceptance",) + ("ok",) * 96)
    found = fit_calibration(broken, weights)
    assert found.events == 99
    assert np.isnan(found.apply(broken).ratios[3, 1:]).all()


def test_means_are_those_of_the_rate(rng: np.random.Generator) -> None:
    events, weights, _ = toy(rng, 1000)
    rate = FiducialRate(MONOMIALS, np.array([2.0, 1.0, 0.8, 0.5, 1.2, 1.0]), np.zeros((6, 6)))
    found = fit_calibration(events, weights).apply(events, rate)
    means = np.average(found.ratios, axis=0, weights=weights[:, 0])
    np.testing.assert_allclose(means[[1, 2, 4, 5]], [0.5, 0.4, 0.6, 0.5], rtol=1e-9)


def test_what_cannot_be_calibrated_is_refused(rng: np.random.Generator) -> None:
    events, weights, _ = toy(rng, 100)
    with pytest.raises(ParameterError, match=r"must have the shape \(100, 6\)"):
        fit_calibration(events, weights[:50])
    with pytest.raises(ParameterError, match="needs at least 12 usable events, got 5 of 5"):
        fit_calibration(events.select(np.arange(100) < 5), weights[:5])
    other = replace(fit_calibration(events, weights), monomials=Monomials.up_to_degree(("a", "c"), 2))
    with pytest.raises(ParameterError, match="the calibration is for the monomials"):
        other.apply(events)
    rate = FiducialRate(Monomials.constant(), np.ones(1), np.zeros((1, 1)))
    with pytest.raises(ParameterError, match="the cross sections have 1: fit"):
        fit_calibration(events, weights).apply(events, rate)

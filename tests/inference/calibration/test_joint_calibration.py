from dataclasses import replace

import numpy as np
import pytest
from tests.inference.toy_coefficients import MONOMIALS, squared_amplitude

from partonic.errors import ParameterError
from partonic.inference.calibration.joint_calibration import JointCalibration, fit_joint_calibration
from partonic.inference.calibration.reference_density import reference_weights
from partonic.inference.coefficients.event_coefficients import EventCoefficients
from partonic.inference.coefficients.positivity import gram_matrices
from partonic.inference.coefficients.rate import FiducialRate
from partonic.polynomial import Monomials

LINEAR = Monomials.up_to_degree(("a", "b"), 1)


def coefficients(ratios, covariance, monomials=LINEAR):
    count = len(ratios)
    zeros = np.zeros(count)
    return EventCoefficients(
        monomials=monomials, event_id=np.arange(count), ratios=ratios, log_reference=zeros, covariance=covariance,
        status=("ok",) * count, relative_error=zeros, source="toy",
    )  # fmt: skip


def gaussian(rng, count, variety=0.8):
    """True R of (a, b), correlated Gaussians of covariance T; their estimates with noise of sizes that vary.

    Returns events, weights and the mean of R given estimate and covariance, which is known: T (T + C)⁻¹ R̂.
    """
    signal = np.array([[1.0, 0.5], [0.5, 0.7]])
    sizes = np.exp(rng.normal(-0.7, variety, (count, 2)))
    noise = sizes[:, :, None] * sizes[:, None, :] * np.array([[1.0, 0.3], [0.3, 1.0]])
    truth = rng.multivariate_normal(np.zeros(2), signal, count)
    estimate = truth + np.einsum("nij,nj->ni", np.linalg.cholesky(noise), rng.normal(size=(count, 2)))
    covariance = np.zeros((count, 3, 3))
    covariance[:, 1:, 1:] = noise
    weights = 1e-6 * rng.uniform(0.5, 1.5, (count, 1)) * np.column_stack([np.ones(count), truth])
    known = np.linalg.solve(signal + noise, estimate[:, :, None])[:, :, 0] @ signal
    return coefficients(np.column_stack([np.ones(count), estimate]), covariance), weights, known


def amplitudes(rng, count, noise=0.3):
    """Squared amplitudes of which the estimate saw another draw of a part, so that it knows too much."""
    common = rng.normal(size=(count, 8, 3)) * np.array([1.0, 0.6, 0.5])
    common[:, 0, 0] += 1.0
    true, seen = (squared_amplitude(common + noise * rng.normal(size=common.shape)) for _ in range(2))
    weights = 1e-6 * true
    return coefficients(seen / seen[:, :1], np.zeros((count, 6, 6)), MONOMIALS), weights


def test_known_conditional_mean_is_found(rng):
    """Gaussian signal and noise of known size: the shrinkage of each event is that of the closed form."""
    events, weights, known = gaussian(rng, 40_000)
    found = fit_joint_calibration(events, weights).apply(events)
    np.testing.assert_allclose(found.ratios[:, 1:], known, atol=0.1)
    difference = found.ratios[:, 1:] - known
    assert np.sqrt((difference**2).mean()) < 0.02
    # without the covariances the best is one shrinkage for all
    blind = replace(events, covariance=np.zeros_like(events.covariance))
    same = fit_joint_calibration(blind, weights).apply(blind)
    assert np.sqrt(((same.ratios[:, 1:] - known) ** 2).mean()) > 0.15


def test_calibrated_in_cells_of_the_estimate_and_of_its_error(rng):
    """The mean of the truth less the calibrated ratio is 0 within errors, on events that it did not see."""
    events, weights, _ = gaussian(rng, 20_000)
    calibration = fit_joint_calibration(events, weights)
    other, theirs, _ = gaussian(rng, 20_000)
    left = theirs / theirs[:, :1] - calibration.apply(other).ratios
    keys = [other.ratios[:, 1], np.abs(other.ratios[:, 2]), other.covariance[:, 1, 1]]
    pulls = []
    for key in keys:
        cell = np.digitize(key, np.quantile(key, [0.2, 0.4, 0.6, 0.8]))
        for number in range(5):
            inside, w = left[cell == number, 1:], theirs[cell == number, 0]
            pulls.append(w @ inside / np.sqrt(w**2 @ inside**2))
    assert np.mean(np.square(pulls)) < 1.8
    assert np.max(np.abs(pulls)) < 4


def test_means_are_true_at_the_reference_and_at_zero(rng):
    """At h the mean of ρ_a is σ_a/σ_h by construction, at θ = 0 that of R_a is σ_a/σ_0 by the likelihood."""
    events, weights = amplitudes(rng, 5_000)
    calibration = fit_joint_calibration(events, weights)
    assert calibration.reference[[0, 3, 5]] == pytest.approx(
        [1, weights[:, 0].sum() / weights[:, 3].sum(), weights[:, 0].sum() / weights[:, 5].sum()]
    )
    assert len(calibration.theta) == 33
    w = weights @ calibration.reference
    found = calibration.apply(events)
    assert calibration.moved == 0
    rho = found.ratios / (found.ratios @ calibration.reference)[:, None]
    truth = weights / w[:, None]
    np.testing.assert_allclose(w @ rho, w @ truth, rtol=1e-9)
    assert (((truth - rho) ** 2).T @ w < ((truth - _over_reference(events, calibration)) ** 2).T @ w).all()
    w = weights[:, 0] / weights[:, 0].sum()
    left = weights / weights[:, :1] - found.ratios
    before = np.abs(w @ (weights / weights[:, :1] - events.ratios))
    assert (np.abs(w @ left)[1:] < 0.2 * before[1:]).all()
    assert (np.abs(w @ left)[1:] < 0.5 * np.sqrt(w**2 @ left[:, 1:] ** 2)).all()


def _over_reference(events, calibration):
    return events.ratios / (events.ratios @ calibration.reference)[:, None]


def test_exact_ratios_are_not_changed(rng):
    events, weights = amplitudes(rng, 2_000, noise=0.0)
    found = fit_joint_calibration(events, weights).apply(events)
    np.testing.assert_allclose(found.ratios, events.ratios, rtol=1e-6, atol=1e-6)


def test_means_are_those_of_the_rate(rng):
    events, weights = amplitudes(rng, 3_000)
    calibration = fit_joint_calibration(events, weights)
    rate = FiducialRate(MONOMIALS, weights.sum(axis=0) * np.array([1, 1, 1, 1.1, 1, 0.95]), np.zeros((6, 6)))
    found = calibration.apply(events, rate)
    rho_0 = found.response.design[:, 0] ** -1
    w = weights @ calibration.reference
    expected = rate.coefficients / (calibration.reference @ rate.coefficients)
    np.testing.assert_allclose(w @ (found.ratios * rho_0[:, None]) / w.sum(), expected, rtol=1e-9, atol=1e-12)
    assert found.response.reference is not None
    known = len(calibration.directions)
    assert not found.response.covariance[:known].any()
    assert calibration.apply(events).response.covariance[:known, :known].any()


def test_covariance_is_that_of_repetition(rng):
    """Calibrated ratios of a few events scatter over calibrations as their response says: the pulls have width 1."""
    looked_at, _, _ = gaussian(rng, 12, 0.2)
    looked_at = replace(looked_at, covariance=np.zeros_like(looked_at.covariance))
    rate = FiducialRate(LINEAR, np.array([1.0, 0.0, 0.0]), np.zeros((3, 3)))  # the true means
    for means in (rate, None):
        values, errors = [], []
        for seed in range(150):
            events, weights, _ = gaussian(np.random.default_rng(seed), 1_500, 0.2)
            blind = replace(events, covariance=np.zeros_like(events.covariance))  # features that do not depend on T
            found = fit_joint_calibration(blind, weights).apply(looked_at, means)
            response = found.response
            moments = np.zeros((12, response.design.shape[1], 3))
            moments[:, :, 1] = response.design
            values.append(found.ratios[:, 1])
            errors.append(np.sqrt(np.diag(response.variance(moments))))
        widths = np.std(values, axis=0, ddof=1) / np.mean(errors, axis=0)
        np.testing.assert_allclose(widths, 1.0, atol=4.5 / np.sqrt(2 * 150))


def test_covariance_of_the_likelihood_is_that_of_repetition(rng):
    """The same of densities, whose numbers depend on each other in all directions."""
    looked_at, _ = amplitudes(rng, 8)
    truth = amplitudes(rng, 200_000)[1].sum(axis=0)
    rate = FiducialRate(MONOMIALS, truth, np.zeros((6, 6)))
    values, variances = [], []
    for seed in range(120):
        found = fit_joint_calibration(*amplitudes(np.random.default_rng(seed), 1_000)).apply(looked_at, rate)
        moments = np.zeros((8, 3, found.response.design.shape[1], 6))
        for number, ratio in enumerate((1, 3, 4)):
            # δR_a = [(X δK)_a − R_a (X δK)_0]/ρ_0
            moments[:, number, :, ratio] += found.response.design
            moments[:, number, :, 0] -= found.ratios[:, [ratio]] * found.response.design
        values.append(found.ratios[:, [1, 3, 4]].ravel())
        variances.append(np.diag(found.response.variance(moments.reshape(24, -1, 6))))
    widths = np.std(values, axis=0, ddof=1) / np.sqrt(np.mean(variances, axis=0))
    np.testing.assert_allclose(widths, 1.0, atol=4.5 / np.sqrt(2 * 120))


def test_rounding_of_one_weight_changes_nothing_and_bad_weights_are_refused(rng):
    events, weights = amplitudes(rng, 2_000)
    rounded, broken = weights.copy(), weights.copy()
    rounded[3, [2, 4, 5]] = 0.0, 0.0, -1e-25  # b does nothing in this event
    broken[3, 5] = np.nan
    assert len(fit_joint_calibration(events, rounded).theta) == 33
    with pytest.raises(ParameterError, match="1 of 2000 usable events have weights that are no finite numbers"):
        fit_joint_calibration(events, broken)


def test_densities_are_positive_at_all_theta(rng):
    """Few events and much noise: some polynomials are negative, and are moved towards the mean."""
    events, weights = amplitudes(rng, 300, noise=0.5)
    calibration = fit_joint_calibration(events, weights)
    wild, _ = amplitudes(rng, 5_000, noise=2.0)
    # nothing but the slopes made too large
    steep = replace(calibration, slopes=4 * calibration.slopes)
    assert steep.moved_events(wild) > 100
    found = steep.apply(wild)
    forms = gram_matrices(MONOMIALS, found.ratios / found.response.design[:, :1])
    assert np.linalg.eigvalsh(forms)[:, 0].min() > 0
    assert np.isfinite(found.ratios).all()


def test_features_stay_in_the_range_of_the_calibration(rng):
    events, weights, _ = gaussian(rng, 2_000)
    calibration = fit_joint_calibration(events, weights)
    far, further = (
        coefficients(np.array([[1.0, size, -size]]), np.zeros((1, 3, 3))) for size in (1e3, 1e6)
    )  # fmt: skip
    np.testing.assert_array_equal(calibration.apply(far).ratios, calibration.apply(further).ratios)


def test_unusable_events_stay_so(rng):
    events, weights, _ = gaussian(rng, 500)
    ratios = events.ratios.copy()
    ratios[3] = np.nan
    broken = replace(events, ratios=ratios, status=("ok",) * 3 + ("zero acceptance",) + ("ok",) * 496)
    calibration = fit_joint_calibration(broken, weights)
    assert calibration.events == 499
    found = calibration.apply(broken)
    assert np.isnan(found.ratios[3]).all()
    assert np.isfinite(np.delete(found.ratios, 3, axis=0)).all()
    assert len(found.select(np.arange(500) < 10).response) == 10


def test_written_and_read(rng):
    events, weights = amplitudes(rng, 500)
    found = fit_joint_calibration(events, weights)
    again = JointCalibration.from_json(found.to_json())
    assert again.to_json() == found.to_json()
    assert len(again.theta) == 33
    older = JointCalibration.from_json(
        {key: value for key, value in found.to_json().items() if key != "theta"} | {"format": 2}
    )
    assert older.theta.shape == (0, 2)
    np.testing.assert_array_equal(again.apply(events).ratios, found.apply(events).ratios)


def test_one_ratio_needs_nothing(rng):
    """A process that depends on nothing has nothing to calibrate."""
    events = coefficients(np.ones((50, 1)), np.zeros((50, 1, 1)), Monomials.constant())
    found = fit_joint_calibration(events, np.full((50, 1), 1e-6))
    assert JointCalibration.from_json(found.to_json()).apply(events).ratios.tolist() == [[1.0]] * 50


def test_what_cannot_be_fitted_or_read(rng):
    events, weights, _ = gaussian(rng, 200)
    with pytest.raises(ParameterError, match=r"must have the shape \(200, 3\)"):
        fit_joint_calibration(events, weights[:50])
    few = np.arange(200) < 59
    with pytest.raises(ParameterError, match=r"with 5 features needs at least 60 usable events, got 59 of 59"):
        fit_joint_calibration(events.select(few), weights[few])
    with pytest.raises(ParameterError, match="sum to 0 pb"):
        reference_weights(events, 0 * weights)
    found = fit_joint_calibration(events, weights)
    other = replace(found, monomials=Monomials.up_to_degree(("a", "c"), 1))
    with pytest.raises(ParameterError, match="the calibration is for the monomials 1, a, c, the coefficients have"):
        other.apply(events)
    rate = FiducialRate(Monomials.up_to_degree(("a", "c"), 1), np.ones(3), np.zeros((3, 3)))
    with pytest.raises(ParameterError, match="the calibration is for the monomials 1, a, b, the cross sections have"):
        found.apply(events, rate)
    content = found.to_json()
    for key, value, message in (
        ("slopes", content["slopes"][:2], "'slopes' needs finite numbers of shape"),
        ("covariance", [[float("nan")]], "'covariance' needs finite numbers of shape"),
        ("inputs", [7], "'inputs' needs numbers of 3 monomials"),
        ("format", 4, "format 4, expected 3"),
    ):
        with pytest.raises(ValueError, match=message):
            JointCalibration.from_json(content | {key: value})

"""What the likelihood does not know of itself: noise of coefficients, calibration and rate, and of trained networks.

The best fit solves ∂log L/∂φ = 0. A small change δg of that gradient moves it by I⁻¹ δg, with I the observed
information, so a covariance M of the gradient gives I⁻¹ M I⁻¹ (the sandwich formula). M is

- of the integration: Σ_i w_i² G_i C_i G_iᵀ with G_i = ∂(score of event i)/∂B_i and C_i the covariance of its row,
- of the rate: D S Dᵀ with D = ∂(∂log L/∂φ)/∂s and S the covariance of the cross sections s,
- of the calibration: E Σ Eᵀ with E = ∂(∂log L/∂φ)/∂K and Σ the covariance of its numbers K
  (`partonic.inference.coefficients.response`). Means of calibrated ratios are those of the rate, which D then contains.

Coefficients that were calibrated together have no noise of integration of their own: it is part of what the calibration
averaged over, and of the statistical error.

The same covariances give the variance of log L(φ) − log L(φ̂), which intervals use. Networks trained anew give other
coefficients of the same events; the scatter of their fits is the error of the training.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from partonic.errors import InferenceError
from partonic.inference.likelihood.fit import BestFit, fit
from partonic.inference.likelihood.unbinned import ExtendedLikelihood

__all__ = [
    "DifferenceVariances",
    "ErrorBudget",
    "calibration_covariance",
    "difference_variances",
    "error_budget",
    "integration_covariance",
    "rate_covariance",
    "resampled_fits",
    "training_errors",
    "training_variance",
]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ErrorBudget:
    """Standard errors of the best fit by their cause, each `(P,)`; 0 for fixed parameters.

    Attributes:
        statistical: of the sample, from the observed information.
        integration: of the Monte-Carlo integration of the coefficients.
        rate: of the simulated cross sections.
        training: of the networks; 0 if there is no ensemble to tell it.
        calibration: of the finite sample that the coefficients were calibrated with; 0 where that is not known.
    """

    statistical: Array
    integration: Array
    rate: Array
    training: Array
    calibration: Array

    @property
    def total(self) -> Array:
        """All of them in quadrature, `(P,)`."""
        causes = (self.statistical, self.integration, self.rate, self.training, self.calibration)
        values: Array = np.sqrt(sum(each**2 for each in causes))
        return values


class DifferenceVariances(NamedTuple):
    """Variances of log L(φ) − log L(φ̂) at M points by their cause, each `(M,)`."""

    integration: Array
    rate: Array
    calibration: Array

    @property
    def total(self) -> Array:
        """Their sum, `(M,)`."""
        values: Array = self.integration + self.rate + self.calibration
        return values


def error_budget(
    likelihood: ExtendedLikelihood, best: BestFit, training: Array | None = None, expected: bool = False
) -> ErrorBudget:
    """Return the errors of a best fit.

    Args:
        likelihood: log L.
        best: its best fit.
        training: errors from `training_errors`, `(P,)`.
        expected: the weights are expected yields, and stand for events that each have a noise of their own.
    """
    integration = integration_covariance(likelihood, best, expected)
    rate = rate_covariance(likelihood, best)
    return ErrorBudget(
        best.errors,
        np.sqrt(np.diag(integration)),
        np.sqrt(np.maximum(np.diag(rate), 0.0)),
        np.zeros(len(best.phi)) if training is None else training,
        np.sqrt(np.maximum(np.diag(calibration_covariance(likelihood, best)), 0.0)),
    )


def integration_covariance(likelihood: ExtendedLikelihood, best: BestFit, expected: bool = False) -> Array:
    """Return the covariance of φ̂ from the noise of the coefficients, `(P, P)`; zero if they are exact."""
    events = likelihood.events
    if events.covariance is None:
        return np.zeros_like(best.covariance)
    vector, jacobian = likelihood.mixture.vector(best.phi), likelihood.mixture.jacobian(best.phi)
    f = events.rows @ vector
    root = np.sqrt(f**2 + 4 * events.floor**2)
    slopes = events.rows @ jacobian
    weights = likelihood.weights if expected else likelihood.weights**2
    # G_i = Jᵀ/root − (Jᵀ B_i) f vᵀ/root³, from the derivative 1/root of log f
    noise = np.einsum("nab,bk->nak", events.covariance, jacobian) / root[:, None, None]
    noise -= np.einsum("nab,b->na", events.covariance, vector)[:, :, None] * (
        slopes * (f / root**3)[:, None]
    )[:, None, :]  # fmt: skip
    along = np.einsum("ak,nal->nkl", jacobian, noise) / root[:, None, None]
    along -= (slopes * (f / root**3)[:, None])[:, :, None] * np.einsum("a,nal->nl", vector, noise)[:, None, :]
    values: Array = best.covariance @ np.einsum("n,nkl->kl", weights, along) @ best.covariance
    return values


def rate_covariance(likelihood: ExtendedLikelihood, best: BestFit) -> Array:
    """Return the covariance of φ̂ from the statistical error of the cross sections, `(P, P)`."""
    mixture = likelihood.mixture
    vector, jacobian = mixture.vector(best.phi), mixture.jacobian(best.phi)
    by_rate = np.zeros((len(best.phi), len(vector)))
    for weight, rate in likelihood.rate_logarithms:
        norm = rate @ vector
        by_rate += weight * (jacobian.T / norm - np.outer(jacobian.T @ rate, vector) / norm**2)
    if not likelihood.shape_only:
        by_rate -= mixture.per_picobarn * best.phi[-1] * jacobian.T
        by_rate[-1] -= mixture.per_picobarn * vector
    if (response := likelihood.events.response) is not None:
        size = len(mixture.signal.monomials)
        by_rate[:, :size] += response.by_rate(_score_moments(likelihood, best.phi), mixture.signal.coefficients)
    values: Array = best.covariance @ by_rate @ mixture.stacked_covariance @ by_rate.T @ best.covariance
    return values


def calibration_covariance(likelihood: ExtendedLikelihood, best: BestFit) -> Array:
    """Return the covariance of φ̂ from the finite sample of the calibration, `(P, P)`; zero if that is not known."""
    response = likelihood.events.response
    if response is None:
        return np.zeros_like(best.covariance)
    of_gradient = response.variance(_score_moments(likelihood, best.phi))
    values: Array = best.covariance @ of_gradient @ best.covariance
    return values


def difference_variances(
    likelihood: ExtendedLikelihood, best: Array, points: Array, expected: bool = False
) -> DifferenceVariances:
    """Return the variances of log L(φ) − log L(φ̂) from the noise of the coefficients, the rate and the calibration.

    Args:
        likelihood: log L.
        best: φ̂, `(P,)`.
        points: φ, `(M, P)`.
        expected: the weights are expected yields.
    """
    mixture, events = likelihood.mixture, likelihood.events
    calibration = np.zeros(len(points))
    slope_at_best = _rate_slope(likelihood, best)
    rate = np.array([_rate_slope(likelihood, phi) - slope_at_best for phi in points])
    if events.response is not None:
        size = len(mixture.signal.monomials)
        at_best = _log_moments(likelihood, best)
        moments = np.array([_log_moments(likelihood, phi) - at_best for phi in points])
        rate[:, :size] += events.response.by_rate(moments, mixture.signal.coefficients)
        calibration = np.diag(events.response.variance(moments))
    from_rate = np.einsum("ma,ab,mb->m", rate, mixture.stacked_covariance, rate)
    integration = np.zeros(len(points))
    if events.covariance is not None:
        weights = likelihood.weights if expected else likelihood.weights**2
        at_best = _event_slope(likelihood, best)
        for number, phi in enumerate(points):
            slope = _event_slope(likelihood, phi) - at_best
            noisy = np.matmul(events.covariance, slope[:, :, None])[:, :, 0]
            integration[number] = weights @ np.einsum("na,na->n", slope, noisy)
    return DifferenceVariances(integration, np.maximum(from_rate, 0.0), np.maximum(calibration, 0.0))


def resampled_fits(likelihood: ExtendedLikelihood, best: BestFit, number: int, generator: np.random.Generator) -> Array:
    """Return the best fits with the noise of the coefficients drawn anew, `(number, P)`.

    Their scatter is the integration error without any expansion; it takes `number` fits.

    Raises:
        InferenceError: if the coefficients are exact.
    """
    from dataclasses import replace

    fits = []
    for _ in range(number):
        again = replace(likelihood, events=likelihood.events.perturbed(generator))
        fits.append(fit(again, best.phi, extra_starts=best.maxima, candidates=best.maxima, verify=False).phi)
    return np.array(fits).reshape(number, len(best.phi))


def training_errors(members: Sequence[BestFit]) -> Array:
    """Return the scatter of the fits of an ensemble of networks: the error of one member, `(P,)`.

    Raises:
        InferenceError: if there are fewer than two members.
    """
    if len(members) < 2:
        raise InferenceError(f"the error of training needs two sets of coefficients or more, got {len(members)}")
    values: Array = np.std([member.phi for member in members], axis=0, ddof=1)
    return values


def training_variance(members: Sequence[ExtendedLikelihood], best: Array, points: Array) -> Array:
    """Return the variance over an ensemble of log L(φ) − log L(φ̂) at points `(M, P)`, as `(M,)`.

    Args:
        members: likelihoods of the same events with the coefficients of each member.
        best: φ̂ of the likelihood whose interval is meant, `(P,)`.
        points: φ, `(M, P)`.

    Raises:
        InferenceError: if there are fewer than two members.
    """
    if len(members) < 2:
        raise InferenceError(f"the error of training needs two sets of coefficients or more, got {len(members)}")
    values: Array = np.var([member(points) - member(best) for member in members], axis=0, ddof=1)
    return values


def _rate_slope(likelihood: ExtendedLikelihood, phi: Array) -> Array:
    """Return ∂log L/∂s, `(V,)`."""
    vector = likelihood.mixture.vector(phi)
    slope = np.zeros(len(vector))
    for weight, rate in likelihood.rate_logarithms:
        slope += weight * vector / (rate @ vector)
    if not likelihood.shape_only:
        slope -= likelihood.mixture.per_picobarn * phi[-1] * vector
    return slope


def _log_moments(likelihood: ExtendedLikelihood, phi: Array) -> Array:
    """Return ∂log L/∂K of the calibration, `(D, A)`."""
    return _moments(likelihood, _event_slope(likelihood, phi))


def _score_moments(likelihood: ExtendedLikelihood, phi: Array) -> Array:
    """Return ∂(∂log L/∂φ)/∂K of the calibration, `(P, D, A)`."""
    events, vector, jacobian = likelihood.events, likelihood.mixture.vector(phi), likelihood.mixture.jacobian(phi)
    f = events.rows @ vector
    root = np.sqrt(f**2 + 4 * events.floor**2)
    slopes = events.rows @ jacobian
    # the G_i of the head of this file, one parameter after another
    return np.array([
        _moments(likelihood, jacobian[:, k] / root[:, None] - (slopes[:, k] * f / root**3)[:, None] * vector)
        for k in range(len(phi))
    ])  # fmt: skip


def _moments(likelihood: ExtendedLikelihood, slopes: Array) -> Array:
    """Return ∂(Σ_i w_i slopes_i·B_i)/∂K at fixed slopes `(N, V)`, `(D, A)`."""
    response, size = likelihood.events.response, len(likelihood.mixture.signal.monomials)
    if response is None:
        msg = "the coefficients have no calibration that knows its errors"
        raise InferenceError(msg)
    return response.moments(likelihood.events.rows[:, :size], slopes[:, :size], likelihood.weights)


def _event_slope(likelihood: ExtendedLikelihood, phi: Array) -> Array:
    """Return ∂log f/∂B of each event, `(N, V)`."""
    vector = likelihood.mixture.vector(phi)
    f = likelihood.events.rows @ vector
    values: Array = vector / np.sqrt(f**2 + 4 * likelihood.events.floor**2)[:, None]
    return values

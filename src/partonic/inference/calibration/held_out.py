"""How well a calibration does on events that it was not fitted to: k-fold cross-validation.

For each ratio three slopes of the truth on an estimate, each of which is 1 for a perfect one: of the estimate as it is;
of what it would be without the noise of the integration, whose share in the variance of the estimate lowers the slope
by that share; and of the calibrated ratio, from calibrations that did not see the event.

Ratios are compared over the density that the calibration refers to (p_a = R_a/R_h,
`partonic.inference.calibration.joint_calibration`), where they are bounded; with the weights of θ = 0 a few events in
which P_0 is small would decide.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from partonic.errors import ParameterError
from partonic.inference.calibration.calibration_file import Calibration
from partonic.inference.calibration.reference_density import reference_weights
from partonic.inference.coefficients.event_coefficients import EventCoefficients

__all__ = ["HeldOut", "held_out_quality"]

Array = NDArray[np.float64]

_SMALLEST_SPREAD = 1e-6


@dataclass(frozen=True)
class HeldOut:
    """Of one ratio to the reference, which varies.

    Attributes:
        name: of its monomial.
        slope: of the truth on the estimate as it is.
        noise_share: share of the integration's noise in the variance of the estimate.
        slope_without_noise: slope/(1 − noise_share).
        calibrated_slope: of the truth on the calibrated ratio.
        calibrated_slope_error: its standard error.
        shift: mean of the truth less the calibrated ratio.
        shift_error: its standard error.
        explained: 1 − the mean square difference from the truth over its variance (R²), of the estimate as it is.
        explained_calibrated: the same of the calibrated ratio.
    """

    name: str
    slope: float
    noise_share: float
    slope_without_noise: float
    calibrated_slope: float
    calibrated_slope_error: float
    shift: float
    shift_error: float
    explained: float
    explained_calibrated: float


def held_out_quality(
    fit: Callable[[EventCoefficients, Array], Calibration], coefficients: EventCoefficients, weights: Array,
    folds: int = 5,
) -> tuple[HeldOut, ...]:  # fmt: skip
    """Fit calibrations to all but one part of the events, and apply them to that part, for each part in turn.

    Args:
        fit: makes a calibration of events and their weights.
        coefficients: estimated ratios of the events.
        weights: θ-coefficients of their weights, pb, `(N, A)`.
        folds: number of parts; events are dealt out in turn.

    Returns:
        one entry for each ratio that varies.

    Raises:
        ParameterError: if there are fewer than two parts, or too few events.
    """
    if folds < 2:
        raise ParameterError(f"cross-validation needs two parts of the events or more, got {folds}")
    reference, good = reference_weights(coefficients, weights)
    part = np.arange(len(good)) % folds
    calibrated = np.full_like(coefficients.ratios, np.nan)
    for number in range(folds):
        rest, held = part != number, part == number
        found = fit(coefficients.select(rest), weights[rest])
        calibrated[held] = found.apply(coefficients.select(held)).ratios
    w = weights[good] @ reference
    truth = weights[good] / w[:, None]
    before, after = (_over_reference(ratios[good], reference) for ratios in (coefficients.ratios, calibrated))
    noise = _noise(coefficients.select(good), reference)
    names = coefficients.monomials.names
    varies = [a for a in range(len(names)) if before[:, a].std() > _SMALLEST_SPREAD and truth[:, a].std() > 0]
    return tuple(_quality(names[a], w, truth[:, a], before[:, a], after[:, a], noise[:, a]) for a in varies)


def _over_reference(ratios: Array, reference: Array) -> Array:
    values: Array = ratios / np.maximum(ratios @ reference, np.finfo(np.float64).tiny)[:, None]
    return values


def _noise(events: EventCoefficients, reference: Array) -> Array:
    """Return the variance of R_a/R_h from the integration, `(N, A)`."""
    total = np.maximum(events.ratios @ reference, np.finfo(np.float64).tiny)
    shares = events.ratios / total[:, None]
    with_reference = np.einsum("nab,b->na", events.covariance, reference)
    noise = np.diagonal(events.covariance, axis1=1, axis2=2) - 2 * shares * with_reference
    values: Array = (noise + shares**2 * (with_reference @ reference)[:, None]) / total[:, None] ** 2
    return values


def _quality(name: str, w: Array, truth: Array, before: Array, after: Array, noise: Array) -> HeldOut:
    variance = float(np.average((before - np.average(before, weights=w)) ** 2, weights=w))
    share = float(np.average(noise, weights=w)) / variance
    slope, _ = _slope(w, before, truth)
    calibrated, error = _slope(w, after, truth)
    of_truth = np.average((truth - np.average(truth, weights=w)) ** 2, weights=w)
    explained, explained_after = (
        1.0 - float(np.average((truth - each) ** 2, weights=w) / of_truth) for each in (before, after)
    )
    shift = float(np.average(truth - after, weights=w))
    return HeldOut(
        name=name,
        slope=slope,
        noise_share=share,
        slope_without_noise=slope / (1.0 - share) if share < 1.0 else float("inf"),
        calibrated_slope=calibrated,
        calibrated_slope_error=error,
        shift=shift,
        shift_error=float(np.sqrt(w**2 @ (truth - after - shift) ** 2) / w.sum()),
        explained=explained,
        explained_calibrated=explained_after,
    )


def _slope(w: Array, estimate: Array, truth: Array) -> tuple[float, float]:
    """Return the slope of the truth on an estimate, with its standard error."""
    x = estimate - np.average(estimate, weights=w)
    y = truth - np.average(truth, weights=w)
    total = float(w @ x**2)
    slope = float(w @ (x * y)) / total
    return slope, float(np.sqrt(w**2 @ (x * (y - slope * x)) ** 2)) / total

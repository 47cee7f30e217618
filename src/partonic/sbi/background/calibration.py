"""Calibration of a classifier's log density ratio with events that it was not trained on.

A classifier of background against signal gives l(x) ≈ log p_b(x)/p_s(x). With a and b of the logistic regression of the
class on l, the calibrated ratio is exp(a + b l) (J. Platt, 1999; K. Cranmer, J. Pavez, G. Louppe, arXiv:1506.02169,
section 3). Events count with their cross sections, so that the sum of the probabilities to be background over the
events of both classes is the cross section of the background: the normalisation of the ratio is right where it decides
on the background in a fit, and is known to the statistics of these events, which 1/ρ averaged over the signal would
not be where signal is rare.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from partonic.errors import TrainingError
from partonic.sbi.weights import effective_number

__all__ = ["RatioScale", "calibrated", "reliability"]

Array = NDArray[np.float64]

FEWEST = 50.0
"""Effective number of events of each class that a calibration needs."""

_STEPS = 100


@dataclass(frozen=True)
class RatioScale:
    """log p_b/p_s = offset + slope l.

    Attributes:
        offset, slope: a and b.
        offset_error, slope_error: their statistical errors.
    """

    offset: float = 0.0
    slope: float = 1.0
    offset_error: float = 0.0
    slope_error: float = 0.0

    def of(self, logs: Array) -> Array:
        """Return the calibrated log ratios."""
        values: Array = self.offset + self.slope * logs
        return values

    def record(self) -> dict[str, float]:
        """Return the numbers by name."""
        return asdict(self)


def calibrated(logs: Array, signal: Array, background: Array, where: str) -> RatioScale:
    """Fit offset and slope.

    Args:
        logs: l of N events of both classes, `(N,)`.
        signal: their weights as signal in pb, 0 for events of the background, `(N,)`.
        background: their weights as background in pb, `(N,)`.
        where: name of the background, for messages.

    Raises:
        TrainingError: if a class has too few events, or the fit has no minimum.
    """
    for name, weights in (("signal", signal), (f"background '{where}'", background)):
        if not weights.sum() > 0 or effective_number(weights) < FEWEST:
            raise TrainingError(
                f"the events of the {name} for the calibration count as {effective_number(weights):.1f}; expected "
                f"{FEWEST:g} at least: raise `sbi.shares.calibration`, or give more events"
            )
    shift = np.log(background.sum() / signal.sum())  # of the odds, by the cross sections
    design = np.stack([np.ones_like(logs), logs], axis=1)
    weight, parameters = signal + background, np.array([0.0, 1.0])
    for _ in range(_STEPS):
        probability = _sigmoid(design @ parameters + shift)
        gradient = design.T @ (background - weight * probability)
        hessian = design.T @ ((weight * probability * (1.0 - probability))[:, None] * design)
        step = np.linalg.solve(hessian, gradient)
        parameters = parameters + step / max(1.0, float(np.abs(step).max()))
        if np.abs(step).max() < 1e-10:
            break
    if not (np.isfinite(parameters).all() and parameters[1] > 0 and np.linalg.eigvalsh(hessian)[0] > 0):
        raise TrainingError(
            f"the classifier of '{where}' does not tell background from signal in events that it was not trained on "
            f"(slope {parameters[1]:.2g}): give it more events, or features that differ"
        )
    meat = sum(
        _scatter(design * (known - probability)[:, None], each) for each, known in ((signal, 0), (background, 1))
    )
    inverse = np.linalg.inv(hessian)
    errors = np.sqrt(np.diag(inverse @ meat @ inverse))
    return RatioScale(*(float(value) for value in (*parameters, *errors)))


def reliability(logs: Array, signal: Array, background: Array, bins: int = 10) -> dict[str, Any]:
    """Return how often events are background in bins of the stated probability, and the mean ratios.

    Args:
        logs: log p_b/p_s of N events, `(N,)`.
        signal: their weights as signal in pb, `(N,)`.
        background: their weights as background in pb, `(N,)`.
        bins: of about equal cross section.

    Returns:
        ``stated``, ``found`` and ``error`` of each bin; ``mean_ratio``, the mean of p_s/p_b over the background, and
        ``mean_inverse``, that of p_b/p_s over the signal, both 1 for a perfect ratio, each with its error.
    """
    shift = np.log(background.sum() / signal.sum())
    probability, weight = _sigmoid(logs + shift), signal + background
    order = np.argsort(probability, kind="stable")
    level = np.cumsum(np.abs(weight[order]))
    number = np.zeros(len(logs), dtype=np.int64)
    number[order] = np.minimum((bins * level / level[-1]).astype(np.int64), bins - 1)
    total, stated, found, squares = (
        np.bincount(number, each, minlength=bins)
        for each in (weight, weight * probability, background, (background - weight * probability) ** 2)
    )
    kept = total > 0
    return {
        "stated": (stated[kept] / total[kept]).tolist(),
        "found": (found[kept] / total[kept]).tolist(),
        "error": (np.sqrt(squares[kept]) / total[kept]).tolist(),
        "mean_ratio": _mean(np.exp(np.clip(-logs, -50, 50)), background),
        "mean_inverse": _mean(np.exp(np.clip(logs, -50, 50)), signal),
    }


def _scatter(values: Array, weights: Array) -> Array:
    """Return the covariance of a weighted sum over the events of one class, whose total weight is fixed."""
    shift = weights[:, None] * (values - weights @ values / weights.sum())
    found: Array = shift.T @ shift
    return found


def _mean(values: Array, weights: Array) -> list[float]:
    total = float(weights.sum())
    mean = float(weights @ values) / total
    return [mean, float(np.sqrt(np.square(weights * (values - mean)).sum())) / total]


def _sigmoid(values: Array) -> Array:
    result: Array = 0.5 * (1.0 + np.tanh(0.5 * values))
    return result

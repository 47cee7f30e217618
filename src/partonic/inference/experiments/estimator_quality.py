"""What an estimator knows of θ: the information that its score keeps, and how much of the true ratios it explains.

Every estimator of P(x|θ) gives each event a score t̂(x) = ∂ log P̂/∂θ at the Standard Model. Any function of x can be
used as an observable, right or wrong: the number of events and the sum of t̂ have, to first order in θ, the information

    I = L C V⁻¹ Cᵀ,  C = Σ_i w_i s_i u_iᵀ,  V = Σ_i w_i u_i u_iᵀ,  u = (1, t̂),

with the true weights w_i and the true scores s_i of the simulated events. It is a projection of the true scores, so
that no estimator has more than the truth, however sure it claims to be; for the true score of x it is the information
of x (J. Brehmer et al., arXiv:1805.00020, on locally optimal observables). What the likelihood of the estimator
claims is L Σ_i w_i t̂_i t̂_iᵀ with t̂ normalised to the true rate.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from partonic.inference.binned.templates import Templates
from partonic.inference.coefficients.event_coefficients import EventCoefficients
from partonic.units import PB_TO_FB

__all__ = [
    "EstimatorInformation",
    "directions_of",
    "explained",
    "information_of_estimator",
    "kept_of_squares",
    "score_of",
]

Array = NDArray[np.float64]

_ROUNDING = 1e-10
"""Variance of a ratio relative to the largest one below which it does not vary: parameters of no effect."""


@dataclass(frozen=True, eq=False)
class EstimatorInformation:
    """Fisher information on the K parameters in the Standard Model.

    Attributes:
        kept: of number of events and estimated scores, `(K, K)`.
        claimed: by the likelihood of the estimator, `(K, K)`.
    """

    kept: Array
    claimed: Array


def score_of(ratios: Array, row: Array, slope: Array) -> Array:
    """Return ∂ log P/∂θ of events, `(N, K)`; 0 where the density is not positive.

    Args:
        ratios: R_a or c_a, `(N, A)`.
        row: monomials at θ, `(A,)`.
        slope: their derivatives there, `(A, K)`.
    """
    density = ratios @ row
    positive = density > 0
    values: Array = np.where(positive[:, None], ratios @ slope / np.where(positive, density, 1.0)[:, None], 0.0)
    return values


def information_of_estimator(
    estimate: EventCoefficients, weights: Array, theta: Array, luminosity: float
) -> EstimatorInformation:
    """Return what the scores of an estimator keep of the information, and what they claim.

    Args:
        estimate: usable coefficients of N events.
        weights: their true weights c_a, in sum the fiducial cross section, pb, `(N, A)`.
        theta: the Standard Model, `(K,)`.
        luminosity: in fb⁻¹.
    """
    row, slope = estimate.monomials.evaluate(theta), estimate.monomials.gradient(theta)
    true, score = score_of(weights, row, slope), score_of(estimate.ratios, row, slope)
    w = np.maximum(weights @ row, 0.0)
    per_pb = luminosity * PB_TO_FB
    known = np.column_stack([np.ones(len(w)), score])
    mixed, square = (w[:, None] * true).T @ known, (w[:, None] * known).T @ known
    kept = mixed @ np.linalg.pinv(square, rcond=1e-10, hermitian=True) @ mixed.T
    normalised = score - w @ score / w.sum() + w @ true / w.sum()
    claimed = (w[:, None] * normalised).T @ normalised
    return EstimatorInformation(per_pb * kept, per_pb * claimed)


def kept_of_squares(
    estimates: Mapping[str, EventCoefficients], binned: Mapping[str, Templates], weights: Array, theta: Array,
    reference: str,
) -> dict[str, dict[str, float]]:  # fmt: skip
    """Return the part of the information on the square of each parameter that methods keep, relative to a reference.

    A parameter that interferes with nothing enters as θ² only: its score vanishes in the Standard Model, and what is
    known of it is the information on θ², with the score c_θθ/w of an event. Parameters without such a term are left
    out.

    Args:
        estimates: usable coefficients of N events by method.
        binned: templates of the same events by method.
        weights: true weights c_a of the events, pb, `(N, A)`.
        theta: the Standard Model, `(K,)`.
        reference: method that others are relative to, one of `estimates`.
    """
    monomials = estimates[reference].monomials
    row = monomials.evaluate(theta)
    w = np.maximum(weights @ row, 0.0)
    found: dict[str, dict[str, float]] = {name: {} for name in (*estimates, *binned)}
    for parameter in monomials.parameters:
        power = tuple(2 if other == parameter else 0 for other in monomials.parameters)
        if power not in monomials.exponents:
            continue
        column = monomials.exponents.index(power)
        true = score_of(weights, row, np.eye(len(row))[:, [column]])[:, 0]
        kept = {name: _kept(w, true, _ratio(each, row, column)) for name, each in estimates.items()}
        if not kept[reference] > 0:
            continue
        for name, each in binned.items():
            yields, squares = each.signal @ row, each.signal[:, column]
            some = yields > 0
            kept[name] = float((squares[some] ** 2 / yields[some]).sum())
        for name, value in kept.items():
            found[name][parameter] = value / kept[reference]
    return found


def _ratio(estimate: EventCoefficients, row: Array, column: int) -> Array:
    return score_of(estimate.ratios, row, np.eye(len(row))[:, [column]])[:, 0]


def _kept(weights: Array, true: Array, estimated: Array) -> float:
    """Return Σ w times the squared projection of true scores on 1 and estimated ones."""
    known = np.column_stack([np.ones(len(weights)), estimated])
    mixed, square = (weights * true) @ known, (weights[:, None] * known).T @ known
    return float(mixed @ np.linalg.pinv(square, rcond=1e-10, hermitian=True) @ mixed)


def explained(estimate: EventCoefficients, weights: Array) -> dict[str, float]:
    """Return R² of each true ratio: the part of the variance of c_a/c_ref of simulated events that R_a(x) explains.

    The partons are not known from x, so that even the true R_a(x) do not reach 1; an estimator that is wrong in scale
    or offset can have less than 0. Ratios that do not vary are left out.

    Args:
        estimate: usable coefficients of N events.
        weights: their true weights c_a, pb, `(N, A)`.
    """
    w = estimate.reference_weights(weights)
    good = w > 0
    w, true = w[good], weights[good] / w[good, None]
    mean = w @ true / w.sum()
    variance = w @ (true - mean) ** 2 / w.sum()
    residual = w @ (true - estimate.ratios[good]) ** 2 / w.sum()
    names = estimate.monomials.names
    return {
        name: float(1.0 - residual[a] / variance[a])
        for a, name in enumerate(names)
        if variance[a] > _ROUNDING * variance.max()
    }


def directions_of(information: Array, names: tuple[str, ...]) -> list[dict[str, object]]:
    """Return the eigen-directions of an information, best known first: which combination is known how well.

    Args:
        information: `(K, K)`.
        names: of the K parameters, in whose units the directions are unit vectors.

    Returns:
        for each: ``error``, None if nothing is known of it, and ``direction``, the components by name, the largest of
        them positive.
    """
    values, vectors = np.linalg.eigh(information)
    found: list[dict[str, object]] = []
    for value, vector in sorted(zip(values, vectors.T, strict=True), key=lambda pair: -pair[0]):
        signed = vector * np.sign(vector[np.abs(vector).argmax()])
        known = value > 1e-9 * max(values.max(), 0.0)
        direction = dict(zip(names, signed.tolist(), strict=True))
        found.append({"error": float(value**-0.5) if known else None, "direction": direction})
    return found

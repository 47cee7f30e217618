"""What a joint calibration fits: the slopes of the true ratios of densities on its features, and what each event adds.

By the largest likelihood of densities at many θ (`partonic.inference.calibration.joint_likelihood`) where these are
positive and tell all ratios apart: with the squares of all parameters that change shapes. Where there are none, as with
ratios to first order only, by weighted least squares.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from partonic.inference.calibration.joint_likelihood import (
    EVENTS_AT_ONCE,
    LARGEST_LEVERAGE,
    CalibrationLikelihood,
    points_of_theta,
    units_of_parameters,
)
from partonic.inference.calibration.weighted_columns import as_combinations, independent_columns, inverse_moments
from partonic.polynomial import Monomials

__all__ = ["SlopeFit", "fit_slopes", "units_of"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class SlopeFit:
    """ρ_a = means_a + (f − f̄)·slopes_a with slopes = Z·directions.

    Attributes:
        theta: points at which the likelihood was maximised, `(K, P)`; none for least squares.
        slopes: `(F, A)`.
        directions: d of the B columns that vary independently, `(B, A)`.
        covariance: of the rows (means, shift of the mean by f̄, Z) in the B directions, flattened,
            `((F + 2)·B, (F + 2)·B)`.
    """

    theta: Array
    slopes: Array
    directions: Array
    covariance: Array


def fit_slopes(
    monomials: Monomials, reference: Array, features: Array, truth: Array, w: Array, centre: Array | None = None
) -> SlopeFit:
    """Fit the slopes.

    Args:
        monomials: the A monomials.
        reference: σ_ref/σ_kk at the squares of the parameters that change shapes, `(A,)`.
        features: f − f̄, `(N, F)`.
        truth: c_a/c_h, `(N, A)`.
        w: weights at h, `(N,)`.
        centre: θ_ref, `(P,)`; None for 0.

    Raises:
        ParameterError: if the likelihood has no maximum.
    """
    units = units_of(monomials, reference)
    scaled = truth * units
    centred = scaled - w @ scaled / w.sum()
    varying = independent_columns(scaled, w)
    directions = as_combinations(centred, varying, w) / units
    changes = centred[:, varying]
    moments = (w[:, None] * features).T
    inverse = inverse_moments(moments @ features)
    slopes = inverse @ moments @ changes
    theta = points_of_theta(monomials, reference)
    theta = theta if centre is None else centre + theta
    powers = monomials.evaluate(theta).T
    likelihood = CalibrationLikelihood.of(features, w, truth @ powers, directions @ powers)
    if slopes.size and likelihood.identifiable:
        slopes = likelihood.maximum(slopes)
        influence = likelihood.influence(slopes, changes)
    else:
        theta = theta[:0]
        influence = _of_least_squares(features, changes, slopes, inverse, w)
    size = (slopes.shape[0] + 2) * len(varying)
    covariance = np.zeros((size, size))
    for part, of_slopes in influence:
        share = (w[part] / w.sum())[:, None]
        of_means = np.stack([share * changes[part], -share * (features[part] @ slopes)], axis=1)
        flat = np.concatenate([of_means, of_slopes], axis=1).reshape(len(share), -1)
        covariance += flat.T @ flat
    return SlopeFit(theta, slopes @ directions, directions, covariance)


def units_of(monomials: Monomials, reference: Array) -> Array:
    """Return what the ratios have to be multiplied by to be of order 1, `(A,)`: σ_0/σ_kk for squares.

    Args:
        monomials: the A monomials.
        reference: σ_0/σ_kk at the squares of the parameters that change shapes, `(A,)`.
    """
    units = np.ones(len(monomials.parameters))
    for number, unit in units_of_parameters(monomials, reference).items():
        units[number] = unit
    values: Array = np.prod(units ** np.array(monomials.exponents), axis=1)
    return values


def _of_least_squares(
    features: Array, changes: Array, slopes: Array, inverse: Array, w: Array
) -> Iterator[tuple[slice, Array]]:
    """Yield how much events move the slopes, `(n, F, B)`."""
    for begin in range(0, len(w), EVENTS_AT_ONCE):
        part = slice(begin, begin + EVENTS_AT_ONCE)
        f, weight = features[part], w[part]
        # an event far out pulls the fit towards itself, and has too small a residual: divided by 1 − leverage (HC3)
        pull = np.einsum("nf,fg,ng->n", f, inverse, f) * weight
        residual = (changes[part] - f @ slopes) / (1.0 - np.minimum(pull, LARGEST_LEVERAGE))[:, None]
        yield part, (weight[:, None] * (f @ inverse))[:, :, None] * residual[:, None, :]

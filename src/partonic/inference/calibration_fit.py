"""What a joint calibration fits: the slopes of the true ratios of densities on its features, and what each event adds.

By the largest likelihood of densities at many θ (`partonic.inference.calibration_likelihood`) where they are known to
be positive: with the squares of all parameters that change shapes. Where there are none, as with ratios to first order
only, by weighted least squares.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from partonic.inference.calibration_likelihood import CalibrationLikelihood, points_of_theta
from partonic.inference.weighted_columns import as_combinations, independent_columns, inverse_moments
from partonic.polynomial import Monomials

__all__ = ["SlopeFit", "fit_slopes"]

Array = NDArray[np.float64]

_LARGEST_LEVERAGE = 0.9


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


def fit_slopes(monomials: Monomials, reference: Array, features: Array, truth: Array, w: Array) -> SlopeFit:
    """Fit the slopes.

    Args:
        monomials: the A monomials.
        reference: h by monomials, `(A,)`.
        features: f − f̄, `(N, F)`.
        truth: c_a/c_h, `(N, A)`.
        w: weights at h, `(N,)`.

    Raises:
        ParameterError: if the likelihood has no maximum.
    """
    centred = truth - w @ truth / w.sum()
    varying = independent_columns(truth, w)
    directions = as_combinations(centred, varying, w)
    changes = centred[:, varying]
    moments = (w[:, None] * features).T
    inverse = inverse_moments(moments @ features)
    slopes = inverse @ moments @ changes
    theta = points_of_theta(monomials, reference)
    powers = monomials.evaluate(theta).T
    likelihood = CalibrationLikelihood.of(features, w, truth @ powers, directions @ powers)
    if slopes.size and likelihood.identifiable:
        slopes = likelihood.maximum(slopes)
        influence = likelihood.influence(slopes, changes)
    else:
        theta = theta[:0]
        # an event far out pulls the fit towards itself, and has too small a residual: divided by 1 − leverage (HC3)
        pull = np.einsum("nf,fg,ng->n", features, inverse, features) * w
        residual = (changes - features @ slopes) / (1.0 - np.minimum(pull, _LARGEST_LEVERAGE))[:, None]
        influence = (w[:, None] * (features @ inverse))[:, :, None] * residual[:, None, :]
    share = (w / w.sum())[:, None]
    rows = np.concatenate([(share * changes)[:, None], -(share * (features @ slopes))[:, None], influence], axis=1)
    flat = rows.reshape(len(w), -1)
    return SlopeFit(theta, slopes @ directions, directions, flat.T @ flat)

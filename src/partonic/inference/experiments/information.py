"""Fisher information on the theory parameters at one point: of parton truth, and of what is left of it in bins.

I_kl = E[∂_k log L ∂_l log L] with the number of events: of events that are known one by one L Σ_i ∂_k w_i ∂_l w_i/w_i,
of bins Σ_j ∂_k ν_j ∂_l ν_j/ν_j. No bins of anything have more than the events themselves (arXiv:1612.05261).
"""

import numpy as np
from numpy.typing import NDArray

from partonic.inference.binned.templates import Templates
from partonic.polynomial import Monomials
from partonic.units import PB_TO_FB

__all__ = ["errors_of", "information_in_bins", "information_of_events"]

Array = NDArray[np.float64]


def information_of_events(weights: Array, monomials: Monomials, theta: Array, luminosity: float) -> Array:
    """Return the information of events whose weights as functions of θ are known, `(K, K)`.

    Args:
        weights: coefficients c_a of N events, in sum the fiducial cross section, pb, `(N, A)`.
        monomials: of θ.
        theta: the point, `(K,)`.
        luminosity: in fb⁻¹.
    """
    value, slope = weights @ monomials.evaluate(theta), weights @ monomials.gradient(theta)
    return _information(value, slope, luminosity)


def information_in_bins(templates: Templates, theta: Array, luminosity: float) -> Array:
    """Return the information of the numbers of events in bins, `(K, K)`; arguments as in `information_of_events`."""
    monomials = templates.monomials
    value, slope = templates.signal @ monomials.evaluate(theta), templates.signal @ monomials.gradient(theta)
    return _information(value, slope, luminosity)


def errors_of(information: Array) -> tuple[Array, Array]:
    """Return the smallest errors of the parameters: others known, and others fitted with them, `(K,)` each.

    They are infinite where nothing is known of a parameter.
    """
    diagonal = np.diagonal(information)
    alone = np.full(len(diagonal), np.inf)
    alone[diagonal > 0] = diagonal[diagonal > 0] ** -0.5
    together = np.full(len(diagonal), np.inf)
    scale = np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    scaled = information / np.outer(scale, scale)
    if np.linalg.matrix_rank(scaled, tol=1e-9) == len(diagonal):
        together = np.sqrt(np.diagonal(np.linalg.inv(scaled))) / scale
    return alone, together


def _information(value: Array, slope: Array, luminosity: float) -> Array:
    """Return L Σ ∂_k w ∂_l w / w over what is expected at all."""
    some = value > 0
    weighted = slope[some] / value[some, None]
    found: Array = luminosity * PB_TO_FB * (slope[some].T @ weighted)
    return found

"""Optimal observables of one parameter, and the score: a few numbers of an event that hold what a likelihood needs.

In the notation of experiments, with the reference scale θ_0 of a parameter,

    P(x|θ) = P_0 + 2 (θ/θ_0) P_01 + (θ/θ_0)² P_1,     R_1 = 2 P_01/(P_0 + c P_1),   R_2 = P_1/(P_0 + c P_1).

In terms of our coefficients, with ℓ and q the ratios R_a of the monomials θ and θ²: 2 P_01/P_0 = ℓ θ_0 and
P_1/P_0 = q θ_0². Densities that are positive for all θ have P_1 ≥ 0 and P_01² ≤ P_0 P_1, hence |R_1| ≤ 1/√c and
0 ≤ R_2 ≤ 1/c. The pair (R_1, R_2) is a sufficient statistic of the shape in θ for any c > 0: P(x|θ)/P_0 =
[1 + (θ/θ_0) R_1 + ((θ/θ_0)² − c) R_2]/(1 − c R_2). Where the coefficients have another reference point than θ = 0,
P_0 is the density there and θ the distance of the parameter from it. Near θ = 0 the linear one alone is (D. Atwood and
A. Soni, Phys. Rev. D 45 (1992) 2405; M. Diehl and O. Nachtmann, Z. Phys. C 62 (1994) 397).
"""

import numpy as np
from numpy.typing import NDArray

from partonic.errors import ParameterError
from partonic.inference.coefficients.event_coefficients import EventCoefficients
from partonic.inference.coefficients.rate import FiducialRate
from partonic.polynomial import Monomials

__all__ = ["linear_and_quadratic", "observable_names", "optimal_observables", "quantile_edges", "score"]

Array = NDArray[np.float64]


def observable_names(name: str) -> tuple[str, str]:
    """Return the names of R_1 and R_2 of the parameter `name`."""
    return f"R1[{name}]", f"R2[{name}]"


def optimal_observables(coefficients: EventCoefficients, name: str, scale: float = 1.0, c: float = 1.0) -> Array:
    """Return R_1 and R_2 of one parameter, `(N, 2)`; NaN for events without coefficients.

    They are NaN, too, where noise has made P_0 + c P_1 not positive.

    Args:
        coefficients: of the events.
        name: of the parameter.
        scale: θ_0, a typical size of the parameter.
        c: weight of P_1 in the denominator.

    Raises:
        ParameterError: if the parameter is unknown or has no linear and quadratic monomial, or a number is not
            positive.
    """
    if not (scale > 0 and c > 0):
        raise ParameterError(f"the scale θ_0 and c of an optimal observable must be > 0, got {scale} and {c}")
    first, second = _along(coefficients, name)
    twice_p01, p1 = first * scale, second * scale**2
    denominator = 1.0 + c * p1
    positive = np.where(denominator > 0, denominator, np.nan)
    return np.stack([twice_p01 / positive, p1 / positive], axis=-1)


def score(coefficients: EventCoefficients, theta: Array, rate: FiducialRate | None = None) -> Array:
    """Return ∂/∂θ_k log P(x|θ) of each event at one point `(K,)`, `(N, K)`; NaN for events without coefficients.

    It is NaN, too, where noise has made P(x|θ) not positive.

    Args:
        coefficients: of the events.
        theta: the point.
        rate: fiducial cross section; with it the score of the normalised density p = P/σ is returned.

    Raises:
        ParameterError: if the point does not fit, or the rate is in other monomials.
    """
    monomials = coefficients.monomials
    value = coefficients.ratios @ monomials.evaluate(theta)
    slope: Array = coefficients.ratios @ monomials.gradient(theta)
    result: Array = slope / np.where(value > 0, value, np.nan)[:, None]
    if rate is None:
        return result
    if rate.monomials != monomials:
        raise ParameterError(
            f"the rate is in {', '.join(rate.monomials.names)}, the coefficients in {', '.join(monomials.names)}"
        )
    return result - rate.gradient(theta) / rate.sigma(theta)


def _along(coefficients: EventCoefficients, name: str) -> tuple[Array, Array]:
    """Return linear and quadratic term of P(x|θ)/P_ref in the distance of one parameter from the reference, `(N,)`."""
    linear, quadratic = linear_and_quadratic(coefficients.monomials, name)
    if not coefficients.reference.any():
        return coefficients.ratios[:, linear], coefficients.ratios[:, quadratic]
    monomials, k = coefficients.monomials, coefficients.monomials.parameters.index(name)
    first: Array = coefficients.ratios @ monomials.gradient(coefficients.reference)[:, k]
    second: Array = 0.5 * coefficients.ratios @ monomials.hessian(coefficients.reference)[:, k, k]
    return first, second


def linear_and_quadratic(monomials: Monomials, name: str) -> tuple[int, int]:
    """Return the places of the monomials θ and θ² of the parameter `name`.

    Raises:
        ParameterError: if the parameter is unknown, or one of the two is missing.
    """
    unit = monomials.point({name: 1.0}).astype(np.int64)
    wanted = [tuple(int(power) for power in degree * unit) for degree in (1, 2)]
    if missing := [powers for powers in wanted if powers not in monomials.exponents]:
        raise ParameterError(
            f"optimal observables of '{name}' need the monomials {name} and {name}^2, but the coefficients are in "
            f"{', '.join(monomials.names)} ({len(missing)} of the two missing)"
        )
    return monomials.exponents.index(wanted[0]), monomials.exponents.index(wanted[1])


def quantile_edges(values: Array, weights: Array, bins: int, symmetric: bool = False) -> Array:
    """Return the edges between `bins` bins of equal weight, `(bins − 1,)`, ascending; the outer bins are open.

    Every bin holds one of the values, so values that occur often, such as a common one of many events, may leave fewer
    edges. NaN values are left out. Edges must be found with simulated events (weights of θ = 0) and kept for data.

    Args:
        values: of the observable, `(N,)`.
        weights: of the events, `(N,)`.
        bins: how many.
        symmetric: put the edges at ± the quantiles of |value|, and at 0 for an even number of bins.

    Raises:
        ParameterError: if there are no values, or their weights are not positive in sum.
    """
    known = np.isfinite(values)
    if bins < 1:
        raise ParameterError(f"the number of bins must be 1 or more, got {bins}")
    if not known.any() or not weights[known].sum() > 0:
        msg = "cannot bin an observable: expected events that have it, with weights that are positive in sum"
        raise ParameterError(msg)
    values, weights = values[known], weights[known]
    if symmetric:
        upper = _quantiles(np.abs(values), weights, np.arange(2 - bins % 2, bins, 2) / bins)
        edges = np.concatenate([-upper, np.zeros((bins + 1) % 2), upper])
    else:
        edges = _quantiles(values, weights, np.arange(1, bins) / bins)
    return _without_empty_bins(np.unique(edges), values)


def _quantiles(values: Array, weights: Array, levels: Array) -> Array:
    order = np.argsort(values, kind="stable")
    cumulative = np.cumsum(weights[order])
    quantiles: Array = np.interp(levels * cumulative[-1], cumulative - 0.5 * weights[order], values[order])
    return quantiles


def _without_empty_bins(edges: Array, values: Array) -> Array:
    """Return the lower edges of all bins that hold a value, but of the first of them."""
    occupied = np.unique(np.searchsorted(edges, values, side="right"))
    kept: Array = edges[occupied[1:] - 1]
    return kept

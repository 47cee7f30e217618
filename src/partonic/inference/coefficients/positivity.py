"""Ratios whose polynomial in θ is positive everywhere, by moving those of an event towards their mean.

With monomials up to the second degree a density P(x|θ) = Σ_a m_a(θ) P_a is (1, θ)ᵀ Q (1, θ) with a symmetric matrix Q,
and positive for all θ if and only if Q is. A squared amplitude has such a Q, and so has every average of squared
amplitudes, but a fitted function need not. What is moved is kept as small as can be: the smallest t in [0, 1] for which
(1 − t) Q + t Q̄ ≥ ε Q̄, with Q̄ the mean of all events.
"""

import numpy as np
from numpy.typing import NDArray

from partonic.polynomial import Monomials

__all__ = ["SMALLEST_SHARE", "gram_matrices", "shares_of_the_mean"]

Array = NDArray[np.float64]

SMALLEST_SHARE = 1e-3
"""ε: the density of an event is at no θ less than this part of that of the mean event."""

_ROUNDING = 1e-9
"""Of eigenvalues, relative to the largest of the mean."""

_HALVINGS = 40


def gram_matrices(monomials: Monomials, ratios: Array) -> Array | None:
    """Return Q of the polynomials with coefficients `ratios` `(N, A)`, as `(N, 1 + K, 1 + K)`.

    None if they are no quadratic forms that can be positive: there is a power above the second, or a parameter without
    its square.
    """
    count = len(monomials.parameters)
    powers = [tuple(each) for each in monomials.exponents]
    squares = {tuple(2 * int(j == k) for j in range(count)) for k in range(count)}
    if any(sum(each) > 2 for each in powers) or not squares <= set(powers) or (0,) * count not in powers:
        return None
    values = np.zeros((len(ratios), count + 1, count + 1))
    for column, each in enumerate(powers):
        places = [k + 1 for k, power in enumerate(each) for _ in range(power)]
        row, other = [0, 0, *places][-2:]
        values[:, row, other] += 0.5 * ratios[:, column]
        values[:, other, row] += 0.5 * ratios[:, column]
    return values


def shares_of_the_mean(monomials: Monomials, ratios: Array, mean: Array, at_reference: Array | None = None) -> Array:
    """Return the smallest t, `(N,)`, for which (1 − t)·ratios + t·mean is a positive polynomial.

    Args:
        monomials: the A monomials.
        ratios: coefficients of the events, `(N, A)`.
        mean: of all events, `(A,)`.
        at_reference: m_a(θ_ref), `(A,)`; None for the first coefficient alone, which is the density at θ = 0.

    Without quadratic forms only the density at the reference is kept positive.
    """
    each, of_mean = gram_matrices(monomials, ratios), gram_matrices(monomials, mean[None])
    if each is None or of_mean is None:
        own, of_all = (ratios[:, 0], mean[:1]) if at_reference is None else (ratios @ at_reference, mean @ at_reference)
        each, of_mean = own[:, None, None], np.reshape(of_all, (1, 1, 1))
    scale = np.sqrt(np.maximum(np.diagonal(of_mean[0]), np.finfo(np.float64).tiny))
    scale = np.where(np.diagonal(of_mean[0]) > 0, scale, 1.0)
    each, reference = each / np.outer(scale, scale), of_mean[0] / np.outer(scale, scale)
    slack = _ROUNDING * max(1.0, float(np.linalg.eigvalsh(reference)[-1]))
    shares = np.zeros(len(ratios))
    bad = np.flatnonzero(np.linalg.eigvalsh(each - SMALLEST_SHARE * reference)[:, 0] < -slack)
    low, high = np.zeros(len(bad)), np.ones(len(bad))
    for _ in range(_HALVINGS if len(bad) else 0):
        middle = 0.5 * (low + high)
        moved = (1 - middle)[:, None, None] * each[bad] + (middle - SMALLEST_SHARE)[:, None, None] * reference
        positive = np.linalg.eigvalsh(moved)[:, 0] >= -slack
        low, high = np.where(positive, low, middle), np.where(positive, middle, high)
    shares[bad] = high
    return shares

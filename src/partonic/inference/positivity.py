"""Ratios whose polynomial in θ is positive everywhere, by moving those of an event towards others that are.

With monomials up to the second degree a density P(x|θ) = Σ_a m_a(θ) P_a is (1, θ)ᵀ Q (1, θ) with a symmetric matrix Q,
and positive for all θ if and only if Q is. A squared amplitude has such a Q, and so has every average of squared
amplitudes, but a fitted function need not. What is moved is kept as small as can be: the smallest t in [0, 1] for which
(1 − t) Q + t Q' ≥ ε Q', with Q' of what it is moved towards.
"""

import numpy as np
from numpy.typing import NDArray

from partonic.polynomial import Monomials

__all__ = ["are_positive", "gram_matrices", "shares_of_others"]

Array = NDArray[np.float64]

_ROUNDING = 1e-9
"""Of eigenvalues, relative to the largest of the mean of the others."""

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


def are_positive(monomials: Monomials, ratios: Array) -> NDArray[np.bool_]:
    """Return which polynomials with coefficients `ratios` `(N, A)` are nowhere negative, `(N,)`.

    Without quadratic forms only the first coefficient is looked at.
    """
    if not len(ratios):
        return np.zeros(0, dtype=np.bool_)
    forms = _scaled_forms(monomials, ratios, ratios)
    found: NDArray[np.bool_] = np.linalg.eigvalsh(forms)[:, 0] >= -_slack(forms)
    return found


def shares_of_others(monomials: Monomials, ratios: Array, others: Array, part: Array) -> Array:
    """Return the smallest t, `(N,)`, for which (1 − t)·ratios + t·others is nowhere less than `part`·others.

    Args:
        monomials: the A monomials.
        ratios: coefficients of the events, `(N, A)`.
        others: polynomials that are positive, one for each event, `(N, A)`.
        part: ε, between 0 and 1, `(N,)`.

    Without quadratic forms only the first coefficient is kept so large.
    """
    if not len(ratios):
        return np.zeros(0)
    each, reference = (_scaled_forms(monomials, values, others) for values in (ratios, others))
    slack = _slack(reference)
    shares = np.zeros(len(ratios))
    bad = np.flatnonzero(np.linalg.eigvalsh(each - part[:, None, None] * reference)[:, 0] < -slack)
    low, high = np.zeros(len(bad)), np.ones(len(bad))
    for _ in range(_HALVINGS if len(bad) else 0):
        middle = 0.5 * (low + high)
        moved = (1 - middle)[:, None, None] * each[bad] + (middle - part[bad])[:, None, None] * reference[bad]
        positive = np.linalg.eigvalsh(moved)[:, 0] >= -slack
        low, high = np.where(positive, low, middle), np.where(positive, middle, high)
    shares[bad] = high
    return shares


def _scaled_forms(monomials: Monomials, ratios: Array, others: Array) -> Array:
    """Return Q of `ratios` in the units in which the mean Q of `others` has a diagonal of ones."""
    each, mean = gram_matrices(monomials, ratios), gram_matrices(monomials, others.mean(axis=0, keepdims=True))
    if each is None or mean is None:
        each, mean = ratios[:, :1, None], others.mean(axis=0, keepdims=True)[:, :1, None]
    diagonal = np.diagonal(mean[0])
    scale = np.where(diagonal > 0, np.sqrt(np.maximum(diagonal, np.finfo(np.float64).tiny)), 1.0)
    scaled: Array = each / np.outer(scale, scale)
    return scaled


def _slack(forms: Array) -> float:
    return _ROUNDING * max(1.0, float(np.linalg.eigvalsh(forms.mean(axis=0))[-1]))

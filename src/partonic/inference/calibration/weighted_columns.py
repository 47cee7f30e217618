"""Weighted second moments of columns: covariances, what is independent of what, and inverses where some are not."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["as_combinations", "covariance_of", "independent_columns", "inverse_moments", "without_noise"]

Array = NDArray[np.float64]

_INDEPENDENT = 1e-8
"""Share of its variance that a column must have beside the others to count as independent."""

_SMALLEST_SPREAD = 1e-6
"""Columns that vary less than this are constants."""


def covariance_of(centred: Array, w: Array) -> Array:
    """Return the weighted covariance of centred columns."""
    values: Array = (w[:, None] * centred).T @ centred / w.sum()
    return values


def without_noise(spread: Array, noise: Array) -> Array:
    """Return spread − noise, with no direction of less than a thousandth of the spread: noise may be overestimated."""
    if not spread.size:
        return spread
    root = np.linalg.cholesky(spread)
    inner = np.linalg.solve(root, np.linalg.solve(root, noise).T)
    values, vectors = np.linalg.eigh(np.eye(len(spread)) - 0.5 * (inner + inner.T))
    half = root @ vectors * np.sqrt(np.maximum(values, 1e-3))
    signal: Array = half @ half.T
    return signal


def independent_columns(values: Array, w: Array) -> tuple[int, ...]:
    """Return columns that vary and that no others add up to: the first of those that belong together.

    The others are combinations of them and a constant.
    """
    centred = values - w @ values / w.sum()
    spread = np.sqrt(np.diag(covariance_of(centred, w)))
    varies = np.flatnonzero(spread > _SMALLEST_SPREAD * np.maximum(1.0, np.abs(values).max(axis=0, initial=0.0)))
    chosen: list[int] = []
    left = centred * np.sqrt(w / w.sum())[:, None]
    for column in varies:
        if (left[:, column] ** 2).sum() <= _INDEPENDENT * spread[column] ** 2:
            continue
        chosen.append(int(column))
        unit = left[:, column] / np.linalg.norm(left[:, column])
        left -= np.outer(unit, unit @ left)
    return tuple(chosen)


def inverse_moments(moments: Array, smallest: float = _INDEPENDENT) -> Array:
    """Return the inverse of a matrix of second moments, without what no events tell apart.

    Args:
        moments: `(F, F)`.
        smallest: eigenvalue that counts, relative to the largest, in units of the diagonal.
    """
    size = np.sqrt(np.diag(moments))
    size = np.where(size > 0, size, 1.0)
    size = np.outer(size, size)
    values: Array = np.linalg.pinv(moments / size, rcond=smallest, hermitian=True) / size
    return values


def as_combinations(centred: Array, chosen: tuple[int, ...], w: Array) -> Array:
    """Return all columns as combinations of the chosen ones, `(B, A)`."""
    root = np.sqrt(w)[:, None]
    found = np.linalg.lstsq(centred[:, chosen] * root, centred * root, rcond=None)[0]
    return np.asarray(found, dtype=np.float64)

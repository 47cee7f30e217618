"""Reweighting closure: events weighted by the learned ratios against the same events with their true weights.

The distribution of any observable at θ is that of events at the reference with weights r(x|θ). If the ratios are right
both agree in every bin, for they are means over the same events; what differs is the scatter of the true weights
around their mean at x.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from partonic.inference.coefficients.event_coefficients import EventCoefficients

__all__ = ["Closure", "reweighting_closure"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Closure:
    """Both distributions of one observable, in B bins with about equal cross sections at the reference.

    Attributes:
        name: of the observable.
        centre: mean of the observable in each bin, `(B,)`.
        true: cross section in each bin at θ from the true weights, pb, `(B,)`.
        ratio, error: of the learned to the true one, with the error from their common events, `(B,)`.
    """

    name: str
    centre: Array
    true: Array
    ratio: Array
    error: Array

    @property
    def largest(self) -> float:
        """Largest deviation of the ratio from 1.

        A χ² would not say more: where the true weights hardly scatter, the error is that of the networks alone.
        """
        return float(np.abs(self.ratio - 1.0).max())

    def record(self) -> dict[str, object]:
        """Return the numbers for the JSON results."""
        arrays = {name: getattr(self, name).tolist() for name in ("centre", "true", "ratio", "error")}
        return {**arrays, "largest": self.largest}


def reweighting_closure(
    coefficients: EventCoefficients, weights: Array, values: Array, name: str, theta: Array, bins: int = 10
) -> Closure | None:
    """Return the closure of an observable at a point.

    Args:
        coefficients: learned ones of N events.
        weights: true weights c_a of the same events, pb, `(N, A)`.
        values: the observable, NaN where an event does not have it, `(N,)`.
        name: of the observable.
        theta: the point, `(K,)`.
        bins: at most; equal values are never parted.

    Returns:
        None if no bin has a positive cross section.
    """
    used = coefficients.usable() & np.isfinite(values)
    reference = coefficients.reference_weights(weights)[used]
    row = coefficients.monomials.evaluate(theta)
    true, learned = weights[used] @ row, reference * (coefficients.ratios[used] @ row)
    x = values[used]
    edges = _edges(x, reference, bins)
    number = np.searchsorted(edges, x, side="right")
    total, found, squares, sums, moments = (
        np.bincount(number, weights=each, minlength=len(edges) + 1).astype(np.float64)
        for each in (true, learned, (learned - true) ** 2, reference, reference * x)
    )
    kept = (total > 0) & (squares > 0) & (sums > 0)
    if not kept.any():
        return None
    total, sums = total[kept], sums[kept]
    return Closure(name, moments[kept] / sums, total, found[kept] / total, np.sqrt(squares[kept]) / total)


def _edges(values: Array, weights: Array, bins: int) -> Array:
    """Return inner edges of bins of about equal weight."""
    order = np.argsort(values, kind="stable")
    level = np.cumsum(weights[order])
    if not len(level):
        return np.zeros(0)
    found: Array = np.unique(np.interp(np.arange(1, bins) / bins * level[-1], level, values[order]))
    return found

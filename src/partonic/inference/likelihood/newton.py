"""Newton's method for a likelihood with analytic gradient and Hessian.

log L is smooth but not concave: it depends on θ through polynomials. Where the negative Hessian is not positive
definite, its eigenvalues are replaced by their sizes, which turns saddles into directions of ascent, and every step is
halved until log L rises. Pseudo-experiments are fitted by the thousand, and this needs a few evaluations each.
"""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from partonic.inference.likelihood.event_terms import Derivatives

__all__ = ["Maximum", "Objective", "maximise"]

Array = NDArray[np.float64]

_MOST_STEPS = 60
_MOST_HALVINGS = 30
_TOLERANCE = 1e-9
"""Expected rise of log L below which a maximum is reached."""

_ARMIJO = 1e-4
_SMALLEST = 1e-10
"""Of the eigenvalues, relative to the largest."""


@runtime_checkable
class Objective(Protocol):
    """A log likelihood of P parameters."""

    @property
    def free(self) -> NDArray[np.bool_]:
        """Which of them are fitted, `(P,)`."""

    def __call__(self, phi: Array) -> Array:
        """Return log L at points `(..., P)`, as `(...)`; −∞ where it does not exist."""

    def derivatives(self, phi: Array) -> Derivatives:
        """Return log L, gradient and Hessian at one point `(P,)`."""


@dataclass(frozen=True)
class Maximum:
    """Where a maximisation ended.

    Attributes:
        phi: the point, `(P,)`.
        value: log L there.
        hessian: of log L by all parameters, `(P, P)`.
        free: which parameters were varied, `(P,)`.
        converged: whether it is a maximum: gradient zero, negative Hessian positive definite.
        steps: Newton steps that it took.
    """

    phi: Array
    value: float
    hessian: Array
    free: NDArray[np.bool_]
    converged: bool
    steps: int

    def covariance(self) -> Array:
        """Return the inverse of the observed information, zero for parameters that were not varied, `(P, P)`.

        NaN for the varied ones where the point is no maximum.
        """
        values = np.zeros_like(self.hessian)
        inner = np.ix_(self.free, self.free)
        values[inner] = np.linalg.inv(-self.hessian[inner]) if self.converged else np.nan
        return values


def maximise(likelihood: Objective, start: Array, free: NDArray[np.bool_] | None = None) -> Maximum:
    """Climb from `start` `(P,)` to a maximum of `likelihood`.

    Args:
        likelihood: log L.
        start: first point; log L must be finite there.
        free: parameters to vary, `(P,)`; by default those that the likelihood says.

    Returns:
        the last point, with `converged` False if it is no maximum.
    """
    varied = likelihood.free if free is None else free
    phi, inner = start.copy(), np.ix_(varied, varied)
    current, converged, steps = likelihood.derivatives(phi), not varied.any(), 0
    while not converged and steps < _MOST_STEPS:
        step, rise, definite = _step(current.gradient[varied], current.hessian[inner])
        if converged := definite and rise < _TOLERANCE:
            break
        moved = _line_search(likelihood, phi, current.value, _padded(step, varied), rise)
        if moved is None:
            # no rise within rounding: a maximum if the quadratic model agrees that there is nothing to gain
            converged = definite and rise < 1e-5
            break
        phi, steps = moved, steps + 1
        current = likelihood.derivatives(phi)
    return Maximum(phi, current.value, current.hessian, varied, converged, steps)


def _step(gradient: Array, hessian: Array) -> tuple[Array, float, bool]:
    """Return the step, half the rise of log L that it promises to first order, and whether −H is positive definite."""
    values, vectors = np.linalg.eigh(-hessian)
    largest = float(np.abs(values).max())
    definite = bool(values[0] > _SMALLEST * largest)
    sizes = np.maximum(np.abs(values), _SMALLEST * largest if largest > 0 else 1.0)
    along = vectors.T @ gradient
    step = vectors @ (along / sizes)
    rise = 0.5 * float(np.sum(along**2 / sizes))
    if not definite and rise < _TOLERANCE:
        # a saddle or a flat place: leave along the direction of most negative curvature, by as much as changes log L
        step = vectors[:, 0] / np.sqrt(sizes[0])
        rise = 0.5
    return step, rise, definite


def _padded(step: Array, varied: NDArray[np.bool_]) -> Array:
    values = np.zeros(len(varied))
    values[varied] = step
    return values


def _line_search(likelihood: Objective, phi: Array, value: float, step: Array, rise: float) -> Array | None:
    """Return the first point along the step, halved again and again, at which log L has risen, or None."""
    for halvings in range(_MOST_HALVINGS):
        length = 0.5**halvings
        moved: Array = phi + length * step
        if float(likelihood(moved)) > value + _ARMIJO * length * min(rise, 1.0):
            return moved
    return None

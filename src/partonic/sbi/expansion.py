"""The coefficients of an event around the reference that is learned from.

A simulated event has c(z|θ) = Σ_a m_a(θ) c_a. Networks learn at a reference: one point θ0, or a mixture of points
with equal shares, c_ref = Σ_j c(θ_j)/J. The joint quantities (J. Brehmer, K. Cranmer, G. Louppe, J. Pavez,
arXiv:1805.00013 and 1805.00020) are all linear in c: r(z|θ, ref) = c(θ)/c_ref · σ_ref/σ(θ), R_a(z) = c_a/c_ref, and
the score ∇_θ log c(θ) − ∇_θ log σ(θ).

The targets y = T c are the coefficients in u = θ − θ̄, the distance to the centre of the reference, with y_0 replaced
by c_ref: near the reference these are value and derivatives, which do not cancel each other as the c_a of a
Standard Model far from θ = 0 would.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from partonic.errors import ParameterError
from partonic.polynomial import Monomials

__all__ = ["Expansion"]

Array = NDArray[np.float64]

_CLOSED = 1e-9
"""Largest deviation of shifted monomials from sums of the monomials, for them to be closed under shifts."""


@dataclass(frozen=True, eq=False)
class Expansion:
    """How targets follow from coefficients, and back.

    Attributes:
        monomials: the A monomials m_a(θ).
        points: the J points of the reference, `(J, K)`.
        matrix: T, `(A, A)`; its first row gives c_ref.
        inverse: its inverse.
    """

    monomials: Monomials
    points: Array
    matrix: Array
    inverse: Array

    @classmethod
    def around(cls, monomials: Monomials, reference: Sequence[Mapping[str, float]]) -> "Expansion":
        """Return the expansion around a point, or around the centre of several.

        Raises:
            ParameterError: if a point names an unknown parameter, there is none, or they are out of all proportion.
        """
        if not reference:
            message = "expected one reference point at least, e.g. `reference: [{}]` for θ = 0"
            raise ParameterError(message)
        points = np.stack([monomials.point(point) for point in reference])
        mean = monomials.evaluate(points).mean(axis=0)
        shifted = _shifted(monomials, points.mean(axis=0))
        if shifted is not None:
            matrix = shifted.copy()
            matrix[0] = mean
        else:  # leave out the monomial that the reference has most of: the others are the targets
            rest = np.delete(np.eye(len(monomials)), int(np.abs(mean).argmax()), axis=0)
            matrix = np.concatenate([mean[None], rest])
        try:
            inverse = np.asarray(np.linalg.inv(matrix), dtype=np.float64)
        except np.linalg.LinAlgError as error:
            raise ParameterError(
                f"the polynomial cannot be written around the reference {[dict(point) for point in reference]}: its "
                "monomials differ too much in size there; take a reference (sbi.reference) nearer to θ = 0, or other "
                "units of the parameters"
            ) from error
        return cls(monomials, points, matrix, inverse)

    def targets(self, coefficients: Array) -> Array:
        """Return y `(N, A)` of coefficients c_a `(N, A)`, in their unit; y_0 is c_ref."""
        values: Array = coefficients @ self.matrix.T
        return values

    def ratios(self, targets: Array) -> Array:
        """Return R_a = c_a/c_ref `(..., A)` of targets y/y_0 `(..., A)`."""
        values: Array = targets @ self.inverse.T
        return values

    def row(self, theta: Array) -> Array:
        """Return the weights `(..., A)` with which the targets sum to c(θ), at points `(..., K)`."""
        values: Array = self.monomials.evaluate(theta) @ self.inverse
        return values

    def gradient(self, theta: Array) -> Array:
        """Return the derivatives of `row` in θ, `(..., A, K)`."""
        values: Array = np.einsum("...ak,ab->...bk", self.monomials.gradient(theta), self.inverse)
        return values


def _shifted(monomials: Monomials, centre: Array) -> Array | None:
    """Return M with Σ_a m_a(u + centre) c_a = Σ_a m_a(u) (M c)_a; None if the monomials are not closed under shifts."""
    constant = tuple(0 for _ in monomials.parameters)
    if monomials.exponents[0] != constant:
        return None
    generator = np.random.default_rng(1)  # any points will do: the identity is exact, or there is none
    points = generator.uniform(-1.0, 1.0, (4 * len(monomials), len(centre)))
    here, there = monomials.evaluate(points), monomials.evaluate(points + centre)
    solution = np.asarray(np.linalg.lstsq(here, there, rcond=None)[0], dtype=np.float64)
    residual = np.abs(here @ solution - there).max() / np.abs(there).max()
    solution[np.abs(solution) < _CLOSED * np.abs(solution).max()] = 0.0
    return solution if residual < _CLOSED else None

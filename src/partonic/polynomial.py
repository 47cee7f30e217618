"""Polynomials in the theory parameters θ: the currency of the package.

A squared amplitude, a cross section and the probability of an event are all Σ_a c_a m_a(θ) with the same monomials
m_a. `Monomials` lists them once and knows how to evaluate them, their gradient, and how to turn weights at known θ
points into coefficients (morphing).
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from partonic.errors import ParameterError

__all__ = ["Monomials", "MorphingSolution", "morphing_basis", "solve_morphing"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Monomials:
    """An ordered list of monomials of K parameters, e.g. (1, a, b, a², ab, b²).

    Attributes:
        parameters: the K parameter names, in the order of θ's last axis.
        exponents: one tuple of K non-negative powers for each of the A monomials.
    """

    parameters: tuple[str, ...]
    exponents: tuple[tuple[int, ...], ...]
    _powers: NDArray[np.int64] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if len(set(self.parameters)) != len(self.parameters):
            raise ParameterError(f"parameter names must differ, got {list(self.parameters)}")
        if any(len(powers) != len(self.parameters) or min(powers, default=0) < 0 for powers in self.exponents):
            raise ParameterError(
                f"each monomial needs {len(self.parameters)} non-negative powers, got {list(self.exponents)}"
            )
        if len(set(self.exponents)) != len(self.exponents):
            msg = "a monomial is listed twice"
            raise ParameterError(msg)
        shape = (len(self.exponents), len(self.parameters))
        object.__setattr__(self, "_powers", np.array(self.exponents, dtype=np.int64).reshape(shape))

    @classmethod
    def up_to_degree(cls, parameters: Sequence[str], degree: int) -> "Monomials":
        """Return all monomials up to `degree`, by degree and then in the order of the parameters.

        Degree 2 of (a, b) gives (1, a, b, a², ab, b²): the SMEFT expansion with one insertion per amplitude.
        """
        count = len(parameters)
        exponents = [
            tuple(chosen.count(k) for k in range(count))
            for total in range(degree + 1)
            for chosen in itertools.combinations_with_replacement(range(count), total)
        ]
        return cls(tuple(parameters), tuple(exponents))

    @classmethod
    def constant(cls) -> "Monomials":
        """Return the single monomial 1 of no parameters: a process that depends on nothing."""
        return cls((), ((),))

    def __len__(self) -> int:
        """Return the number A of monomials."""
        return len(self.exponents)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the monomials, e.g. ``("1", "a", "b", "a^2", "a*b", "b^2")``."""
        return tuple(self._name(powers) for powers in self.exponents)

    def _name(self, powers: tuple[int, ...]) -> str:
        factors = [
            name if power == 1 else f"{name}^{power}"
            for name, power in zip(self.parameters, powers, strict=True)
            if power
        ]
        return "*".join(factors) or "1"

    def point(self, values: Mapping[str, float]) -> Array:
        """Return θ as an array `(K,)` from a mapping of names to values; parameters not named are 0.

        Raises:
            ParameterError: if a name is not a parameter of the process or a value is not finite.
        """
        for name, value in values.items():
            if name not in self.parameters:
                known = ", ".join(self.parameters) or "none"
                raise ParameterError(f"unknown theory parameter '{name}'; this process has: {known}")
            if not np.isfinite(value):
                raise ParameterError(f"theory parameter '{name}' must be finite, got {value}")
        return np.array([float(values.get(name, 0.0)) for name in self.parameters])

    def evaluate(self, theta: Any) -> Array:
        """Return the monomials m_a(θ).

        Args:
            theta: parameter points `(..., K)`.

        Returns:
            values `(..., A)`.

        Raises:
            ParameterError: if the last axis of `theta` is not K long.
        """
        points = self._checked(theta)
        values: Array = np.prod(points[..., None, :] ** self._powers, axis=-1)
        return values

    def gradient(self, theta: Any) -> Array:
        """Return ∂m_a/∂θ_k at `theta` `(..., K)`, as `(..., A, K)`."""
        points = self._checked(theta)
        columns = []
        for k in range(len(self.parameters)):
            lowered = self._powers.copy()
            lowered[:, k] = np.maximum(lowered[:, k] - 1, 0)
            columns.append(self._powers[:, k] * np.prod(points[..., None, :] ** lowered, axis=-1))
        if not columns:
            return np.zeros((*points.shape[:-1], len(self), 0))
        return np.stack(columns, axis=-1)

    def hessian(self, theta: Any) -> Array:
        """Return ∂²m_a/∂θ_j∂θ_k at `theta` `(..., K)`, as `(..., A, K, K)`."""
        points = self._checked(theta)
        count = len(self.parameters)
        values = np.zeros((*points.shape[:-1], len(self), count, count))
        for j, k in itertools.product(range(count), repeat=2):
            lowered = self._powers.copy()
            factor = lowered[:, j].copy()
            lowered[:, j] = np.maximum(lowered[:, j] - 1, 0)
            factor *= lowered[:, k]
            lowered[:, k] = np.maximum(lowered[:, k] - 1, 0)
            values[..., j, k] = factor * np.prod(points[..., None, :] ** lowered, axis=-1)
        return values

    def _checked(self, theta: Any) -> Array:
        points = np.asarray(theta, dtype=np.float64)
        if points.ndim == 0 or points.shape[-1] != len(self.parameters):
            raise ParameterError(
                f"θ needs {len(self.parameters)} values ({', '.join(self.parameters)}) on its last axis, "
                f"got shape {points.shape}"
            )
        return points


@dataclass(frozen=True)
class MorphingSolution:
    """Coefficients that reproduce weights at known θ points.

    Attributes:
        coefficients: c_a, `(N, A)`.
        residual: per event, root mean square of (fit − weight) over the points, relative to the event's largest
            |weight|; zero to rounding when there are as many points as monomials. `(N,)`.
        condition_number: of the scaled morphing matrix.
    """

    coefficients: Array
    residual: Array
    condition_number: float


def solve_morphing(monomials: Monomials, points: Any, weights: Any) -> MorphingSolution:
    """Turn event weights at known θ points into coefficients by solving Σ_a c_a m_a(θ_b) = w_b.

    An over-determined system is solved by least squares. Columns are scaled before the solve, so points of very
    different size do not spoil the precision.

    Args:
        monomials: the A monomials.
        points: θ points `(B, K)` with B ≥ A.
        weights: event weights at the points, `(N, B)`.

    Raises:
        ParameterError: if there are fewer points than monomials, or the points do not determine all coefficients.
    """
    matrix = monomials.evaluate(points)
    values = np.asarray(weights, dtype=np.float64)
    if values.ndim != 2 or values.shape[1] != len(matrix):
        raise ParameterError(f"weights must be (events, {len(matrix)} points), got shape {values.shape}")
    scale = np.abs(matrix).max(axis=0, initial=0.0)
    scaled = matrix / np.where(scale > 0, scale, 1.0)
    if np.linalg.matrix_rank(scaled) < len(monomials):
        raise ParameterError(
            f"{len(matrix)} weight points do not determine the {len(monomials)} monomials "
            f"({', '.join(monomials.names)}): add points that differ in the missing direction"
        )
    solution = np.linalg.lstsq(scaled, values.T, rcond=None)[0]
    misfit = (scaled @ solution).T - values
    size = np.abs(values).max(axis=1, initial=0.0)
    residual = np.sqrt(np.mean(misfit**2, axis=1)) / np.where(size > 0, size, 1.0)
    return MorphingSolution(
        coefficients=np.ascontiguousarray((solution / scale[:, None]).T),
        residual=residual,
        condition_number=float(np.linalg.cond(scaled)),
    )


def morphing_basis(monomials: Monomials, scales: Mapping[str, float] | None = None) -> Array:
    """Return A points θ_b at which weights determine all coefficients, `(A, K)`, the first being θ = 0.

    For degree two: 0, ±s_k along each axis and s_j + s_k for each pair, with s the `scales` (default 1).
    In general the points are a unisolvent simplex lattice: the exponents of the monomials, with the power 2 alone on
    its axis mapped to −1.

    Raises:
        ParameterError: if the points do not determine the coefficients (monomials with gaps), or a scale is unknown.
    """
    step = np.ones(len(monomials.parameters))
    for name, value in (scales or {}).items():
        step[int(np.flatnonzero(monomials.point({name: 1.0}))[0])] = value
    lattice = np.array(monomials.exponents, dtype=np.float64).reshape(len(monomials), -1)
    lattice[lattice == 2] = -1.0
    basis: Array = lattice * step
    if np.linalg.matrix_rank(monomials.evaluate(basis)) < len(monomials):
        raise ParameterError(
            f"no default basis for the monomials {', '.join(monomials.names)}: give the θ points explicitly"
        )
    return basis

"""The extended unbinned likelihood of a sample of events.

With the mixture vector v(φ), the stacked rates s and the rows B_i of the events
(`partonic.inference.likelihood.mixture`),

    log L(φ) = −L λ s·v + W log λ + Σ_i w_i log(B_i·v) − ½ Σ_k ((φ_k − c_k)/δ_k)²,

up to a constant, where W is the number (the sum of the weights) of all events and the last sum runs over the Gaussian
constraints. Three variations:

- Events that have no coefficients still count: W₀ of them add W₀ log(s·v), the term of events that say nothing but that
  they are there. That they are excluded must not depend on θ.
- `shape_only` leaves the rate out: Σ_i w_i log(B_i·v/s·v).
- `shape_norm` s′: densities whose integral is s′·v and not s·v, as estimated densities may have, are normalised with
  it: + W₁ [log(s·v) − log(s′·v)] for the W₁ events with coefficients.

Weights may be numbers of occurrences (a pseudo-experiment drawn from a pool) or expected yields (an Asimov sample).
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from partonic.errors import InferenceError, ParameterError
from partonic.inference.likelihood.event_terms import Derivatives, EventTerms
from partonic.inference.likelihood.mixture import Mixture

__all__ = ["ExtendedLikelihood"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ExtendedLikelihood:
    """log L(φ) of one sample.

    Attributes:
        mixture: signal, backgrounds and parameters.
        events: rows of the N events with coefficients.
        weights: their weights, `(N,)`.
        without_coefficients: number, or sum of weights, W₀ of events that have none.
        centres: centres c of the Gaussian constraints, `(P,)`; None for the nominal ones. Pseudo-experiments draw them.
        shape_only: leave the rate out.
        shape_norm: s′ in pb, `(V,)`; None if it is s.
    """

    mixture: Mixture
    events: EventTerms
    weights: Array
    without_coefficients: float = 0.0
    centres: Array | None = None
    shape_only: bool = False
    shape_norm: Array | None = None

    def __post_init__(self) -> None:
        size = len(self.mixture.stacked_rate)
        if self.events.rows.shape[1] != size:
            raise ParameterError(
                f"the events have rows of {self.events.rows.shape[1]} densities, the mixture has {size}: monomials or "
                "number of backgrounds differ"
            )
        if self.weights.shape != (len(self.events),):
            raise ParameterError(f"expected {len(self.events)} weights, got shape {self.weights.shape}")
        if not np.isfinite(self.weights).all():
            msg = "the weights of the events must be finite"
            raise ParameterError(msg)
        if self.shape_only and not self.total > 0:
            msg = "an empty sample has no shape: expected one event or more, or a fit of the rate"
            raise InferenceError(msg)
        if self.shape_only and self.mixture.free_signal_strength and len(self.mixture.slices) == 1:
            msg = (
                "the signal strength cannot be fitted from the shape of the signal alone: fit the rate as well, or fix "
                "it (inference.signal_strength: fixed)"
            )
            raise InferenceError(msg)

    @property
    def total(self) -> float:
        """W, the sum of the weights of all events."""
        return float(self.weights.sum()) + self.without_coefficients

    @property
    def free(self) -> NDArray[np.bool_]:
        """Which of the parameters are fitted, `(P,)`."""
        return self.mixture.free

    def __call__(self, phi: Array) -> Array:
        """Return log L at points `(..., P)`, as `(...)`; −∞ where a rate or λ is not positive."""
        points = phi.reshape(-1, phi.shape[-1])
        vectors = self.mixture.vector(points)
        values = self.events.sums(vectors, self.weights) + self._rate_terms(points, vectors)
        values = values - 0.5 * (self._pulls(points) ** 2).sum(axis=-1)
        result: Array = values.reshape(phi.shape[:-1])
        return result

    def information(self, phi: Array) -> Array:
        """Return the information on all parameters at one point `(P,)` if it is the truth, `(P, P)`.

        It is minus the Hessian without the curvature of v, whose factor ∂log L/∂v vanishes on average at the truth, so
        that chance does not make it negative where v does not depend on a parameter to first order.
        """
        derivatives = self.derivatives(phi)
        values: Array = self.mixture.curvature(phi, self._by_vector(phi)) - derivatives.hessian
        return values

    def derivatives(self, phi: Array) -> Derivatives:
        """Return log L at one point `(P,)` with gradient `(P,)` and Hessian `(P, P)` by all parameters."""
        mixture, scale = self.mixture, phi[-1]
        vector, jacobian = mixture.vector(phi), mixture.jacobian(phi)
        events = self.events.derivatives(vector, self.weights)
        by_vector, twice = self._by_vector(phi, events), events.hessian.copy()
        value = events.value + float(self._rate_terms(phi[None], vector[None])[0])
        for weight, rate in self.rate_logarithms:
            twice -= weight * np.outer(rate, rate) / (rate @ vector) ** 2
        gradient = by_vector @ jacobian
        hessian = jacobian.T @ twice @ jacobian + mixture.curvature(phi, by_vector)
        if not self.shape_only:
            yield_ = self.mixture.per_picobarn * mixture.stacked_rate
            gradient[-1] += self.total / scale - yield_ @ vector
            hessian[-1, -1] -= self.total / scale**2
            hessian[-1] -= yield_ @ jacobian
            hessian[:, -1] -= yield_ @ jacobian
        pulls, widths = self._pulls(phi), self.mixture.constraints[1]
        value -= 0.5 * float((pulls**2).sum())
        return Derivatives(value, gradient - pulls / widths, hessian - np.diag(1.0 / widths**2))

    def with_sample(
        self, weights: Array, without_coefficients: float, centres: Array | None = None
    ) -> "ExtendedLikelihood":
        """Return the likelihood of another sample of the same events."""
        return replace(self, weights=weights, without_coefficients=without_coefficients, centres=centres)

    def scores(self, phi: Array) -> Array:
        """Return the derivative of log(B_i·v) by φ of each event at one point `(P,)`, as `(N, P)`."""
        f = self.events.rows @ self.mixture.vector(phi)
        root = np.sqrt(f**2 + 4 * self.events.floor**2)
        values: Array = (self.events.rows / root[:, None]) @ self.mixture.jacobian(phi)
        return values

    def non_positive(self, phi: Array) -> int:
        """Return the number of events whose density is not positive at one point `(P,)`."""
        return self.events.non_positive(self.mixture.vector(phi), self.weights)

    @cached_property
    def _norm(self) -> Array:
        return self.mixture.stacked_rate if self.shape_norm is None else self.shape_norm

    @cached_property
    def rate_logarithms(self) -> tuple[tuple[float, Array], ...]:
        """Pairs (weight, rate) of the terms weight·log(rate·v)."""
        used, rate = float(self.weights.sum()), self.mixture.stacked_rate
        if self.shape_only:
            terms = [(-used, self._norm)]
        elif self.shape_norm is None:
            terms = [(self.without_coefficients, rate)]
        else:
            terms = [(self.total, rate), (-used, self.shape_norm)]
        return tuple(term for term in terms if term[0])

    def _by_vector(self, phi: Array, events: Derivatives | None = None) -> Array:
        """Return ∂log L/∂v at one point `(P,)`, `(V,)`; `events` is the part of the events, if it is known."""
        vector = self.mixture.vector(phi)
        known = self.events.derivatives(vector, self.weights) if events is None else events
        by_vector = known.gradient.copy()
        for weight, rate in self.rate_logarithms:
            by_vector += weight * rate / (rate @ vector)
        if not self.shape_only:
            by_vector -= self.mixture.per_picobarn * phi[-1] * self.mixture.stacked_rate
        return by_vector

    def _rate_terms(self, points: Array, vectors: Array) -> Array:
        """Return all terms but those of events and constraints, `(T,)`; −∞ where a logarithm does not exist."""
        values = np.zeros(len(points))
        for weight, rate in self.rate_logarithms:
            values += weight * _log(vectors @ rate, sign=weight)
        if not self.shape_only:
            values -= self.mixture.per_picobarn * points[:, -1] * (vectors @ self.mixture.stacked_rate)
            values += self.total * _log(points[:, -1]) if self.total else 0.0
        return values

    def _pulls(self, phi: Array) -> Array:
        nominal, widths = self.mixture.constraints
        centres = nominal if self.centres is None else self.centres
        values: Array = (phi - centres) / widths
        return values


def _log(values: Array, sign: float = 1.0) -> Array:
    """Return log of positive values, and elsewhere what makes sign·log = −∞."""
    positive = values > 0
    result: Array = np.where(positive, np.log(np.where(positive, values, 1.0)), -np.copysign(np.inf, sign))
    return result

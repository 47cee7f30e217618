"""The sum over events of a likelihood: Σ_i w_i log(B_i·v), its derivatives, and what noise of the coefficients does.

The row B_i of an event holds the densities of all parts of the mixture, divided by the density of the event at the
reference point, so that B·v is about 1 whatever the units and sizes of the densities.

Coefficients with Monte-Carlo noise bring two problems. The logarithm of a noisy f has the expectation
log f − Var f/(2 f²); for an f that is log-normal about its mean, exactly log f − ½ log(1 + Var f/f²), so that

    ½ log(f² + Var f),   Var f = vᵀ C_i v,

is the corrected logarithm (`correct_bias`). And f may come out small or negative where it should be small and positive:
log f is replaced by log f₀ + asinh(f/2f₀), which differs from it by (f₀/f)² for f ≫ f₀ and is finite and smooth for all
f. How many events are not positive is never hidden: `non_positive` counts them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from partonic.errors import InferenceError, ParameterError
from partonic.inference.coefficients.event_coefficients import EventCoefficients
from partonic.inference.coefficients.response import CalibrationResponse

__all__ = ["FLOOR", "Derivatives", "EventTerms"]

Array = NDArray[np.float64]

FLOOR = 1e-4
"""Default f₀, in units of the density of the event at the reference point."""

_BLOCK = 4_000_000
"""Numbers of a block of events × points: 32 MB."""


@dataclass(frozen=True)
class Derivatives:
    """A function of v with its first and second derivatives: `value`, `gradient` `(V,)`, `hessian` `(V, V)`."""

    value: float
    gradient: Array
    hessian: Array


@dataclass(frozen=True)
class EventTerms:
    """Rows of N events.

    Attributes:
        rows: B, `(N, V)`.
        covariance: Monte-Carlo covariance of each row, `(N, V, V)`; None if the rows are exact.
        correct_bias: whether the expectation of the noise of log f is taken off.
        floor: f₀.
        response: how the ratios of the signal depend on their calibration; None without one that knows its errors.
    """

    rows: Array
    covariance: Array | None = None
    correct_bias: bool = True
    floor: float = FLOOR
    response: CalibrationResponse | None = None

    @classmethod
    def of(
        cls,
        signal: EventCoefficients,
        backgrounds: Sequence[EventCoefficients] = (),
        correct_bias: bool = True,
        floor: float = FLOOR,
        components: Sequence[EventCoefficients] = (),
    ) -> "EventTerms":
        """Build the rows of events from their coefficients under all hypotheses, all usable and in one order.

        Args:
            signal: coefficients under the signal.
            backgrounds: the same under each background, of which only the density P_0 is used.
            correct_bias: as the attribute.
            floor: as the attribute.
            components: the same under each further component that depends on θ.

        With several hypotheses, the errors of their P_0 enter too, as independent of those of the ratios; with one it
        drops out.

        Raises:
            ParameterError: if the events differ, or one of them has no coefficients.
        """
        hypotheses = (signal, *components, *backgrounds)
        for each in hypotheses:
            if not np.array_equal(each.event_id, signal.event_id):
                raise ParameterError(
                    f"coefficients of '{each.source}' are of other events than those of the signal: expected the same "
                    "event_id in the same order"
                )
            if not each.usable().all():
                msg = "expected events that all have coefficients: select those of `usable()` first"
                raise ParameterError(msg)
        references = np.stack([each.log_reference for each in hypotheses], axis=-1)
        shares = np.exp(references - np.logaddexp.reduce(references, axis=-1, keepdims=True))
        signals = (signal, *components)
        ratios = [shares[:, number, None] * each.ratios for number, each in enumerate(signals)]
        rows = np.concatenate([*ratios, shares[:, len(signals) :]], axis=-1)
        covariance = _covariance(signals, backgrounds, shares)
        return cls(rows, covariance if covariance.any() else None, correct_bias, floor, signal.response)

    def __len__(self) -> int:
        """Return the number of events."""
        return len(self.rows)

    def select(self, index: NDArray[np.integer] | NDArray[np.bool_]) -> "EventTerms":
        """Return some events, by mask or number."""
        covariance = None if self.covariance is None else self.covariance[index]
        response = None if self.response is None else self.response.select(index)
        return replace(self, rows=self.rows[index], covariance=covariance, response=response)

    def perturbed(self, generator: np.random.Generator) -> "EventTerms":
        """Return the rows with Gaussian noise of their covariance added: another run of the integration.

        Raises:
            InferenceError: if the rows have no covariance.
        """
        if self.covariance is None:
            msg = "the coefficients are exact: there is no integration error to draw from"
            raise InferenceError(msg)
        values, vectors = np.linalg.eigh(self.covariance)
        scaled = generator.normal(size=self.rows.shape) * np.sqrt(np.maximum(values, 0.0))
        return replace(self, rows=self.rows + np.einsum("nab,nb->na", vectors, scaled))

    def log_values(self, vectors: Array) -> Array:
        """Return the corrected log f of each event for T mixture vectors `(T, V)`, as `(N, T)`."""
        f = self.rows @ vectors.T
        log_soft = self._log_soft(f, np.sqrt(f**2 + 4 * self.floor**2))
        if not self._noisy:
            return log_soft
        variance = _quadratic(self._covariances, vectors)
        values: Array = 0.5 * np.logaddexp(2 * log_soft, np.log(np.maximum(variance, np.finfo(np.float64).tiny)))
        return values

    def sums(self, vectors: Array, weights: Array) -> Array:
        """Return Σ_i w_i log f_i for T mixture vectors `(T, V)`, as `(T,)`; memory does not grow with N·T."""
        total = np.zeros(len(vectors))
        size = max(1, _BLOCK // max(1, len(vectors)))
        for start in range(0, len(self), size):
            block = slice(start, start + size)
            total += weights[block] @ self._block(block).log_values(vectors)
        return total

    def derivatives(self, vector: Array, weights: Array) -> Derivatives:
        """Return Σ_i w_i log f_i at one mixture vector `(V,)`, with its derivatives by v; `weights` is `(N,)`."""
        f = self.rows @ vector
        root = np.sqrt(f**2 + 4 * self.floor**2)
        log_soft = self._log_soft(f, root)
        if not self._noisy:
            gradient = (weights / root) @ self.rows
            hessian = self.rows.T @ ((-weights * f / root**3)[:, None] * self.rows)
            return Derivatives(float(weights @ log_soft), gradient, hessian)
        return self._noisy_derivatives(vector, weights, f, root, np.exp(log_soft))

    def non_positive(self, vector: Array, weights: Array) -> int:
        """Return the number of events with positive weight whose f is not positive at a mixture vector `(V,)`."""
        return int(((self.rows @ vector <= 0) & (weights > 0)).sum())

    @property
    def _noisy(self) -> bool:
        return self.correct_bias and self.covariance is not None

    @property
    def _covariances(self) -> Array:
        if self.covariance is None:
            msg = "the coefficients are exact: they have no covariance"
            raise InferenceError(msg)
        return self.covariance

    def _block(self, block: slice) -> "EventTerms":
        covariance = None if self.covariance is None else self.covariance[block]
        return replace(self, rows=self.rows[block], covariance=covariance, response=None)

    def _log_soft(self, f: Array, root: Array) -> Array:
        """Return log f₀ + asinh(f/2f₀) with root = √(f² + 4f₀²), without cancellation for negative f."""
        size = np.log(0.5 * (np.abs(f) + root))
        values: Array = np.where(f >= 0, size, 2 * np.log(self.floor) - size)
        return values

    def _noisy_derivatives(self, vector: Array, weights: Array, f: Array, root: Array, soft: Array) -> Derivatives:
        """Differentiate ½ log(s² + V) with s the softened f (ds/df = s/root) and V = vᵀ C v (dV/dv = 2 C v)."""
        n, size = self.rows.shape
        half = (self._covariances.reshape(n * size, size) @ vector).reshape(n, size)
        variance = np.maximum(half @ vector, 0.0)
        total = soft**2 + variance
        ratio = soft**2 / (root * total)
        by_variance = weights * 0.5 / total
        twice_f = weights * (2 * ratio / root - ratio * f / root**2 - 2 * ratio**2)
        mixed = self.rows.T @ ((-2 * weights * ratio / total)[:, None] * half)
        hessian = (
            self.rows.T @ (twice_f[:, None] * self.rows)
            + mixed + mixed.T
            + half.T @ ((-2 * weights / total**2)[:, None] * half)
            + 2 * (by_variance @ self._covariances.reshape(n, -1)).reshape(size, size)
        )  # fmt: skip
        gradient = (weights * ratio) @ self.rows + 2 * by_variance @ half
        return Derivatives(float(0.5 * weights @ np.log(total)), gradient, hessian)


def _covariance(signals: Sequence[EventCoefficients], backgrounds: Sequence[EventCoefficients], shares: Array) -> Array:
    """Return the covariance of the rows `(N, V, V)`."""
    size = sum(each.ratios.shape[1] for each in signals) + len(backgrounds)
    covariance, place = np.zeros((len(shares), size, size)), 0
    for number, each in enumerate(signals):
        own = each.covariance
        if shares.shape[1] > 1:
            own = own + (each.relative_error[:, None, None] ** 2 * each.ratios[:, :, None] * each.ratios[:, None, :])
        rows = slice(place, place + each.ratios.shape[1])
        covariance[:, rows, rows] = shares[:, number, None, None] ** 2 * own
        place = rows.stop
    for number, background in enumerate(backgrounds):
        error = shares[:, len(signals) + number] * background.relative_error
        covariance[:, place + number, place + number] = error**2
    return covariance


def _quadratic(matrices: Array, vectors: Array) -> Array:
    """Return vᵀ C v of N matrices for T vectors, `(N, T)`."""
    n, size, _ = matrices.shape
    outer = (vectors[:, :, None] * vectors[:, None, :]).reshape(len(vectors), -1)
    values: Array = np.maximum(matrices.reshape(n, size * size) @ outer.T, 0.0)
    return values

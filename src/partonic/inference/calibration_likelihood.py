r"""The likelihood that a joint calibration maximises: of densities at many θ, in the mean over simulated events.

Ratios of densities to a reference h are modelled as

    ρ(x|θ) = Σ_a m_a(θ) ρ_a(x),      ρ_a = σ_a/σ_h + Σ_fb (f − f̄) Z_fb d_ba,

and their likelihood at points θ_k, with the events of θ_k, is

    log L = Σ_k (1/K) Σ_i v_ik log ρ(x_i|θ_k),      v_ik = c(z_i|θ_k)/Σ_j c(z_j|θ_k),

c the weights. It is concave in Z, it is largest for the true densities, and −∞ where one of an event that may happen is
not positive. What is found is therefore the nearest density that the features can give, as the likelihood of the
analysis measures distance (Kullback and Leibler's). Least squares measure it with the weights of h: where ρ at θ = 0 is
a hundredth, an error of a hundredth counts little for them, and everything for the ratios to P_0.

The gradient by Z vanishes at the maximum. Were θ = 0 the only point, this would be E_0[(f − f̄)/ρ_0] = 0, and as the
ρ_a − σ_a/σ_h are sums of f − f̄, E_0[R_a(x)] = σ_a/σ_0: the sum rule of the ratios would hold by itself.

The covariance of Z follows from what each event contributes to the gradient (the sandwich formula), through its own
term, and through f̄ and σ_a/σ_h, which are means over the same events.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from partonic.errors import ParameterError
from partonic.polynomial import Monomials

__all__ = ["CalibrationLikelihood", "points_of_theta"]

Array = NDArray[np.float64]

_POINTS = 32
_RANGE = 1.0
"""How far from θ = 0 the points are, in units in which the square of a parameter adds as much rate as there is at 0."""

_MOST_STEPS, _MOST_HALVINGS = 100, 50
_TOLERANCE = 1e-12
"""Expected rise of log L of an event below which the maximum is reached."""

_ARMIJO = 1e-4
_SMALLEST_DENSITY = 1e-9
"""Of the mean one, that a step may lead to."""

_SINGULAR = 1e-12
_LARGEST_LEVERAGE = 0.9
_EVENTS_AT_ONCE = 4096


def points_of_theta(monomials: Monomials, reference: Array, number: int | None = None) -> Array:
    """Return θ = 0 and points spread in all directions of the parameters that change shapes, `(K, P)`.

    Their distances from 0 are uniform up to where rates have about doubled, so that they are densest around 0.

    Args:
        monomials: the A monomials.
        reference: σ_0/σ_kk at the squares of those parameters, 0 or 1 elsewhere, `(A,)`.
        number: of points besides 0; None for enough of them.
    """
    units = {}
    for value, powers in zip(reference, monomials.exponents, strict=True):
        if value > 0 and sorted(powers)[-1:] == [2] and sum(powers) == 2:
            units[powers.index(2)] = np.sqrt(value)
    number = max(_POINTS, 4 * len(monomials)) if number is None else number
    theta = np.zeros((number + 1, len(monomials.parameters)))
    if not units:
        return theta[:1]
    sobol = torch.quasirandom.SobolEngine(len(units) + 1)  # type: ignore[no-untyped-call]
    drawn = sobol.draw(number + 1, dtype=torch.float64)[1:]  # the first is 0 in all, and has no direction
    normal = torch.special.ndtri(drawn[:, 1:]).numpy()
    size = np.linalg.norm(normal, axis=1, keepdims=True)
    # the second point is the middle of all intervals, which has no direction either: it stays at 0
    direction = np.divide(normal, size, out=np.zeros_like(normal), where=size > 0)
    theta[1:, list(units)] = _RANGE * drawn[:, :1].numpy() * direction * np.array(list(units.values()))
    return theta


@dataclass(frozen=True)
class CalibrationLikelihood:
    """log L of N events at K points as a function of Z.

    Attributes:
        features: f − f̄, `(N, F)`.
        shares: v at h, weights that sum to 1, `(N,)`.
        truth: c(z|θ_k)/c_h, not negative, `(N, K)`.
        means: of them at h, positive, `(K,)`.
        directions: d_b·m(θ_k), how the density of each point depends on Z, `(B, K)`.
    """

    features: Array
    shares: Array
    truth: Array
    means: Array
    directions: Array

    @classmethod
    def of(cls, features: Array, w: Array, truth: Array, directions: Array) -> "CalibrationLikelihood":
        """Return the likelihood of events with weights `w` at h.

        Args:
            features: f − f̄, `(N, F)`.
            w: `(N,)`.
            truth: c_a/c_h at the points, `(N, K)`.
            directions: `(B, K)`.
        """
        shares = w / w.sum()
        positive = np.maximum(truth, 0.0)
        return cls(features, shares, positive, shares @ positive, directions)

    @property
    def identifiable(self) -> bool:
        """Whether the points tell all B directions apart."""
        return bool((self.means > 0).all() and np.linalg.matrix_rank(self.directions) == len(self.directions))

    def __call__(self, slopes: Array) -> float:
        """Return log L over that of ρ(x|θ) = σ(θ)/σ_h at Z `(F, B)`; −∞ where a density is not positive."""
        rho = self._densities(slopes)
        counts = self._weights > 0
        if (rho <= _SMALLEST_DENSITY * self.means)[counts].any():
            return -np.inf
        logs = np.log(np.where(counts, rho, self.means) / self.means)
        return float((self._weights * logs).sum())

    def maximum(self, start: Array) -> Array:
        """Return Z of the largest log L, `(F, B)`: by Newton's method, which a concave function needs no help for.

        Args:
            start: where to begin; it is moved towards 0 until all densities are positive.

        Raises:
            ParameterError: if it is not reached, because there are too few events for the features.
        """
        slopes = start
        for _ in range(_MOST_HALVINGS):
            value = self(slopes)
            if np.isfinite(value):
                break
            slopes = 0.5 * slopes
        for _ in range(_MOST_STEPS):
            gradient, hessian = self._gradient(slopes), self._hessian(slopes)
            step = (_inverse(hessian) @ gradient.ravel()).reshape(slopes.shape)
            rise = float((gradient * step).sum())
            if rise < _TOLERANCE:
                return slopes + step if self(slopes + step) >= value else slopes
            size = 1.0
            while self(slopes + size * step) < value + _ARMIJO * size * rise:
                size *= 0.5
                if size < 0.5**_MOST_HALVINGS:
                    return slopes  # rounding: it does not rise any more
            slopes = slopes + size * step
            value = self(slopes)
        raise ParameterError(
            f"the likelihood of the calibration has no maximum after {_MOST_STEPS} steps with {len(self.shares)} "
            f"events and {slopes.size} numbers to fit: take more events, or calibrate each ratio alone (`--method "
            "linear`)"
        )

    def influence(self, slopes: Array, truth: Array) -> Array:
        """Return how much each event moves the maximum, `(N, F, B)`: their squares sum up to its covariance.

        An event far out pulls the fit towards itself and has too small a part in the gradient: what is taken is how the
        maximum moves when the event is left out.

        Args:
            slopes: Z at the maximum, `(F, B)`.
            truth: what the B directions are of, less its mean, `(N, B)`.
        """
        rho = self._densities(slopes)
        ratio, curvature = self._weights / rho, self._weights / rho**2  # (N, K)
        per_event = self.shares[:, None]
        of_mean = ratio.sum(axis=0) * self.directions  # (B, K)
        own = ratio @ self.directions.T - per_event * of_mean.sum(axis=1)  # (N, B)
        # f̄ moves by v (f − f̄) and with it ρ; the means move by v (c/c_h − σ/σ_h), and with them ρ and the weights
        pulled = self.features.T @ curvature  # (F, K)
        through_mean = self.features @ slopes @ self.directions
        through_rate = truth @ self.directions
        weights_too = (self.features.T @ ratio) / self.means
        indirect = np.einsum("nk,fk,bk->nfb", through_mean - through_rate, pulled, self.directions, optimize=True)
        indirect -= np.einsum("nk,fk,bk->nfb", through_rate, weights_too, self.directions, optimize=True)
        inverse = _inverse(self._hessian(slopes))
        moved = per_event[:, :, None] * indirect + self.features[:, :, None] * self._left_out(own, curvature, inverse)
        values: Array = (moved.reshape(len(moved), -1) @ inverse).reshape(moved.shape)
        return values

    @property
    def _weights(self) -> Array:
        """Return v_ik/K, `(N, K)`."""
        values: Array = self.shares[:, None] * self.truth / (self.means * len(self.means))
        return values

    def _densities(self, slopes: Array) -> Array:
        values: Array = self.means + self.features @ (slopes @ self.directions)
        return values

    def _gradient(self, slopes: Array) -> Array:
        values: Array = (self.features.T @ (self._weights / self._densities(slopes))) @ self.directions.T
        return values

    def _hessian(self, slopes: Array) -> Array:
        """Return −∂²log L/∂Z∂Z, flattened, `(F·B, F·B)`."""
        curvature = self._weights / self._densities(slopes) ** 2
        size = slopes.size
        total = np.zeros((*slopes.shape, *slopes.shape))
        for column, direction in zip(curvature.T, self.directions.T, strict=True):
            moments = (self.features * column[:, None]).T @ self.features
            total += moments[:, None, :, None] * np.outer(direction, direction)[None, :, None, :]
        return total.reshape(size, size)

    def _left_out(self, own: Array, curvature: Array, inverse: Array) -> Array:
        """Return (1 − S G)⁻¹ of the parts of events in the gradient, `(N, 1, B)`; S and G are their leverage.

        The Hessian without an event is H − (f − f̄)(f − f̄)ᵀ⊗S, and its inverse applied to (f − f̄)⊗s is that of H
        applied to (f − f̄)⊗(1 − S G)⁻¹s with G = (f − f̄)ᵀ H⁻¹ (f − f̄) (Woodbury's identity).
        """
        count = len(self.directions)
        found = np.empty_like(own)
        blocks = inverse.reshape(-1, count, inverse.shape[0] // count, count)
        for begin in range(0, len(own), _EVENTS_AT_ONCE):
            rows = slice(begin, begin + _EVENTS_AT_ONCE)
            features = self.features[rows]
            size = np.einsum("nf,fagc,ng->nac", features, blocks, features, optimize=True)
            strength = np.einsum("nk,bk,ck->nbc", curvature[rows], self.directions, self.directions, optimize=True)
            leverage = strength @ size
            largest = np.abs(np.linalg.eigvals(leverage)).max(axis=1, initial=0.0)
            leverage *= (_LARGEST_LEVERAGE / np.maximum(largest, _LARGEST_LEVERAGE))[:, None, None]
            found[rows] = np.linalg.solve(np.eye(count) - leverage, own[rows, :, None])[:, :, 0]
        return found[:, None, :]


def _inverse(hessian: Array) -> Array:
    """Return the inverse, without directions that no events tell apart."""
    size = np.sqrt(np.diag(hessian))
    size = np.where(size > 0, size, 1.0)
    values: Array = np.linalg.pinv(hessian / np.outer(size, size), rcond=_SINGULAR, hermitian=True)
    values /= np.outer(size, size)
    return values

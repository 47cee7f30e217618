r"""The likelihood that a joint calibration maximises: of densities at many θ, in the mean over simulated events.

Ratios of densities to a reference h are modelled as

    ρ(x|θ) = Σ_a m_a(θ) ρ_a(x),      ρ_a = σ_a/σ_h + Σ_fb (f − f̄) Z_fb d_ba,

and their likelihood at points θ_k, with the events of θ_k, is

    log L = Σ_k (1/K) Σ_i v_ik log ρ(x_i|θ_k),      v_ik = c(z_i|θ_k)/Σ_j c(z_j|θ_k),

c the weights. It is concave in Z, and largest for the true densities. What is found is therefore the nearest density
that the features can give, as the likelihood of the analysis measures distance (Kullback and Leibler's). Least squares
measure it with the weights of h: where ρ at θ = 0 is a hundredth, an error of a hundredth counts little for them, and
everything for the ratios to P_0.

Where ρ is below ε = 10⁻³ of its mean, the logarithm goes on as the parabola that touches it there (A. Owen, "Empirical
likelihood for linear models", Annals of Statistics 19 (1991) 1725), so that log L is finite and smooth for any Z: no
calibrated density may be smaller in the end (`partonic.inference.coefficients.positivity`).

The gradient by Z vanishes at the maximum. Were θ = 0 the only point, this would be E_0[(f − f̄)/ρ_0] = 0, and as the
ρ_a − σ_a/σ_h are sums of f − f̄, E_0[R_a(x)] = σ_a/σ_0: the sum rule of the ratios would hold by itself.

The covariance of Z follows from what each event contributes to the gradient (the sandwich formula), through its own
term, and through f̄ and σ_a/σ_h, which are means over the same events.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from partonic.errors import ParameterError
from partonic.inference.calibration.weighted_columns import inverse_moments
from partonic.inference.coefficients.positivity import SMALLEST_SHARE
from partonic.polynomial import Monomials

__all__ = ["EVENTS_AT_ONCE", "LARGEST_LEVERAGE", "CalibrationLikelihood", "points_of_theta", "units_of_parameters"]

Array = NDArray[np.float64]

_POINTS = 32
_RANGE = 1.0
"""How far from θ = 0 the points are, in units in which the square of a parameter adds as much rate as there is at 0."""

_MOST_STEPS, _MOST_HALVINGS = 100, 40
_TOLERANCE = 1e-12
"""Expected rise of log L of an event below which the maximum is reached."""

_ROUNDING = 1e-9
"""The same, where log L does not rise any more."""

_ARMIJO = 1e-4
_INDEPENDENT = 1e-6
"""Of the singular values of directions at the points, in units of the rate."""

_CLIPPED = 1e-6
"""Part of the true densities that may be negative, from rounding."""

_SINGULAR = 1e-12
LARGEST_LEVERAGE = 0.9
"""Of one event, beyond which what leaving it out would do is not believed."""

EVENTS_AT_ONCE = 4096
"""Events whose influence is held in memory together."""


def units_of_parameters(monomials: Monomials, reference: Array) -> dict[int, float]:
    """Return, by their numbers, the parameters that change shapes, each with the size whose square doubles the rate.

    Args:
        monomials: the A monomials.
        reference: σ_0/σ_kk at the squares of those parameters, 0 or 1 elsewhere, `(A,)`.
    """
    return {
        powers.index(2): float(np.sqrt(value))
        for value, powers in zip(reference, monomials.exponents, strict=True)
        if value > 0 and 2 in powers and sum(powers) == 2
    }


def points_of_theta(monomials: Monomials, reference: Array, number: int | None = None) -> Array:
    """Return θ = 0 and points spread in all directions of the parameters that change shapes, `(K, P)`.

    Their distances from 0 are uniform up to where rates have about doubled, so that they are densest around 0.

    Args:
        monomials: the A monomials.
        reference: σ_0/σ_kk at the squares of those parameters, 0 or 1 elsewhere, `(A,)`.
        number: of points besides 0; None for enough of them.
    """
    units = units_of_parameters(monomials, reference)
    number = max(_POINTS, 4 * len(monomials)) if number is None else number
    theta = np.zeros((number + 1, len(monomials.parameters)))
    if not units:
        return theta[:1]
    sobol = torch.quasirandom.SobolEngine(len(units) + 1)  # type: ignore[no-untyped-call]
    drawn = sobol.draw(number + 2, dtype=torch.float64)[2:]  # the first two are 0 and ½ in all, and have no direction
    normal = torch.special.ndtri(drawn[:, 1:]).numpy()
    direction = normal / np.linalg.norm(normal, axis=1, keepdims=True)
    theta[1:, list(units)] = _RANGE * drawn[:, :1].numpy() * direction * np.array(list(units.values()))
    return theta


@dataclass(frozen=True)
class CalibrationLikelihood:
    """log L of N events at K points as a function of Z.

    Attributes:
        features: f − f̄, `(N, F)`.
        shares: v at h, weights that sum to 1, `(N,)`.
        weights: v_ik/K, `(N, K)`.
        means: of c(z|θ_k)/c_h at h, `(K,)`.
        directions: d_b·m(θ_k), how the density of each point depends on Z, `(B, K)`.
        positive: whether all true densities are, but for rounding.
    """

    features: Array
    shares: Array
    weights: Array
    means: Array
    directions: Array
    positive: bool

    @classmethod
    def of(cls, features: Array, w: Array, truth: Array, directions: Array) -> "CalibrationLikelihood":
        """Return the likelihood of events with weights `w` at h.

        Args:
            features: f − f̄, `(N, F)`.
            w: `(N,)`.
            truth: c(z|θ_k)/c_h at the points, `(N, K)`.
            directions: `(B, K)`, in units in which the rate depends on them by about 1.
        """
        shares = w / w.sum()
        means = shares @ truth
        positive = bool((means > 0).all() and (shares @ np.maximum(-truth, 0.0) <= _CLIPPED * means).all())
        weights = shares[:, None] * np.maximum(truth, 0.0) / (np.where(means > 0, means, 1.0) * len(means))
        return cls(features, shares, weights, means, directions, positive)

    @property
    def identifiable(self) -> bool:
        """Whether densities are positive, and the points tell all B directions apart."""
        if not self.positive or len(self.means) < 2:
            return False
        values = np.linalg.svd(self.directions, compute_uv=False)
        return len(values) == len(self.directions) and bool((values > _INDEPENDENT).all())

    def __call__(self, slopes: Array) -> float:
        """Return log L over that of ρ(x|θ) = σ(θ)/σ_h at Z `(F, B)`."""
        return float((self.weights * _logarithm(self._over_means(slopes))[0]).sum())

    def maximum(self, start: Array) -> Array:
        """Return Z of the largest log L, `(F, B)`, by Newton's method: steps are halved until log L rises.

        Args:
            start: where to begin.

        Raises:
            ParameterError: if it is not reached.
        """
        slopes, value = start, self(start)
        for _ in range(_MOST_STEPS):
            gradient, hessian = self._gradient(slopes), self._hessian(slopes)
            step = (inverse_moments(hessian, _SINGULAR) @ gradient.ravel()).reshape(slopes.shape)
            rise, size = float((gradient * step).sum()), 1.0
            if rise < _TOLERANCE:
                return slopes + step
            while (there := self(slopes + size * step)) < value + _ARMIJO * size * rise and size > 0.5**_MOST_HALVINGS:
                size *= 0.5
            if there < value + _ARMIJO * size * rise:
                if rise < _ROUNDING:
                    return slopes
                break
            slopes, value = slopes + size * step, there
        raise ParameterError(
            f"the maximum of the likelihood of the calibration was not found in {_MOST_STEPS} steps or less with "
            f"{len(self.shares)} events and {slopes.size} numbers to fit: calibrate each ratio alone "
            "(`--method linear`)"
        )

    def influence(self, slopes: Array, truth: Array, leverage: bool = True) -> Iterator[tuple[slice, Array]]:
        """Yield how much events move the maximum, `(n, F, B)`, in portions: their squares sum up to its covariance.

        An event far out pulls the fit towards itself and has too small a part in the gradient: what is taken is how the
        maximum moves when the event is left out.

        Args:
            slopes: Z at the maximum, `(F, B)`.
            truth: what the B directions are of, less its mean, `(N, B)`.
            leverage: whether to take that; else the derivative by the weight of the event.
        """
        _, first, second = _logarithm(self._over_means(slopes))
        ratio, curvature = self.weights * first / self.means, self.weights * second / self.means**2  # (N, K)
        of_mean = self.directions @ ratio.sum(axis=0)  # (B,)
        # f̄ moves by v (f − f̄) and with it ρ; the means move by v (c/c_h − σ/σ_h), and with them ρ and the weights
        pulled = self.features.T @ curvature  # (F, K)
        scaled = (self.features.T @ ratio) / self.means
        inverse = inverse_moments(self._hessian(slopes), _SINGULAR)
        for begin in range(0, len(self.shares), EVENTS_AT_ONCE):
            rows = slice(begin, begin + EVENTS_AT_ONCE)
            features, share = self.features[rows], self.shares[rows, None]
            own = ratio[rows] @ self.directions.T - share * of_mean  # (n, B)
            if leverage:
                own = self._left_out(features, own, curvature[rows], inverse)
            through_rate = truth[rows] @ self.directions
            through_mean = features @ slopes @ self.directions
            indirect = np.einsum("nk,fk,bk->nfb", through_mean - through_rate, pulled, self.directions, optimize=True)
            indirect -= np.einsum("nk,fk,bk->nfb", through_rate, scaled, self.directions, optimize=True)
            moved = share[:, :, None] * indirect + features[:, :, None] * own[:, None, :]
            yield rows, (moved.reshape(len(moved), -1) @ inverse).reshape(moved.shape)

    def _over_means(self, slopes: Array) -> Array:
        """Return ρ over their means, `(N, K)`."""
        values: Array = 1.0 + self.features @ (slopes @ (self.directions / self.means))
        return values

    def _gradient(self, slopes: Array) -> Array:
        first = _logarithm(self._over_means(slopes))[1]
        values: Array = (self.features.T @ (self.weights * first)) @ (self.directions / self.means).T
        return values

    def _hessian(self, slopes: Array) -> Array:
        """Return −∂²log L/∂Z∂Z, flattened, `(F·B, F·B)`."""
        curvature = self.weights * _logarithm(self._over_means(slopes))[2] / self.means**2
        size = slopes.size
        total = np.zeros((*slopes.shape, *slopes.shape))
        for column, direction in zip(curvature.T, self.directions.T, strict=True):
            moments = (self.features * column[:, None]).T @ self.features
            total += moments[:, None, :, None] * np.outer(direction, direction)[None, :, None, :]
        return total.reshape(size, size)

    def _left_out(self, features: Array, own: Array, curvature: Array, inverse: Array) -> Array:
        """Return (1 − S G)⁻¹ of the parts of events in the gradient, `(n, B)`; S and G are their leverage.

        The Hessian without an event is H − (f − f̄)(f − f̄)ᵀ⊗S, and its inverse applied to (f − f̄)⊗s is that of H
        applied to (f − f̄)⊗(1 − S G)⁻¹s with G = (f − f̄)ᵀ H⁻¹ (f − f̄) (Woodbury's identity).
        """
        count = len(self.directions)
        blocks = inverse.reshape(-1, count, inverse.shape[0] // count, count)
        size = np.einsum("nf,fagc,ng->nac", features, blocks, features, optimize=True)
        strength = np.einsum("nk,bk,ck->nbc", curvature, self.directions, self.directions, optimize=True)
        leverage = strength @ size
        largest = np.abs(np.linalg.eigvals(leverage)).max(axis=1, initial=0.0)
        leverage *= (LARGEST_LEVERAGE / np.maximum(largest, LARGEST_LEVERAGE))[:, None, None]
        values: Array = np.linalg.solve(np.eye(count) - leverage, own[:, :, None])[:, :, 0]
        return values


def _logarithm(x: Array) -> tuple[Array, Array, Array]:
    """Return log x, its derivative and less its second one; below ε those of the parabola that touches it there."""
    small = x < SMALLEST_SHARE
    inside = np.where(small, 1.0, x)
    less = np.where(small, x / SMALLEST_SHARE - 1.0, 0.0)
    value = np.where(small, np.log(SMALLEST_SHARE) + less - 0.5 * less**2, np.log(inside))
    first = np.where(small, (1.0 - less) / SMALLEST_SHARE, 1.0 / inside)
    return value, first, np.where(small, SMALLEST_SHARE**-2, inside**-2)

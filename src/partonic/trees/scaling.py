r"""Units in which residuals are kept, and the checks that weights must pass.

Of the coefficients c_a of an event, w = c_0 is its weight at θ = 0 and R_k = c_k/w its derivatives. Boosting begins
with the mean ratio F_k⁰ = Σc_k/Σw, and works with w/⟨|w|⟩ and (c_k − w F_k⁰)/(⟨|w|⟩ s_k), where s_k is the standard
deviation of R_k: single precision then suffices whatever the units of the user. Neither needs a ratio of one event,
so that w = 0 is no special case.

Weights may be negative, as those of next-to-leading-order generators. What counts then is the number of effective
events (Σw)²/Σw², of the sample as of each leaf, and that Σw is positive.
"""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, Shaped
from numpy.typing import NDArray

from partonic.errors import NonFiniteError, TrainingError
from partonic.polynomial import Monomials

__all__ = ["Scaling", "WeightSums"]

_ROUNDING = 1e-12
"""A ratio whose variance is a smaller part of its mean square is constant; so is one whose deviation is a smaller part
of the natural size of its monomial: a linear term that vanishes by symmetry is not exactly 0 in a computer."""


@dataclass(frozen=True)
class Scaling:
    """Means and standard deviations of the ratios of a sample.

    Attributes:
        weight: mean size of w.
        mean: F_k⁰, `(K,)`.
        deviation: s_k; 0 for a ratio that is the same in all events, `(K,)`.
    """

    weight: float
    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]

    def statistics(self, coefficients: Shaped[np.ndarray, "events monomials"]) -> Float[np.ndarray, "events channels"]:
        """Return (w, d_1, …, d_K) of events with coefficients `(n, 1 + K)`, in the units of the training, float32."""
        values = np.asarray(coefficients, dtype=np.float64) / self.weight
        unit = np.where(self.deviation > 0.0, self.deviation, np.inf)
        residuals = (values[:, 1:] - values[:, :1] * self.mean) / unit
        return np.column_stack([values[:, 0], residuals]).astype(np.float32)

    def ratios(self, values: Float[np.ndarray, "events targets"]) -> Float[np.ndarray, "events monomials"]:
        """Return R_a, the first of which is 1, from sums of steps in units of the training, `(n, K)` → `(n, 1 + K)`."""
        return np.column_stack([np.ones(len(values)), self.mean + self.deviation * values])


@dataclass
class WeightSums:
    """Sums over the coefficients of events, added up in batches.

    Attributes:
        events: how many.
        weights: Σw, Σ|w| and Σw².
        largest: of w².
        negative: Σ|w| over w < 0.
        linear: Σc_k, `(K,)`.
        signed: Σ c_k sign(w), `(K,)`.
        squares: Σ c_k²/|w| over w ≠ 0, `(K,)`.
    """

    events: int = 0
    weights: NDArray[np.float64] = field(default_factory=lambda: np.zeros(3))
    largest: float = 0.0
    negative: float = 0.0
    linear: NDArray[np.float64] = field(default_factory=lambda: np.zeros(1))
    signed: NDArray[np.float64] = field(default_factory=lambda: np.zeros(1))
    squares: NDArray[np.float64] = field(default_factory=lambda: np.zeros(1))

    def add(self, coefficients: Shaped[np.ndarray, "events monomials"], before: int = 0) -> None:
        """Add events.

        Args:
            coefficients: c_a, `(n, 1 + K)`.
            before: number of events before these, for the message.

        Raises:
            NonFiniteError: if a coefficient is NaN or infinite.
        """
        values = np.asarray(coefficients, dtype=np.float64)
        if not np.isfinite(values).all():
            row, column = np.argwhere(~np.isfinite(values))[0]
            raise NonFiniteError(
                f"coefficient {column} of event {before + row} is {values[row, column]}: weights must be finite; leave "
                "such events out, or mend what made them"
            )
        w, targets = values[:, 0], values[:, 1:]
        size = np.abs(w)
        there = size > 0.0
        self.events += len(w)
        self.weights = self.weights + np.array([w.sum(), size.sum(), (w * w).sum()])
        self.largest = max(self.largest, float((w * w).max(initial=0.0)))
        self.negative += float(size[w < 0.0].sum())
        self.linear = self.linear + targets.sum(axis=0)
        self.signed = self.signed + (targets * np.sign(w)[:, None]).sum(axis=0)
        self.squares = self.squares + (targets[there] ** 2 / size[there, None]).sum(axis=0)

    @property
    def effective(self) -> float:
        """Effective number of events, (Σw)²/Σw²; 0 if there are none."""
        return float(self.weights[0] ** 2 / self.weights[2]) if self.weights[2] > 0.0 else 0.0

    @property
    def negative_share(self) -> float:
        """Part of Σ|w| that is of negative weights."""
        return float(self.negative / self.weights[1]) if self.weights[1] > 0.0 else 0.0

    def scaling(self, fewest: float, monomials: Monomials) -> Scaling:
        """Return the units of a training on these events.

        Args:
            monomials: of the coefficients.
            fewest: effective events that a leaf needs; a training needs twice as many.

        Raises:
            TrainingError: if all weights are zero, their sum is not positive, too few events carry it, or every ratio
                is the same in all events.
        """
        total, size, squares = self.weights
        if size == 0.0:
            raise TrainingError(
                f"all {self.events} events have weight 0 at θ = 0 (the first coefficient): give events with weights"
            )
        if total <= 0.0:
            raise TrainingError(
                f"the sum of the weights at θ = 0 is {total:g}, with {self.negative_share:.1%} of their size negative: "
                "it must be positive. Check the sign of the weights, or use more events"
            )
        if self.effective < 2.0 * fewest:
            raise TrainingError(
                f"{self.events} events of training count as (Σw)²/Σw² = {self.effective:.1f}, of which one has "
                f"{self.largest / squares:.0%} of Σw²; two leaves need {2.0 * fewest:g}. Use more events, weights that "
                "differ less, or a smaller min_leaf_events"
            )
        mean = self.linear / total
        variance = (self.squares - 2.0 * mean * self.signed + mean * mean * size) / size
        mean_square = self.squares / size
        rounding = np.maximum(_ROUNDING * mean_square, (_ROUNDING * _natural_size(monomials, mean_square)) ** 2)
        deviation = np.sqrt(np.where(variance > rounding, variance, 0.0))
        if not (deviation > 0.0).any():
            msg = (
                "every ratio of coefficients is the same in all events, so there is nothing to learn: check the "
                "coefficients, and that the process depends on its parameters"
            )
            raise TrainingError(msg)
        return Scaling(weight=float(size / self.events), mean=mean, deviation=deviation)


def _natural_size(monomials: Monomials, mean_square: Float[np.ndarray, " targets"]) -> NDArray[np.float64]:
    """Return ∏_k u_k^n_k of the monomials ∏_k θ_k^n_k but the first, `(K,)`.

    u_k is the inverse of the value of θ_k at which the ratio of its highest pure power θ_k^n is about 1; 0 where there
    is none.
    """
    powers = np.array(monomials.exponents)[1:]
    units = np.zeros(powers.shape[1])
    for parameter in range(powers.shape[1]):
        pure = np.flatnonzero((powers[:, parameter] > 0) & (powers.sum(axis=1) == powers[:, parameter]))
        if len(pure):
            highest = pure[np.argmax(powers[pure, parameter])]
            units[parameter] = np.sqrt(mean_square[highest]) ** (1.0 / powers[highest, parameter])
    size: NDArray[np.float64] = np.prod(units**powers, axis=1)
    return size

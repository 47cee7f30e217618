"""What a training minimises: a loss of the ratios, or of their values at base points.

With z_k the ratios R_k in units of their standard deviations, targets are t_b = Σ_k T_bk z_k: the derivatives
themselves (T = 1), or the ratios r_b = Σ_k m_k(θ_b) R_k at base points. The squared loss Σ w Σ_b ω_b (t_b − t̂_b)² is
lowered by a leaf with sums D of the residuals and weight W by Σ_b ω_b (T D)_b²/W, the Fisher information that a
counting experiment in the leaf has (arXiv:2107.10859, 2205.12976). The cross-entropy of the classes θ = 0 and θ_b is
the alternative of arXiv:2205.12976; it weighs rare large ratios less.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from partonic.config.trees import TreeSettings
from partonic.errors import TrainingError
from partonic.polynomial import Monomials
from partonic.trees.binned import BinnedEvents
from partonic.trees.engine import pieces

__all__ = ["Objective", "objective_of"]


@dataclass(frozen=True)
class Objective:
    """Targets of a training.

    Attributes:
        split_matrix: T of the choice of splits, `(B, K)`.
        weights: ω_b, `(B,)`.
        entropy: whether splits lower the cross-entropy; else the squared loss.
        loss_matrix: T of the squared loss that is reported, `(B, K)`: each target in units of its standard deviation
            and times √(ω_b/Σω), so that the mean ratios alone have a loss of about 1.
    """

    split_matrix: NDArray[np.float64]
    weights: NDArray[np.float64]
    entropy: bool
    loss_matrix: NDArray[np.float64]

    @property
    def for_kernels(self) -> tuple[NDArray[np.float64], NDArray[np.float64], bool]:
        """The first three."""
        return self.split_matrix, self.weights, self.entropy

    def loss_at_mean(self, statistics: Float[np.ndarray, "events channels"], rows: NDArray[np.int32]) -> float:
        """Return the loss per weight of the mean ratios, Σ w |T z|²/Σw over the events with w ≠ 0."""
        total, weight = 0.0, 0.0
        for part in pieces(len(rows)):
            w, residuals = _weight_and_residuals(statistics[rows[part]])
            weight += float(w.sum())
            there = w != 0.0
            total += float((((residuals[there] @ self.loss_matrix.T) ** 2).sum(axis=1) / w[there]).sum())
        return total / weight

    def loss_change(self, sums: Float[np.ndarray, "nodes sums"], steps: Float[np.ndarray, "nodes targets"]) -> float:
        """Return by how much a tree changes Σ w |T (z − F)|², from sums (Σw, Σd) of its leaves before it.

        Of one leaf with step v: W |T v|² − 2 (T D)·(T v).
        """
        moved, residual = steps @ self.loss_matrix.T, sums[:, 1:] @ self.loss_matrix.T
        return float((sums[:, 0] * (moved**2).sum(axis=1) - 2.0 * (residual * moved).sum(axis=1)).sum())


def objective_of(events: BinnedEvents, settings: TreeSettings) -> Objective:
    """Return what a training on `events` minimises.

    Raises:
        TrainingError: if base points or the weights of targets do not fit the parameters, or no target varies.
    """
    monomials, deviation = events.monomials, events.scaling.deviation
    plain = _base_points(monomials, settings) * deviation if settings.base_points else np.diag(1.0 * (deviation > 0.0))
    weights = np.ones(len(plain)) if settings.target_weights is None else np.array(settings.target_weights)
    if len(weights) != len(plain):
        what = "base point" if settings.base_points else f"derivative ({', '.join(monomials.names[1:])})"
        raise TrainingError(f"target_weights needs a number for each {what}: expected {len(plain)}, got {len(weights)}")
    spread = _spread(events, plain)
    if not (weights * spread > 0.0).any():
        msg = "no target with a weight differs from event to event: nothing can be learned from them"
        raise TrainingError(msg)
    unit = plain / np.where(spread > 0.0, spread, np.inf)[:, None]
    if not settings.base_points and not settings.standardise:
        plain = np.diag(deviation)
    entropy = settings.loss == "cross_entropy"
    return Objective(
        split_matrix=unit if settings.standardise and not entropy else plain,
        weights=weights,
        entropy=entropy,
        loss_matrix=unit * np.sqrt(weights / weights[spread > 0.0].sum())[:, None],
    )


def _base_points(monomials: Monomials, settings: TreeSettings) -> NDArray[np.float64]:
    """Return the monomials of the base points but the first, `(B, K)`."""
    count = len(monomials.parameters)
    for point in settings.base_points or ():
        if len(point) != count:
            raise TrainingError(
                f"base_points: each point needs {count} values ({', '.join(monomials.parameters)}), got {list(point)}"
            )
    values: NDArray[np.float64] = monomials.evaluate(np.array(settings.base_points))
    matrix = values[:, 1:]
    if not np.isfinite(matrix).all() or (matrix == 0.0).all(axis=1).any():
        raise TrainingError(f"base points must be finite and differ from θ = 0, got {settings.base_points}")
    if np.linalg.matrix_rank(matrix) < matrix.shape[1]:
        raise TrainingError(
            f"{len(matrix)} base points do not tell all of {', '.join(monomials.names[1:])} apart: add points that "
            "differ in the missing direction"
        )
    return matrix


def _spread(events: BinnedEvents, matrix: Float[np.ndarray, "points targets"]) -> NDArray[np.float64]:
    """Return the standard deviation of each target over the events of training, by |w|, `(B,)`."""
    squares, size = np.zeros(len(matrix)), 0.0
    for part in pieces(len(events.train)):
        w, residuals = _weight_and_residuals(events.statistics[events.train[part]])
        there = w != 0.0
        size += float(np.abs(w).sum())
        squares = squares + ((residuals[there] @ matrix.T) ** 2 / np.abs(w[there])[:, None]).sum(axis=0)
    spread: NDArray[np.float64] = np.sqrt(squares / size)
    return spread


def _weight_and_residuals(
    statistics: Float[np.ndarray, "events channels"],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    values = statistics.astype(np.float64)
    return values[:, 0], values[:, 1:]

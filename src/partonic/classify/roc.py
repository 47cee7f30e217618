"""How well a number of an event separates signal from background: ROC curve and the area under it, with its error.

The area is the probability that a signal event has the larger number (ties count one half), from weighted events. Its
error comes from the Bayesian bootstrap (D. B. Rubin, Ann. Statist. 9 (1981) 130): the weights are multiplied by random
numbers of mean and variance 1, exponential ones, so that no replica is without events, again and again.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from partonic.errors import ParameterError
from partonic.estimate import Estimate
from partonic.inference.experiments.pool import MOST_NEGATIVE

__all__ = ["RocCurve", "roc_curve"]

Array = NDArray[np.float64]

REPLICAS = 200
"""Replicas of the bootstrap: the error is then known to 5%."""


@dataclass(frozen=True, eq=False)
class RocCurve:
    """Efficiencies of cuts on a number, from the tightest to the loosest.

    Attributes:
        name: of the number.
        signal_efficiency: share of the signal above the cut, ascending from 0 to 1, `(M,)`.
        background_efficiency: share of the background above the cut, `(M,)`.
        auc: area under signal against background efficiency: 0.5 separates nothing, 1 everything.
        unusable_signal: share of the signal that is left out: without the number (NaN), or with a negative weight.
        unusable_background: the same of the background.
    """

    name: str
    signal_efficiency: Array
    background_efficiency: Array
    auc: Estimate
    unusable_signal: float
    unusable_background: float

    def background_at(self, signal_efficiency: float) -> float:
        """Return the background efficiency of the cut that keeps this share of the signal."""
        return float(np.interp(signal_efficiency, self.signal_efficiency, self.background_efficiency))

    def to_json(self) -> dict[str, Any]:
        """Return all of it by name, arrays as lists."""
        arrays = {"signal_efficiency", "background_efficiency"}
        return {name: value.tolist() if name in arrays else value for name, value in asdict(self).items()}


def roc_curve(
    name: str,
    signal: tuple[Array, Array],
    background: tuple[Array, Array],
    generator: np.random.Generator,
    points: int = 201,
) -> RocCurve:
    """Return the ROC curve of a number that is large for signal.

    Args:
        name: of the number.
        signal: numbers and weights of signal events, each `(N,)`. Events whose number is NaN are left out, and those
            of negative weight, which may make up 1% at most.
        background: the same of background events.
        generator: draws the replicas of the bootstrap.
        points: at most so many points of the curve are kept.

    Raises:
        ParameterError: if one of the samples has no usable event, or too many negative weights.
    """
    samples = [_usable(what, *sample) for what, sample in (("signal", signal), ("background", background))]
    values = np.concatenate([sample[0] for sample in samples])
    weights = np.concatenate([sample[1] for sample in samples])
    is_signal = np.repeat([True, False], [len(sample[0]) for sample in samples])
    order = np.argsort(-values, kind="stable")
    last = np.append(np.diff(values[order]) != 0, True)  # ends of groups of equal numbers
    weights, is_signal = weights[order], is_signal[order]
    curve = _curve(weights, is_signal, last)
    replicas = [
        _area(*_curve(weights * generator.exponential(1.0, len(weights)), is_signal, last)) for _ in range(REPLICAS)
    ]
    auc = Estimate(
        value=_area(*curve),
        error=float(np.std(replicas, ddof=1)),
        n=len(values),
        effective_sample_size=float(weights.sum() ** 2 / np.square(weights).sum()),
    )
    last_point = len(curve[0]) - 1
    kept = np.unique([*np.searchsorted(curve[0], np.linspace(0.0, 1.0, points - 1)).clip(max=last_point), last_point])
    return RocCurve(name, curve[0][kept], curve[1][kept], auc, samples[0][2], samples[1][2])


def _usable(what: str, values: Array, weights: Array) -> tuple[Array, Array, float]:
    """Return numbers and weights of the usable events, and the share of weight of the others."""
    same = values.shape == weights.shape
    usable = np.isfinite(values) & (weights >= 0) if same else np.zeros(weights.shape, dtype=np.bool_)
    if not weights[usable].sum() > 0:
        raise ParameterError(
            f"the {what} of a ROC curve needs events with a number and a weight each, got {usable.sum()} usable of "
            f"{values.shape} numbers with {weights.shape} weights"
        )
    sizes = np.abs(weights)
    if (negative := sizes[weights < 0].sum() / sizes.sum()) > MOST_NEGATIVE:
        raise ParameterError(
            f"{negative:.2%} of the weights of the {what} are negative, more than {MOST_NEGATIVE:.0%}: a ROC curve "
            "needs weights ≥ 0"
        )
    return values[usable], weights[usable], float(sizes[~usable].sum() / sizes.sum())


def _curve(weights: Array, is_signal: NDArray[np.bool_], last: NDArray[np.bool_]) -> tuple[Array, Array]:
    """Return efficiencies of signal and background after each group of equal numbers, from 0 to 1."""
    sums = [np.concatenate([[0.0], np.cumsum(np.where(kind, weights, 0.0))[last]]) for kind in (is_signal, ~is_signal)]
    return sums[0] / sums[0][-1], sums[1] / sums[1][-1]


def _area(signal: Array, background: Array) -> float:
    return float(np.sum(np.diff(background) * 0.5 * (signal[1:] + signal[:-1])))

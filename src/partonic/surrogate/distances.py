"""Distances of two samples of a number, and what they are worth."""

import numpy as np
from jaxtyping import Bool, Float
from numpy.typing import NDArray

__all__ = ["sample_distance", "wasserstein"]

_PERMUTATIONS = 50


def wasserstein(values: Float[np.ndarray, " events"], first: Bool[np.ndarray, " events"]) -> float:
    """Return the Wasserstein-1 distance ∫ |F₁(v) − F₂(v)| dv of two samples, in the units of the values.

    Args:
        values: of both samples, ascending.
        first: which belong to the first sample.
    """
    shares = np.where(first, 1.0 / first.sum(), -1.0 / (~first).sum())
    return float(np.abs(np.cumsum(shares)[:-1]) @ np.diff(values))


def sample_distance(
    first: NDArray[np.float64], second: NDArray[np.float64], generator: np.random.Generator
) -> dict[str, float]:
    """Return the distance of two samples, and its distribution if both had the same density.

    That distribution is had by dealing all events anew to two samples of these sizes, again and again.

    Args:
        first: values of the first sample, `(N,)`; its standard deviation is the unit.
        second: of the second.
        generator: deals the events.

    Returns:
        ``distance``, ``floor`` and ``floor_error`` (mean and standard deviation for equal densities), in standard
        deviations of the first sample, and ``deviation``, (distance − floor)/floor_error.
    """
    values, is_first = np.concatenate([first, second]), np.arange(len(first) + len(second)) < len(first)
    unit = float(first.std()) or 1.0
    order = np.argsort(values, kind="stable")
    values, is_first = values[order], is_first[order]
    distance = wasserstein(values, is_first) / unit
    dealt = np.array([wasserstein(values, generator.permutation(is_first)) / unit for _ in range(_PERMUTATIONS)])
    floor, error = float(dealt.mean()), float(dealt.std(ddof=1))
    deviation = (distance - floor) / error if error > 0.0 else 0.0
    return {"distance": distance, "floor": floor, "floor_error": error, "deviation": deviation}

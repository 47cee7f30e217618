"""Distances of two weighted samples of a number, and what they are worth."""

import numpy as np
from jaxtyping import Bool, Float
from numpy.typing import NDArray

__all__ = ["sample_distance", "wasserstein"]

_PERMUTATIONS = 50


def wasserstein(
    values: Float[np.ndarray, " events"], weights: Float[np.ndarray, " events"], first: Bool[np.ndarray, " events"]
) -> float:
    """Return the Wasserstein-1 distance ∫ |F₁(v) − F₂(v)| dv of two samples, in the units of the values.

    Args:
        values: of both samples, ascending.
        weights: of the events, not negative.
        first: which belong to the first sample.
    """
    shares = np.where(first, weights / weights[first].sum(), -weights / weights[~first].sum())
    return float(np.abs(np.cumsum(shares)[:-1]) @ np.diff(values))


def sample_distance(
    first: tuple[NDArray[np.float64], NDArray[np.float64]],
    second: tuple[NDArray[np.float64], NDArray[np.float64]],
    generator: np.random.Generator,
) -> dict[str, float]:
    """Return the distance of two samples, and its distribution if both had the same density.

    That distribution is had by dealing all events anew to two samples of these sizes, again and again.

    Args:
        first: values and weights of the first sample, `(N,)` each; its standard deviation is the unit.
        second: of the second.
        generator: deals the events.

    Returns:
        ``distance``, ``floor`` and ``floor_error`` (mean and standard deviation for equal densities), in standard
        deviations of the first sample, and ``deviation``, (distance − floor)/floor_error.
    """
    values, weights = (np.concatenate(pair).astype(np.float64) for pair in zip(first, second, strict=True))
    is_first = np.arange(len(values)) < len(first[0])
    mean = np.average(first[0], weights=first[1])
    unit = float(np.sqrt(np.average((first[0] - mean) ** 2, weights=first[1]))) or 1.0
    order = np.argsort(values, kind="stable")
    values, weights, is_first = values[order], weights[order], is_first[order]
    distance = wasserstein(values, weights, is_first) / unit
    dealt = np.array(
        [wasserstein(values, weights, generator.permutation(is_first)) / unit for _ in range(_PERMUTATIONS)]
    )
    floor, error = float(dealt.mean()), float(dealt.std(ddof=1))
    deviation = (distance - floor) / error if error > 0.0 else 0.0
    return {"distance": distance, "floor": floor, "floor_error": error, "deviation": deviation}

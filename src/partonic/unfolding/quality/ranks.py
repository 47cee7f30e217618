"""Simulation-based calibration: the rank of the truth among samples of its posterior is uniform (arXiv:1804.06788).

With S samples the rank k takes the values 0 … S, each with probability 1/(S + 1) if the posterior is calibrated. As a
level in [0, 1] the rank k stands for the interval from k/(S + 1) to (k + 1)/(S + 1): the share of events below a level
α is interpolated within it, which has no discretisation bias. The distance of Kolmogorov and Smirnov is the largest
difference between the cumulative distribution of the levels and the diagonal. For N events of a calibrated posterior
it is 0.87/√N on average and below 1.36/√N in 95% of cases.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["RankTest", "coverage", "ks_distance", "ks_limit", "rank_of_truth", "rank_test"]

Array = NDArray[np.float64]
Ranks = NDArray[np.integer]

RANK_BINS: Final = 20
"""Bins of rank histograms."""

_KS_MEAN, _KS_LIMIT = 0.8687311606361592, 1.3580986393225505
"""Mean and 95% quantile of √N times the distance (Kolmogorov's distribution): √(π/2) ln 2, and the quantile."""


@dataclass(frozen=True, eq=False)
class RankTest:
    """How uniform the ranks of one variable are.

    Attributes:
        name: of the variable.
        events, samples: N and S.
        distance: Kolmogorov–Smirnov distance to the uniform distribution.
        distance_if_calibrated, distance_limit: mean and 95% quantile of it for N events of a calibrated posterior.
        histogram: share of the events in equal bins of the level, times the number of bins: 1 where calibrated, `(B,)`.
        histogram_error: its statistical error if calibrated.
        mean_level: mean of the levels; ½ where calibrated, above where samples are too low.
    """

    name: str
    events: int
    samples: int
    distance: float
    distance_if_calibrated: float
    distance_limit: float
    histogram: Array
    histogram_error: float
    mean_level: float


def rank_of_truth(
    truth: Float[Tensor, "events variables"],
    samples: Float[Tensor, "events samples variables"],
    generator: torch.Generator,
) -> Int[Tensor, "events variables"]:
    """Return how many of the S samples lie below the truth; among equal values the place is drawn at random."""
    below = (samples < truth[:, None]).sum(dim=1)
    equal = (samples == truth[:, None]).sum(dim=1)
    chance = torch.rand(truth.shape, generator=generator, dtype=torch.float64)
    return below + torch.floor(chance * (equal + 1)).long()


def coverage(ranks: Ranks, samples: int, levels: Array) -> Array:
    """Return the share of events with a level below each of `levels`, `(L,)`; equal to `levels` where calibrated.

    Args:
        ranks: numbers 0 … S, `(N,)`.
        samples: S.
        levels: in [0, 1], `(L,)`.
    """
    cumulative = np.concatenate([[0.0], np.cumsum(np.bincount(ranks, minlength=samples + 1))]) / max(len(ranks), 1)
    return np.interp(levels, np.linspace(0.0, 1.0, samples + 2), cumulative)


def ks_distance(ranks: Ranks, samples: int) -> float:
    """Return the Kolmogorov–Smirnov distance of the levels to the uniform distribution."""
    levels = np.linspace(0.0, 1.0, samples + 2)
    return float(np.abs(coverage(ranks, samples, levels) - levels).max())


def ks_limit(events: int) -> float:
    """Return the distance below which 95% of calibrated posteriors stay with N events (N above about 50)."""
    return _KS_LIMIT / math.sqrt(events)


def rank_test(name: str, ranks: Ranks, samples: int) -> RankTest:
    """Return how uniform `ranks` `(N,)` out of 0 … S are; N must be positive."""
    events = len(ranks)
    edges = np.linspace(0.0, 1.0, RANK_BINS + 1)
    return RankTest(
        name=name,
        events=events,
        samples=samples,
        distance=ks_distance(ranks, samples),
        distance_if_calibrated=_KS_MEAN / math.sqrt(events),
        distance_limit=ks_limit(events),
        histogram=RANK_BINS * np.diff(coverage(ranks, samples, edges)),
        histogram_error=math.sqrt((RANK_BINS - 1) / events),
        mean_level=float((ranks.astype(np.float64).mean() + 0.5) / (samples + 1)),
    )

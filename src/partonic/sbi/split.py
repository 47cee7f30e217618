"""Which events train, which validate, calibrate or are fitted: decided by their group, the same in every run.

Copies of one parton event (fractional smearing, several showers) have one group and are never parted: a network that
has seen one of them knows the target of the others. The part follows from a hash of group and seed, so that it needs
no list of events and does not depend on their order.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["PARTS", "Parts", "parts_of"]

PARTS = ("train", "validation", "calibration", "fit")
"""Names of the parts; `parts_of` gives their numbers."""

_MULTIPLIERS = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
_STEP = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class Parts:
    """The part of each of N events.

    Attributes:
        number: index in `PARTS`, `(N,)`.
    """

    number: NDArray[np.int64]

    def of(self, name: str) -> NDArray[np.bool_]:
        """Return which events are in a part, `(N,)`."""
        found: NDArray[np.bool_] = self.number == PARTS.index(name)
        return found


def parts_of(groups: NDArray[np.int64], shares: Sequence[float], seed: int) -> Parts:
    """Return the parts of events by their groups `(N,)`.

    Args:
        groups: equal for events that must stay together.
        shares: of the parts, in the order of `PARTS`; they sum to 1.
        seed: root seed.
    """
    uniform = _hashed(groups.astype(np.int64).view(np.uint64), seed) / 2.0**64
    edges = np.cumsum(shares[:-1])
    return Parts(np.searchsorted(edges, uniform, side="right").astype(np.int64))


def _hashed(numbers: NDArray[np.uint64], seed: int) -> NDArray[np.float64]:
    """Return the numbers mixed with the seed by the finaliser of SplitMix64 (G. Steele et al., OOPSLA 2014)."""
    with np.errstate(over="ignore"):
        mixed = numbers * _STEP + _mixed(np.array([seed + 1], dtype=np.uint64) * _STEP)
        return _mixed(mixed).astype(np.float64)


def _mixed(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    numbers = (numbers ^ (numbers >> np.uint64(30))) * _MULTIPLIERS[0]
    numbers = (numbers ^ (numbers >> np.uint64(27))) * _MULTIPLIERS[1]
    return numbers ^ (numbers >> np.uint64(31))

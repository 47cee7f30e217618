"""Assignments of jets to the six quarks of an event.

A quark has a jet or is lost; jets of no quark are radiation. The two quarks of W, and the two b of H, are exchanged
without changing anything, so of two such assignments one is counted, twice. Slots: b, b of H (or b, b̄), b, q, q' of
the hadronic top, b of the leptonic top. −1 stands for a lost quark.
"""

import itertools
from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["LOST", "SLOTS", "all_assignments"]

SLOTS = 6
"""Number of quarks."""

LOST = -1
"""In place of the index of a jet."""


@lru_cache(maxsize=64)
def all_assignments(jets: int, max_lost: int, ordered_pair: bool) -> NDArray[np.int64]:
    """Return all assignments of `jets` jets, `(P, 6)`, with at most `max_lost` quarks lost.

    Args:
        jets: number of jets that may belong to quarks.
        max_lost: largest number of lost quarks.
        ordered_pair: whether the pair of b quarks is ordered (b and b̄ of a pair that is not from H).
    """
    rows = [
        row
        for lost in _lost_sets(max_lost)
        if jets >= SLOTS - len(lost)
        for row in _with_lost(jets, lost)
        if _counted(row, ordered_pair)
    ]
    result = np.array(sorted(set(rows)), dtype=np.int64).reshape(len(set(rows)), SLOTS)
    result.flags.writeable = False
    return result


def _lost_sets(max_lost: int) -> Iterator[tuple[int, ...]]:
    for number in range(max_lost + 1):
        yield from itertools.combinations(range(SLOTS), number)


def _with_lost(jets: int, lost: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    for chosen in itertools.permutations(range(jets), SLOTS - len(lost)):
        rest = iter(chosen)
        yield tuple(LOST if slot in lost else next(rest) for slot in range(SLOTS))


def _counted(row: tuple[int, ...], ordered_pair: bool) -> bool:
    """Of two quarks that can be exchanged, the first has the lower jet, and the second one is lost."""
    return _ordered(row[3], row[4]) and (ordered_pair or _ordered(row[0], row[1]))


def _ordered(first: int, second: int) -> bool:
    return second == LOST or (first != LOST and first < second)

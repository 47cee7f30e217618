"""Objects of many events in flat arrays: selection by masks, order in pT, distances and matching within events."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from jaxtyping import Bool, Float, Int, Shaped

__all__ = ["Objects", "azimuth", "delta_r", "joined", "matched", "nearest", "pairs"]

_PI = float(np.nextafter(np.float32(np.pi), np.float32(0)))
"""The largest single-precision number that is at most π: columns hold single precision, whose own π is above π."""


@dataclass(frozen=True)
class Objects:
    """Objects of N events one after another, K in all.

    Attributes:
        counts: number of objects of each event, `(N,)`.
        columns: their features by name, each `(K,)`; pt and mass in GeV, phi in (−π, π].
    """

    counts: Int[np.ndarray, " events"]
    columns: Mapping[str, Shaped[np.ndarray, " objects"]]

    def __getitem__(self, name: str) -> Shaped[np.ndarray, " objects"]:
        """Return a feature."""
        values: np.ndarray = self.columns[name]
        return values

    @property
    def event(self) -> Int[np.ndarray, " objects"]:
        """Index of the event of each object."""
        index: Int[np.ndarray, " objects"] = np.repeat(np.arange(len(self.counts)), self.counts)
        return index

    @property
    def begin(self) -> Int[np.ndarray, " events"]:
        """Row of the first object of each event."""
        rows: Int[np.ndarray, " events"] = np.cumsum(self.counts) - self.counts
        return rows

    def select(self, mask: Bool[np.ndarray, " objects"]) -> "Objects":
        """Return the objects for which `mask` is True."""
        counts = np.bincount(self.event[mask], minlength=len(self.counts))
        return Objects(counts, {name: values[mask] for name, values in self.columns.items()})

    def by_pt(self, most: int | None = None) -> "Objects":
        """Return the objects of each event in descending pT, at most `most` of each event."""
        event = self.event
        order = np.lexsort((-self["pt"], event))
        ordered = Objects(self.counts, {name: values[order] for name, values in self.columns.items()})
        if most is None:
            return ordered
        rank = np.arange(len(order)) - self.begin[event]
        return ordered.select(rank < most)

    def count(self, mask: Bool[np.ndarray, " objects"]) -> Int[np.ndarray, " events"]:
        """Return for each event the number of objects for which `mask` is True."""
        return np.bincount(self.event[mask], minlength=len(self.counts))

    def with_columns(self, **columns: Shaped[np.ndarray, " objects"]) -> "Objects":
        """Return the objects with further features."""
        return Objects(self.counts, {**self.columns, **columns})

    def lists(self, name: str, kind: pa.DataType, valid: Bool[np.ndarray, " events"]) -> pa.ListArray:
        """Return a feature as one Arrow list an event, null where `valid` is False."""
        offsets = np.concatenate([[0], np.cumsum(self.counts)]).astype(np.int32)
        return pa.ListArray.from_arrays(offsets, pa.array(self[name], kind), mask=pa.array(~valid))


def azimuth(phi: Shaped[np.ndarray, " angles"]) -> Float[np.ndarray, " angles"]:
    """Return azimuths in (−π, π], also when they are rounded to single precision; those inside stay as they are."""
    wrapped = phi.astype(np.float64)
    turns = np.ceil((wrapped - np.pi) / (2.0 * np.pi))
    wrapped = np.where((wrapped > np.pi) | (wrapped <= -np.pi), wrapped - 2.0 * np.pi * turns, wrapped)
    return np.where(np.abs(wrapped) > _PI, np.copysign(_PI, wrapped), wrapped)


def joined(first: Objects, second: Objects) -> Objects:
    """Return the objects of two collections event by event."""
    event = np.concatenate([first.event, second.event])
    order = np.argsort(event, kind="stable")
    columns = {name: np.concatenate([first[name], second[name]])[order] for name in first.columns}
    return Objects(first.counts + second.counts, columns)


def pairs(first: Objects, second: Objects) -> tuple[Int[np.ndarray, " pairs"], Int[np.ndarray, " pairs"]]:
    """Return the rows of all pairs of an object of `first` and one of `second` in the same event."""
    event = first.event
    partners = second.counts[event]
    rows = np.repeat(np.arange(len(event)), partners)
    within = np.arange(len(rows)) - np.repeat(np.cumsum(partners) - partners, partners)
    return rows, second.begin[event[rows]] + within


def delta_r(
    first: Objects, second: Objects, rows: tuple[Int[np.ndarray, " pairs"], Int[np.ndarray, " pairs"]]
) -> Float[np.ndarray, " pairs"]:
    """Return ΔR = √(Δη² + Δφ²) of pairs of objects."""
    phi = first["phi"][rows[0]].astype(np.float64) - second["phi"][rows[1]]
    phi = phi - 2.0 * np.pi * np.round(phi / (2.0 * np.pi))
    distance: Float[np.ndarray, " pairs"] = np.hypot(
        first["eta"][rows[0]].astype(np.float64) - second["eta"][rows[1]], phi
    )
    return distance


def nearest(
    first: Objects, second: Objects, radius: float
) -> tuple[Int[np.ndarray, " objects"], Float[np.ndarray, " objects"]]:
    """Find for each object of `first` the nearest of `second` in its event.

    Returns:
        its row, −1 if none is within ΔR < `radius`, and ΔR, infinite if there is none at all.
    """
    rows = pairs(first, second)
    distance = delta_r(first, second, rows)
    order = np.argsort(-distance, kind="stable")
    row = np.full(len(first["pt"]), -1, dtype=np.int64)
    smallest = np.full(len(row), np.inf)
    row[rows[0][order]] = rows[1][order]
    smallest[rows[0][order]] = distance[order]
    return np.where(smallest < radius, row, -1), smallest


def matched(first: Objects, second: Objects, radius: float) -> Int[np.ndarray, " objects"]:
    """Pair objects within ΔR < `radius`, the nearest pair of an event first, each object at most once.

    Returns:
        row in `second` for each object of `first`, −1 for none.
    """
    left, right = pairs(first, second)
    distance = delta_r(first, second, (left, right))
    near = distance < radius
    left, right, distance = left[near], right[near], distance[near]
    row = np.full(len(first["pt"]), -1, dtype=np.int64)
    taken = np.zeros(len(second["pt"]), dtype=bool)
    for pair in np.argsort(distance, kind="stable"):
        if row[left[pair]] < 0 and not taken[right[pair]]:
            row[left[pair]] = right[pair]
            taken[right[pair]] = True
    return row

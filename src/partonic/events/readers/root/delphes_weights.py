"""The nominal weight of Delphes events: `Event.Weight`, or one of `Weight.Weight` where that is the constant 0 or 1.

What `Event.Weight` holds depends on version and input of Delphes: the weight of the event, or 0 or 1 for all events
while the weight stands first in `Weight`. The second case is not resolved by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from partonic.config.importing import ImportConfig
from partonic.errors import EventFileError
from partonic.events.readers.notes import Notes
from partonic.events.readers.root.batch import Batch

__all__ = ["Nominal", "WeightSums", "nominal_weight"]

_EVENT_WEIGHT = "Event.Weight"


@dataclass
class WeightSums:
    """Sums over the events of a file.

    Attributes:
        file: the file.
        events: number of events.
        total: sum of `Event.Weight`.
        constant: the value of `Event.Weight` if it is the same in all events, else None.
        vector: sum of each of `Weight.Weight`; None where their number differs.
        first_varies: whether the first of them differs between events.
    """

    file: str
    events: int = 0
    total: float = 0.0
    constant: float | None = None
    vector: Float[np.ndarray, " size"] | None = None
    first_varies: bool = False
    _first: float | None = field(default=None)
    _uneven: bool = False

    def add(self, batch: Batch) -> None:
        """Take events into account."""
        if not len(batch):
            return
        weights = batch.scalar("generator_weight").astype(np.float64)
        if self.events == 0:
            self.constant = float(weights[0])
        if (weights != self.constant).any():
            self.constant = None
        self.events += len(batch)
        self.total += float(weights.sum())
        if "weights" in batch:
            self._add_vector(batch)

    def _add_vector(self, batch: Batch) -> None:
        counts = batch.counts("weights")
        size = int(counts[0]) if self.vector is None else len(self.vector)
        self._uneven = self._uneven or bool((counts != size).any())
        if self._uneven or size == 0:
            self.vector = None
            return
        values = batch.matrix("weights", size, finite=False)
        self.vector = values.sum(axis=0) if self.vector is None else self.vector + values.sum(axis=0)
        if self._first is None:
            self._first = float(values[0, 0])
        self.first_varies = self.first_varies or bool((values[:, 0] != self._first).any())


@dataclass(frozen=True)
class Nominal:
    """Which weight is nominal.

    Attributes:
        place: its place in `Weight.Weight`; None for `Event.Weight`.
    """

    place: int | None = None

    @property
    def name(self) -> str:
        """Name of the weight, for messages."""
        return _EVENT_WEIGHT if self.place is None else f"Weight.Weight[{self.place}]"

    def total(self, sums: WeightSums) -> float:
        """Return the sum of the weight over the events of a file."""
        if self.place is None or not sums.events:
            return sums.total
        return float("nan") if sums.vector is None else float(sums.vector[self.place])

    def values(self, batch: Batch, vectors: Float[np.ndarray, "events size"]) -> Float[np.ndarray, " events"]:
        """Return the weight of each event of a batch whose vectors of weights are `vectors`."""
        if self.place is None:
            return batch.scalar("generator_weight").astype(np.float64)
        values: Float[np.ndarray, " events"] = vectors[:, self.place]
        if not np.isfinite(values).all():
            event = int(np.argmin(np.isfinite(values)))
            raise EventFileError(f"{batch.where(event)}: the nominal weight ({self.name}) is {values[event]}")
        return values


def nominal_weight(config: ImportConfig, sums: Sequence[WeightSums], size: int, notes: Notes) -> Nominal:
    """Return the nominal weight that the user names, or `Event.Weight` if it can be that.

    Args:
        config: the section `import`.
        sums: of each file.
        size: number of weights in `Weight.Weight`.
        notes: told the choice.

    Raises:
        EventFileError: if the named weight does not exist, or `Event.Weight` is 0 or 1 in all events while the first of
            `Weight.Weight` is a weight of its own.
    """
    wanted = config.nominal_weight
    if wanted is None:
        _check_is_weight(sums, size)
    elif wanted != _EVENT_WEIGHT and not (wanted.isdecimal() and int(wanted) < size):
        there = f", or a place in Weight.Weight from 0 to {size - 1}" if size else "; there is no vector Weight.Weight"
        raise EventFileError(
            f"{sums[0].file} has no nominal weight '{wanted}' (import.nominal_weight): expected {_EVENT_WEIGHT}{there}"
        )
    nominal = Nominal(None if wanted in (None, _EVENT_WEIGHT) else int(str(wanted)))
    notes.facts["nominal_weight"] = nominal.name
    return nominal


def _check_is_weight(sums: Sequence[WeightSums], size: int) -> None:
    values = {one.constant for one in sums if one.events}
    if not size or len(values) > 1 or not values <= {0.0, 1.0}:
        return
    constant = values.pop()
    if constant == 0.0 or any(one.first_varies for one in sums):
        raise EventFileError(
            f"{sums[0].file}: {_EVENT_WEIGHT} is {constant:g} in all events, while Weight.Weight has {size} weights of "
            "which the first may be the nominal one: say which is, with import.nominal_weight: 0 for the first, or "
            f"{_EVENT_WEIGHT}"
        )

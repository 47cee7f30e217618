"""Events with weights that cannot be meant: found, named, and treated as the user wants.

An event is wild if its weights at the θ points follow no polynomial, do not fit its nominal weight, are not finite, or
are larger by orders of magnitude than those of all other events. One such event decides a cross section by itself, and
no selection or fit downstream would show it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from partonic.errors import EventFileError
from partonic.events.readers.numbering import Numbering

__all__ = ["LargestWeights", "WildEvents"]

Array = NDArray[np.float64]

_GAP = 100.0
"""Factor between a weight and the next smaller one that no continuous distribution shows in its tail."""

_KEPT = 256
_FEWEST = 10
_FEW = 3
"""Wild events in any sample that are still exceptions; beyond this, one in a hundred."""

_MOST_NAMED = 5


@dataclass
class WildEvents:
    """The wild events of a sample.

    Attributes:
        policy: ``"error"``, ``"drop"`` or ``"keep"``.
        numbering: finds their files.
        reasons: what is wrong, by number of the event.
    """

    policy: str
    numbering: Numbering
    reasons: dict[int, str] = field(default_factory=dict)

    def flag(self, event: int, reason: str) -> None:
        """Note an event; the first reason stays.

        Raises:
            EventFileError: if wild events are errors.
        """
        if self.policy == "error":
            raise EventFileError(f"{self.numbering.where(event)}: {reason}. {_REMEDY}")
        self.reasons.setdefault(event, reason)

    def check_few(self, before: Mapping[int, str] = MappingProxyType({})) -> None:
        """Check that wild events are exceptions.

        Args:
            before: reasons of those that were left out before this reading.

        Raises:
            EventFileError: if they are more than one in a hundred.
        """
        number = len({**before, **self.reasons})
        if number > max(_FEW, self.numbering.total // 100):
            raise EventFileError(
                f"{number} of {self.numbering.total} events have wild weights, too many for exceptions: "
                f"{self.described()}. Check the θ points, their units and the monomials (import.weight_points, "
                "import.theta, process)"
            )

    def described(self) -> str:
        """Return places and reasons of the first of them."""
        named = [f"{self.numbering.where(event)}: {reason}" for event, reason in self.reasons.items()]
        more = f" and {len(named) - _MOST_NAMED} more" if len(named) > _MOST_NAMED else ""
        return "; ".join(named[:_MOST_NAMED]) + more

    def record(self) -> dict[str, object]:
        """Return what was found, JSON-like."""
        return {
            "policy": self.policy,
            "events": [
                {"event": event, "where": self.numbering.where(event), "reason": reason}
                for event, reason in sorted(self.reasons.items())
            ],
        }


_REMEDY = "Mend the file, or set import.wild_weights to drop (without this event) or keep"


class LargestWeights:
    """Keeps the largest |weights| of a stream of events, and tells those that stand apart."""

    def __init__(self, names: Sequence[str]) -> None:
        """Watch one weight for each of `names`."""
        self.names = tuple(names)
        self.count = 0
        self._sizes = np.zeros((0, len(self.names)))
        self._events = np.zeros((0, len(self.names)), dtype=np.int64)

    def add(self, weights: Array, events: NDArray[np.int64]) -> None:
        """Take the weights `(N, B)` of the events with the numbers `events` `(N,)` into account."""
        self.count += len(events)
        sizes = np.concatenate([self._sizes, np.abs(weights)])
        numbers = np.concatenate([self._events, np.repeat(events[:, None], len(self.names), axis=1)])
        order = np.argsort(-sizes, axis=0, kind="stable")[:_KEPT]
        self._sizes = np.take_along_axis(sizes, order, axis=0)
        self._events = np.take_along_axis(numbers, order, axis=0)

    def apart(self) -> Mapping[int, str]:
        """Return the events above a gap of a factor 100 in the last percent of the weights, with the reason."""
        found: dict[int, str] = {}
        if self.count < _FEWEST:
            return found
        most = max(1, min(_KEPT - 1, self.count // 100))
        for column, name in enumerate(self.names):
            sizes = self._sizes[: most + 1, column]
            gaps = np.flatnonzero((sizes[1:] > 0) & (sizes[:-1] > _GAP * sizes[1:]))
            for row in range(int(gaps[-1]) + 1 if gaps.size else 0):
                next_largest = sizes[int(gaps[-1]) + 1]
                found.setdefault(
                    int(self._events[row, column]),
                    f"its {name} is {sizes[row]:.3g} pb in size, and no other event of the {self.count} has more than "
                    f"{next_largest:.3g} pb",
                )
        return found

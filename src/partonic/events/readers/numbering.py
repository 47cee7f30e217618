"""Numbers of events in a sample: counted over all its files from 0, and where in the files each one is."""

import itertools
from bisect import bisect_right
from collections.abc import Sequence

import numpy as np
from jaxtyping import Int

from partonic.events.readers.files import EventFile

__all__ = ["Numbering"]


class Numbering:
    """Finds the file of an event."""

    def __init__(self, files: Sequence[EventFile], counts: Sequence[int]) -> None:
        """Number the events of `files`, of which each has as many as `counts` says."""
        self.files = tuple(files)
        self._firsts = [0, *itertools.accumulate(counts)]

    @property
    def total(self) -> int:
        """Number of events in all files."""
        return self._firsts[-1]

    def first(self, index: int) -> int:
        """Return the number of the first event of the file with this index."""
        return self._firsts[index]

    def indices(self, events: Int[np.ndarray, " events"]) -> Int[np.ndarray, " events"]:
        """Return the index of the file of each of these events."""
        return np.searchsorted(self._firsts[1:], events, side="right")

    def where(self, event: int) -> str:
        """Return file and place of an event for a message, e.g. ``"run.lhe: event 12 (the first is 0)"``."""
        index = min(bisect_right(self._firsts, event) - 1, len(self.files) - 1)
        return f"{self.files[index]}: event {event - self._firsts[index]} (the first is 0)"

"""The memory of this process and of the worker processes that it started."""

import math
import time

import psutil

__all__ = ["SECONDS_BETWEEN_LOOKS", "MemoryWatch", "memory_bytes"]

SECONDS_BETWEEN_LOOKS = 2.0
"""Looking at all processes takes some milliseconds, and a bar moves often."""


class MemoryWatch:
    """Tells the memory in words, which it looks up now and then."""

    def __init__(self) -> None:
        self._looked = -math.inf
        self._text = ""

    def text(self) -> str:
        """Return the memory, e.g. ``"1.30 GB"``, as it was at most two seconds ago."""
        now = time.monotonic()
        if now - self._looked >= SECONDS_BETWEEN_LOOKS:
            self._looked, self._text = now, f"{memory_bytes() / 1e9:.2f} GB"
        return self._text


def memory_bytes() -> int:
    """Return the resident memory of this process and of all processes below it; pages that they share count twice."""
    own = psutil.Process()
    total = 0
    for process in (own, *own.children(recursive=True)):
        try:
            total += process.memory_info().rss
        except psutil.Error:  # it has ended meanwhile
            continue
    return total

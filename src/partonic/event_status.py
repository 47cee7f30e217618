"""What is said of an event that something was computed for: `OK`, or in words why it has no result.

Words, not numbers, so that a table of events can be read without a key; whoever finds a fault owns its words
(`partonic.features.event_status`, `partonic.mem.integral.status`).
"""

from collections import Counter
from collections.abc import Iterable, Mapping

__all__ = ["OK", "count_statuses", "faults_in_words"]

OK = "ok"
"""Status of an event that has a result."""


def faults_in_words(counts: Mapping[str, int]) -> str:
    """Return the numbers of events without a result by what is wrong with them, e.g. ``"3 no lepton, 1 …"``."""
    return ", ".join(f"{number} {status}" for status, number in sorted(counts.items()) if status != OK)


def count_statuses(statuses: Iterable[str]) -> dict[str, int]:
    """Return the number of events by status."""
    return dict(Counter(statuses))

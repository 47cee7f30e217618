"""What a run of an estimator gave: how many events have coefficients."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from partonic.event_status import OK, faults_in_words

__all__ = ["EstimateResult"]


@dataclass(frozen=True)
class EstimateResult:
    """What a run gave.

    Attributes:
        path: the file of coefficients.
        counts: number of events by status.
        figures: quality in the terms of the estimator, as in the facts of the file.
    """

    path: Path
    counts: Mapping[str, int]
    figures: Mapping[str, Any]

    @classmethod
    def of_file(cls, path: Path, facts: Mapping[str, Any]) -> "EstimateResult":
        """Return the result that the facts of a file tell of."""
        return cls(path, dict(facts["counts"]), dict(facts["figures"]))

    @property
    def left_out(self) -> str:
        """The events without coefficients in words; empty if there are none."""
        faults = faults_in_words(self.counts)
        return f"; without coefficients: {faults}" if faults else ""

    def __str__(self) -> str:
        """Return one line for the terminal."""
        return f"{self.counts.get(OK, 0)} events{self.left_out}, in {self.path}"

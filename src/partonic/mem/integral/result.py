"""What a run of the matrix element method gave, in figures: how many events have coefficients, and how good."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from partonic.config.mem import MemConfig, PointsConfig
from partonic.inference.coefficients.event_coefficients import OK, EventCoefficients

__all__ = ["FEW_POINTS", "MemResult", "run_facts"]

FEW_POINTS = 30
"""Effective points below which the error of an integral is itself not known to better than some 13%."""


@dataclass(frozen=True)
class MemResult:
    """What a run gave.

    Attributes:
        path: the file of coefficients.
        counts: number of events by status.
        figures: of the events that have coefficients, as in the facts of the file.
    """

    path: Path
    counts: dict[str, int]
    figures: dict[str, Any]

    @classmethod
    def of_file(cls, path: Path, facts: Mapping[str, Any]) -> "MemResult":
        """Return the result that the facts of a file tell of."""
        return cls(path, dict(facts["counts"]), dict(facts["figures"]))

    def __str__(self) -> str:
        """Return one line for the terminal."""
        faults = [f"{number} {status}" for status, number in sorted(self.counts.items()) if status != OK]
        left_out = f"; without coefficients: {', '.join(faults)}" if faults else ""
        flags = [
            f"{self.figures[name]} {words}"
            for name, words in (("dominated", "dominated by one point"), ("above_target", "above the error asked for"))
            if self.figures.get(name)
        ]
        flagged = f" ({', '.join(flags)})" if flags else ""
        quality = ""
        if self.figures.get("median_relative_error") is not None:
            share, error = self.figures["median_effective_share"], self.figures["median_relative_error"]
            quality = f", median error of P_0 {error:.1%}, effective points {share:.1%}"
        return f"{self.counts.get(OK, 0)} events{flagged}{quality}{left_out}, in {self.path}"


def run_facts(coefficients: EventCoefficients, config: MemConfig) -> dict[str, Any]:
    """Return counts by status and figures of the quality, as JSON-like values.

    Args:
        coefficients: of all events.
        config: the settings, for the limits that events are compared with.
    """
    good = coefficients.select(coefficients.usable())
    return {
        "counts": dict(Counter(coefficients.status)),
        "figures": {
            "median_effective_share": _median(good.effective_sample_size / np.maximum(good.points, 1)),
            "median_relative_error": _median(good.relative_error),
            "median_ratio_errors": [
                _median(errors) for errors in np.sqrt(np.maximum(np.diagonal(good.covariance, axis1=1, axis2=2), 0.0)).T
            ],
            "points": int(coefficients.points.sum()),
            "dominated": int((good.largest_weight_share > config.dominated.limit).sum()),
            "few_effective_points": int((good.effective_sample_size < FEW_POINTS).sum()),
            "above_target": _above_target(good, config.points),
        },
    }


def _above_target(good: EventCoefficients, points: PointsConfig) -> int | None:
    """Return how many events used up their points before their error was small enough; None if none was asked for."""
    if points.relative_error is None:
        return None
    if points.target == "ratios":  # their errors are not in the file in the unit of the target
        return int((good.points >= points.maximum).sum())
    return int((good.relative_error > points.relative_error).sum())


def _median(values: NDArray[np.float64]) -> float | None:
    return float(np.median(values)) if len(values) else None

"""How far the edges of an interval move with an error of the likelihood curve.

An edge is where q crosses a level. An error δq of the curve there moves it by δq/|dq/dθ|.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from partonic.inference.likelihood.intervals import Interval
from partonic.inference.likelihood.scan import Scan

__all__ = ["Bands", "EdgeErrors", "edge_errors"]

Array = NDArray[np.float64]

Bands = Mapping[str, Array]
"""Standard errors of q along a scan by their cause, `(M,)` each."""


@dataclass(frozen=True)
class EdgeErrors:
    """Standard errors of the edges of an interval.

    Attributes:
        level: of the interval.
        errors: by cause, of the lower and the upper edge of each of its segments; infinite where the scan ends or q has
            no slope.
    """

    level: float
    errors: Mapping[str, tuple[tuple[float, float], ...]]


def edge_errors(interval: Interval, scan: Scan, bands: Bands) -> EdgeErrors:
    """Return the errors of the edges of an interval that was found with a scan.

    Args:
        interval: of the profile of the scan.
        scan: its curve.
        bands: errors of the curve.
    """
    slope = np.abs(np.gradient(scan.profiled, scan.values))

    def of(value: float, band: Array) -> float:
        steepness = float(np.interp(value, scan.values, slope))
        inside = scan.values[0] < value < scan.values[-1]
        return float(np.interp(value, scan.values, band)) / steepness if inside and steepness > 0 else float("inf")

    errors = {
        cause: tuple((of(low, band), of(high, band)) for low, high in interval.segments)
        for cause, band in bands.items()
    }
    return EdgeErrors(interval.level, errors)

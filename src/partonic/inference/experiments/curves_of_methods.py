"""Expected q of all methods along each parameter, at the same values of it."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from partonic.inference.experiments.baselines import rate_only
from partonic.inference.experiments.compared import RATE_ONLY, ComparedEvents
from partonic.inference.experiments.expected_curves import (
    ExpectedCurve,
    binned_curve,
    jackknife_groups,
    unbinned_curve,
)
from partonic.inference.likelihood.intervals import Interval

__all__ = ["curves_of_methods"]

Array = NDArray[np.float64]

_POINTS = 121
"""Values of a parameter."""

_MARGIN = 0.15
"""Part of the widest interval that is shown beyond its ends."""

_TOO_WIDE = 4.0
"""How much wider than the narrowest a method may be to count for the range that is shown."""

Intervals = Mapping[str, Mapping[str, tuple[Interval, ...] | None]]


def curves_of_methods(
    events: ComparedEvents, luminosity: float, intervals: Intervals
) -> tuple[dict[str, Array], dict[str, dict[str, ExpectedCurve]]]:
    """Return the values of each parameter `(T,)`, and the expected curves there by parameter and method.

    A curve is that of one parameter, the others as in the Standard Model. A parameter without an interval has none.

    Args:
        events: simulated events, all with coefficients by every estimator.
        luminosity: in fb⁻¹.
        intervals: of the methods by parameter, which the range follows from.
    """
    monomials, groups = events.monomials, events.groups
    if groups is None:
        groups = jackknife_groups(np.arange(len(events.weights)))
    binned = {f"histogram {name}": each for name, each in events.histograms.items()}
    binned[RATE_ONLY] = rate_only(monomials, events.weights)
    values, curves = {}, {}
    for name in dict.fromkeys(name for row in intervals.values() for name in row):
        found = {method: each[-1] for method, row in intervals.items() if (each := row.get(name))}
        if not found:
            continue
        values[name] = _values(found)
        theta = np.tile(monomials.point(events.standard_model), (_POINTS, 1))
        theta[:, monomials.parameters.index(name)] = values[name]
        rows = monomials.evaluate(theta), monomials.evaluate(monomials.point(events.standard_model))
        curves[name] = {
            estimator: unbinned_curve(
                each, events.weights, rows, luminosity, groups, events.members.get(estimator, ())
            )
            for estimator, each in events.estimates.items()
        }  # fmt: skip
        curves[name] |= {method: binned_curve(each, rows, luminosity) for method, each in binned.items()}
    return values, curves


def _values(intervals: Mapping[str, Interval]) -> Array:
    """Return values that hold the intervals, but for those of the rate and of methods that hardly know anything."""
    better = [each for method, each in intervals.items() if method != RATE_ONLY] or list(intervals.values())
    shortest = min(each.length for each in better)
    shown = [each for each in better if each.length <= _TOO_WIDE * shortest]
    low = min(segment[0] for each in shown for segment in each.segments)
    high = max(segment[1] for each in shown for segment in each.segments)
    margin = _MARGIN * (high - low)
    values: Array = np.linspace(low - margin, high + margin, _POINTS)
    return values

"""Whether best fit ± error says what an interval says.

Where a likelihood has two valleys, or nearly so, the curvature at its maximum says little about where its intervals
end. So intervals are what is stated first, and whether ± tells the same is asked here.
"""

from partonic.inference.likelihood.intervals import Interval, threshold

__all__ = ["LARGEST_ASYMMETRY", "PARABOLA_TOLERANCE", "parabola_misleads"]

PARABOLA_TOLERANCE = 0.2
"""Relative difference between half the length of an interval and its ± from the curvature up to which they agree: a
third of the error of an error from 12 pseudo-experiments, and what one reads off a plot."""

LARGEST_ASYMMETRY = 1.5
"""Ratio of the two sides of an interval up to which one ± stands for both."""


def parabola_misleads(value: float, error: float | None, interval: Interval) -> bool:
    """Return whether best fit ± error says something else than an interval of its parameter.

    Args:
        value: best fit.
        error: its standard error from the curvature, of the same causes as the interval; None if it is not known.
        interval: of any level.
    """
    if error is None or interval.open_below or interval.open_above or len(interval.segments) != 1:
        return True
    (low, high), expected = interval.segments[0], error * threshold(interval.level) ** 0.5
    below, above = value - low, high - value
    if min(below, above, expected) <= 0:
        return True
    half = 0.5 * (below + above)
    return abs(half / expected - 1) > PARABOLA_TOLERANCE or max(below / above, above / below) > LARGEST_ASYMMETRY

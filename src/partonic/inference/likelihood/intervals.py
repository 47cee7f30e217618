"""Confidence intervals from the crossings of the profile q with its threshold.

Asymptotically q of one parameter is χ² with one degree of freedom, so the interval of level C is where q ≤ z², with z
the two-sided Gaussian quantile. A likelihood quadratic in θ can have two valleys: an interval is a union of segments.
That of a periodic parameter may wrap around: its segments are within one period about 0, cut at the seam.

Errors that the likelihood does not know (of the integration, of the rate, of the training) widen it. If V(θ) is the
variance that they give log L(θ) − log L(θ̂), then q V-corrected is

    q_total = q/(1 + V/q) ≤ z².

For a Gaussian likelihood of width σ whose maximum is shifted with a standard error e, V = q e²/σ², and the interval is
the one of width √(σ² + e²); but nothing in the formula asks for a Gaussian likelihood.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import torch
from numpy.typing import NDArray

from partonic.errors import InferenceError
from partonic.inference.likelihood.fit import BestFit
from partonic.inference.likelihood.scan import Scan, profile, scan
from partonic.inference.likelihood.starts import axis_scales
from partonic.inference.likelihood.unbinned import ExtendedLikelihood

__all__ = ["Interval", "asymptotic_intervals", "crossings", "profile_q", "scan_range", "threshold", "total_q"]

Array = NDArray[np.float64]

_PRECISION = 1e-3
"""Of q at an edge."""

_AROUND = 73
"""Points of a scan around a whole circle, at least."""

_MOST_REFINEMENTS = 40
_MOST_DOUBLINGS = 12


@dataclass(frozen=True)
class Interval:
    """A confidence interval of one parameter.

    Attributes:
        name: of the parameter.
        level: confidence level.
        segments: lower and upper edges, ascending; more than one where the likelihood has several valleys.
        open_below: the first segment goes on below the scanned range.
        open_above: the last segment goes on above the scanned range.
        kind: ``"asymptotic"``, ``"total"`` (with all errors), ``"toys"``.
        period: of the parameter; None if it has none.
    """

    name: str
    level: float
    segments: tuple[tuple[float, float], ...]
    open_below: bool = False
    open_above: bool = False
    kind: str = "asymptotic"
    period: float | None = None

    def __contains__(self, value: float) -> bool:
        """Return whether `value` is in one of the segments, periods apart or not."""
        place = value if self.period is None else 0.5 * self.period - (0.5 * self.period - value) % self.period
        return any(low <= place <= high for low, high in self.segments)

    @property
    def length(self) -> float:
        """Sum of the lengths of the segments."""
        return sum(high - low for low, high in self.segments)


def threshold(level: float, dimensions: int = 1) -> float:
    """Return the quantile of χ² with `dimensions` degrees of freedom at a confidence level.

    Raises:
        ValueError: if the level is not in (0, 1) or there is no dimension.
    """
    if not 0 < level < 1 or dimensions < 1:
        raise ValueError(f"expected a level between 0 and 1 and one dimension or more, got {level} and {dimensions}")
    if dimensions == 1:
        return NormalDist().inv_cdf(0.5 * (1 + level)) ** 2
    low, high = 0.0, 1e3 + 10.0 * dimensions
    half = torch.tensor(0.5 * dimensions, dtype=torch.float64)
    for _ in range(80):
        middle = 0.5 * (low + high)
        below = float(torch.special.gammainc(half, torch.tensor(0.5 * middle, dtype=torch.float64))) < level
        low, high = (middle, high) if below else (low, middle)
    return 0.5 * (low + high)


def total_q(q: Array, variance: Array) -> Array:
    """Return q/(1 + V/q) for the variance V of log L(θ) − log L(θ̂); 0 at the best fit."""
    positive = np.maximum(q, 0.0)
    share = np.divide(variance, positive, out=np.zeros_like(positive), where=positive > 1e-12)
    values: Array = positive / (1 + share)
    return values


def scan_range(likelihood: ExtendedLikelihood, best: BestFit, name: str, highest: float) -> tuple[float, float]:
    """Return a range of the parameter beyond whose ends q exceeds `highest`, or as far as twelve doublings reach."""
    number = likelihood.mixture.index(name)
    step = best.errors[number]
    if not (np.isfinite(step) and step > 0):
        step = axis_scales(likelihood, best.phi)[number] / 2
    places = best.maxima[best.heights > best.log_likelihood - highest / 2, number]
    ends = [_far_enough(likelihood, best, number, float(place), sign * float(step), highest)
            for place, sign in ((places.min(), -1.0), (places.max(), 1.0))]  # fmt: skip
    return ends[0], ends[1]


def _far_enough(
    likelihood: ExtendedLikelihood, best: BestFit, number: int, place: float, step: float, highest: float
) -> float:
    """Return place + step·x at which q has just exceeded `highest`, within a few percent of a step."""
    last, starts, inner, outer = best.phi, best.maxima, 0.0, 0.0
    for doubling in range(_MOST_DOUBLINGS):
        outer = 2.0**doubling
        try:
            maximum = profile(likelihood, {number: place + outer * step}, np.vstack([last, starts]))
        except InferenceError:  # beyond the domain of the likelihood: stay within
            break
        if 2 * (best.log_likelihood - maximum.value) > highest:
            break
        last, inner = maximum.phi, outer
    else:
        return place + outer * step
    for _ in range(5):
        middle = 0.5 * (inner + outer)
        if profile_q(likelihood, best, number, np.vstack([last, starts]))(place + middle * step) > highest:
            outer = middle
        else:
            inner = middle
    return place + outer * step


def asymptotic_intervals(
    likelihood: ExtendedLikelihood,
    best: BestFit,
    name: str,
    levels: Sequence[float] = (0.68, 0.95),
    limits: tuple[float, float] | None = None,
    points: int = 41,
) -> tuple[Scan, tuple[Interval, ...]]:
    """Scan one parameter and return its intervals.

    Args:
        likelihood: log L.
        best: its best fit.
        name: of the parameter.
        levels: confidence levels.
        limits: range of the scan; by default it reaches beyond the interval of the highest level, and beyond the
            region of two parameters of that level, so that contours over the same ranges are closed.
        points: of the scan; the maxima found by the fit are added.

    Raises:
        InferenceError: if the scan finds a point far better than the best fit.
    """
    number = likelihood.mixture.index(name)
    low, high = limits or scan_range(likelihood, best, name, 1.2 * threshold(max(levels), 2))
    period = float(likelihood.mixture.periods[number])
    if high - low >= period:
        low, high, points = -0.5 * period, 0.5 * period, max(points, _AROUND)
    maxima = best.maxima[:, number]
    grid = np.unique(np.concatenate([np.linspace(low, high, points), maxima[(maxima > low) & (maxima < high)]]))
    curve = scan(likelihood, best, name, grid)
    if curve.profiled.min() < -0.1:
        raise InferenceError(
            f"the scan of {name} found q = {curve.profiled.min():.3g} at {grid[curve.profiled.argmin()]:.4g}, below "
            "the best fit: fit again with that point among the starts"
        )
    evaluate = profile_q(likelihood, best, number, best.maxima)
    intervals = [
        crossings(curve.name, curve.values, curve.profiled, level, evaluate, period=period) for level in levels
    ]
    return curve, tuple(intervals)


def crossings(
    name: str,
    values: Array,
    q: Array,
    level: float,
    evaluate: Callable[[float], float] | None = None,
    critical: Array | None = None,
    kind: str = "asymptotic",
    period: float = np.inf,
) -> Interval:
    """Return where q is below its threshold, from its values on a grid.

    Args:
        name: of the parameter.
        values: ascending, `(M,)`.
        q: at the values, `(M,)`.
        level: confidence level.
        evaluate: q at any value, to refine the edges; without it they are interpolated linearly.
        critical: thresholds at the values, `(M,)`; by default the asymptotic one.
        kind: of the interval.
        period: of the parameter; infinite if it has none.

    Raises:
        InferenceError: if q is above the threshold on the whole grid.
    """
    cut = threshold(level)
    excess = q - (np.full(len(q), cut) if critical is None else critical)
    inside = excess <= 0
    if not inside.any():
        raise InferenceError(
            f"no point of the scan of {name} from {values[0]:.4g} to {values[-1]:.4g} is within the {level:.0%} "
            "interval: widen the range or take more points (inference.scan)"
        )
    edges = np.flatnonzero(np.diff(inside.astype(np.int64)))
    places = [
        _interpolate(values[i : i + 2], excess[i : i + 2])
        if evaluate is None
        else _refine(lambda value: evaluate(value) - cut, values[i : i + 2], excess[i : i + 2])
        for i in edges
    ]
    bounds = [*([float(values[0])] if inside[0] else []), *places, *([float(values[-1])] if inside[-1] else [])]
    segments = tuple(zip(bounds[::2], bounds[1::2], strict=True))
    if not np.isfinite(period):
        return Interval(name, level, segments, bool(inside[0]), bool(inside[-1]), kind)
    around = values[-1] - values[0] >= period * (1 - 1e-9)
    ends = (False, False) if around else (bool(inside[0]), bool(inside[-1]))
    return Interval(name, level, _cut_at_the_seam(segments, period), *ends, kind, period)


def profile_q(likelihood: ExtendedLikelihood, best: BestFit, number: int, starts: Array) -> Callable[[float], float]:
    """Return q as a function of one parameter (by number), the others fitted from `starts` `(S, P)`.

    It is infinite where the likelihood does not exist.
    """

    def evaluate(value: float) -> float:
        try:
            return 2 * (best.log_likelihood - profile(likelihood, {number: value}, starts).value)
        except InferenceError:
            return float("inf")

    return evaluate


def _cut_at_the_seam(segments: Sequence[tuple[float, float]], period: float) -> tuple[tuple[float, float], ...]:
    """Return the segments within −period/2 to period/2, ascending."""
    found = []
    for low, high in segments:
        shift = period * np.floor(low / period + 0.5)
        start, end = low - shift, high - shift
        if end > 0.5 * period:
            found += [(start, 0.5 * period), (-0.5 * period, end - period)]
        else:
            found.append((start, end))
    return tuple(sorted((float(low), float(high)) for low, high in found))


def _interpolate(ends: Array, excess: Array) -> float:
    return float(ends[0] + (ends[1] - ends[0]) * excess[0] / (excess[0] - excess[1]))


def _refine(excess_at: Callable[[float], float], ends: Array, excess: Array) -> float:
    """Return the root between two values of opposite sign, by false position (Illinois variant)."""
    (a, b), (fa, fb) = map(float, ends), map(float, excess)
    middle = 0.5 * (a + b)
    for _ in range(_MOST_REFINEMENTS):
        middle = (a * fb - b * fa) / (fb - fa) if np.isfinite(fa) and np.isfinite(fb) else 0.5 * (a + b)
        value = excess_at(middle)
        if abs(value) < _PRECISION or abs(b - a) < 1e-10 * max(abs(a), abs(b)):
            break
        if (value > 0) == (fb > 0):
            b, fb, fa = middle, value, 0.5 * fa
        else:
            a, fa, fb = middle, value, 0.5 * fb
    return middle

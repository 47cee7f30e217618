"""Intervals of the parameters from counts in the bins of a template: others known, and others fitted along."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from partonic.errors import InferenceError
from partonic.inference.binned.binned_likelihood import binned_likelihood
from partonic.inference.binned.templates import Templates
from partonic.inference.experiments.comparison import natural_scale
from partonic.inference.likelihood.fit import BestFit, fit
from partonic.inference.likelihood.intervals import Interval, asymptotic_intervals
from partonic.inference.likelihood.mixture import Mixture
from partonic.inference.likelihood.unbinned import ExtendedLikelihood

__all__ = ["intervals_of"]

Array = NDArray[np.float64]

_POINTS = 21
"""Of the scan in which crossings are looked for; they are then refined."""

_RANGE = 3.0
"""Of a scan that must not go on, to both sides of the best fit, in units of θ at which the quadratic term of the cross
section is as large as the constant one."""


def intervals_of(
    templates: Templates, mixture: Mixture, names: tuple[str, ...], levels: Sequence[float], counts: Array
) -> dict[str, Any]:
    """Return the intervals of parameters as JSON-like values, by ``"alone"`` or ``"profiled"`` and name.

    ``alone``: the other theory parameters are those of the Standard Model, or where they are fixed; ``profiled``: those
    that are fitted are fitted along. Normalisations of backgrounds are fitted along in both. A parameter without an
    interval has the reason in its place.

    Args:
        templates: signal and backgrounds in J bins.
        mixture: rates of the template, and what is fitted.
        names: the parameters.
        levels: confidence levels.
        counts: numbers of events, `(J,)`.
    """
    found: dict[str, Any] = {"alone": {}, "profiled": {}}
    for name in names:
        found["alone"][name] = _of(templates, replace(mixture, fitted=(name,)), name, levels, counts)
        found["profiled"][name] = (
            found["alone"][name] if mixture.fitted == (name,) else _of(templates, mixture, name, levels, counts)
        )
    return found


def _of(
    templates: Templates, mixture: Mixture, name: str, levels: Sequence[float], counts: Array
) -> list[dict[str, Any]] | str:
    try:
        likelihood = binned_likelihood(templates, counts, mixture)
        with np.errstate(over="ignore", invalid="ignore"):  # a flat log L sends steps far off; they are halved
            best = fit(likelihood, verify=False)
            intervals = _intervals(templates, likelihood, best, name, tuple(levels))
    except InferenceError as error:
        return str(error)
    return [_record(each, float(best.phi[mixture.index(name)])) for each in intervals]


def _intervals(
    templates: Templates, likelihood: ExtendedLikelihood, best: BestFit, name: str, levels: tuple[float, ...]
) -> tuple[Interval, ...]:
    """Return intervals; where the scan leaves all that makes sense, those in a range, which may be open.

    With free normalisations one template of many parameters can have valleys that go on for ever, along which signal
    and negative backgrounds cancel each other.
    """
    try:
        return asymptotic_intervals(likelihood, best, name, levels, points=_POINTS)[1]
    except InferenceError:
        scale = _RANGE * natural_scale(templates.signal, templates.monomials, name)
        centre = float(best.phi[likelihood.mixture.index(name)])
        limits = (centre - scale, centre + scale)
        return asymptotic_intervals(likelihood, best, name, levels, limits, 3 * _POINTS)[1]


def _record(interval: Interval, best: float) -> dict[str, Any]:
    return {
        "level": interval.level,
        "segments": [list(segment) for segment in interval.segments],
        "length": interval.length,
        "open_below": interval.open_below,
        "open_above": interval.open_above,
        "best": best,
    }

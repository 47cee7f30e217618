"""Profiles and contours: q = 2 [log L(φ̂) − log L] with some parameters held and the others fitted or fixed."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from partonic.errors import InferenceError
from partonic.inference.likelihood.fit import BestFit
from partonic.inference.likelihood.newton import Maximum, maximise
from partonic.inference.likelihood.unbinned import ExtendedLikelihood

__all__ = ["Contour", "Scan", "contour", "profile", "scan"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Scan:
    """q along one parameter.

    Attributes:
        name: of the parameter.
        values: of the parameter, ascending, `(M,)`.
        profiled: q with the other parameters fitted, `(M,)`.
        fixed: q with the other parameters at the best fit, `(M,)`.
        points: φ of the profile, `(M, P)`.
    """

    name: str
    values: Array
    profiled: Array
    fixed: Array
    points: Array


@dataclass(frozen=True)
class Contour:
    """q over two parameters.

    Attributes:
        names: of the two parameters.
        x: values of the first, `(M,)`.
        y: values of the second, `(N,)`.
        profiled: q with the other parameters fitted, `(M, N)`.
    """

    names: tuple[str, str]
    x: Array
    y: Array
    profiled: Array


def profile(likelihood: ExtendedLikelihood, held: Mapping[int, float], starts: Array) -> Maximum:
    """Maximise over all free parameters but those `held` (number: value), from several starts `(S, P)`.

    Raises:
        InferenceError: if log L is not finite at any start.
    """
    free = likelihood.free.copy()
    points = starts.copy()
    for number, value in held.items():
        free[number] = False
        points[:, number] = value
    usable = points[np.isfinite(likelihood(points))]
    if not len(usable):
        where = ", ".join(f"{likelihood.mixture.names[number]} = {value:g}" for number, value in held.items())
        raise InferenceError(f"the likelihood does not exist at {where}: narrow the scan (inference.scan.ranges)")
    found = [maximise(likelihood, point, free) for point in _distinct(usable)]
    return max(found, key=lambda each: each.value)


def scan(likelihood: ExtendedLikelihood, best: BestFit, name: str, values: Array) -> Scan:
    """Scan q along one parameter.

    Each point starts from the profile of its neighbour on the side of the best fit, and from all maxima of the fit.

    Args:
        likelihood: log L.
        best: its best fit.
        name: of the parameter.
        values: where, ascending, `(M,)`.
    """
    number = likelihood.mixture.index(name)
    points = np.zeros((len(values), len(best.phi)))
    heights = np.zeros(len(values))
    middle = int(np.searchsorted(values, best.phi[number]))
    for order in (range(middle, len(values)), range(middle - 1, -1, -1)):
        last = best.phi
        for i in order:
            maximum = profile(likelihood, {number: float(values[i])}, np.vstack([last, best.maxima]))
            points[i], heights[i], last = maximum.phi, maximum.value, maximum.phi
    beside = np.repeat(best.phi[None], len(values), axis=0)
    beside[:, number] = values
    fixed = 2 * (best.log_likelihood - likelihood(beside))
    return Scan(name, values, 2 * (best.log_likelihood - heights), fixed, points)


def contour(likelihood: ExtendedLikelihood, best: BestFit, names: tuple[str, str], x: Array, y: Array) -> Contour:
    """Compute q on a grid of two parameters, the others fitted.

    Args:
        likelihood: log L.
        best: its best fit.
        names: of the two parameters.
        x: values of the first, `(M,)`.
        y: values of the second, `(N,)`.
    """
    first, second = (likelihood.mixture.index(name) for name in names)
    heights = np.zeros((len(x), len(y)))
    for i, x_value in enumerate(x):
        last = best.phi
        for j, y_value in enumerate(y):
            starts = np.vstack([last, best.maxima])
            maximum = profile(likelihood, {first: float(x_value), second: float(y_value)}, starts)
            heights[i, j], last = maximum.value, maximum.phi
    return Contour(names, x, y, 2 * (best.log_likelihood - heights))


def _distinct(points: Array) -> Array:
    """Return the points that differ, in their order."""
    _, first = np.unique(points.round(12), axis=0, return_index=True)
    distinct: Array = points[np.sort(first)]
    return distinct

"""Where to start the fit of a likelihood that may have several maxima.

σ and the densities are quadratic in θ, so a likelihood often has two maxima of nearly equal height, e.g. at either sign
of a CP-odd coupling. A lattice of points around the centre, as wide as the likelihood along each axis, is evaluated in
one go; fits start at the best point and at the best ones on either side of the centre along each axis, and again at the
mirror images of the maxima found. A parameter that is periodic is tried all around its circle.
"""

import itertools

import numpy as np
from numpy.typing import NDArray

from partonic.inference.likelihood.unbinned import ExtendedLikelihood

__all__ = ["axis_scales", "lattice", "mirror_images", "starting_points", "starts_on_circles"]

Array = NDArray[np.float64]

_STEPS = np.geomspace(1e-4, 1e4, 65)
_CHANGE = 2.0
"""Fall of log L along an axis that says how wide the likelihood is (q = 4, two standard deviations)."""

_NOT_WORTH_A_START = 10.0
"""Depth in log L below the best maximum at which a mirror image is no start of a fit."""

_AROUND = 24
"""Points around the circle of a periodic parameter."""

_MOST_POINTS = 250
_LEVELS = ((-1.0, -0.5, 0.0, 0.5, 1.0), (-0.5, 0.0, 0.5))


def axis_scales(likelihood: ExtendedLikelihood, centre: Array) -> Array:
    """Return for each parameter the distance from `centre` `(P,)` at which log L has fallen by 2 on both sides, `(P,)`.

    The fall is from the largest value along the axis; 0 for parameters that are not fitted.
    """
    scales = np.zeros(len(centre))
    for k in np.flatnonzero(likelihood.free):
        points = np.repeat(centre[None], 2 * len(_STEPS) + 1, axis=0)
        points[:, k] += np.concatenate([-_STEPS[::-1], [0.0], _STEPS])
        values = likelihood(points)
        middle = len(_STEPS)
        lower = np.minimum.reduce([values[middle + 1 :], values[:middle][::-1]])
        upper = np.maximum.reduce([values[middle + 1 :], values[:middle][::-1]])
        threshold = values.max() - _CHANGE
        beyond = [int(np.flatnonzero(side >= threshold).max(initial=-1)) + 1 for side in (upper, lower)]
        scales[k] = _STEPS[next((step for step in beyond if step < len(_STEPS)), len(_STEPS) // 2)]
    return scales


def lattice(centre: Array, scales: Array, fine: bool = True) -> Array:
    """Return points `centre` ± scale·{0, ½, 1} along each axis, all combinations if not too many, `(T, P)`.

    Without `fine`, only ± scale·{0, ½}.
    """
    moving = np.flatnonzero(scales)
    for levels in _LEVELS if fine else _LEVELS[1:]:
        if len(levels) ** len(moving) <= _MOST_POINTS:
            offsets = np.array(list(itertools.product(levels, repeat=len(moving)))).reshape(-1, len(moving))
            break
    else:
        offsets = np.concatenate([np.zeros((1, len(moving))), *(s * np.eye(len(moving)) for s in (0.5, -0.5, 1, -1))])
    points = np.repeat(centre[None], len(offsets), axis=0)
    points[:, moving] += offsets * scales[moving]
    return points


def starting_points(likelihood: ExtendedLikelihood, points: Array, centre: Array) -> Array:
    """Return the best of `points` `(T, P)` and, for each axis, the best on either side of `centre`, `(S, P)`."""
    values = likelihood(points)
    chosen = {int(values.argmax())}
    for k in np.flatnonzero(np.ptp(points, axis=0)):
        for side in (points[:, k] > centre[k], points[:, k] < centre[k]):
            finite = side & np.isfinite(values)
            if finite.any():
                chosen.add(int(np.flatnonzero(finite)[values[finite].argmax()]))
    best: Array = points[sorted(chosen, key=lambda number: -values[number])]
    return best


def mirror_images(likelihood: ExtendedLikelihood, maxima: Array, highest: float) -> Array:
    """Return images of maxima `(M, P)` that may lead to other ones, `(S, P)`.

    A density that is nearly even in a theory parameter has maxima at nearly opposite values. Each maximum is mirrored
    at the nominal value of each theory parameter that is fitted, and of all of them together; images more than 10 below
    the `highest` log L are left out.
    """
    mixture = likelihood.mixture
    nominal = mixture.point()
    moving = [k for k in range(mixture.theory_count) if likelihood.free[k]]
    images = []
    for axes in dict.fromkeys([*((k,) for k in moving), tuple(moving)]):
        image = maxima.copy()
        image[:, axes] = 2 * nominal[list(axes)] - image[:, axes]
        images.append(image)
    points = np.concatenate([np.zeros((0, maxima.shape[1])), *images])
    values: Array = points[likelihood(points) > highest - _NOT_WORTH_A_START] if len(points) else points
    return values


def starts_on_circles(likelihood: ExtendedLikelihood, point: Array) -> list[Array]:
    """Return for each periodic parameter that is fitted the highest points around its circle, `(S, P)` each.

    They are those higher than both neighbours, the other parameters as in `point` `(P,)`.
    """
    found = []
    for k in np.flatnonzero(likelihood.free & np.isfinite(likelihood.mixture.periods)):
        around = np.repeat(point[None], _AROUND, axis=0)
        around[:, k] += np.arange(_AROUND) / _AROUND * likelihood.mixture.periods[k]
        values = likelihood(around)
        highest = (values >= np.roll(values, 1)) & (values >= np.roll(values, -1)) & np.isfinite(values)
        found.append(likelihood.mixture.wrapped(around[highest]))
    return found

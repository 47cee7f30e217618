r"""How good a template is: lengths of expected intervals, or Fisher information, with backgrounds fitted along.

The Asimov data of the Standard Model are n_j = ν_j(θ_SM). With ν_j = L (T_j·m(θ) + Σ_b n_b b_j),

    q(θ) = min_n 2 Σ_j [ν_j − n_j log ν_j]_{SM}^{θ, n} + Σ_b (n_b − 1)²/δ_b²

is found for a whole grid of θ at once: it is convex in the normalisations n. An uncertainty of the luminosity is left
out here; the intervals of the result (`study`) have it.
"""

import numpy as np
from numpy.typing import NDArray

from partonic.errors import InferenceError
from partonic.inference.binned.templates import Templates
from partonic.inference.likelihood.intervals import threshold
from partonic.polynomial import Monomials
from partonic.units import PB_TO_FB

__all__ = ["expected_lengths", "information_of", "log_determinant"]

Array = NDArray[np.float64]

_GRID = 161
_MOST_WIDENINGS = 24
_NEWTON_STEPS = 25
_TINY = 1e-12


def expected_lengths(
    templates: Templates, names: tuple[str, ...], standard: Array, luminosity: float, level: float, reach: Array
) -> Array:
    """Return the lengths of the expected intervals of parameters, the others known, `(P,)`.

    Args:
        templates: signal and backgrounds in J bins.
        names: of P parameters.
        standard: θ of the Standard Model, `(K,)`.
        luminosity: in fb⁻¹.
        level: confidence level.
        reach: a distance from the Standard Model for each to begin with; it is widened as needed, `(P,)`.

    Raises:
        InferenceError: if nothing is expected in the Standard Model.
    """
    cut = threshold(level)
    lengths = []
    for name, first in zip(names, reach, strict=True):
        place = templates.monomials.parameters.index(name)
        distance = float(first)
        for _ in range(_MOST_WIDENINGS):
            shifts = np.linspace(-distance, distance, _GRID)
            points = np.repeat(standard[None], _GRID, axis=0)
            points[:, place] += shifts
            q = _q(templates, points, standard, luminosity)
            inside = np.flatnonzero(q <= cut)
            if inside[0] == 0 or inside[-1] == _GRID - 1:
                distance *= 2.0
            elif len(inside) < _GRID // 8:
                distance *= 0.25
            else:
                break
        lengths.append(_length(shifts, q, cut))
    return np.array(lengths)


def information_of(templates: Templates, standard: Array, luminosity: float) -> Array:
    """Return the Fisher information on θ in the Standard Model, backgrounds' normalisations fitted along, `(K, K)`."""
    monomials, scale = templates.monomials, luminosity * PB_TO_FB
    backgrounds = _backgrounds(templates)
    expected = templates.signal @ monomials.evaluate(standard) + backgrounds.sum(axis=0)
    slopes = np.concatenate([templates.signal @ monomials.gradient(standard), backgrounds.T], axis=1)
    some = expected > 0
    whole: Array = scale * (slopes[some].T @ (slopes[some] / expected[some, None]))
    size = len(standard)
    free = [number for number, each in enumerate(templates.backgrounds, start=size) if each.uncertainty != 0.0]
    for number in free:
        whole[number, number] += (templates.backgrounds[number - size].uncertainty or np.inf) ** -2.0
    theta = whole[:size, :size]
    if not free:
        return theta
    cross = whole[:size][:, free]
    reduced: Array = theta - cross @ np.linalg.pinv(whole[np.ix_(free, free)], hermitian=True) @ cross.T
    return reduced


def log_determinant(information: Array) -> float:
    """Return minus half the logarithm of the determinant: the log volume of the error ellipsoid; inf if unbounded."""
    sign, value = np.linalg.slogdet(information)
    return -0.5 * float(value) if sign > 0 else float("inf")


def _backgrounds(templates: Templates) -> Array:
    """Return the cross sections of B backgrounds in J bins, `(B, J)`."""
    return np.array([each.cross_sections for each in templates.backgrounds]).reshape(-1, len(templates.binning))


def _signal(templates: Templates, points: Array, monomials: Monomials) -> Array:
    return monomials.evaluate(points) @ templates.signal.T


def _q(templates: Templates, points: Array, standard: Array, luminosity: float) -> Array:
    """Return q at points `(G, K)`, `(G,)`; infinite where a bin with expected events gets none."""
    scale = luminosity * PB_TO_FB
    signal = scale * _signal(templates, points, templates.monomials)
    backgrounds = scale * _backgrounds(templates)
    counts = scale * _signal(templates, standard[None], templates.monomials)[0] + backgrounds.sum(axis=0)
    if not counts.sum() > 0:
        message = "no event is expected in the template in the Standard Model: widen its regions"
        raise InferenceError(message)
    filled = counts > 0
    signal, backgrounds, counts = signal[:, filled], backgrounds[:, filled], counts[filled]
    norms = _profiled(templates, signal, backgrounds, counts)
    expected = signal + norms @ backgrounds
    positive = (expected > 0).all(axis=1)
    safe = np.where(expected > 0, expected, 1.0)
    q = 2.0 * (safe - counts - counts * np.log(safe / counts)).sum(axis=1) + _penalty(templates, norms)
    return np.where(positive, q, np.inf)


def _penalty(templates: Templates, norms: Array) -> Array:
    widths = np.array([each.uncertainty or np.inf for each in templates.backgrounds])
    result: Array = ((norms - 1.0) ** 2 / widths**2).sum(axis=1) if len(widths) else np.zeros(len(norms))
    return result


def _profiled(templates: Templates, signal: Array, backgrounds: Array, counts: Array) -> Array:
    """Return the normalisations of backgrounds that minimise q at each of G points, `(G, B)`, by Newton steps."""
    norms = np.ones((len(signal), len(backgrounds)))
    free = np.array([each.uncertainty != 0.0 for each in templates.backgrounds], dtype=np.bool_)
    if not free.any():
        return norms
    inverse = np.array([(each.uncertainty or np.inf) ** -2.0 for each in templates.backgrounds])[free]
    shapes = backgrounds[free]
    for _ in range(_NEWTON_STEPS):
        expected = np.maximum(signal + norms @ backgrounds, _TINY)
        slope = (1.0 - counts / expected) @ shapes.T + inverse * (norms[:, free] - 1.0)
        curvature = np.einsum("gj,aj,bj->gab", counts / expected**2, shapes, shapes)
        curvature += np.diag(inverse + _TINY)
        step = np.linalg.solve(curvature, slope[..., None])[..., 0]
        limited = np.clip(step, -0.5, 0.5)
        norms[:, free] -= limited
        if np.abs(step).max() < 1e-9:
            break
    return norms


def _length(shifts: Array, q: Array, cut: float) -> float:
    """Return the summed lengths of the segments with q ≤ cut, interpolating linearly between the points of the grid."""
    finite = np.where(np.isfinite(q), q, cut + 1e6)
    below, above = np.minimum(finite[:-1], finite[1:]), np.maximum(finite[:-1], finite[1:])
    rise = np.where(above > below, above - below, 1.0)
    share = np.where(above <= cut, 1.0, np.where(below >= cut, 0.0, (cut - below) / rise))
    return float((share * np.diff(shifts)).sum())

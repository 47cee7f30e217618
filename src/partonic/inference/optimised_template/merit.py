"""How good a template is: lengths of expected intervals, or Fisher information, with backgrounds fitted along.

An uncertainty of the luminosity is left out here; the intervals of the result (`study`) have it.
"""

import numpy as np
from numpy.typing import NDArray

from partonic.inference.binned.templates import Templates
from partonic.inference.optimised_template.asimov import Asimov, backgrounds_of
from partonic.units import PB_TO_FB

__all__ = ["expected_lengths", "information_of", "log_determinant"]

Array = NDArray[np.float64]


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
    asimov = Asimov.of_templates(templates, standard, luminosity)
    pairs = zip(names, reach.tolist(), strict=True)
    return np.array([asimov.length(name, standard, level, distance) for name, distance in pairs])


def information_of(templates: Templates, standard: Array, luminosity: float) -> Array:
    """Return the Fisher information on θ in the Standard Model, backgrounds' normalisations fitted along, `(K, K)`."""
    monomials, scale = templates.monomials, luminosity * PB_TO_FB
    backgrounds = backgrounds_of(templates)
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

r"""What a template keeps of the Fisher information in the Standard Model, parameter by parameter (the others known).

Beside the template stand, for the events in its regions: the rate alone; the unbinned use of the estimator's ratios;
and parton truth, which no method exceeds. Ratios of an estimator are not exact, and the square of a learned score
counts noise as information. The mean of the learned score s over the data is an observable of its own, and has

    I = L (Σ_i c_k s_i)² / Σ_i c_0 s_i²,

from the true coefficients c: no more than there is, and all of it where s is the true score of x.
"""

import numpy as np
from numpy.typing import NDArray

from partonic.inference.binned.binning import Binning
from partonic.inference.binned.templates import Templates
from partonic.inference.experiments.information import information_in_bins, information_of_events
from partonic.inference.optimised_template.events import TemplateEvents
from partonic.inference.optimised_template.merit import information_of
from partonic.polynomial import Monomials
from partonic.units import PB_TO_FB

__all__ = ["information_kept", "information_of_score"]

Array = NDArray[np.float64]


def information_kept(
    events: TemplateEvents, templates: Templates, names: tuple[str, ...], luminosity: float
) -> dict[str, dict[str, float]]:
    """Return the information on each parameter by method.

    ``template`` has the backgrounds, with their normalisations fitted along; the others are of the signal alone.

    Args:
        events: simulated events that the template was filled with.
        templates: the template.
        names: of the parameters.
        luminosity: in fb⁻¹.
    """
    monomials, standard = templates.monomials, events.standard
    alone = templates.with_backgrounds(())
    single = Templates.fill(Binning(("all",), ()), monomials, np.zeros((len(events), 1)), events.weights)
    found = {
        "truth": information_of_events(events.weights, monomials, standard, luminosity),
        "unbinned": np.diag(information_of_score(events.ratios, events.weights, monomials, standard, luminosity)),
        "template_without_backgrounds": information_in_bins(alone, standard, luminosity),
        "template": information_of(templates, standard, luminosity),
        "rate": information_in_bins(single, standard, luminosity),
    }
    if not templates.backgrounds:
        del found["template_without_backgrounds"]
    places = [monomials.parameters.index(name) for name in names]
    return {
        method: {name: float(matrix[place, place]) for name, place in zip(names, places, strict=True)}
        for method, matrix in found.items()
    }


def information_of_score(ratios: Array, weights: Array, monomials: Monomials, theta: Array, luminosity: float) -> Array:
    """Return the information of the sum over events of each component of the learned score, `(K,)`.

    Args:
        ratios: learned R_a of N events, NaN for events without, which then count for nothing, `(N, A)`.
        weights: their true coefficients c_a, pb, `(N, A)`.
        monomials: of θ.
        theta: the point, `(K,)`.
        luminosity: in fb⁻¹.
    """
    here = ratios @ monomials.evaluate(theta)
    score = (ratios @ monomials.gradient(theta)) / np.where(here > 0, here, np.nan)[:, None]
    score = np.nan_to_num(score)
    value, slope = weights @ monomials.evaluate(theta), weights @ monomials.gradient(theta)
    square = (value[:, None] * score**2).sum(axis=0)
    product = (slope * score).sum(axis=0)
    result: Array = luminosity * PB_TO_FB * product**2 / np.where(square > 0, square, np.inf)
    return result

"""The binned Poisson likelihood, in the form of the unbinned one.

With n_j events in bin j and ν_j(φ) expected, log L = Σ_j (n_j log ν_j − ν_j) up to a constant. Yields are linear in the
mixture vector v(φ), ν_j = L λ T_j·v, so this is the extended likelihood of `partonic.inference.likelihood.unbinned`
whose events are the bins: n_j occurrences of an event of which nothing is known but its bin, with the density T_j·v.
Fits, scans, intervals and coverage take it as it is. With ever finer bins of sufficient statistics it becomes the
unbinned one.

The statistical errors of the templates are not part of it; the exported workspace (`pyhf_workspace`) has them.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from partonic.errors import ParameterError
from partonic.inference.binned.templates import Templates
from partonic.inference.experiments.pool import Pool
from partonic.inference.likelihood.event_terms import EventTerms
from partonic.inference.likelihood.mixture import Mixture
from partonic.inference.likelihood.unbinned import ExtendedLikelihood

__all__ = ["asimov_counts", "binned_likelihood", "binned_mixture", "binned_pool", "expected_counts"]

Array = NDArray[np.float64]

_FLOOR = 1e-9
"""Of a bin's density, in units of its nominal one: templates have no integration noise to soften."""


def binned_mixture(
    templates: Templates,
    fitted: tuple[str, ...],
    luminosity: float,
    luminosity_uncertainty: float = 0.0,
    fixed_values: Mapping[str, float] | None = None,
    free_signal_strength: bool = False,
) -> Mixture:
    """Return what is fitted, with the rates of the templates.

    Args:
        templates: signal and backgrounds.
        fitted: theory parameters that are fitted.
        luminosity: in fb⁻¹.
        luminosity_uncertainty: relative, Gaussian.
        fixed_values: values of the other theory parameters; 0 where not named.
        free_signal_strength: whether the signal strength is fitted.
    """
    return Mixture(
        templates.rate(),
        tuple(background.rate() for background in templates.backgrounds),
        luminosity,
        luminosity_uncertainty,
        fitted,
        fixed_values or {},
        free_signal_strength,
    )


def binned_likelihood(templates: Templates, counts: Array, mixture: Mixture) -> ExtendedLikelihood:
    """Return log L of numbers of events in bins.

    Args:
        templates: signal and backgrounds in J bins.
        counts: numbers of events, or expected ones, `(J,)`.
        mixture: from `binned_mixture`.

    Raises:
        ParameterError: if the numbers are not J, or not finite and ≥ 0, or the mixture is of other templates.
        InferenceError: if there are events in a bin that is empty for all θ.
    """
    templates.require_expected(counts)
    total = _stacked(templates).sum(axis=0)
    if total.shape != mixture.stacked_rate.shape or not np.allclose(total, mixture.stacked_rate, 1e-9, 1e-9 * total[0]):
        msg = "the rates of the mixture are not those of the templates: make it with `binned_mixture`"
        raise ParameterError(msg)
    return ExtendedLikelihood(mixture, _terms(templates), counts)


def binned_pool(templates: Templates) -> Pool:
    """Return a pool whose events are the bins, once for each process: pseudo-experiments of it are Poisson counts."""
    terms, stacked = _terms(templates), _stacked(templates)
    processes, bins = 1 + len(templates.backgrounds), len(templates.binning)
    size = len(templates.monomials)
    columns = np.array([0] * size + list(range(1, processes)))
    weights = np.concatenate([np.where(columns == number, stacked, 0.0) for number in range(processes)])
    rows = EventTerms(np.tile(terms.rows, (processes, 1)), None, floor=_FLOOR)
    component = np.repeat(np.arange(processes), bins)
    return Pool(rows, weights, component, np.zeros((processes, len(columns))))


def expected_counts(templates: Templates, mixture: Mixture, phi: Array) -> Array:
    """Return the expected number of events of each bin at φ `(..., P)`, as `(..., J)`."""
    counts: Array = mixture.per_picobarn * phi[..., -1:] * (mixture.vector(phi) @ _stacked(templates).T)
    return counts


def asimov_counts(templates: Templates, mixture: Mixture, theta: Mapping[str, float] | None = None) -> Array:
    """Return the expected numbers at given values of parameters, nominal elsewhere, `(J,)`."""
    return expected_counts(templates, mixture, mixture.point(theta))


def _stacked(templates: Templates) -> Array:
    """Return T in pb, `(J, V)`."""
    backgrounds = [background.cross_sections[:, None] for background in templates.backgrounds]
    return np.concatenate([templates.signal, *backgrounds], axis=1)


def _terms(templates: Templates) -> EventTerms:
    """Return one row a bin, in units of its content at θ = 0, or of its largest entry where that is nothing."""
    origin = templates.monomials.evaluate(np.zeros(len(templates.monomials.parameters)))
    stacked = _stacked(templates)
    nominal = stacked @ np.concatenate([origin, np.ones(len(templates.backgrounds))])
    unit = np.where(nominal > 0, nominal, np.abs(stacked).max(axis=1))
    return EventTerms(stacked / np.where(unit > 0, unit, 1.0)[:, None], None, floor=_FLOOR)

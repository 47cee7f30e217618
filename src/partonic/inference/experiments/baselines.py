"""Templates of the analyses that the matrix element method is compared with.

- `histogram`: a one-dimensional histogram of any observable, e.g. pT of the Higgs candidate;
- `rate_only`: one bin, so only the number of events;
- `optimal_templates`: R_1 and R_2 of a parameter, the coefficients of the events in bins.
"""

import numpy as np
from numpy.typing import NDArray

from partonic.errors import ParameterError
from partonic.inference.binned.binning import Binning
from partonic.inference.binned.templates import Templates
from partonic.inference.coefficients.event_coefficients import EventCoefficients
from partonic.inference.coefficients.observables import observable_names, optimal_observables
from partonic.polynomial import Monomials

__all__ = ["histogram", "optimal_binning", "optimal_templates", "rate_only"]

Array = NDArray[np.float64]


def histogram(
    name: str, monomials: Monomials, values: Array, coefficients: Array, bins: int | tuple[float, ...]
) -> Templates:
    """Return the templates of one observable.

    Args:
        name: of the observable.
        monomials: of θ.
        values: of the observable, `(N,)`; NaN where an event has none (such events get a bin of their own).
        coefficients: c_a of all accepted events, pb, `(N, A)`.
        bins: number of bins of equal yield at θ = 0, or the edges between bins (the outer bins are open).
    """
    columns = values[:, None]
    if isinstance(bins, int):
        binning = Binning.quantiles((name,), columns, _nominal(monomials, coefficients), (bins,))
    else:
        binning = Binning((name,), bins, unusable=bool(np.isnan(values).any()))
    return Templates.fill(binning, monomials, columns, coefficients)


def rate_only(monomials: Monomials, coefficients: Array) -> Templates:
    """Return one bin with all accepted events, whose coefficients are `(N, A)` in pb."""
    return Templates.fill(Binning(("all events",), ()), monomials, np.zeros((len(coefficients), 1)), coefficients)


def optimal_binning(
    events: EventCoefficients, coefficients: Array, name: str, bins: tuple[int, int], scale: float = 1.0
) -> Binning:
    """Return bins in R_2 and, inside of each, in R_1 of the parameter `name`, of equal yield at θ = 0.

    Args:
        events: coefficients by the estimator, of N events.
        coefficients: c_a of the true weights of the same events, pb, `(N, A)`.
        name: of the parameter.
        bins: numbers in R_2 and R_1.
        scale: θ_0 of the observables.

    Raises:
        ParameterError: if events and true weights do not fit.
    """
    values = _observables(events, coefficients, name, scale)
    names = observable_names(name)[::-1]
    return Binning.quantiles(names, values, events.reference_weights(coefficients), bins)


def optimal_templates(
    binning: Binning, events: EventCoefficients, coefficients: Array, name: str, scale: float = 1.0
) -> Templates:
    """Fill the bins of `optimal_binning` with the true weights of simulated events.

    The yields are those of the true weights, so a poor estimator makes poor bins but no bias.
    """
    values = _observables(events, coefficients, name, scale)
    return Templates.fill(binning, events.monomials, values, coefficients)


def _observables(events: EventCoefficients, coefficients: Array, name: str, scale: float) -> Array:
    if coefficients.shape != events.ratios.shape:
        raise ParameterError(
            f"the true weights must have the shape of the ratios of the same events, {events.ratios.shape}, got "
            f"{coefficients.shape}"
        )
    return np.ascontiguousarray(optimal_observables(events, name, scale)[:, ::-1])


def _nominal(monomials: Monomials, coefficients: Array) -> Array:
    """Return the weights at θ = 0."""
    weights: Array = coefficients @ monomials.evaluate(np.zeros(len(monomials.parameters)))
    return weights

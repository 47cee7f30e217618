"""Expected limits of several methods from the same simulated events, in one table.

Each theory parameter is fitted by itself, the others fixed, to the Asimov sample of the Standard Model:

- *unbinned*: all coefficients of an estimator, e.g. of parton truth (no method from reconstructed objects can do
  better) or of the matrix element method;
- *binned R_1, R_2*: the optimal observables of that parameter from the same coefficients, in bins;
- *histogram*: one observable in bins;
- *rate only*: the number of events.

All use the same events, so that they differ in what they read off an event and in nothing else.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from partonic.errors import InferenceError
from partonic.inference.binned.binned_likelihood import binned_pool
from partonic.inference.binned.templates import Templates
from partonic.inference.coefficients.event_coefficients import EventCoefficients
from partonic.inference.coefficients.observables import linear_and_quadratic
from partonic.inference.coefficients.rate import FiducialRate
from partonic.inference.experiments.baselines import histogram, optimal_binning, optimal_templates, rate_only
from partonic.inference.experiments.compared import PARTON_TRUTH, RATE_ONLY, ComparedEvents, Comparison
from partonic.inference.experiments.curves_of_methods import curves_of_methods
from partonic.inference.experiments.estimator_quality import explained, information_of_estimator, kept_of_squares
from partonic.inference.experiments.expected import asimov_likelihood
from partonic.inference.experiments.information import information_in_bins, information_of_events
from partonic.inference.experiments.pool import Pool, PoolSample
from partonic.inference.experiments.pseudo_experiments import Setup
from partonic.inference.likelihood.fit import fit
from partonic.inference.likelihood.intervals import Interval, asymptotic_intervals, threshold
from partonic.inference.likelihood.mixture import Mixture
from partonic.inference.likelihood.starts import axis_scales
from partonic.polynomial import Monomials

__all__ = [
    "PARTON_TRUTH", "RATE_ONLY", "ComparedEvents", "Comparison", "compare_methods", "natural_scale", "shape_norm_of",
]  # fmt: skip

Array = NDArray[np.float64]

_REACH = 2.5
"""Ends of a scan, in units of the distance at which log L has fallen by 2."""


def compare_methods(
    events: ComparedEvents,
    luminosity: float,
    parameters: tuple[str, ...] | None = None,
    bins: tuple[int, int] = (5, 6),
    histogram_bins: int = 10,
    levels: tuple[float, ...] = (0.68, 0.95),
    mean_ratios: bool = False,
) -> Comparison:
    """Return the expected intervals of all methods, what they know, and their expected curves.

    Args:
        events: simulated events.
        luminosity: in fb⁻¹.
        parameters: those to fit; default all.
        bins: in R_2 and R_1.
        histogram_bins: of each observable.
        levels: confidence levels, ascending.
        mean_ratios: normalise estimated densities with their own mean (`shape_norm_of`) and not with the rate.

    Raises:
        ParameterError: if a parameter is unknown.
    """
    names = events.monomials.parameters if parameters is None else parameters
    methods = _methods(events, luminosity, (*bins, histogram_bins), mean_ratios)
    intervals: dict[str, dict[str, tuple[Interval, ...] | None]] = {}
    failures: dict[str, dict[str, str]] = {}
    for method, build in methods.items():
        intervals[method], failures[method] = {}, {}
        for name in names:
            try:
                _require_effect(events, name)
                intervals[method][name] = _intervals(*build(name), name, levels)
            except InferenceError as error:
                intervals[method][name], failures[method][name] = None, str(error)
    rate = rate_only(events.monomials, events.weights)
    expected = float(rate.yields(events.monomials.point(events.standard_model), luminosity).sum())
    values, curves = curves_of_methods(events, luminosity, intervals)
    information, claimed = _information(events, luminosity, names)
    return Comparison(
        levels,
        luminosity,
        expected,
        len(events.weights),
        intervals,
        {method: row for method, row in failures.items() if row},
        names,
        information,
        claimed,
        _squares(events),
        {name: explained(each, events.weights) for name, each in events.estimates.items()},
        values,
        curves,
    )


def _information(
    events: ComparedEvents, luminosity: float, names: tuple[str, ...]
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Return the Fisher information on some parameters in the Standard Model, the others known: kept, and claimed."""
    theta = events.monomials.point(events.standard_model)
    chosen = np.array([events.monomials.parameters.index(name) for name in names], dtype=np.int64)
    single = rate_only(events.monomials, events.weights)
    own = {
        name: information_of_estimator(each, events.weights, theta, luminosity)
        for name, each in events.estimates.items()
        if name != PARTON_TRUTH
    }
    found = {PARTON_TRUTH: information_of_events(events.weights, events.monomials, theta, luminosity)}
    found |= {name: each.kept for name, each in own.items()}
    binned = {**{f"histogram {name}": each for name, each in events.histograms.items()}, RATE_ONLY: single}
    found |= {name: information_in_bins(each, theta, luminosity) for name, each in binned.items()}
    square = np.ix_(chosen, chosen)
    return (
        {name: each[square] for name, each in found.items()},
        {name: each.claimed[square] for name, each in own.items()},
    )


def _squares(events: ComparedEvents) -> dict[str, dict[str, float]]:
    """Return what methods keep of the information on the squares of parameters; nothing without parton truth."""
    if PARTON_TRUTH not in events.estimates:
        return {}
    binned = {f"histogram {name}": each for name, each in events.histograms.items()}
    binned[RATE_ONLY] = rate_only(events.monomials, events.weights)
    theta = events.monomials.point(events.standard_model)
    return kept_of_squares(events.estimates, binned, events.weights, theta, PARTON_TRUTH)


def shape_norm_of(estimate: EventCoefficients, weights: Array) -> Array:
    """Return σ_ref times the means of the R_a at the reference, pb, `(A,)`: the integral that estimated densities have.

    It is σ_a if the densities are right; the error of an estimator that is wrong in the mean only cancels with it.

    Args:
        estimate: coefficients of N events.
        weights: their true weights c_a, pb, `(N, A)`.
    """
    at_reference = estimate.reference_weights(weights)
    means = estimate.mean_ratios(at_reference)
    norm: Array = at_reference.sum() * np.array([each.value for each in means])
    return norm


def natural_scale(weights: Array, monomials: Monomials, name: str) -> float:
    """Return θ_0 at which the quadratic term of a parameter is as large as the constant one, 1 if it has none."""
    _, quadratic = linear_and_quadratic(monomials, name)
    constant, squared = float(weights[:, 0].sum()), float(weights[:, quadratic].sum())
    return float(np.sqrt(constant / squared)) if constant > 0 and squared > 0 else 1.0


def _require_effect(events: ComparedEvents, name: str) -> None:
    """Refuse a parameter on which nothing depends while the others are those of the SM: its likelihood is flat."""
    here = events.monomials.point(events.standard_model)
    there = events.monomials.point({**events.standard_model, name: events.standard_model.get(name, 0.0) + 1.0})
    changed = events.monomials.evaluate(there) != events.monomials.evaluate(here)
    if not events.weights[:, changed].any():
        raise InferenceError(
            f"no event depends on {name} while the other parameters are those of the Standard Model: it has no interval"
        )


def _intervals(setup: Setup, pool: Pool, name: str, levels: tuple[float, ...]) -> tuple[Interval, ...]:
    """Return the intervals of one parameter from the Asimov sample of the Standard Model, one for each level.

    A parameter that enters squared has no curvature there by which to judge how far to scan: the range is that in which
    log L falls, around all maxima that it cannot tell apart.
    """
    likelihood = asimov_likelihood(setup, pool, {})
    with np.errstate(over="ignore", invalid="ignore"):  # a flat log L sends the first step far off; it is then halved
        best = fit(likelihood, verify=False)
    number = setup.mixture.index(name)
    cut = threshold(levels[-1])
    places = best.maxima[best.heights > best.log_likelihood - 0.5 * cut, number]
    reach = _REACH * axis_scales(likelihood, best.phi)[number] * max(1.0, cut**0.5 / 2)
    limits = (float(places.min() - reach), float(places.max() + reach))
    return tuple(asymptotic_intervals(likelihood, best, name, levels, limits)[1])


_Build = Callable[[str], tuple[Setup, Pool]]


def _methods(
    events: ComparedEvents, luminosity: float, bins: tuple[int, int, int], mean_ratios: bool
) -> dict[str, _Build]:
    """Return for each method what makes its likelihood of one parameter."""

    def mixture(rate: FiducialRate, name: str) -> Mixture:
        return Mixture(rate, (), luminosity, fitted=(name,), standard_model=events.standard_model)

    def unbinned(estimate: EventCoefficients) -> _Build:
        pool = Pool.of([PoolSample(0, events.weights, estimate)])
        rate = rate_only(events.monomials, events.weights).rate()
        norm = shape_norm_of(estimate, events.weights) if mean_ratios else None
        return lambda name: (Setup(mixture(rate, name), (name,), shape_norm=norm), pool)

    def of_templates(templates: Callable[[str], Templates]) -> _Build:
        def build(name: str) -> tuple[Setup, Pool]:
            filled = templates(name)
            return Setup(mixture(filled.rate(), name), (name,)), binned_pool(filled)

        return build

    def optimal(estimate: EventCoefficients) -> Callable[[str], Templates]:
        def templates(name: str) -> Templates:
            scale = natural_scale(events.weights, events.monomials, name)
            binning = optimal_binning(estimate, events.weights, name, bins[:2], scale)
            return optimal_templates(binning, estimate, events.weights, name, scale)

        return templates

    def of_observable(observable: str) -> Callable[[str], Templates]:
        values = events.observables[observable]
        filled = histogram(observable, events.monomials, values, events.weights, bins[2])
        return lambda _: filled

    single = rate_only(events.monomials, events.weights)
    return {
        **{f"{name}, unbinned": unbinned(each) for name, each in events.estimates.items()},
        **{f"{name}, binned R1 and R2": of_templates(optimal(each)) for name, each in events.estimates.items()},
        **{f"histogram of {name}": of_templates(of_observable(name)) for name in events.observables},
        **{f"histogram {name}": of_templates(partial(_same, each)) for name, each in events.histograms.items()},
        RATE_ONLY: of_templates(partial(_same, single)),
    }


def _same(templates: Templates, name: str) -> Templates:
    """Return templates that are the same for all parameters."""
    return templates

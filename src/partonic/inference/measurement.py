"""A measurement: data, their best fit with all errors, scans and intervals, the same for commands and notebooks."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from partonic.config.inference import InferenceConfig
from partonic.errors import InferenceError
from partonic.inference.data import Data, ensemble_members, make_data, sample_likelihoods
from partonic.inference.likelihood.edge_errors import Bands, EdgeErrors, edge_errors
from partonic.inference.likelihood.error_budget import (
    ErrorBudget,
    difference_variances,
    error_budget,
    training_errors,
    training_variance,
)
from partonic.inference.likelihood.fit import BestFit, fit
from partonic.inference.likelihood.intervals import Interval, asymptotic_intervals, crossings, profile_q, total_q
from partonic.inference.likelihood.scan import Scan
from partonic.inference.likelihood.unbinned import ExtendedLikelihood
from partonic.inference.samples import Loaded

__all__ = ["Measurement", "measure"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Measurement:
    """What the data say of the parameters.

    Attributes:
        loaded: coefficients, rates and simulated events.
        data: what was fitted.
        best: best fit.
        budget: its errors by cause.
        scans: of each theory parameter of interest.
        total: q with all errors along each scan, `(M,)`.
        intervals: of each theory parameter, asymptotic and with all errors.
        bands: standard errors of q along each scan by their cause, `integration` and `training`, `(M,)` each; empty if
            nothing is known of the training.
        edge_errors: the same of the edges of the asymptotic intervals of each parameter, by level and cause.
    """

    loaded: Loaded
    data: Data
    best: BestFit
    budget: ErrorBudget
    scans: Mapping[str, Scan]
    total: Mapping[str, Array]
    intervals: Mapping[str, tuple[Interval, ...]]
    bands: Mapping[str, Bands] = field(default_factory=dict)
    edge_errors: Mapping[str, tuple[EdgeErrors, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class _Others:
    """Likelihoods of the same data by other networks: of an ensemble, and of sets of weights about the trained ones."""

    members: list[ExtendedLikelihood]
    samples: list[ExtendedLikelihood]

    def variance(self, data: Data, best: BestFit, points: Array) -> Array | None:
        """Return the variance of log L(φ) − log L(φ̂) from the training `(M,)`; None if nothing is known of it."""
        groups = [[data.likelihood, *self.members]] if self.members else []
        groups += [self.samples] if self.samples else []
        found = [training_variance(group, best.phi, points) for group in groups]
        return np.sum(found, axis=0) if found else None


def measure(loaded: Loaded, config: InferenceConfig) -> Measurement:
    """Make the data, fit them, scan each theory parameter and find its intervals.

    Raises:
        InferenceError: if there are no events, or a fit or an interval fails.
        EventFileError: if a member of an ensemble of networks has other events.
    """
    data = make_data(loaded, config)
    others = _Others(ensemble_members(data, loaded, config), sample_likelihoods(data, loaded, config))
    scans, found, best = _scans(data, _best_fit(data, config), loaded, config)
    totals, intervals, bands, edges = {}, {}, {}, {}
    for name, curve in scans.items():
        variances = difference_variances(data.likelihood, best.phi, curve.points, data.kind == "asimov")
        training = others.variance(data, best, curve.points)
        whole = variances.total if training is None else variances.total + training
        if training is not None:
            bands[name] = {"integration": 2.0 * np.sqrt(variances.integration), "training": 2.0 * np.sqrt(training)}
            edges[name] = tuple(edge_errors(each, curve, bands[name]) for each in found[name])
        totals[name], total_at = _total(data, best, whole, curve)
        period = float(data.likelihood.mixture.periods[best.names.index(name)])
        wide = [
            crossings(name, curve.values, totals[name], level, total_at, kind="total", period=period)
            for level in config.levels
        ]
        intervals[name] = (*found[name], *wide)
    return Measurement(loaded, data, best, _budget(data, best, others), scans, totals, intervals, bands, edges)


def _best_fit(data: Data, config: InferenceConfig, extra: Array | None = None) -> BestFit:
    best = fit(data.likelihood, extra_starts=extra)
    if not best.valid:
        raise InferenceError(
            "the fit found no maximum: the data do not determine all parameters that are fitted "
            f"({', '.join(name for name, free in zip(best.names, best.free, strict=True) if free)}); fit fewer "
            "(inference.parameters), or add constraints (inference.constraints)"
        )
    if best.non_positive and config.non_positive == "error":
        raise InferenceError(
            f"the density of {best.non_positive} events is not positive at the best fit: integrate with more points "
            "(mem.points), or accept a floor with `inference.non_positive: floor`"
        )
    return best


def _scans(
    data: Data, best: BestFit, loaded: Loaded, config: InferenceConfig
) -> tuple[dict[str, Scan], dict[str, tuple[Interval, ...]], BestFit]:
    """Scan each theory parameter; where a scan finds a better point, fit again from there and begin anew."""
    for _ in range(3):
        scans, found = {}, {}
        for name in loaded.setup.interest:
            limits = config.scan.ranges.get(name)
            scans[name], found[name] = asymptotic_intervals(
                data.likelihood, best, name, config.levels, limits, config.scan.points
            )
        lowest = min(scans.values(), key=lambda curve: curve.profiled.min())
        if lowest.profiled.min() > -1e-3:
            break
        best = _best_fit(data, config, np.vstack([lowest.points[lowest.profiled.argmin()], best.maxima]))
    return scans, found, best


def _total(data: Data, best: BestFit, variance: Array, curve: Scan) -> tuple[Array, Callable[[float], float]]:
    """Return q with all errors, whose variance of log L is given, along a scan `(M,)`, and as a function."""
    statistical = profile_q(data.likelihood, best, best.names.index(curve.name), best.maxima)
    # the square root of the variance grows linearly with the distance from the best fit
    deviation = np.sqrt(variance)

    def evaluate(value: float) -> float:
        here = np.interp(value, curve.values, deviation) ** 2
        return float(total_q(np.array([statistical(value)]), np.array([here]))[0])

    return total_q(curve.profiled, variance), evaluate


def _budget(data: Data, best: BestFit, others: _Others) -> ErrorBudget:
    def fits(likelihoods: list[ExtendedLikelihood]) -> list[BestFit]:
        return [fit(each, best.phi, candidates=best.maxima, verify=False) for each in likelihoods]

    found = [training_errors([best, *fits(others.members)])] if others.members else []
    found += [training_errors(fits(others.samples))] if others.samples else []
    training = np.sqrt(np.square(found).sum(axis=0)) if found else None
    return error_budget(data.likelihood, best, training, data.kind == "asimov")

"""From a sample of events to limits: everything that `partonic infer` does.

The data are fitted, scanned and given intervals; expected limits, intervals from pseudo-experiments and the study of
coverage follow if they are asked for. ``result.json`` has all numbers, ``curves.parquet`` all curves.
"""

import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from partonic.config.inference import InferenceConfig
from partonic.errors import InferenceError
from partonic.files import write_json
from partonic.inference.coefficients.sum_rule import sum_rule
from partonic.inference.coefficients.truth import NO_REFERENCE
from partonic.inference.experiments.coverage import PointCoverage, coverage_study
from partonic.inference.experiments.expected import expected_limits
from partonic.inference.experiments.other_methods import compared
from partonic.inference.experiments.study import Plan, Workers
from partonic.inference.experiments.toys import ToyIntervals, toy_intervals
from partonic.inference.likelihood.error_budget import (
    ErrorBudget,
    difference_variances,
    error_budget,
    training_errors,
    training_variance,
)
from partonic.inference.likelihood.fit import BestFit, fit
from partonic.inference.likelihood.intervals import Interval, asymptotic_intervals, crossings, profile_q, total_q
from partonic.inference.likelihood.scan import Scan, contour
from partonic.inference.likelihood.unbinned import ExtendedLikelihood
from partonic.inference.parabola import parabola_misleads
from partonic.inference.result import RESULT_FORMAT, CurveTable, plain
from partonic.inference.samples import Data, Files, Loaded, ensemble_members, load, make_data
from partonic.parts import remove_parts
from partonic.progress import SILENT, Progress
from partonic.provenance import package_versions

__all__ = ["InferenceSummary", "infer"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class InferenceSummary:
    """What was found, in a few lines.

    Attributes:
        path: of ``result.json``.
        best: best fit.
        errors: of the best fit, all causes together, `(P,)`.
        intervals: of each theory parameter, asymptotic and with all errors.
        truth: θ of the pseudo-data, if they are such.
        events: number of events, or sum of their weights.
    """

    path: Path
    best: BestFit
    errors: Array
    intervals: Mapping[str, tuple[Interval, ...]]
    truth: Mapping[str, float] | None
    events: float

    def __str__(self) -> str:
        """Return a line for each parameter: intervals with all errors, best fit with its error, truth.

        An asterisk marks a best fit whose ± says something else than the intervals.
        """
        lines, marked = [f"{self.events:.6g} events; the result is {self.path}"], False
        for name, intervals in self.intervals.items():
            number = self.best.names.index(name)
            known = "" if self.truth is None else f", truth {self.truth.get(name, 0.0):g}"
            parts = ", ".join(
                f"{each.level:.0%} " + " ∪ ".join(f"[{low:.4g}, {high:.4g}]" for low, high in each.segments)
                for each in intervals
                if each.kind == "total"
            )
            value, error = float(self.best.phi[number]), float(self.errors[number])
            misled = _misleads(value, error, intervals)
            mark, marked = (" (*)", True) if misled else ("", marked)
            lines.append(f"  {name}: {parts}; best fit {value:.4g} ± {error:.2g}{mark}{known}")
        if marked:
            lines.append("  (*) best fit ± error is not what the intervals say: quote the intervals")
        return "\n".join(lines)


def infer(
    files: Files, config: InferenceConfig, seed: int, output: Path, progress: Progress = SILENT
) -> InferenceSummary:
    """Fit a sample and write ``result.json`` and ``curves.parquet``.

    Args:
        files: coefficients and event store.
        config: the settings.
        seed: root seed; that of the settings wins.
        output: folder of the results.
        progress: told of pseudo-experiments.

    Raises:
        InferenceError: if there are no events, or a fit or an interval fails.
        EventFileError: if a file is missing, damaged or does not fit the others.
        ParameterError: if a theory parameter is unknown.
    """
    loaded = load(files, config, seed if config.seed is None else config.seed)
    data = make_data(loaded, config)
    members = ensemble_members(data, loaded, config)
    best = _best_fit(data, config)
    curves = CurveTable()
    scans, intervals, best = _intervals(data, best, members, loaded, config, curves)
    budget = _budget(data, best, members)
    result = _described(data, loaded, best, budget, intervals, config, files)
    for names in _pairs(config, loaded):
        _add_contour(data.likelihood, best, names, scans, config, curves)
    result |= _expected(loaded, config, curves)
    result |= compared(loaded, config)
    result |= _studies(loaded, data, best, scans, config, output / "result.json", progress)
    curves.write(output / "curves.parquet")
    write_json(output / "result.json", plain(result))
    for name in ("coverage", *(f"toys-{name}" for name in loaded.setup.interest)):
        remove_parts(output / name)
    events = data.likelihood.total
    return InferenceSummary(output / "result.json", best, budget.total, intervals, data.truth, events)


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


def _intervals(
    data: Data, best: BestFit, members: list[ExtendedLikelihood], loaded: Loaded, config: InferenceConfig,
    curves: CurveTable,
) -> tuple[dict[str, Scan], dict[str, tuple[Interval, ...]], BestFit]:  # fmt: skip
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
    intervals = {}
    for name, curve in scans.items():
        total, total_at = _total(data, best, members, curve)
        period = float(data.likelihood.mixture.periods[best.names.index(name)])
        wide = [
            crossings(name, curve.values, total, level, total_at, kind="total", period=period)
            for level in config.levels
        ]
        intervals[name] = (*found[name], *wide)
        for kind, q in (("profile", curve.profiled), ("fixed", curve.fixed), ("total", total)):
            curves.add(kind, name, curve.values, q)
    return scans, intervals, best


def _total(
    data: Data, best: BestFit, members: list[ExtendedLikelihood], curve: Scan
) -> tuple[Array, Callable[[float], float]]:
    """Return q with all errors (integration, rate, calibration, training) along a scan `(M,)`, and as a function."""
    expected = data.kind == "asimov"
    variance = difference_variances(data.likelihood, best.phi, curve.points, expected).total
    if members:
        variance = variance + training_variance([data.likelihood, *members], best.phi, curve.points)
    statistical = profile_q(data.likelihood, best, best.names.index(curve.name), best.maxima)
    # the square root of the variance grows linearly with the distance from the best fit
    deviation = np.sqrt(variance)

    def evaluate(value: float) -> float:
        here = np.interp(value, curve.values, deviation) ** 2
        return float(total_q(np.array([statistical(value)]), np.array([here]))[0])

    return total_q(curve.profiled, variance), evaluate


def _budget(data: Data, best: BestFit, members: list[ExtendedLikelihood]) -> ErrorBudget:
    fits = [best, *(fit(member, best.phi, candidates=best.maxima, verify=False) for member in members)]
    training = training_errors(fits) if members else None
    return error_budget(data.likelihood, best, training, data.kind == "asimov")


def _pairs(config: InferenceConfig, loaded: Loaded) -> Iterable[tuple[str, str]]:
    if config.scan.contours is None:
        return itertools.combinations(loaded.setup.interest, 2)
    for name in itertools.chain.from_iterable(config.scan.contours):
        if name not in loaded.setup.interest:
            raise InferenceError(f"a contour of '{name}' needs it to be fitted; fitted are {loaded.setup.interest}")
    return config.scan.contours


def _add_contour(
    likelihood: ExtendedLikelihood, best: BestFit, names: tuple[str, str], scans: Mapping[str, Scan],
    config: InferenceConfig, curves: CurveTable,
) -> None:  # fmt: skip
    x, y = (np.linspace(scans[name].values[0], scans[name].values[-1], config.scan.contour_points) for name in names)
    curves.add_contour(names, x, y, contour(likelihood, best, names, x, y).profiled)


def _expected(loaded: Loaded, config: InferenceConfig, curves: CurveTable) -> dict[str, Any]:
    """Return the expected limits; without simulated events there are none."""
    if loaded.pool is None:
        return {"expected": []}
    entries = []
    for index, theta in enumerate(config.expected):
        limits = expected_limits(loaded.setup, loaded.pool, theta, config.levels)
        for name, curve in limits.curves.items():
            curves.add("expected", name, curve.values, curve.profiled, index)
        entries.append(
            {
                "theta": dict(theta),
                "events": limits.events,
                "best_fit": dict(zip(limits.best.names, limits.best.phi.tolist(), strict=True)),
                "intervals": limits.intervals,
            }
        )
    return {"expected": entries}


def _studies(
    loaded: Loaded, data: Data, best: BestFit, scans: Mapping[str, Scan], config: InferenceConfig, output: Path,
    progress: Progress,
) -> dict[str, Any]:  # fmt: skip
    """Return the intervals from pseudo-experiments and the coverage, as far as they are asked for."""
    toys: dict[str, ToyIntervals] = {}
    coverage: list[PointCoverage] = []
    if config.toys is None and config.coverage is None:
        return {"toys": toys, "coverage": coverage}
    if loaded.pool is None:
        message = "toys and coverage draw from simulated events: they need their event store and `data` not `events`"
        raise InferenceError(message)
    workers = Workers(config.workers, config.scheduler)
    if config.toys is not None:
        for name in config.toys.parameters or loaded.setup.interest:
            if name not in scans:
                raise InferenceError(f"toys of '{name}' need it to be fitted; fitted are {', '.join(scans)}")
            plan = Plan(config.toys.experiments, output.with_name(f"toys-{name}"), workers, progress)
            toys[name] = toy_intervals(
                loaded.setup, loaded.pool, data.likelihood, best, scans[name], plan, config.toys.points, config.levels
            )
    if config.coverage is not None:
        plan = Plan(config.coverage.experiments, output.with_name("coverage"), workers, progress)
        coverage = coverage_study(loaded.setup, loaded.pool, config.coverage.points, plan, config.levels)
    return {"toys": toys, "coverage": coverage}


def _described(
    data: Data, loaded: Loaded, best: BestFit, budget: ErrorBudget, intervals: Mapping[str, tuple[Interval, ...]],
    config: InferenceConfig, files: Files,
) -> dict[str, Any]:  # fmt: skip
    mixture, likelihood = loaded.setup.mixture, data.likelihood
    names = ("statistical", "integration", "rate", "calibration", "training", "total")
    causes = {name: getattr(budget, name) for name in names}
    return {
        "format": RESULT_FORMAT,
        "source": loaded.signal.source,
        "parameters": mixture.theory,
        "standard_model": mixture.standard_point(),
        "fitted": loaded.setup.interest,
        "luminosity": mixture.luminosity,
        "shape_only": config.shape_only,
        "data": {
            "kind": data.kind,
            "truth": data.truth,
            "events": likelihood.total,
            "without_coefficients": likelihood.without_coefficients,
            "status": loaded.status_counts(),
            "not_positive_at_reference": loaded.status_counts().get(NO_REFERENCE, 0),
            "non_positive": best.non_positive,
            "seed": loaded.setup.seed,
        },
        "best_fit": {
            name: {
                "value": best.phi[k],
                "free": best.free[k],
                **{cause: each[k] for cause, each in causes.items()},
                "parabola_misleads": _misleads(best.phi[k], budget.total[k], intervals.get(name, ())),
            }
            for k, name in enumerate(best.names)
        },
        "valid": best.valid,
        "verified_by_minuit": best.verified,
        "log_likelihood": best.log_likelihood,
        "covariance": best.covariance,
        "maxima": [
            {"values": dict(zip(best.names, phi.tolist(), strict=True)), "q": 2 * (best.log_likelihood - height)}
            for phi, height in zip(best.maxima, best.heights, strict=True)
        ],
        "intervals": intervals,
        "expected_events": mixture.expected_by_component(best.phi),
        "rate": {"monomials": mixture.signal.monomials.names, **mixture.signal.record().model_dump()},
        "sum_rule": _sum_rule(loaded),
        "files": {
            "store": files.store and str(files.store),
            "signal": files.signal and str(files.signal),
            "backgrounds": {name: str(path) for name, path in files.backgrounds.items()},
            "components": {name: str(path) for name, path in files.components.items()},
        },
        "settings": config.physics(),
        "versions": package_versions(),
    }


def _misleads(value: float, error: float, intervals: Iterable[Interval]) -> bool:
    """Return whether best fit ± error says something else than one of the intervals with all errors."""
    return any(parabola_misleads(float(value), float(error), each) for each in intervals if each.kind == "total")


def _sum_rule(loaded: Loaded) -> list[dict[str, Any]]:
    """Compare the mean ratios of the simulated signal at the reference with the true ones of the same events."""
    if not loaded.samples:
        return []
    sample = loaded.samples[0]
    rule = sum_rule(sample.signal, sample.weights, None)
    true = rule.mean - rule.difference
    columns = zip(sample.signal.monomials.names, rule.mean, true, rule.difference_error, strict=True)
    return [
        {"monomial": name, "estimated": estimated, "true": exact, "error_of_difference": error}
        for name, estimated, exact, error in columns
    ]

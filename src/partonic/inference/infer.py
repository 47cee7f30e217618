"""From a sample of events to limits: everything that `partonic infer` does.

The data are fitted, scanned and given intervals; expected limits, intervals from pseudo-experiments and the study of
coverage follow if they are asked for. ``result.json`` has all numbers, ``curves.parquet`` all curves.
"""

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from partonic.config.inference import InferenceConfig
from partonic.errors import InferenceError
from partonic.files import write_json
from partonic.inference.coefficients.sum_rule import sum_rule
from partonic.inference.coefficients.truth import NO_REFERENCE
from partonic.inference.experiments.expected import expected_limits
from partonic.inference.experiments.other_methods import compared
from partonic.inference.likelihood.fit import BestFit
from partonic.inference.likelihood.intervals import Interval
from partonic.inference.likelihood.scan import Scan, contour
from partonic.inference.likelihood.unbinned import ExtendedLikelihood
from partonic.inference.measurement import Measurement, measure
from partonic.inference.optimised_template.study import JOURNAL, template_of
from partonic.inference.parabola import parabola_misleads
from partonic.inference.pyhf_export import export_of
from partonic.inference.result import RESULT_FORMAT, CurveTable, plain
from partonic.inference.samples import Files, Loaded, load
from partonic.inference.studies import remove_parts_of_studies, studies
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
        units: of angles along curves, by name.
    """

    path: Path
    best: BestFit
    errors: Array
    intervals: Mapping[str, tuple[Interval, ...]]
    truth: Mapping[str, float] | None
    events: float
    units: Mapping[str, str] = field(default_factory=dict)

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
            unit = f" [{self.units[name]}]" if self.units.get(name) else ""
            lines.append(f"  {name}{unit}: {parts}; best fit {value:.4g} ± {error:.2g}{mark}{known}")
        if marked:
            lines.append("  (*) best fit ± error is not what the intervals say: quote the intervals")
        return "\n".join(lines)


def infer(
    files: Files, config: InferenceConfig, seed: int, output: Path, progress: Progress = SILENT
) -> InferenceSummary:
    """Fit a sample and write ``result.json`` and ``curves.parquet``, and ``workspace.json`` if it is asked for.

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
    found = measure(loaded, config)
    data, best, scans = found.data, found.best, found.scans
    curves = CurveTable()
    for name, curve in scans.items():
        for kind, q in (("profile", curve.profiled), ("fixed", curve.fixed), ("total", found.total[name])):
            curves.add(kind, name, curve.values, q)
        for cause, band in found.bands.get(name, {}).items():
            curves.add(f"{cause}_band", name, curve.values, band)
    result = _described(found, config, files)
    for names in _pairs(config, loaded):
        _add_contour(data.likelihood, best, names, scans, config, curves)
    result |= _expected(loaded, config, curves)
    result |= compared(loaded, config, files.compared)
    result |= studies(loaded, data, best, scans, config, output / "result.json", progress)
    result |= _template(loaded, config, files, output, progress)
    if config.pyhf is not None:
        export_of(loaded, data, config.pyhf).write(output / "workspace.json")
    curves.write(output / "curves.parquet")
    write_json(output / "result.json", plain(result))
    remove_parts_of_studies(loaded, config, output)
    (output / JOURNAL).unlink(missing_ok=True)
    events = data.likelihood.total
    units = {name: curve.unit_text for name, curve in config.curves.items()}
    return InferenceSummary(
        output / "result.json", best, found.budget.total, found.intervals, data.truth, events, units
    )


def _template(
    loaded: Loaded, config: InferenceConfig, files: Files, output: Path, progress: Progress
) -> dict[str, Any]:
    """Return the numbers of the template, and write its workspace, if they are asked for."""
    if config.template is None:
        return {}
    found = template_of(loaded, config, config.template, output, files.signal, progress)
    if found.workspace is not None:
        found.workspace.write(output / "template_workspace.json")
    return {"template": found.record}


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


def _described(found: Measurement, config: InferenceConfig, files: Files) -> dict[str, Any]:
    loaded, data, best, budget, intervals = found.loaded, found.data, found.best, found.budget, found.intervals
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
        **({"edge_errors": found.edge_errors, "weight_samples": len(loaded.weight_samples)} if found.bands else {}),
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

"""Fits from a notebook: coefficients of events in; values, intervals, curves and figures out.

What is computed is what `partonic infer` computes with the same settings: both call
`partonic.inference.measurement.measure`.
"""

import html
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import ValidationError

from partonic.config.inference import InferenceConfig
from partonic.errors import ParameterError
from partonic.events.store import EventStore
from partonic.inference.coefficients.coefficients_file import CoefficientsMetadata, read_metadata
from partonic.inference.coefficients.event_coefficients import EventCoefficients
from partonic.inference.coefficients.rate import FiducialRate
from partonic.inference.likelihood.intervals import Interval, threshold
from partonic.inference.likelihood.scan import Contour, Scan, contour, scan
from partonic.inference.measurement import Measurement, measure
from partonic.inference.parabola import parabola_misleads
from partonic.inference.samples import Files, load
from partonic.inference.sources import settings_for
from partonic.plots.canvas import Headline
from partonic.plots.statistics.contours import ContourMap, draw_contours
from partonic.plots.statistics.likelihood_curve import Crossing, LikelihoodCurve, draw_likelihood_curve
from partonic.process_registry import find_process
from partonic.processes.definition import build_process
from partonic.report.labels import axis_label, curve_parameters, labels_of, named

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from partonic.physics.process import Process

__all__ = ["FitResult", "fit", "load_process", "open_store"]

Read = tuple[EventCoefficients, CoefficientsMetadata]


@dataclass(frozen=True, eq=False)
class FitResult:
    """The result of `fit`; a notebook shows it as a table.

    Attributes:
        measurement: data, best fit, errors by cause, scans and intervals.
        config: the settings.
    """

    measurement: Measurement
    config: InferenceConfig

    @property
    def names(self) -> tuple[str, ...]:
        """Theory parameters that were fitted."""
        return self.measurement.loaded.setup.interest

    @property
    def values(self) -> dict[str, float]:
        """Best fit of each of them."""
        return {name: self.measurement.best.value(name) for name in self.names}

    @property
    def errors(self) -> dict[str, float]:
        """Standard error of each, all causes together, from the curvature at the best fit."""
        best = self.measurement.best
        return {name: float(self.measurement.budget.total[best.names.index(name)]) for name in self.names}

    @property
    def intervals(self) -> dict[str, tuple[Interval, ...]]:
        """Confidence intervals of each with all errors, one for each level of the settings."""
        found = self.measurement.intervals
        return {name: tuple(each for each in found[name] if each.kind == "total") for name in self.names}

    @property
    def truth(self) -> Mapping[str, float] | None:
        """True values of pseudo-data, those not named 0; None for data."""
        return self.measurement.data.truth

    def scan(self, name: str, limits: tuple[float, float] | None = None, points: int = 41) -> Scan:
        """Return q = 2 [log L(best) − log L] along one parameter, the others fitted.

        Args:
            name: of the parameter.
            limits: range; by default that of the scan from which the intervals were read, with its points.
            points: in the range.

        Raises:
            ParameterError: if it was not fitted.
        """
        self._check(name)
        if limits is None:
            return self.measurement.scans[name]
        data, best = self.measurement.data, self.measurement.best
        return scan(data.likelihood, best, name, np.linspace(*limits, points))

    def contour(self, x: str, y: str, points: int = 25) -> Contour:
        """Return q over two parameters, the others fitted, in the ranges of their scans.

        Raises:
            ParameterError: if one of them was not fitted.
        """
        ranges = [self.scan(name).values for name in (x, y)]
        grids = [np.linspace(values[0], values[-1], points) for values in ranges]
        return contour(self.measurement.data.likelihood, self.measurement.best, (x, y), grids[0], grids[1])

    def plot(self, *names: str) -> "Figure":
        """Return a figure of the scan of one parameter, or of the regions of two.

        Raises:
            ParameterError: if a parameter was not fitted, or more than two are named.
            DependencyError: if matplotlib is not installed.
        """
        chosen = names or self.names[:1]
        if len(chosen) > 2:
            raise ParameterError(f"a figure has one parameter or two, got {', '.join(chosen)}")
        with labels_of(curve_parameters(self.config.curves)):
            return self._curve(chosen[0]) if len(chosen) == 1 else self._contours(chosen[0], chosen[1])

    def __str__(self) -> str:
        """Return a line for each parameter."""
        head = f"{self.measurement.data.likelihood.total:.6g} events"
        return "\n".join([head, *("  " + ", ".join(filter(None, row)) for row in self._rows())])

    def _repr_html_(self) -> str:
        levels = [f"{level:.0%}" for level in self.config.levels]
        head = "".join(f"<th>{each}</th>" for each in ("", *levels, "best fit", "truth"))
        rows = "".join(
            "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in self._rows()
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"

    def _rows(self) -> list[tuple[str, ...]]:
        values, errors, rows = self.values, self.errors, []
        with labels_of(curve_parameters(self.config.curves)):
            titles = {name: named(name) for name in self.intervals}
        for name, intervals in self.intervals.items():
            cells = [" ∪ ".join(f"[{low:.4g}, {high:.4g}]" for low, high in each.segments) for each in intervals]
            misled = any(parabola_misleads(values[name], errors[name], each) for each in intervals)
            best = f"{values[name]:.4g} ± {errors[name]:.2g}" + (" (not what the interval says)" if misled else "")
            rows.append((titles[name], *cells, best, "" if self.truth is None else f"{self.truth.get(name, 0.0):.4g}"))
        return rows

    def _curve(self, name: str) -> "Figure":
        curve, total = self.scan(name), self.measurement.total[name]
        found = [each for each in self.measurement.intervals[name] if each.kind == "asymptotic"]
        described = LikelihoodCurve(
            title=axis_label(name),
            values=curve.values,
            profile=curve.profiled,
            crossings=[Crossing(f"{each.level:.0%}", threshold(each.level), each.segments) for each in found],
            best=self.values[name],
            truth=None if self.truth is None else float(self.truth.get(name, 0.0)),
            others={"with all errors": (curve.values, total)},
        )
        return draw_likelihood_curve(described, headline=self._headline())

    def _contours(self, x: str, y: str) -> "Figure":
        found = self.contour(x, y)
        standard = self.measurement.loaded.setup.mixture.standard_point()
        points = {"SM": (standard[x], standard[y])}
        if self.truth is not None:
            points["truth"] = (float(self.truth.get(x, 0.0)), float(self.truth.get(y, 0.0)))
        described = ContourMap(
            titles=(axis_label(x), axis_label(y)),
            x=found.x,
            y=found.y,
            q=found.profiled,
            levels={f"{level:.0%}": threshold(level, 2) for level in sorted(self.config.levels)},
            best=(self.values[x], self.values[y]),
            points=points,
        )
        return draw_contours(described, headline=self._headline())

    def _headline(self) -> Headline:
        kind = self.measurement.data.kind
        return Headline("data" if kind == "events" and self.truth is None else "simulation")

    def _check(self, name: str) -> None:
        if name not in self.names:
            raise ParameterError(f"'{name}' was not fitted; fitted are {', '.join(self.names)}")


def fit(
    coefficients: str | Path | EventCoefficients | Read | None = None,
    *,
    store: str | Path | None = None,
    rate: FiducialRate | None = None,
    backgrounds: Mapping[str, str | Path] | None = None,
    components: Mapping[str, str | Path] | None = None,
    seed: int = 1,
    **settings: Any,
) -> FitResult:
    """Fit a sample of events.

    Args:
        coefficients: of the events: a file of `partonic mem`, what `read_coefficients` gave, or coefficients made by
            other means; None for parton truth of the events of `store`.
        store: event store that the coefficients are of; simulated events in it are what pseudo-data are drawn from.
        rate: fiducial cross section, for coefficients in memory; by default that of the file, or of the store.
        backgrounds: files with the coefficients of the same events under each background of the settings.
        components: the same under each further component that depends on theory parameters.
        seed: root seed of pseudo-data.
        **settings: the keys of the section `inference` of an analysis file, e.g. ``luminosity=100.0``; `source` is who
            made the coefficients, if it is not named.

    Raises:
        ParameterError: if a setting is unknown or not valid, or neither coefficients nor a store are given.
        InferenceError: if there are no events, or a fit or an interval fails.
        EventFileError: if a file is missing, damaged or does not fit the others.
    """
    if coefficients is None and store is None:
        message = "a fit needs coefficients of events, or the event store of simulated ones, whose truth is fitted"
        raise ParameterError(message)
    given = _in_memory(coefficients, rate)
    path = Path(coefficients) if isinstance(coefficients, str | Path) else None
    config = _config(_source(given, path), settings)
    further = ({name: Path(file) for name, file in (each or {}).items()} for each in (backgrounds, components))
    of_backgrounds, of_components = further
    files = Files(None if store is None else Path(store), path, of_backgrounds, of_components)
    loaded = load(files, config, seed if config.seed is None else config.seed, given)
    return FitResult(measure(loaded, config), config)


def open_store(path: str | Path) -> EventStore:
    """Open an event store, a Parquet file.

    Raises:
        EventFileError: if it is missing, damaged or no event store.
    """
    return EventStore.open(Path(path))


def load_process(name: str, **settings: Any) -> "Process":
    """Return a hard process with its matrix element and parton densities.

    Args:
        name: as in analysis files; `partonic processes` lists them.
        **settings: the other keys of the section `process`.

    Raises:
        ProcessError: if there is no such process, or it has no matrix element.
        ParameterError: if a setting is unknown or not valid.
        PdfError: if the parton distributions are missing.
    """
    model = find_process(name).settings
    try:
        section = model.model_validate({"name": name, **settings})
    except ValidationError as error:
        raise ParameterError(_first_of(error, f"the process '{name}'")) from error
    return build_process(section)


def _source(given: Read | None, path: Path | None) -> str:
    """Return who made the coefficients: what is in memory, a file, or neither for parton truth."""
    if path is not None:
        return read_metadata(path).source
    return "truth" if given is None else given[0].source


def _config(source: str, settings: Mapping[str, Any]) -> InferenceConfig:
    try:
        return settings_for(source, settings)
    except ValidationError as error:
        raise ParameterError(_first_of(error, "a fit")) from error


def _first_of(error: ValidationError, of: str) -> str:
    """Say what is wrong with the first setting that is."""
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    return f"the setting '{key}' of {of} is not valid: {first['msg']}, got {first['input']!r}"


def _in_memory(coefficients: object, rate: FiducialRate | None) -> Read | None:
    """Return coefficients that are in memory with what travels with them; None for a file, or for parton truth."""
    if isinstance(coefficients, tuple):
        events, metadata = coefficients
    elif isinstance(coefficients, EventCoefficients):
        monomials, point = coefficients.monomials, dict(coefficients.reference_point)
        events = coefficients
        metadata = CoefficientsMetadata(
            parameters=monomials.parameters, exponents=monomials.exponents, source=coefficients.source,
            reference_point=point,
        )  # fmt: skip
    else:
        return None
    return events, metadata if rate is None else metadata.model_copy(update={"cross_section": rate.record()})

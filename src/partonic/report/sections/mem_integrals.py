"""Integrals of the matrix element method: how precise they are, and whether the coefficients are right."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from partonic.event_status import OK
from partonic.events.batch import EventBatch
from partonic.inference.calibration.each_ratio import RatioCalibration
from partonic.inference.coefficients.event_coefficients import EventCoefficients
from partonic.inference.coefficients.sum_rule import SumRule
from partonic.mem.integral.diagnostics import FEW_POINTS, IntegralDiagnostics
from partonic.plots.canvas import Headline
from partonic.plots.distributions import Distribution, draw_distributions
from partonic.plots.mean_profile import MeanProfile, draw_mean_profiles, mean_profile
from partonic.report.content import Content, Plot, Table, number_with_error
from partonic.report.labels import monomial_label
from partonic.report.limits import IntegratedEvents
from partonic.report.section import Sample

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["MemIntegralsSection", "plain_name"]

Array = NDArray[np.float64]

_FLAGS = {
    "dominated": "dominated by one point, kept",
    "above_target": "error above the one asked for",
}
"""Figures in the facts of a file of coefficients that flag events, and what they mean."""


_LARGEST = "largest share of one weight"

_ROUNDING = 1e-10
"""Ratios smaller than this are what is left of terms that cancel."""


class MemIntegralsSection:
    """Quality of the integrals under each hypothesis, sum rule and calibration of the ratios."""

    name: ClassVar[str] = "mem_integrals"
    title: ClassVar[str] = "Integrals of the matrix element method"
    columns: ClassVar[tuple[str, ...]] = ()
    about: ClassVar[str] = (
        "For every event the densities P_a(x) are integrals over the partons that it may come from, all from "
        "the same points. Their errors come from the scatter of the weights; effective points are (Σw)²/Σw². "
        "R_a = P_a/P_0. For simulated events that were weighted to the Standard Model, the mean of R_a(x) must "
        "be σ_a/σ_0, and the mean of the true R_a(z) of the partons at fixed R_a(x) must be R_a(x) itself: a "
        "slope below 1 means that R_a(x) claims to know more than it does."
    )

    other: ClassVar[int | None] = None
    """Number of the estimator among those that are not fitted; None for the one that is."""

    def __init__(self, sample: Sample) -> None:
        """Prepare for `sample`."""
        limits = sample.limits
        self.integrated = limits.integrated if limits else ()
        if limits is not None and self.other is not None:
            events = limits.others[self.other]
            self.integrated = (replace(events, name=plain_name(events)),)

    def fill(self, batch: EventBatch) -> None:
        """Ignore the events: their coefficients are there already."""

    def content(self) -> Content:
        """Return tables and figures of each hypothesis."""
        tables, plots, missing, results = [], [], [], {}
        for events in self.integrated:
            measured = _Measured(events)
            tables += list(measured.tables())
            plots += list(measured.plots())
            missing += list(measured.missing())
            results[events.name] = measured.results()
        return Content(
            paragraphs=(self.about,),
            missing=tuple(missing),
            tables=tuple(tables),
            plots=tuple(plots),
            results=results,
        )


def plain_name(events: IntegratedEvents) -> str:
    """Return a name that may be part of that of a file."""
    return events.name.replace(".", "_")


class _Measured:
    """What is shown of the events under one hypothesis."""

    def __init__(self, events: IntegratedEvents) -> None:
        self.events = events
        self.good = events.coefficients.select(events.coefficients.usable())
        self.integrals = IntegralDiagnostics.of(self.good) if IntegralDiagnostics.known(self.good) else None
        self.names = events.coefficients.monomials.names
        self.has_densities = bool(self.good.log_reference.any() or self.good.relative_error.any())
        self.rule: SumRule | None = events.sum_rule
        self.calibration: RatioCalibration | None = events.calibration

    def missing(self) -> Iterator[str]:
        name = self.events.name
        if not len(self.good):
            yield f"{name}: none of {len(self.events.coefficients):,} events has coefficients."
        elif len(self.names) > 1 and self.rule is None:
            yield (
                f"{name}: the events are no simulated events of this process, or too few, so that the sum rule and the "
                "calibration of the ratios cannot be tested."
            )

    def tables(self) -> Iterator[Table]:
        yield self._status()
        if len(self.good) and self.has_densities:
            yield self._quality()
        if len(self.good) and len(self.names) > 1:
            yield self._ratios()
        if self.rule is not None:
            yield self._sum_rule(self.rule)

    def plots(self) -> Iterator[Plot]:
        name = self.events.name
        if len(self.good) and self.has_densities:
            yield Plot(
                f"mem_{name}_quality",
                f"Quality of the integrals and log P_0 of the events, hypothesis {name}. Errors of the ratios are in "
                "units of the root mean square of R_a over the events, of all R_a that vary.",
                self._draw_quality,
            )
        if self.calibration is not None:
            yield Plot(
                f"mem_{name}_calibration",
                f"Mean of the true R_a(z) against R_a(x), hypothesis {name}, weights of the Standard Model; dashed: "
                "equal, red: straight line through all events. Ratios that are multiples of another are left out.",
                partial(self._draw_calibration, self.calibration),
            )

    def results(self) -> dict[str, object]:
        good = self.good
        return {
            "source": self.events.coefficients.source,
            "counts": dict(Counter(self.events.coefficients.status)),
            "median_relative_error": _median(good.relative_error),
            "median_ratio_errors": dict(zip(self.names, map(_median, _ratio_errors(good).T), strict=True)),
            **self._integral_results(),
            "flags": self._flags(),
            "sum_rule": self.rule.record(self.names) if self.rule else None,
            "calibration": self.calibration.to_json() if self.calibration else None,
        }

    def _integral_results(self) -> dict[str, object]:
        if self.integrals is None:
            return {}
        return {
            "median_effective_share": _median(self.integrals.effective_share),
            "median_largest_share": _median(self.integrals.largest_weight_share),
            "points": int(IntegralDiagnostics.of(self.events.coefficients).points.sum()),
            "few_effective_points": self.integrals.few,
        }

    def _flags(self) -> dict[str, int]:
        figures = self.events.metadata.facts.get("figures", {})
        return {name: int(figures[name]) for name in _FLAGS if figures.get(name) is not None}

    def _status(self) -> Table:
        total = len(self.events.coefficients)
        counts = Counter(self.events.coefficients.status)
        rows = [("with coefficients", counts.pop(OK, 0), "used")]
        if self.integrals is not None:
            rows.append((f"of these: fewer than {FEW_POINTS} effective points", self.integrals.few, "flagged"))
        rows += [(f"of these: {_FLAGS[name]}", number, "flagged") for name, number in self._flags().items()]
        rows += [(status, number, "excluded") for status, number in counts.most_common()]
        return Table(
            f"Events under the hypothesis {self.events.name} ({self.events.coefficients.source}). Excluded events have "
            "no coefficients; the likelihood knows their number and nothing else of them.",
            ("status", "events", "share", ""),
            tuple((what, f"{number:,}", _share(number, total), policy) for what, number, policy in rows),
        )

    def _quality(self) -> Table:
        good = self.good
        figures = {
            "relative error of P_0": good.relative_error,
            **({} if self.integrals is None else _columns(self.integrals)),
            "log P_0 [P in pb per unit of x]": good.log_reference,
        }
        rows = tuple((name, *(_number(np.quantile(values, level)) for level in (0.05, 0.5, 0.95)))
                     for name, values in figures.items())  # fmt: skip
        return Table(f"Integrals of {self.events.name}: quantiles over the events.", ("", "5%", "median", "95%"), rows)

    def _ratios(self) -> Table:
        errors, sizes = _ratio_errors(self.good), _sizes(self.good)
        relative = _relative(errors, np.abs(self.good.ratios))
        rows = tuple(
            (
                name,
                f"{sizes[a]:.3g}",
                f"{np.median(errors[:, a]):.2g}",
                f"{np.median(relative[:, a]):.2g}",
                *self._slopes(a),
            )
            for a, name in enumerate(self.names)
            if sizes[a] > _ROUNDING and a
        )
        headings = ("monomial", "rms of R_a", "median error of R_a", "median relative error")
        more = ("slope of R_a(z) on R_a(x)", "noise of the integration in Var R_a(x)") if self.calibration else ()
        return Table(f"Ratios R_a of {self.events.name}.", (*headings, *more), rows)

    def _slopes(self, a: int) -> tuple[str, ...]:
        if self.calibration is None:
            return ()
        if self.calibration.slope_error[a] == 0:
            return "constant", "–"
        noise = float(self.good.covariance[:, a, a].mean()) / max(float(self.good.ratios[:, a].var()), 1e-300)
        return number_with_error(self.calibration.slope[a], self.calibration.slope_error[a]), f"{noise:.1%}"

    def _sum_rule(self, rule: SumRule) -> Table:
        rows = tuple(
            (
                name,
                _estimate(rule.mean[a], rule.mean_error[a]),
                _estimate(rule.expected[a], rule.expected_error[a]),
                _pull(rule.pull[a]),
                _estimate(rule.difference[a], rule.difference_error[a]),
                _pull(rule.difference_pull[a]),
            )
            for a, name in enumerate(self.names)
            if a
        )
        return Table(
            f"Sum rule, {self.events.name}, {rule.events:,} events with the weights of the Standard Model. The last "
            "two columns compare with the true ratios of the very same events, which is more precise.",
            ("monomial", "mean of R_a(x)", "σ_a/σ_0", "pull", "mean of R_a(x) − R_a(z)", "pull"),
            rows,
        )

    def _draw_quality(self, headline: Headline) -> "Figure":
        good = self.good
        dominated = self.events.metadata.config.get("mem", {}).get("dominated", {}).get("limit")
        marks = {f"limit {dominated:g}": float(dominated)} if isinstance(dominated, float) else {}
        boxes = [Distribution(r"relative error of $P_0$", {"": good.relative_error}, logarithmic=True)]
        for name, values in ({} if self.integrals is None else _columns(self.integrals)).items():
            is_largest = name == _LARGEST
            boxes.append(
                Distribution(name, {"": values}, logarithmic=name != "points", marks=marks if is_largest else {})
            )
        boxes.append(Distribution(r"$\log P_0$", {"": good.log_reference}))
        if len(self.names) > 1:
            # Ratios that are the same for all events have no error but rounding.
            errors = _relative(_ratio_errors(good), _sizes(good))[:, good.ratios.std(axis=0) > _ROUNDING]
            boxes.append(Distribution(r"error of $R_a$ / rms of $R_a$", {"": errors.ravel()}, logarithmic=True))
        return draw_distributions(boxes, "events", headline=headline)

    def _draw_calibration(self, calibration: RatioCalibration, headline: Headline) -> "Figure":
        profiles = dict(self._profiles(calibration))
        return draw_mean_profiles(profiles, (r"$R_a(x)$", r"mean of $R_a(z)$"), headline=headline)

    def _profiles(self, calibration: RatioCalibration) -> Iterator[tuple[str, MeanProfile]]:
        weights = self.events.weights
        if weights is None:
            return
        monomials = self.events.coefficients.monomials
        good = self.events.coefficients.usable() & (weights[:, 0] > 0)
        ratios, truth, w = self.events.coefficients.ratios[good], weights[good] / weights[good, :1], weights[good, 0]
        drawn: list[int] = []
        for a, powers in enumerate(monomials.exponents):
            if calibration.slope_error[a] == 0:  # nothing varies
                continue
            if any(_is_multiple(ratios[:, a], ratios[:, b]) and _is_multiple(truth[:, a], truth[:, b]) for b in drawn):
                continue  # of δκ_t c_tG it is R_a of c_tG, times 2: the same figure again
            drawn.append(a)
            slope = float(calibration.slope[a])
            line = (slope, float(calibration.truth[a] - slope * calibration.estimate[a]))
            note = f"slope {number_with_error(slope, float(calibration.slope_error[a]))}"
            yield (
                monomial_label(monomials.parameters, powers),
                mean_profile(ratios[:, a], truth[:, a], w, line=line, note=note),
            )


def _is_multiple(values: Array, others: Array) -> bool:
    """Return whether values are others times one factor, but for rounding."""
    size = float(others @ others)
    factor = float(values @ others) / size if size > 0 else 0.0
    return bool(np.allclose(values, factor * others, rtol=1e-6, atol=_ROUNDING))


def _columns(quality: IntegralDiagnostics) -> dict[str, Array]:
    """Return the diagnostics of integrals as they are shown."""
    return {
        "effective points / points": quality.effective_share,
        _LARGEST: quality.largest_weight_share,
        "points": quality.points.astype(np.float64),
    }


def _ratio_errors(good: EventCoefficients) -> Array:
    """Return the standard errors of the ratios, `(N, A)`."""
    errors: Array = np.sqrt(np.maximum(np.diagonal(good.covariance, axis1=1, axis2=2), 0.0))
    return errors


def _sizes(good: EventCoefficients) -> Array:
    """Return the root mean square of each ratio over the events, `(A,)`."""
    sizes: Array = np.sqrt(np.square(good.ratios).mean(axis=0))
    return sizes


def _relative(errors: Array, sizes: Array) -> Array:
    """Return errors/sizes, NaN where there is nothing to compare with."""
    ratio: Array = errors / np.where(sizes > 0, sizes, np.nan)
    return ratio


def _median(values: Array) -> float | None:
    return float(np.median(values)) if len(values) else None


def _share(number: int, total: int) -> str:
    return f"{number / total:.2%}" if total else "–"


def _number(value: float) -> str:
    return f"{value:.4g}".replace("-", "−")


def _estimate(value: float, error: float) -> str:
    """Return a ratio with its error; what cancels in every event to rounding is 0."""
    return "0 (to rounding)" if max(abs(value), error) < _ROUNDING else number_with_error(float(value), float(error))


def _pull(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:+.1f}".replace("-", "−")

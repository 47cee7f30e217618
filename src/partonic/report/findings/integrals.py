"""What to look at in the integrals of the matrix element method and in the ratios that a fit uses."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from partonic.errors import EventFileError, InferenceError, ParameterError
from partonic.inference.calibration.each_ratio import RatioCalibration, fit_calibration
from partonic.inference.coefficients.sum_rule import SumRule, sum_rule
from partonic.mem.integral.diagnostics import FEW_POINTS, IntegralDiagnostics
from partonic.report.findings.finding import Finding, count_and_share, level_of, percent
from partonic.report.limits import IntegratedEvents, Limits

__all__ = ["integral_findings"]

FEW_EFFECTIVE: Final = 0.1
"""Share of events with fewer than `FEW_POINTS` effective points to tell of: their errors are not known themselves."""

DOMINATED: Final = 0.05
"""Share of events whose integral one point dominates: expected is none, and each of them may be off by any factor."""

TOO_MANY: Final = 0.5
"""Share of flagged events from which on the densities cannot be used."""

REFERENCE_ERROR: Final = 0.3
"""Median relative error of P_0: its square biases the mean of log P_0 by 5%, which a fit corrects to first order."""

EXCLUDED: Final = 0.01
"""Share of events without coefficients: the cross section behind the cuts is then off by as much."""

SUM_RULE: Final = (3.0, 5.0)
"""Pulls of the sum rule to look at and not to believe in; of ten ratios one is beyond 3 in 1 of 40 samples."""

SLOPE: Final = 0.1
"""Deviation of the slope of true on estimated ratios from 1: intervals are then wrong by about as much."""


def integral_findings(limits: Limits) -> Iterator[Finding]:
    """Yield the findings of each hypothesis, then those of the ratios as the fit used them."""
    for events in limits.integrated:
        yield from _quality(events)
    yield from _ratios(limits)


def _quality(events: IntegratedEvents) -> Iterator[Finding]:
    total, usable = len(events.coefficients), events.coefficients.usable()
    good = events.coefficients.select(usable)
    if not total:
        return
    excluded = total - len(good)
    if excluded / total > EXCLUDED:
        level = level_of(is_fault=excluded / total > TOO_MANY)
        text = f"{count_and_share(excluded, total)} have no coefficients under {events.name} (bound 1%)."
        yield Finding(level, "mem", text, "mem_integrals")
    few = IntegralDiagnostics.of(good).few if IntegralDiagnostics.known(good) else 0
    yield from _flagged(events, few, f"have fewer than {FEW_POINTS} effective points", FEW_EFFECTIVE)
    dominated = (events.metadata.facts.get("figures") or {}).get("dominated")
    yield from _flagged(events, int(dominated or 0), "have an integral that one point dominates", DOMINATED)
    error = float(np.median(good.relative_error)) if len(good) else 0.0
    if error > REFERENCE_ERROR:
        text = f"The median error of P_0 under {events.name} is {percent(error)} (bound {percent(REFERENCE_ERROR)})."
        yield Finding("attention", "mem", f"{text} Integrate with more points.", "mem_integrals")


def _flagged(events: IntegratedEvents, number: int, words: str, bound: float) -> Iterator[Finding]:
    total = len(events.coefficients)
    if number / total > bound:
        level = level_of(is_fault=number / total > TOO_MANY)
        text = f"{count_and_share(number, total)} {words} under {events.name} (bound {percent(bound)})."
        yield Finding(level, "mem", text, "mem_integrals")


def _ratios(limits: Limits) -> Iterator[Finding]:
    """Judge the ratios that the fit used, calibrated as they were; without a fit those of the file."""
    if limits.inference is None:
        for events in limits.integrated:
            yield from _judged(events.sum_rule, events.calibration, events.coefficients.monomials.names, "R_a")
        return
    try:
        fitted = limits.fitted
    except (EventFileError, InferenceError, ParameterError) as error:
        text = f"The events of the fit cannot be read any more, so that nothing of it can be tested: {error}."
        yield Finding("attention", "fit", text, "inference_likelihood")
        return
    if fitted is None or not fitted.loaded.samples or fitted.loaded.signal.source == "truth":
        return
    sample, rate = fitted.loaded.samples[0], fitted.loaded.setup.mixture.signal.record()
    if int((sample.usable() & (sample.weights[:, 0] > 0)).sum()) < 2 * len(sample.signal.monomials):
        return
    rule = sum_rule(sample.signal, sample.weights, rate)
    words = "R_a as fitted" if fitted.loaded.calibration is None else "calibrated R_a"
    yield from _judged(rule, fit_calibration(sample.signal, sample.weights), sample.signal.monomials.names, words)


def _judged(
    rule: SumRule | None, calibration: RatioCalibration | None, names: tuple[str, ...], words: str
) -> Iterator[Finding]:
    if rule is not None:
        pulls = np.where(np.isfinite(rule.difference_pull), rule.difference_pull, 0.0)
        worst = int(np.abs(pulls).argmax())
        if abs(pulls[worst]) > SUM_RULE[0]:
            text = (
                f"Sum rule: the mean of {words} of {names[worst]} is off by {_signed(rule.difference[worst])} or "
                f"{_signed(pulls[worst], 2)} of its errors (bound {SUM_RULE[0]:g})."
            )
            level = level_of(is_fault=bool(abs(pulls[worst]) > SUM_RULE[1]))
            yield Finding(level, "mem", text, "mem_integrals")
    if calibration is not None:
        known = calibration.slope_error > 0
        away = np.where(known, calibration.slope - 1, 0.0)
        sure = np.abs(away) > 3 * calibration.slope_error
        worst = int(np.where(sure, np.abs(away), 0.0).argmax())
        if sure[worst] and abs(away[worst]) > SLOPE:
            text = (
                f"The slope of the true ratios on {words} of {names[worst]} is {calibration.slope[worst]:.2f} ± "
                f"{calibration.slope_error[worst]:.2f} (bound 1 ± {SLOPE:g}): {_claim(away[worst])}."
            )
            yield Finding(level_of(is_fault=bool(abs(away[worst]) > 3 * SLOPE)), "mem", text, "mem_integrals")


def _claim(away: float) -> str:
    return "they claim to know more than they do" if away < 0 else "they know more than they claim"


def _signed(value: float, digits: int = 3) -> str:
    return f"{value:+.{digits}g}".replace("-", "−")

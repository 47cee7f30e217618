"""What to look at where ratios were learned: θ and events that the training did not reach."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from partonic.estimator_registry import family_of
from partonic.inference.record import InferenceRecord
from partonic.report.findings.finding import Finding
from partonic.report.limits import IntegratedEvents, Limits

__all__ = ["learned_findings"]

OUTSIDE: Final = 0.01
"""Part of the events outside the features of the training that matters."""

RESIDUAL: Final = 0.1
"""Relative difference between a learned ratio and its polynomial that matters."""

RELIABILITY: Final = 3.0
"""Largest deviation, in errors, of the frequency of a background from its stated probability that means nothing."""

_ROUNDING = 1e-9
_SECTION = "mem_integrals"


def learned_findings(limits: Limits) -> Iterator[Finding]:
    """Yield intervals outside the θ that were learned, events outside the features, ratios that are no polynomials."""
    for events in limits.integrated:
        if family_of(events.coefficients.source) != "sbi":
            continue
        if limits.inference is not None:
            yield from _theta(events, limits.inference)
        yield from _reliability(events)
        figures = events.metadata.facts.get("figures") or {}
        if figures.get("outside", 0.0) > OUTSIDE:
            text = (
                f"{figures['outside']:.1%} of the events of {events.name} have features outside those of the training "
                f"(bound {OUTSIDE:.0%}): their ratios are extrapolated."
            )
            yield Finding("attention", "sbi", text, _SECTION)
        if figures.get("projection_residual", 0.0) > RESIDUAL:
            text = (
                f"The learned ratios of {events.name} differ from polynomials in θ by "
                f"{figures['projection_residual']:.1%} on the median (bound {RESIDUAL:.0%}). Train longer, or "
                "use `method: derivatives` or `morphing`."
            )
            yield Finding("attention", "sbi", text, _SECTION)


def _reliability(events: IntegratedEvents) -> Iterator[Finding]:
    """Yield a background whose stated probabilities are not those that are found."""
    told = events.metadata.facts.get("calibration") or {}
    stated, found, errors = (np.array(told.get(name, ())) for name in ("stated", "found", "error"))
    known = errors > 0
    if known.any():
        worst = int(np.argmax(np.abs(found - stated)[known] / errors[known]))
        pull = float(((found - stated)[known] / errors[known])[worst])
        if abs(pull) > RELIABILITY * np.sqrt(1.0 + np.log(known.sum())):
            text = (
                f"Events that are '{events.name}' with a stated probability of {stated[known][worst]:.1%} are it in "
                f"{found[known][worst]:.1%} of the cases ({pull:+.1f} errors): the learned ratio to the signal is not "
                "right there. Train on more events, or with more features."
            ).replace("-", "−")
            yield Finding("attention", "sbi", text, _SECTION)


def _theta(events: IntegratedEvents, inference: InferenceRecord) -> Iterator[Finding]:
    covered = events.metadata.facts.get("covered_range") or {}
    for name in inference.fitted:
        if name not in covered:
            continue
        low, high = covered[name]
        found = [one for kind in ("asymptotic", "total") for one in inference.intervals(name, kind)]
        segments = [each for one in found for each in one.segments]
        if not segments:
            continue
        ends = min(first for first, _ in segments), max(last for _, last in segments)
        if ends[0] < low - _ROUNDING or ends[1] > high + _ROUNDING:
            text = (
                f"The intervals of {name} reach from {ends[0]:.3g} to {ends[1]:.3g}, but the events that the networks "
                f"were trained on tell of {low:.3g} to {high:.3g} only: further out few of them have most of the "
                f"weight. {_spread(events, name, ends)}Generate events there too (`generation.theta_mixture`)."
            ).replace("-", "−")
            yield Finding("attention", "sbi", text, _SECTION)


def _spread(events: IntegratedEvents, name: str, ends: tuple[float, float]) -> str:
    """Say how well log r is known to the ends of an interval, by its error on the median; nothing without an error."""
    coefficients = events.coefficients.select(events.coefficients.usable())
    if not coefficients.covariance.any():
        return ""
    found = []
    for end in ends:
        row = coefficients.monomials.evaluate(
            coefficients.monomials.point({**events.metadata.reference_point, name: end})
        )
        variance = np.einsum("a,nab,b->n", row, coefficients.covariance, row)
        found.append(float(np.median(np.sqrt(np.maximum(variance, 0.0)) / np.abs(coefficients.ratios @ row))))
    return f"The ratios to these ends are known to {found[0]:.1%} and {found[1]:.1%} on the median. "

"""What a run of the matrix element method gave, in figures: how many events have coefficients, and how good."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from partonic.config.mem import MemConfig, PointsConfig
from partonic.estimators.result import EstimateResult
from partonic.event_status import OK
from partonic.inference.coefficients.event_coefficients import EventCoefficients
from partonic.mem.integral.diagnostics import IntegralDiagnostics

__all__ = ["MemResult", "integral_figures"]

_FLAGS = (("dominated", "dominated by one point"), ("above_target", "above the error asked for"))


class MemResult(EstimateResult):
    """What a run gave; its figures are those of `integral_figures`."""

    def __str__(self) -> str:
        """Return one line for the terminal."""
        flags = [f"{self.figures[name]} {words}" for name, words in _FLAGS if self.figures.get(name)]
        flagged = f" ({', '.join(flags)})" if flags else ""
        quality = ""
        if self.figures.get("median_relative_error") is not None:
            share, error = self.figures["median_effective_share"], self.figures["median_relative_error"]
            quality = f", median error of P_0 {error:.1%}, effective points {share:.1%}"
        return f"{self.counts.get(OK, 0)} events{flagged}{quality}{self.left_out}, in {self.path}"


def integral_figures(coefficients: EventCoefficients, config: MemConfig) -> dict[str, Any]:
    """Return figures of the quality of integrals, as JSON-like values.

    Args:
        coefficients: of all events.
        config: the settings, for the limits that events are compared with.
    """
    good = coefficients.select(coefficients.usable())
    quality = IntegralDiagnostics.of(good)
    return {
        "median_effective_share": _median(quality.effective_share),
        "median_relative_error": _median(good.relative_error),
        "median_ratio_errors": [
            _median(errors) for errors in np.sqrt(np.maximum(np.diagonal(good.covariance, axis1=1, axis2=2), 0.0)).T
        ],
        "points": int(IntegralDiagnostics.of(coefficients).points.sum()),
        "dominated": int((quality.largest_weight_share > config.dominated.limit).sum()),
        "few_effective_points": quality.few,
        "above_target": _above_target(good, config.points),
        **_sample_figures(good),
    }


def _sample_figures(good: EventCoefficients) -> dict[str, Any]:
    """Return the quality of the coefficients of sets of weights, and their scatter over the sets."""
    if good.samples is None:
        return {}
    columns = good.diagnostics.columns
    spread = good.samples.ratios.std(axis=1, ddof=1 if good.samples.count > 1 else 0)
    return {
        "weight_samples": good.samples.count,
        "median_sample_spread": [_median(values) for values in spread.T],
        "median_sample_noise_share": _median(columns["sample_noise_share"]),
        "median_sample_effective_size": _median(columns["sample_effective_size"]),
        "samples_without_integral": int(columns["sample_missing"].sum()),
    }


def _above_target(good: EventCoefficients, points: PointsConfig) -> int | None:
    """Return how many events used up their points before their error was small enough; None if none was asked for."""
    if points.relative_error is None:
        return None
    if points.target == "ratios":  # their errors are not in the file in the unit of the target
        return int((IntegralDiagnostics.of(good).points >= points.maximum).sum())
    return int((good.relative_error > points.relative_error).sum())


def _median(values: NDArray[np.float64]) -> float | None:
    return float(np.median(values)) if len(values) else None

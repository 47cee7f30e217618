"""The sum rule of any densities that are right: the mean of R_a(x) over events of the reference point is σ_a/σ_ref."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from partonic.inference.coefficients.coefficients_file import CrossSectionRecord
from partonic.inference.coefficients.event_coefficients import EventCoefficients

__all__ = ["SumRule", "sum_rule"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SumRule:
    """Both sides of the rule, each `(A,)`.

    Attributes:
        events: number of events.
        mean, mean_error: of R_a(x), with the weights of the reference point.
        expected, expected_error: σ_a/σ_ref.
        pull: of their difference, with both errors as if independent; NaN where both are exact.
        difference, difference_error: mean of R_a(x) minus that of the true R_a(z) of the same events.
        difference_pull: of it; NaN where it is exact.
    """

    events: int
    mean: Array
    mean_error: Array
    expected: Array
    expected_error: Array
    pull: Array
    difference: Array
    difference_error: Array
    difference_pull: Array

    def record(self, names: Sequence[str]) -> list[dict[str, object]]:
        """Return the numbers for the JSON results, one entry for each monomial, None where undefined."""
        fields = [name for name in self.__dataclass_fields__ if name != "events"]
        return [
            {"monomial": name, **{field: _plain(getattr(self, field)[a]) for field in fields}}
            for a, name in enumerate(names)
        ]


def sum_rule(coefficients: EventCoefficients, weights: Array, section: CrossSectionRecord | None) -> SumRule:
    """Compare the mean ratios of simulated events with the cross sections and with their own truth.

    Args:
        coefficients: of the events.
        weights: true weights c_a of the same events, pb, `(N, A)`.
        section: σ_a; None: those of the same events.
    """
    good = coefficients.usable()
    at_reference = coefficients.reference_weights(weights)
    means = coefficients.mean_ratios(at_reference)
    mean, mean_error = np.array([each.value for each in means]), np.array([each.error for each in means])
    if section is None:
        sigma, covariance = weights.sum(axis=0), weights.T @ weights
    else:
        sigma, covariance = np.array(section.coefficients), np.array(section.covariance)
    expected, expected_error = _ratio(sigma, covariance, coefficients.monomials.evaluate(coefficients.reference))
    shift = at_reference[good, None] * coefficients.ratios[good] - weights[good]
    total = float(at_reference[good].sum())
    difference = shift.sum(axis=0) / total
    scatter = np.sqrt(np.square(shift - difference * at_reference[good, None]).sum(axis=0)) / total
    return SumRule(
        events=int(good.sum()),
        mean=mean,
        mean_error=mean_error,
        expected=expected,
        expected_error=expected_error,
        pull=_pulls(mean - expected, np.hypot(mean_error, expected_error)),
        difference=difference,
        difference_error=scatter,
        difference_pull=_pulls(difference, scatter),
    )


def _ratio(sigma: Array, covariance: Array, monomials: Array) -> tuple[Array, Array]:
    """Return σ_a/σ_ref and its error, with the correlation of the two; `monomials` are m_a(θ_ref)."""
    reference, mixed = sigma @ monomials, covariance @ monomials
    ratio = sigma / reference
    variance = np.diag(covariance) - 2 * ratio * mixed + ratio**2 * (monomials @ mixed)
    return ratio, np.sqrt(np.maximum(variance, 0.0)) / reference


def _pulls(difference: Array, error: Array) -> Array:
    pulls: Array = difference / np.where(error > 1e-12, error, np.nan)
    return pulls


def _plain(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None

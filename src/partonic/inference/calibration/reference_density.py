"""The density that no event of a calibration is rare in: that of the reference, and squares of the parameters.

    h = P_ref + Σ_k (σ_ref/σ_kk) P_kk,

k the parameters whose squares do not only scale the rate. Where the reference is θ = 0, P_ref is the first coefficient;
elsewhere it is P_ref = Σ_a m_a(θ_ref) P_a.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from partonic.errors import ParameterError
from partonic.inference.coefficients.event_coefficients import EventCoefficients

__all__ = ["ReferenceDensity", "check_reference", "reference_density", "reference_weights", "scales_of"]

Array = NDArray[np.float64]

_ROUNDING = 1e-9
"""Of weights, relative to the mean one."""

_SMALLEST_SPREAD = 1e-6
"""Ratios that vary less than this are constants."""


@dataclass(frozen=True)
class ReferenceDensity:
    """h of simulated events.

    Attributes:
        reference: h = Σ_a reference_a P_a, `(A,)`.
        scales: σ_ref/σ_kk at the squares of the parameters that change shapes, `(A,)`; and 1 for the first ratio, P_0,
            where the reference is θ = 0.
        constant: what R_h has beside the sum of ratios times `scales`: R_ref = 1 where that is no ratio of its own.
        good: which events have coefficients and a positive weight at h, `(N,)`.
    """

    reference: Array
    scales: Array
    constant: float
    good: NDArray[np.bool_]


def reference_density(coefficients: EventCoefficients, weights: Array) -> ReferenceDensity:
    """Return h of simulated events.

    Args:
        coefficients: of the events.
        weights: their true weights c_a, pb, `(N, A)`.

    Raises:
        ParameterError: if the shapes differ, weights are not finite, or no event can be used.
    """
    monomials = coefficients.monomials
    if weights.shape != (len(coefficients), len(monomials)):
        raise ParameterError(
            f"the weights must have the shape {(len(coefficients), len(monomials))} of the coefficients' events and "
            f"monomials, got {weights.shape}: take them from the store that the coefficients belong to"
        )
    usable = coefficients.usable()
    if not np.isfinite(weights[usable]).all():
        bad = int((~np.isfinite(weights[usable]).all(axis=1)).sum())
        raise ParameterError(f"{bad} of {int(usable.sum())} usable events have weights that are no finite numbers")
    own = coefficients.reference_weights(weights)[usable]
    if not own.sum() > 0:
        raise ParameterError(
            f"a calibration needs usable events with positive weights, got {int(usable.sum())} usable ones of "
            f"{len(usable)} that sum to {own.sum():g} pb"
        )
    squares = _squares(monomials.exponents, weights[usable], own)
    centre = coefficients.reference
    if not centre.any():
        squares[0] = 1.0
        return ReferenceDensity(squares, squares, 0.0, usable & (weights @ squares > 0))
    reference = monomials.evaluate(centre) + squares
    return ReferenceDensity(reference, squares, 1.0, usable & (weights @ reference > 0))


def reference_weights(coefficients: EventCoefficients, weights: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Return h by monomials `(A,)`, and which events have coefficients and a positive weight at h `(N,)`.

    Raises:
        ParameterError: as `reference_density`.
    """
    density = reference_density(coefficients, weights)
    return density.reference, density.good


def scales_of(reference: Array, at_reference: Array | None) -> tuple[Array, float]:
    """Return `scales` and `constant` of the density h = Σ_a reference_a P_a.

    Args:
        reference: h by monomials, `(A,)`.
        at_reference: m_a(θ_ref), `(A,)`; None where that is θ = 0.
    """
    if at_reference is None:
        return reference, 0.0
    squares = reference - at_reference
    return np.where(squares > _ROUNDING * np.maximum(1.0, np.abs(at_reference)), squares, 0.0), 1.0


def check_reference(coefficients: EventCoefficients, expected: Mapping[str, float]) -> None:
    """Check that ratios are to the density that a calibration is of.

    Args:
        coefficients: to be calibrated.
        expected: θ_ref of the calibration.

    Raises:
        ParameterError: if they are to another one.
    """
    if not np.array_equal(coefficients.monomials.point(expected), coefficients.reference):
        raise ParameterError(
            f"the calibration is of ratios to the density at {dict(expected) or 'θ = 0'}, the coefficients are at "
            f"{dict(coefficients.reference_point) or 'θ = 0'}: fit a calibration to coefficients such as these"
        )


def _squares(exponents: tuple[tuple[int, ...], ...], weights: Array, own: Array) -> Array:
    """Return σ_ref/σ_kk of the squares that do not only scale the rate, `(A,)`; `own` are the weights at θ_ref."""
    total, of_reference = weights.sum(axis=0), own.sum()
    found = np.zeros(len(exponents))
    for column, powers in enumerate(exponents):
        is_square = sorted(powers)[-1:] == [2] and sum(powers) == 2
        if not is_square or not total[column] > 0:
            continue
        in_units = weights[:, column] / total[column], own / of_reference
        # events of negative weight have the whole of it negative
        if (in_units[0] * np.sign(in_units[1]) < -_ROUNDING / len(own)).any():
            continue
        if not np.allclose(*in_units, atol=_SMALLEST_SPREAD / len(own)):  # it does not only scale the rate
            found[column] = of_reference / total[column]
    return found

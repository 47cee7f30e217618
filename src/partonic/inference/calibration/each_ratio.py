"""Calibration of each ratio R_a(x) alone against simulated events: the slope of E[R_a(z)|R_a(x)], brought to 1.

Coefficients from an imperfect density, or with the noise of an integration, still order events well, but overstate what
they know: the mean of the true R_a(z) = c_a(z)/c_0(z) at fixed R_a(x) then rises less than R_a(x) does. On simulated
events at θ = 0 the line

    R_a(z) ≈ μ_a + s_a (R_a(x) − ν_a)

is fitted for each monomial (c_ref and P_ref in place of c_0 and P_0 where the reference is not θ = 0, over which the
calibrated ratios are taken again); μ_a = σ_a/σ_0 is the mean of the truth and ν_a that of the estimate. After the map
R_a → μ_a + s_a (R_a − ν_a) the slope is 1 and the sum rule E[R_a(x)] = σ_a/σ_0 holds, so that the score at θ = 0 is
unbiased, whatever the estimator. A perfect estimator is not changed.

It says how good the ratios are, one by one. Away from θ = 0 the likelihood needs what the true ratios are given *all*
estimated ones: `partonic.inference.calibration.joint_calibration`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from partonic.errors import ParameterError
from partonic.inference.calibration.reference_density import check_reference
from partonic.inference.coefficients.event_coefficients import EventCoefficients
from partonic.inference.coefficients.rate import FiducialRate
from partonic.polynomial import Monomials

__all__ = ["LINEAR_FORMAT", "RatioCalibration", "fit_calibration"]

Array = NDArray[np.float64]

LINEAR_FORMAT = 1
"""Version of the file."""

_SMALLEST_SPREAD = 1e-6
"""Ratios that vary less than this are constants, which need no slope."""


@dataclass(frozen=True)
class RatioCalibration:
    """One line for each ratio.

    Attributes:
        monomials: the A monomials.
        slope: s_a, `(A,)`.
        slope_error: its standard error, `(A,)`; 0 where there is nothing to fit.
        truth: μ_a, mean of the truth at θ = 0, `(A,)`.
        truth_error: its standard error, `(A,)`.
        estimate: ν_a, mean of the estimate at θ = 0, `(A,)`.
        estimate_error: its standard error, `(A,)`.
        events: number of events that it was fitted to.
        reference_point: θ_ref of the ratios, by name; 0 where not named.
    """

    monomials: Monomials
    slope: Array
    slope_error: Array
    truth: Array
    truth_error: Array
    estimate: Array
    estimate_error: Array
    events: int
    reference_point: Mapping[str, float] = field(default_factory=dict)

    def apply(self, coefficients: EventCoefficients, rate: FiducialRate | None = None) -> EventCoefficients:
        """Return the calibrated coefficients; the covariance of the integration is scaled along.

        Args:
            coefficients: of any events of this process, estimated like those of the calibration.
            rate: fiducial cross sections, whose ratios take the place of μ; None keeps those of the calibration.

        Raises:
            ParameterError: if coefficients or rate have other monomials, or the coefficients another reference.
        """
        if rate is not None and rate.monomials != self.monomials:
            raise ParameterError(
                f"the calibration is for the monomials {', '.join(self.monomials.names)}, the cross sections have "
                f"{', '.join(rate.monomials.names)}: fit a calibration to events of this process"
            )
        if coefficients.monomials != self.monomials:
            raise ParameterError(
                f"the calibration is for the monomials {', '.join(self.monomials.names)}, the coefficients have "
                f"{', '.join(coefficients.monomials.names)}: fit a calibration to events of this process"
            )
        check_reference(coefficients, self.reference_point)
        centre = coefficients.reference
        at = self.monomials.evaluate(centre) if centre.any() else np.eye(len(self.monomials))[0]
        truth = self.truth if rate is None else rate.coefficients / (at @ rate.coefficients)
        ratios = truth + self.slope * (coefficients.ratios - self.estimate)
        if centre.any():
            ratios = ratios / (ratios @ at)[:, None]
        else:
            ratios[:, 0] = coefficients.ratios[:, 0]
        return replace(
            coefficients, ratios=ratios, covariance=coefficients.covariance * np.outer(self.slope, self.slope)
        )

    def to_json(self) -> dict[str, Any]:
        """Return the calibration as JSON can hold it."""
        return {
            "format": LINEAR_FORMAT,
            "parameters": list(self.monomials.parameters),
            "exponents": [list(powers) for powers in self.monomials.exponents],
            **{name: getattr(self, name).tolist() for name in _NUMBERS},
            "events": self.events,
            **({"reference_point": dict(self.reference_point)} if self.reference_point else {}),
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "RatioCalibration":
        """Return the calibration that `to_json` described.

        Raises:
            KeyError, TypeError, ValueError: if something is missing or has another form.
        """
        if content["format"] != LINEAR_FORMAT:
            raise ValueError(f"format {content['format']}, expected {LINEAR_FORMAT}")
        monomials = Monomials(tuple(content["parameters"]), tuple(tuple(powers) for powers in content["exponents"]))
        numbers = {name: np.array(content[name], dtype=np.float64) for name in _NUMBERS}
        for name, values in numbers.items():
            if values.shape != (len(monomials),) or not np.isfinite(values).all():
                raise ValueError(f"'{name}' needs {len(monomials)} finite numbers")
        point = dict(content.get("reference_point", {}))
        return cls(monomials, **numbers, events=int(content["events"]), reference_point=point)


_NUMBERS = ("slope", "slope_error", "truth", "truth_error", "estimate", "estimate_error")


def fit_calibration(coefficients: EventCoefficients, weights: Array) -> RatioCalibration:
    """Fit the calibration to simulated events that nothing was trained on.

    Args:
        coefficients: estimated ratios of the events.
        weights: θ-coefficients c_a of the weights of the same events in the same order, pb, `(N, A)`.

    Raises:
        ParameterError: if the shapes differ, or too few events can be used.
    """
    monomials = coefficients.monomials
    if weights.shape != (len(coefficients), len(monomials)):
        raise ParameterError(
            f"the weights must have the shape {(len(coefficients), len(monomials))} of the coefficients' events and "
            f"monomials, got {weights.shape}: take them from the store that the coefficients belong to"
        )
    own = coefficients.reference_weights(weights)
    good = coefficients.usable() & (own > 0.0)
    if int(good.sum()) < 2 * len(monomials):
        raise ParameterError(
            f"a calibration needs at least {2 * len(monomials)} usable events, got {int(good.sum())} of {len(good)}"
        )
    w = own[good] / own[good].mean()
    truth, estimate = weights[good] / own[good, None], coefficients.ratios[good]
    mu, nu = np.average(truth, axis=0, weights=w), np.average(estimate, axis=0, weights=w)
    x, y = estimate - nu, truth - mu
    variance = w @ x**2 / w.sum()
    varies = variance > _SMALLEST_SPREAD**2
    slope = np.where(varies, w @ (x * y) / w.sum() / np.where(varies, variance, 1.0), 1.0)
    scatter = np.sqrt((w**2) @ (x * (y - slope * x)) ** 2) / w.sum()
    return RatioCalibration(
        monomials=monomials,
        slope=slope,
        slope_error=np.where(varies, scatter / np.where(varies, variance, 1.0), 0.0),
        truth=mu,
        truth_error=np.sqrt((w**2) @ y**2) / w.sum(),
        estimate=nu,
        estimate_error=np.sqrt((w**2) @ x**2) / w.sum(),
        events=int(good.sum()),
        reference_point=dict(coefficients.reference_point),
    )

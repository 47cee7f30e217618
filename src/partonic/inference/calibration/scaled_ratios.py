"""Calibration of each ratio by its own mean and slopes, for ratios with long tails.

A map of all ratios together (`partonic.inference.calibration.joint_calibration`) has many numbers, and few events that
have most of a square decide on them. Here a ratio changes by little, and none by another:

    ρ_a = μ_a + Σ_j β_aj (f_aj − f̄_aj),      R_a → ρ_a/ρ_ref,

f_a0 = R_a, f_a1 = R_a s(u) with a step s that rises from 0 to 1 between two values of u = log R_h, the logarithm of the
ratio of the density h in which tails are frequent; f̄ and μ_a = σ_a/σ_ref are the means of estimate and truth at the
reference. There are three of them, one within the other:

- ``means``: β_a0 = 1 and no step. The sum rule E_ref[ρ_a] = σ_a/σ_ref holds, and nothing else is changed;
- ``slopes``: β_a0 is fitted, one number for a ratio;
- ``tails``: slopes that differ between the bulk of the events and the tail.

β are those of the largest likelihood of classes (`partonic.inference.calibration.class_likelihood`), in which no event
counts for more than its logarithm. The noise of an integration, where there is any, is scaled along.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from partonic.errors import ParameterError
from partonic.inference.calibration.reference_density import check_reference, scales_of
from partonic.inference.coefficients.event_coefficients import EventCoefficients
from partonic.inference.coefficients.rate import FiducialRate
from partonic.inference.coefficients.response import CalibrationResponse
from partonic.polynomial import Monomials

__all__ = ["SCALED_FORMAT", "Kind", "ScaledRatios", "tail_features"]

Array = NDArray[np.float64]

SCALED_FORMAT = 4
"""Version of the file; 1 to 3 are other kinds of calibrations."""

Kind = Literal["none", "means", "slopes", "tails"]
"""Which of them; ``none`` leaves ratios as they are."""

_ARRAYS = {"reference": "A", "step": "E", "means": "A", "feature_mean": "AJ", "slopes": "AJ", "covariance": "VV"}
"""Arrays of the file with their axes: A monomials, J features of each, E ends of the step, V = 2A + AJ."""


@dataclass(frozen=True)
class ScaledRatios:
    """ρ_a = means_a + Σ_j (f_aj − feature_mean_aj)·slopes_aj.

    Attributes:
        kind: which of them.
        monomials: the A monomials.
        reference: h = Σ_a reference_a P_a, `(A,)`.
        step: u where the step begins and ends, `(2,)`; empty without a step.
        means: σ_a/σ_ref, `(A,)`.
        feature_mean: f̄ at the reference, `(A, J)`.
        slopes: β, `(A, J)`.
        covariance: of means, shifts of the means by f̄, and slopes row by row, `(2A + AJ, 2A + AJ)`.
        events: number of events that it was fitted to.
        reference_point: θ_ref of the ratios, by name; 0 where not named.
    """

    kind: Kind
    monomials: Monomials
    reference: Array
    step: Array
    means: Array
    feature_mean: Array
    slopes: Array
    covariance: Array
    events: int
    reference_point: Mapping[str, float] = field(default_factory=dict)

    def apply(self, coefficients: EventCoefficients, rate: FiducialRate | None = None) -> EventCoefficients:
        """Return the calibrated coefficients, with how they depend on the calibration.

        Args:
            coefficients: of any events of this process, estimated like those of the calibration.
            rate: fiducial cross sections, whose ratios the means are set to; None keeps those of the calibration.

        Raises:
            ParameterError: if coefficients or rate have other monomials, or the coefficients another reference.
        """
        owners = {"coefficients": coefficients.monomials} | ({} if rate is None else {"cross sections": rate.monomials})
        for owner, other in owners.items():
            if other != self.monomials:
                raise ParameterError(
                    f"the calibration is for the monomials {', '.join(self.monomials.names)}, the {owner} have "
                    f"{', '.join(other.names)}: fit a calibration to events of this process"
                )
        check_reference(coefficients, self.reference_point)
        if self.kind == "none":
            return coefficients
        at = self._at_reference
        means = self.means if rate is None else rate.coefficients / (at @ rate.coefficients)
        usable, count = coefficients.usable(), len(self.monomials)
        features = tail_features(coefficients.ratios, self.reference, self._elsewhere, self.step) - self.feature_mean
        values = means + (features * self.slopes).sum(axis=2)
        norm = values @ at
        ratios = values / norm[:, None]
        if self._elsewhere is None:
            ratios[usable, 0] = 1.0
        ones = np.ones((len(usable), 2))
        design = np.concatenate([ones, features.reshape(len(usable), -1)], axis=1) / norm[:, None]
        response = CalibrationResponse(
            np.where(usable[:, None], design, np.nan), np.eye(count), self._covariance_of_kernel(rate is not None),
            None if rate is None else at, self._elsewhere,
        )  # fmt: skip
        scaled = np.einsum(
            "ab,nbc,dc->nad", np.diag(self.slopes[:, 0]), coefficients.covariance, np.diag(self.slopes[:, 0])
        )
        noise = np.where(usable[:, None, None], scaled, coefficients.covariance)
        return replace(coefficients, ratios=np.where(usable[:, None], ratios, np.nan), covariance=noise,
                       response=response)  # fmt: skip

    @property
    def _elsewhere(self) -> Array | None:
        """m_a(θ_ref), `(A,)`; None for θ_ref = 0, whose density is the first coefficient."""
        centre = self.monomials.point(self.reference_point)
        return self.monomials.evaluate(centre) if centre.any() else None

    @property
    def _at_reference(self) -> Array:
        """ρ_ref as a sum of ρ_a, `(A,)`."""
        return np.eye(len(self.means))[0] if self._elsewhere is None else self._elsewhere

    def _covariance_of_kernel(self, known_means: bool) -> Array:
        """Return the covariance of K with rows means, shift and one for each feature, flattened."""
        count, features = self.slopes.shape
        rows = np.concatenate([np.repeat([0, 1], count), 2 + np.arange(count * features)])
        columns = np.concatenate([np.tile(np.arange(count), 2), np.repeat(np.arange(count), features)])
        covariance = self.covariance.copy()
        if known_means:
            covariance[:count] = 0.0
            covariance[:, :count] = 0.0
        places = rows * count + columns
        found = np.zeros(((2 + count * features) * count,) * 2)
        found[np.ix_(places, places)] = covariance
        return found

    def to_json(self) -> dict[str, Any]:
        """Return the calibration as JSON can hold it."""
        return {
            "format": SCALED_FORMAT,
            "kind": self.kind,
            "parameters": list(self.monomials.parameters),
            "exponents": [list(powers) for powers in self.monomials.exponents],
            **{name: getattr(self, name).tolist() for name in _ARRAYS},
            "events": self.events,
            "reference_point": dict(self.reference_point),
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "ScaledRatios":
        """Return the calibration that `to_json` described.

        Raises:
            KeyError, TypeError, ValueError: if something is missing or has another form.
        """
        kind: Kind = content["kind"]
        if kind not in ("none", "means", "slopes", "tails"):
            raise ValueError(f"'kind' is '{kind}', expected none, means, slopes or tails")
        monomials = Monomials(tuple(content["parameters"]), tuple(tuple(powers) for powers in content["exponents"]))
        ends = 2 if kind == "tails" else 0
        count, features = len(monomials), 2 if kind == "tails" else 1
        sizes = {"A": count, "J": features, "E": ends, "V": (2 + features) * count}
        arrays = {name: np.array(content[name], dtype=np.float64) for name in _ARRAYS}
        for name, axes in _ARRAYS.items():
            shape = tuple(sizes[axis] for axis in axes)
            if arrays[name].shape != shape or not np.isfinite(arrays[name]).all():
                raise ValueError(f"'{name}' needs finite numbers of shape {shape}, got {arrays[name].shape}")
        point = {str(name): float(value) for name, value in content["reference_point"].items()}
        return cls(kind, monomials, **arrays, events=int(content["events"]), reference_point=point)


def tail_features(ratios: Array, reference: Array, at_reference: Array | None, step: Array) -> Array:
    """Return f of events, `(N, A, J)`.

    Args:
        ratios: R_a, `(N, A)`.
        reference: h by monomials, `(A,)`.
        at_reference: m_a(θ_ref), `(A,)`; None where that is θ = 0.
        step: u where the step begins and ends, `(2,)`; empty for R_a alone.
    """
    if not len(step):
        return ratios[:, :, None]
    raised = np.clip((log_of_density(ratios, reference, at_reference) - step[0]) / (step[1] - step[0]), 0.0, 1.0)
    return np.stack([ratios, ratios * raised[:, None]], axis=2)


def log_of_density(ratios: Array, reference: Array, at_reference: Array | None) -> Array:
    """Return u = log R_h, of at least 0, `(N,)`."""
    scales, constant = scales_of(reference, at_reference)
    values: Array = np.log(constant + np.maximum(ratios, 0.0) @ scales)
    return values

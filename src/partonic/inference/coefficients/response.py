"""How calibrated ratios depend on the numbers of their calibration, and with it on what those are uncertain.

The calibrated ratios of an event are R_a = ρ_a/ρ_ref with ρ = X K and ρ_ref = Σ_a m_a(θ_ref) ρ_a, which is ρ_0 where
the reference is θ = 0: X is what the calibration saw of the event, K what was fitted. An error δK, the same in all
events, changes

    δR_a = [(X δK)_a − R_a (X δK)_ref]/ρ_ref,

and a likelihood of many events by Σ_i w_i Σ_a s_ia δR_ia, with s_i the slope of its term. All that is needed of the
events is therefore one matrix of X × monomials. The first entry of X is 1, and its row of K the means σ_a/σ_h of the
ratios over a reference density h: where they are those of the rate that is fitted, an error of the rate moves them,
too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from partonic.errors import ParameterError

__all__ = ["CalibrationResponse"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class CalibrationResponse:
    """X of N events, and the covariance of K.

    Attributes:
        design: X/ρ_ref, `(N, D)`; NaN for events without coefficients.
        directions: δK = Z·directions, where Z are the B columns that vary independently, `(B, A)`.
        covariance: of Z, flattened row by row, `(D·B, D·B)`.
        reference: h = Σ_a reference_a P_a, where the means are those of the rate; None if they are of the calibration,
            `(A,)`.
        at_reference: m_a(θ_ref), `(A,)`; None where the reference is θ = 0, whose density is the first coefficient.
    """

    design: Array
    directions: Array
    covariance: Array
    reference: Array | None = None
    at_reference: Array | None = None

    def __post_init__(self) -> None:
        size = self.design.shape[1] * len(self.directions)
        if self.covariance.shape != (size, size):
            raise ParameterError(
                f"{self.design.shape[1]} numbers an event in {len(self.directions)} directions need a covariance of "
                f"shape {(size, size)}, got {self.covariance.shape}"
            )

    def __len__(self) -> int:
        """Return the number of events."""
        return len(self.design)

    def common(self) -> dict[str, Any]:
        """Return what is the same for all events, as JSON can hold it."""
        reference = None if self.reference is None else self.reference.tolist()
        arrays = {"directions": self.directions.tolist(), "covariance": self.covariance.tolist()}
        elsewhere = {} if self.at_reference is None else {"at_reference": self.at_reference.tolist()}
        return {**arrays, "reference": reference, **elsewhere}

    @classmethod
    def of(cls, design: Array, common: Mapping[str, Any]) -> "CalibrationResponse":
        """Return the response of events with X/ρ_ref `(N, D)` and the mapping that `common` gave.

        Raises:
            ParameterError: if the two do not fit.
            KeyError: if a part is missing.
        """
        reference = None if common["reference"] is None else np.array(common["reference"], dtype=np.float64)
        directions, covariance = (np.array(common[name], dtype=np.float64) for name in ("directions", "covariance"))
        elsewhere = common.get("at_reference")
        at_reference = None if elsewhere is None else np.array(elsewhere, dtype=np.float64)
        return cls(design, directions, covariance, reference, at_reference)

    def select(self, index: NDArray[np.integer] | NDArray[np.bool_]) -> "CalibrationResponse":
        """Return some events, by mask or number."""
        return replace(self, design=self.design[index])

    @staticmethod
    def joined(parts: "Sequence[CalibrationResponse | None]") -> "CalibrationResponse | None":
        """Return the events of all parts, one after another; None if none of them is calibrated.

        Raises:
            ParameterError: if some are calibrated and others not, or in another way.
        """
        known = [part for part in parts if part is not None]
        if not known:
            return None
        first = known[0]
        if len(known) < len(parts) or not all(
            np.array_equal(part.covariance, first.covariance) and np.array_equal(part.directions, first.directions)
            for part in known
        ):
            msg = "events that were calibrated in different ways cannot be put together: apply one calibration to all"
            raise ParameterError(msg)
        return replace(first, design=np.concatenate([part.design for part in known]))

    def moments(self, rows: Array, slopes: Array, weights: Array) -> Array:
        """Return ∂(Σ_i w_i Σ_a s_ia B_ia)/∂K at fixed s.

        Args:
            rows: B, the ratios times the share of the signal in the event, `(N, A)`.
            slopes: s, `(N, A)`.
            weights: w, `(N,)`.

        Returns:
            values `(D, A)`.
        """
        weighted = weights[:, None] * self.design
        if self.at_reference is None:
            values: Array = (weighted * rows[:, :1]).T @ slopes  # the first of the rows is the share itself: R_0 = 1
            values[:, 0] -= weighted.T @ (slopes * rows).sum(axis=1)
            return values
        values = (weighted * (rows @ self.at_reference)[:, None]).T @ slopes
        values -= np.outer(weighted.T @ (slopes * rows).sum(axis=1), self.at_reference)
        return values

    def variance(self, moments: Array) -> Array:
        """Return the covariance `(M, M)` of M numbers whose derivatives by K are `moments` `(M, D, A)`."""
        by_parameter = (moments @ self.directions.T).reshape(len(moments), -1)
        values: Array = by_parameter @ self.covariance @ by_parameter.T
        return values

    def by_rate(self, moments: Array, rate: Array) -> Array:
        """Return the derivatives `(M, A)` by the cross sections σ `(A,)` of M numbers, through the means σ_a/σ_h."""
        if self.reference is None:
            return np.zeros((len(moments), len(rate)))
        norm = float(self.reference @ rate)
        by_mean = moments[:, 0]
        values: Array = by_mean / norm - np.outer(by_mean @ rate, self.reference) / norm**2
        return values

"""How good the integral of each event is: points, effective points, and the share of the largest weight."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from partonic.errors import ParameterError
from partonic.inference.coefficients.diagnostics import Diagnostics
from partonic.inference.coefficients.event_coefficients import EventCoefficients

__all__ = ["FEW_POINTS", "IntegralDiagnostics"]

Array = NDArray[np.float64]

FEW_POINTS = 30
"""Effective points below which the error of an integral is itself not known to better than some 13%."""

_NAMES = ("effective_sample_size", "largest_weight_share", "points")


@dataclass(frozen=True)
class IntegralDiagnostics:
    """Quality of the integrals of N events.

    Attributes:
        effective_sample_size: (Σw)²/Σw² of the points, `(N,)`.
        largest_weight_share: share of the largest weight, `(N,)`.
        points: number of points, `(N,)`.
    """

    effective_sample_size: Array
    largest_weight_share: Array
    points: NDArray[np.int64]

    @classmethod
    def of(cls, coefficients: EventCoefficients) -> "IntegralDiagnostics":
        """Return those that coefficients of an integral carry.

        Raises:
            ParameterError: if the coefficients were made in another way.
        """
        if not cls.known(coefficients):
            raise ParameterError(
                f"the coefficients of '{coefficients.source}' have no diagnostics of an integral: expected "
                f"{', '.join(_NAMES)}, got {', '.join(coefficients.diagnostics.columns) or 'none'}"
            )
        return cls(**{name: coefficients.diagnostics.columns[name] for name in _NAMES})

    @staticmethod
    def known(coefficients: EventCoefficients) -> bool:
        """Whether the coefficients carry diagnostics of an integral."""
        return set(_NAMES) <= set(coefficients.diagnostics.columns)

    @property
    def effective_share(self) -> Array:
        """Effective points of each point, `(N,)`."""
        share: Array = self.effective_sample_size / np.maximum(self.points, 1)
        return share

    @property
    def few(self) -> int:
        """Number of events with fewer than `FEW_POINTS` effective points."""
        return int((self.effective_sample_size < FEW_POINTS).sum())

    def record(self) -> Diagnostics:
        """Return the columns that travel with the coefficients."""
        return Diagnostics({name: getattr(self, name) for name in _NAMES})

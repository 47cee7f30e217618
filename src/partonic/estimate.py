"""A Monte-Carlo number with its error: what every integral, cross section and efficiency of the package is."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Estimate"]


@dataclass(frozen=True)
class Estimate:
    """A value estimated from a sample.

    Attributes:
        value: the estimate.
        error: its standard error, same unit as the value.
        n: number of points that it comes from.
        effective_sample_size: (Σ w)²/Σ w² of the weights, the number of equally weighted points that would be worth
            as much (Kish); `n` when the points have no weights.
    """

    value: float
    error: float
    n: int
    effective_sample_size: float

    @classmethod
    def from_weights(cls, weights: NDArray[np.floating[Any]]) -> "Estimate":
        """Estimate the mean of independent `weights` `(N,)`: mean ± standard deviation/√N.

        Raises:
            ValueError: if there are fewer than two weights: one point tells no error.
        """
        values = np.asarray(weights, dtype=np.float64)
        return cls.from_sums(len(values), float(values.sum()), float(np.square(values).sum()))

    @classmethod
    def from_sums(cls, n: int, total: float, total_of_squares: float) -> "Estimate":
        """Estimate the mean of `n` weights from Σ w and Σ w², so that samples can be streamed.

        Raises:
            ValueError: if `n` is below two.
        """
        if n < 2:
            raise ValueError(f"an error needs at least 2 points, got {n}")
        mean = total / n
        variance = max(total_of_squares / n - mean**2, 0.0) * n / (n - 1)
        size = total**2 / total_of_squares if total_of_squares > 0 else 0.0
        return cls(value=mean, error=math.sqrt(variance / n), n=n, effective_sample_size=size)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Estimate":
        """Return the estimate that `to_json` described."""
        return cls(**content)

    def to_json(self) -> dict[str, float | int]:
        """Return the four numbers by name, for a JSON file."""
        return asdict(self)

    @property
    def relative_error(self) -> float:
        """|error/value|; infinite for a value of zero."""
        return abs(self.error / self.value) if self.value else math.inf

    def __str__(self) -> str:
        """Return e.g. ``0.3982 ± 0.0013``: the error with two significant digits, the value with as many decimals."""
        if not (math.isfinite(self.value) and math.isfinite(self.error)) or self.error == 0.0:
            return f"{self.value:.6g} ± {self.error:.2g}"
        decimals = 1 - math.floor(math.log10(self.error))
        if 0 <= decimals <= 6:
            return f"{self.value:.{decimals}f} ± {self.error:.{decimals}f}"
        if decimals < 0 and abs(self.value) < 1e7:
            return f"{round(self.value, decimals):.0f} ± {round(self.error, decimals):.0f}"
        power = math.floor(math.log10(max(abs(self.value), self.error)))
        scale, digits = 10.0**power, max(decimals + power, 0)
        return f"({self.value / scale:.{digits}f} ± {self.error / scale:.{digits}f})e{power:+d}"

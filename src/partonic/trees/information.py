r"""Fisher information that predicted ratios have.

Near θ = 0 the information of events on the coefficients of the monomials is I_ab = L Σ w R_a R_b, with events of
weight w in pb and the luminosity L in 1/pb; of the linear monomials it is that on the parameters. Ratios that were
learned cannot have more of it than the true ones. What they only seem to have, by noise learned by heart, does not go
with the truth: L Σ c_a R_b, with the true coefficients in place of one factor, is the same if predictions are means
of the truth, and smaller if they are noise. For a linear monomial it is the "training Fisher information" of
arXiv:2107.10859.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

__all__ = ["Information", "InformationSums"]


@dataclass(frozen=True)
class Information:
    """An information matrix with its statistical error.

    Attributes:
        value: `(A, A)`.
        error: standard error of each entry, by the spread of the events: L √Σ(w R_a R_b)², `(A, A)`.
    """

    value: NDArray[np.float64]
    error: NDArray[np.float64]

    def to_json(self) -> dict[str, Any]:
        """Return both as lists."""
        return {"value": self.value.tolist(), "error": self.error.tolist()}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> "Information":
        """Return what `to_json` wrote."""
        return cls(np.array(document["value"]), np.array(document["error"]))


@dataclass
class InformationSums:
    """Sums over events, added up in batches.

    Attributes:
        predicted: Σ w R_a R_b and Σ (w R_a R_b)².
        with_truth: Σ c_a R_b and Σ (c_a R_b)².
    """

    predicted: list[NDArray[np.float64]] = field(default_factory=lambda: [np.zeros(1), np.zeros(1)])
    with_truth: list[NDArray[np.float64]] = field(default_factory=lambda: [np.zeros(1), np.zeros(1)])

    def add(
        self, ratios: Float[np.ndarray, "events monomials"], coefficients: Float[np.ndarray, "events monomials"]
    ) -> None:
        """Add events.

        Args:
            ratios: predicted R_a, `(n, A)`.
            coefficients: c_a, the first of which are the weights w, `(n, A)`.
        """
        for sums, factor in ((self.predicted, ratios * coefficients[:, :1]), (self.with_truth, coefficients)):
            sums[0] = sums[0] + factor.T @ ratios
            sums[1] = sums[1] + (factor**2).T @ ratios**2

    def information(self, luminosity: float = 1.0, truth: bool = False) -> Information:
        """Return the matrix; of the products with the true coefficients if `truth`, which is not symmetric then."""
        value, squares = self.with_truth if truth else self.predicted
        return Information(luminosity * value, luminosity * np.sqrt(squares))

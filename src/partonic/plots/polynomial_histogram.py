r"""Histograms of θ-coefficients: one filling gives the spectrum, its error and its ratio at every θ.

With C_a = Σ_e c_ea the summed coefficients of a bin and S_ab = Σ_e c_ea c_eb, the content at θ is m(θ)·C and its
variance mᵀ S m. Spectra at two θ come from the same events, so their ratio R = m(θ)·C / m(θ₀)·C has (first order)

    Var R = dᵀ S d / (m(θ₀)·C)²,     d = m(θ) − R m(θ₀),

much smaller than for independent samples, and exactly zero when every event scales alike.
"""

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from partonic.plots.axis import Axis
from partonic.plots.histogram import finite_weights, flow_note, fold_overflow
from partonic.polynomial import Monomials

__all__ = ["PolynomialHistogram"]

Array = NDArray[np.float64]

_ROUNDING: Final = 1e-12
"""Sums smaller than this share of the sum of the sizes of their terms are rounding errors."""


@dataclass
class PolynomialHistogram:
    """A histogram whose contents are polynomials in θ.

    Attributes:
        axis: the binned variable, B bins.
        monomials: the A monomials of the coefficients.
        sums: C, underflow first and overflow last, `(B + 2, A)`.
        products: S, `(B + 2, A, A)`.
    """

    axis: Axis
    monomials: Monomials
    sums: Array = field(init=False)
    products: Array = field(init=False)

    def __post_init__(self) -> None:
        size, count = len(self.axis) + 2, len(self.monomials)
        self.sums, self.products = np.zeros((size, count)), np.zeros((size, count, count))

    def fill(self, values: Any, coefficients: Any) -> None:
        """Add one batch of events, one entry each.

        Args:
            values: `(N,)`, in the unit of the axis.
            coefficients: c_ea `(N, A)`, in pb.

        Raises:
            NonFiniteError: if a value or coefficient is NaN or infinite.
        """
        bins = self.axis.index(values)
        table = finite_weights(coefficients, self.axis.name)
        for found in np.unique(bins):
            rows = table[bins == found]
            self.sums[found] += rows.sum(axis=0)
            self.products[found] += rows.T @ rows

    @property
    def is_empty(self) -> bool:
        """Whether nothing with a non-zero coefficient was filled."""
        return not self.sums.any()

    @property
    def note(self) -> str:
        """What the first and last bin hold besides their own entries, in words; empty if nothing."""
        return flow_note(bool(self.sums[0].any()), bool(self.sums[-1].any()))

    def at(self, theta: Any) -> tuple[Array, Array]:
        """Return contents and errors at `theta` `(K,)`, flows folded into the outer bins, `(B,)` each."""
        powers = self.monomials.evaluate(theta)
        return _value_and_error(powers, fold_overflow(self.sums), fold_overflow(self.products))

    def ratio(self, theta: Any, reference: Any) -> tuple[Array, Array]:
        """Return content(θ) / content(θ₀) and its error, correlations included; NaN where content(θ₀) is 0."""
        return _ratio_and_error(
            (self.monomials.evaluate(theta), self.monomials.evaluate(reference)),
            fold_overflow(self.sums),
            fold_overflow(self.products),
        )

    def total(self, theta: Any) -> tuple[float, float]:
        """Return the sum over all bins and flows at `theta`, with its error, in pb."""
        value, error = _value_and_error(self.monomials.evaluate(theta), *self._summed())
        return float(value[0]), float(error[0])

    def total_ratio(self, theta: Any, reference: Any) -> tuple[float, float]:
        """Return total(θ) / total(θ₀) and its error."""
        points = (self.monomials.evaluate(theta), self.monomials.evaluate(reference))
        value, error = _ratio_and_error(points, *self._summed())
        return float(value[0]), float(error[0])

    def total_coefficients(self) -> tuple[Array, Array]:
        """Return Σ_e c_ea over everything filled, and its standard error, `(A,)` each, in pb."""
        sums, products = self._summed()
        return sums[0], np.sqrt(np.diagonal(products[0]))

    def _summed(self) -> tuple[Array, Array]:
        return self.sums.sum(axis=0)[None], self.products.sum(axis=0)[None]

    def record(self) -> dict[str, object]:
        """Return the histogram for the JSON results: C and its standard error of each bin, flows apart."""
        errors = np.sqrt(np.diagonal(self.products, axis1=1, axis2=2))
        return {
            "name": self.axis.name,
            "unit": self.axis.unit,
            "edges": list(self.axis.edges),
            "monomials": list(self.monomials.names),
            "coefficients": self.sums[1:-1].tolist(),
            "errors": errors[1:-1].tolist(),
            "underflow": [self.sums[0].tolist(), errors[0].tolist()],
            "overflow": [self.sums[-1].tolist(), errors[-1].tolist()],
        }


def _linear_form(sums: Array, vector: Array) -> Array:
    """Return Σ_a C_a v_a, exactly zero where the terms cancel to rounding (e.g. (1 + δκ)² at δκ = −1)."""
    terms = sums * vector
    return _without_rounding(terms.sum(axis=-1), np.abs(terms).sum(axis=-1))


def _quadratic_form(vector: Array, matrix: Array) -> Array:
    """Return vᵀ S v, zero where the terms cancel to rounding: a variance is never negative."""
    form: Array = np.einsum("...a,...ab,...b->...", vector, matrix, vector)
    size: Array = np.einsum("...a,...ab,...b->...", np.abs(vector), np.abs(matrix), np.abs(vector))
    return np.maximum(_without_rounding(form, size), 0.0)


def _without_rounding(total: Array, size: Array) -> Array:
    return np.where(np.abs(total) <= _ROUNDING * size, 0.0, total)


def _value_and_error(powers: Array, sums: Array, products: Array) -> tuple[Array, Array]:
    return _linear_form(sums, powers), np.sqrt(_quadratic_form(powers, products))


def _ratio_and_error(points: tuple[Array, Array], sums: Array, products: Array) -> tuple[Array, Array]:
    powers, reference_powers = points
    reference = _linear_form(sums, reference_powers)
    safe = np.where(reference == 0, np.nan, reference)
    ratio = _linear_form(sums, powers) / safe
    difference = powers - ratio[:, None] * reference_powers
    return ratio, np.sqrt(_quadratic_form(difference, products)) / np.abs(safe)

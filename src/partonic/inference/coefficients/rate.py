"""The fiducial cross section σ(θ) = Σ_a m_a(θ) σ_a of accepted events, with its statistical covariance.

The coefficients of all accepted events of a store sum to σ_a. Of N events that were generated some are accepted, so
the covariance of their sum is Σ c_a c_b − (Σ c_a)(Σ c_b)/N (that of a binomial number for equal weights), and in
addition the relative error of the cross section that the weights were normalised to, common to all. A store that holds
accepted events only does not tell N; the covariance is then Σ c_a c_b, that of N → ∞, which is never too small.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from partonic.errors import EventFileError, NonFiniteError, ParameterError
from partonic.events.grouped import GroupedSums
from partonic.events.store import NORMALISATION_ERROR, EventStore
from partonic.inference.coefficients.coefficients_file import CrossSectionRecord
from partonic.polynomial import Monomials

__all__ = ["FiducialRate"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class FiducialRate:
    """σ_a of the accepted events.

    Attributes:
        monomials: the A monomials of θ.
        coefficients: σ_a in pb, `(A,)`.
        covariance: their covariance in pb², `(A, A)`.
    """

    monomials: Monomials
    coefficients: Array
    covariance: Array

    def __post_init__(self) -> None:
        size = len(self.monomials)
        if self.coefficients.shape != (size,) or self.covariance.shape != (size, size):
            raise ParameterError(
                f"a rate in {size} monomials needs {size} cross sections and their {size}×{size} covariance, got "
                f"shapes {self.coefficients.shape} and {self.covariance.shape}"
            )
        if not (np.isfinite(self.coefficients).all() and np.isfinite(self.covariance).all()):
            msg = "a fiducial cross section or its covariance is NaN or infinite"
            raise NonFiniteError(msg)

    @classmethod
    def from_store(cls, store: EventStore) -> "FiducialRate":
        """Sum the coefficients of the selected events of `store`.

        Raises:
            EventFileError: if no event is selected.
        """
        events = accepted = 0
        sums, of_copies = GroupedSums(len(store.metadata.monomials)), ["parton_event"] * store.metadata.copies
        for batch in store.batches(["coefficients", "selected", *of_copies]):
            selected = batch.table.column("selected").fill_null(True).to_numpy().astype(np.bool_)
            groups = batch.column("parton_event").astype(np.int64) if of_copies else None
            if groups is None:
                sums.add(batch.coefficients[selected])
            else:  # the copies of a parton event are one trial: those that are rejected have the weight 0
                sums.add(batch.coefficients * selected[:, None], groups)
            events, accepted = events + len(batch), accepted + int(selected.sum())
        if not accepted:
            raise EventFileError(f"{store.path} has no selected event: expected accepted events to sum")
        common = float(store.metadata.facts.get(NORMALISATION_ERROR, 0.0))
        trials = None if accepted == events else (sums.groups if of_copies else events)
        return cls.of_sums(store.metadata.monomials, sums.first, sums.second, trials, common)

    @classmethod
    def of_sums(
        cls, monomials: Monomials, first: Array, second: Array, trials: int | None, common: float = 0.0
    ) -> "FiducialRate":
        """Return the sum of N weights w_a, and its covariance Σ w wᵀ − (Σ w)(Σ w)ᵀ/N.

        Args:
            monomials: the A monomials of θ.
            first: Σ w_a in pb, `(A,)`.
            second: Σ w_a w_b in pb², `(A, A)`.
            trials: N, with the events whose weight is 0; None if it is not known, and taken as infinite.
            common: relative error of the cross section that all weights were normalised to.
        """
        product = np.outer(first, first)
        within = second if trials is None else second - product / max(trials, 1)
        return cls(monomials, first, within + common**2 * product)

    @classmethod
    def from_record(cls, monomials: Monomials, record: CrossSectionRecord) -> "FiducialRate":
        """Return the rate that travels with a file of coefficients."""
        return cls(monomials, np.array(record.coefficients), np.array(record.covariance))

    @classmethod
    def constant(cls, cross_section: float, error: float = 0.0) -> "FiducialRate":
        """Return a rate that depends on nothing, in pb."""
        return cls(Monomials.constant(), np.array([cross_section]), np.array([[error**2]]))

    def record(self) -> CrossSectionRecord:
        """Return what travels with a file of coefficients."""
        rows = tuple(tuple(float(value) for value in row) for row in self.covariance)
        return CrossSectionRecord(coefficients=tuple(map(float, self.coefficients)), covariance=rows)

    def sigma(self, theta: Array) -> Array:
        """Return σ(θ) in pb at points `(..., K)`, as `(...)`."""
        values: Array = np.asarray(self.monomials.evaluate(theta) @ self.coefficients)
        return values

    def gradient(self, theta: Array) -> Array:
        """Return ∂σ/∂θ_k in pb at points `(..., K)`, as `(..., K)`."""
        values: Array = np.einsum("...ak,a->...k", self.monomials.gradient(theta), self.coefficients)
        return values

    def error(self, theta: Array) -> Array:
        """Return the standard error of σ(θ) in pb at points `(..., K)`, as `(...)`."""
        m = self.monomials.evaluate(theta)
        values: Array = np.asarray(np.sqrt(np.maximum(np.einsum("...a,ab,...b->...", m, self.covariance, m), 0.0)))
        return values

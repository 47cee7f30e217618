"""Binned templates: in every bin the expected yield of the signal as a polynomial of θ, and constants for backgrounds.

Each simulated event carries the coefficients of its weight, so that one pass over the sample gives the yield of every
bin for all θ, Σ_a m_a(θ) t_a, with the statistical covariance Σ_events c_a c_b of the t_a: no interpolation, no further
sample.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from partonic.errors import InferenceError, NonFiniteError, ParameterError
from partonic.inference.binned.binning import Binning
from partonic.inference.coefficients.rate import FiducialRate
from partonic.inference.likelihood.mixture import BackgroundRate
from partonic.polynomial import Monomials
from partonic.units import PB_TO_FB

__all__ = ["BackgroundTemplate", "Templates"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class BackgroundTemplate:
    """A background in bins; it does not depend on θ.

    Attributes:
        name: short name, e.g. ``"ttbar"``.
        cross_sections: of each bin, pb, `(J,)`.
        variances: their statistical variances, pb², `(J,)`.
        uncertainty: relative uncertainty of the normalisation (Gaussian); None leaves it free, 0 fixes it.
    """

    name: str
    cross_sections: Array
    variances: Array
    uncertainty: float | None = 0.0

    def __post_init__(self) -> None:
        if self.variances.shape != self.cross_sections.shape:
            raise ParameterError(
                f"the background '{self.name}' has {self.cross_sections.shape} cross sections and "
                f"{self.variances.shape} variances: expected one for each bin"
            )
        _require_finite(f"the background '{self.name}'", self.cross_sections, self.variances)
        if (self.cross_sections < 0).any():
            bad = int(np.flatnonzero(self.cross_sections < 0)[0])
            raise ParameterError(
                f"the background '{self.name}' is negative in bin {bad}: take wider bins or more simulated events"
            )

    @classmethod
    def fill(
        cls, name: str, binning: Binning, values: Array, weights: Array, uncertainty: float | None = 0.0
    ) -> "BackgroundTemplate":
        """Fill the bins with simulated events.

        Args:
            name: of the background.
            binning: J bins of D observables.
            values: of the observables, `(N, D)`.
            weights: of all accepted events, in sum the fiducial cross section, pb, `(N,)`.
            uncertainty: of the normalisation.
        """
        return cls(name, binning.counts(values, weights), binning.counts(values, weights**2), uncertainty)

    def rate(self) -> BackgroundRate:
        """Return the rate of all bins together."""
        total, error = float(self.cross_sections.sum()), float(np.sqrt(self.variances.sum()))
        return BackgroundRate(self.name, total, error, self.uncertainty)


@dataclass(frozen=True)
class Templates:
    """Signal and backgrounds in J bins.

    Attributes:
        binning: the bins.
        monomials: the A monomials of the signal.
        signal: t_a of each bin, pb, `(J, A)`.
        covariance: statistical covariance of the t_a of each bin, pb², `(J, A, A)`.
        backgrounds: what is added to the signal.
    """

    binning: Binning
    monomials: Monomials
    signal: Array
    covariance: Array
    backgrounds: tuple[BackgroundTemplate, ...] = field(default=())

    def __post_init__(self) -> None:
        bins, size = len(self.binning), len(self.monomials)
        if self.signal.shape != (bins, size) or self.covariance.shape != (bins, size, size):
            raise ParameterError(
                f"{bins} bins and {size} monomials need a signal ({bins}, {size}) and covariance ({bins}, {size}, "
                f"{size}), got {self.signal.shape} and {self.covariance.shape}"
            )
        _require_finite("the signal", self.signal, self.covariance)
        for background in self.backgrounds:
            if background.cross_sections.shape != (bins,):
                raise ParameterError(
                    f"the background '{background.name}' has {len(background.cross_sections)} bins, the signal {bins}"
                )

    @classmethod
    def fill(cls, binning: Binning, monomials: Monomials, values: Array, coefficients: Array) -> "Templates":
        """Fill the bins with simulated events of the signal.

        Args:
            binning: J bins of D observables.
            monomials: of θ.
            values: of the observables, `(N, D)`.
            coefficients: c_a of all accepted events, in sum σ_a, pb, `(N, A)`. If only part of the events have been
                looked at, scale them up.

        Raises:
            ParameterError: if shapes do not fit.
        """
        if coefficients.shape != (len(values), len(monomials)):
            raise ParameterError(
                f"{len(values)} events and {len(monomials)} monomials need coefficients of that shape, got "
                f"{coefficients.shape}"
            )
        index, bins, size = binning.index(values), len(binning), len(monomials)
        signal, covariance = np.zeros((bins, size)), np.zeros((bins, size, size))
        np.add.at(signal, index, coefficients)
        for number in range(bins):
            there = coefficients[index == number]
            covariance[number] = there.T @ there
        return cls(binning, monomials, signal, covariance)

    def with_backgrounds(self, backgrounds: Sequence[BackgroundTemplate]) -> "Templates":
        """Return the templates with these backgrounds."""
        return replace(self, backgrounds=tuple(backgrounds))

    def rate(self) -> FiducialRate:
        """Return the fiducial cross section of the signal in all bins together."""
        return FiducialRate(self.monomials, self.signal.sum(axis=0), self.covariance.sum(axis=0))

    def signal_yields(self, theta: Array, luminosity: float) -> Array:
        """Return the expected numbers of signal events at points `(..., K)`, as `(..., J)`; luminosity in fb⁻¹."""
        yields: Array = luminosity * PB_TO_FB * (self.monomials.evaluate(theta) @ self.signal.T)
        return yields

    def signal_errors(self, theta: Array, luminosity: float) -> Array:
        """Return the statistical errors of `signal_yields` from the size of the simulated sample, `(..., J)`."""
        m = self.monomials.evaluate(theta)
        variances = np.einsum("...a,jab,...b->...j", m, self.covariance, m)
        errors: Array = luminosity * PB_TO_FB * np.sqrt(np.maximum(variances, 0.0))
        return errors

    def yields(self, theta: Array, luminosity: float) -> Array:
        """Return the expected numbers of all events, backgrounds at their nominal rate, `(..., J)`."""
        total = self.signal_yields(theta, luminosity)
        for background in self.backgrounds:
            total = total + luminosity * PB_TO_FB * background.cross_sections
        return total

    def require_expected(self, counts: Array) -> None:
        """Check numbers of events `(J,)` in the bins.

        Raises:
            ParameterError: if they are not J, or not finite and ≥ 0.
            InferenceError: if there are events in a bin that is empty for all θ.
        """
        if counts.shape != (len(self.binning),):
            raise ParameterError(f"expected the counts of {len(self.binning)} bins, got shape {counts.shape}")
        if not (np.isfinite(counts).all() and (counts >= 0).all()):
            msg = "the numbers of events in bins must be finite and not negative"
            raise ParameterError(msg)
        filled = np.any([self.signal.any(axis=1), *(each.cross_sections > 0 for each in self.backgrounds)], axis=0)
        if (bad := np.flatnonzero((counts > 0) & ~filled)).size:
            raise InferenceError(
                f"there are {counts[bad].sum():g} events in {bad.size} bins of {', '.join(self.binning.names)} in "
                f"which none is expected, first bin {bad[0]}: take wider bins, or more simulated events"
            )


def _require_finite(what: str, *arrays: Array) -> None:
    if not all(np.isfinite(array).all() for array in arrays):
        raise NonFiniteError(f"a template of {what} is NaN or infinite: expected finite weights of the events")

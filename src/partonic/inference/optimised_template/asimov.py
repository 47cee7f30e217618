r"""Expected likelihoods of the Standard Model, of bins or of single events, with normalisations of backgrounds fitted.

The Asimov data are expected numbers c_j in J places, bins or simulated events. With the intensity
λ_j(θ, n) = T_j·m(θ) + Σ_b n_b B_bj there and the number ν(θ, n) of all events,

    q(θ) = min_n 2 [ν − Σ_j c_j log λ_j]_{SM}^{θ, n} + Σ_b (n_b − 1)²/δ_b²

is found for a whole grid of θ at once: it is convex in the normalisations n. In bins ν is the sum of λ; with learned
densities of events it is known better than they are.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from partonic.errors import InferenceError
from partonic.inference.binned.templates import Templates
from partonic.inference.likelihood.intervals import threshold
from partonic.polynomial import Monomials
from partonic.units import PB_TO_FB

__all__ = ["Asimov", "backgrounds_of"]

Array = NDArray[np.float64]

_GRID = 161
_WIDE = 3.0
_REFINEMENTS = 4
_FINER = 6
_MOST_WIDENINGS = 24
_NEWTON_STEPS = 25
_TINY = 1e-12


@dataclass(frozen=True)
class Asimov:
    """Data of the Standard Model and what is expected of them.

    Attributes:
        monomials: of θ.
        signal: T, intensities of the signal as coefficients of the monomials, `(J, A)`.
        backgrounds: B, those of the backgrounds, `(B, J)`.
        counts: c, `(J,)`.
        signal_number: expected number of signal events as coefficients of the monomials, `(A,)`.
        background_numbers: expected numbers of background events, `(B,)`.
        uncertainties: δ, relative, of their normalisations; infinite for free ones, 0 for fixed ones, `(B,)`.
        learned_number: the integral that T has as coefficients of the monomials, by which it is divided, so that an
            estimator that is wrong in the mean only cancels, `(A,)`; None where it is `signal_number`.
        smallest: smallest intensities, for learned ones may be negative at some θ, `(J,)`; None: q is infinite there.
    """

    monomials: Monomials
    signal: Array
    backgrounds: Array
    counts: Array
    signal_number: Array
    background_numbers: Array
    uncertainties: Array
    learned_number: Array | None = None
    smallest: Array | None = None

    @classmethod
    def of_templates(cls, templates: Templates, standard: Array, luminosity: float) -> "Asimov":
        """Return those of numbers of events in bins.

        Args:
            templates: signal and backgrounds in bins.
            standard: θ of the Standard Model, `(K,)`.
            luminosity: in fb⁻¹.

        Raises:
            InferenceError: if nothing is expected in the Standard Model.
        """
        scale = luminosity * PB_TO_FB
        signal, backgrounds = scale * templates.signal, scale * backgrounds_of(templates)
        counts = templates.monomials.evaluate(standard[None]) @ signal.T
        counts = counts[0] + backgrounds.sum(axis=0)
        if not counts.sum() > 0:
            message = "no event is expected in the template in the Standard Model: widen its regions"
            raise InferenceError(message)
        filled = counts > 0
        signal, backgrounds = signal[filled], backgrounds[:, filled]
        widths = np.array([np.inf if each.uncertainty is None else each.uncertainty for each in templates.backgrounds])
        return cls(templates.monomials, signal, backgrounds, counts[filled], signal.sum(axis=0),
                   backgrounds.sum(axis=1), widths)  # fmt: skip

    def length(self, name: str, standard: Array, level: float, reach: float, points: int = _GRID) -> float:
        """Return the length of the expected interval of a parameter, the others known; arguments as of `interval`."""
        return self.interval(name, standard, level, reach, points)[0]

    def interval(
        self, name: str, standard: Array, level: float, reach: float, points: int = _GRID
    ) -> tuple[float, float]:
        """Return the length of the expected interval of a parameter, the others known, and its best value less the SM.

        With densities that are not quite right the best value is not that of the Standard Model; in bins it is.

        Args:
            name: of the parameter.
            standard: θ of the Standard Model, `(K,)`.
            level: confidence level.
            reach: distance from the Standard Model, three times of which are looked at first: another interval, where
                quadratic terms make up for linear ones, may lie apart. It is widened as needed.
            points: of the grid, which is made finer at the ends of intervals and where q is lowest.
        """
        cut, place, distance = threshold(level), self.monomials.parameters.index(name), _WIDE * float(reach)

        def values(shifts: Array) -> Array:
            theta = np.repeat(standard[None], len(shifts), axis=0)
            theta[:, place] += shifts
            return self._values(theta)

        for _ in range(_MOST_WIDENINGS):
            shifts = np.linspace(-distance, distance, points)
            found = values(shifts)
            if min(found[0], found[-1]) > found.min() + cut:
                break
            distance *= 2.0
        for _ in range(_REFINEMENTS):
            more = _between(shifts, found - found.min(), cut)
            shifts, found = np.concatenate([shifts, more]), np.concatenate([found, values(more)])
            order = np.argsort(shifts)
            shifts, found = shifts[order], found[order]
        return _length(shifts, found - found.min(), cut), float(shifts[np.argmin(found)])

    def q(self, points: Array) -> Array:
        """Return q at points `(G, K)`, 0 at the lowest, `(G,)`; infinite where an expected event has no intensity."""
        values = self._values(points)
        found: Array = values - values.min()
        return found

    def _values(self, points: Array) -> Array:
        rows = self.monomials.evaluate(points)
        number = rows @ self.signal_number
        factor = np.ones(len(rows)) if self.learned_number is None else _ratio(number, rows @ self.learned_number)
        signal = factor[:, None] * (rows @ self.signal.T)
        norms = self._profiled(signal)
        expected = signal + norms @ self.backgrounds
        if self.smallest is not None:
            expected = np.maximum(expected, self.smallest)
        positive = (expected > 0).all(axis=1) & (number + norms @ self.background_numbers > 0)
        safe = np.where(expected > 0, expected, 1.0)
        widths = np.where(self.uncertainties > 0, self.uncertainties, np.inf)
        penalty = ((norms - 1.0) ** 2 / widths**2).sum(axis=1)
        values = 2.0 * (number + norms @ self.background_numbers - np.log(safe) @ self.counts) + penalty
        result: Array = np.where(positive, values, np.inf)
        return result

    def _profiled(self, signal: Array) -> Array:
        """Return the normalisations of backgrounds that minimise q at each of G points, `(G, B)`, by Newton steps."""
        norms = np.ones((len(signal), len(self.backgrounds)))
        free = self.uncertainties > 0
        if not free.any():
            return norms
        inverse, shapes = self.uncertainties[free] ** -2.0, self.backgrounds[free]
        numbers, smallest = self.background_numbers[free], _TINY if self.smallest is None else self.smallest
        for _ in range(_NEWTON_STEPS):
            expected = np.maximum(signal + norms @ self.backgrounds, smallest)
            slope = numbers - (self.counts / expected) @ shapes.T + inverse * (norms[:, free] - 1.0)
            curvature = np.einsum("gj,aj,bj->gab", self.counts / expected**2, shapes, shapes, optimize=True)
            curvature += np.diag(inverse + _TINY)
            step = np.linalg.solve(curvature, slope[..., None])[..., 0]
            norms[:, free] -= np.clip(step, -0.5, 0.5)
            if np.abs(step).max() < 1e-9:
                break
        return norms


def backgrounds_of(templates: Templates) -> Array:
    """Return the cross sections of B backgrounds in J bins, `(B, J)`."""
    return np.array([each.cross_sections for each in templates.backgrounds]).reshape(-1, len(templates.binning))


def _ratio(number: Array, learned: Array) -> Array:
    """Return true numbers over learned ones; 1 where the learned one is not positive."""
    return np.where(learned > 0, number / np.where(learned > 0, learned, 1.0), 1.0)


def _between(shifts: Array, q: Array, cut: float) -> Array:
    """Return points between those where q passes the cut, and beside those where it is lowest."""
    inside = q <= cut
    cells = inside[1:] != inside[:-1]
    bottom = np.flatnonzero((q[1:-1] <= q[:-2]) & (q[1:-1] <= q[2:])) + 1
    cells[bottom] = cells[bottom - 1] = True
    steps = np.arange(1, _FINER) / _FINER
    low, high = shifts[:-1][cells], shifts[1:][cells]
    result: Array = (low[:, None] + (high - low)[:, None] * steps).ravel()
    return result


def _length(shifts: Array, q: Array, cut: float) -> float:
    """Return the summed lengths of the segments with q ≤ cut, interpolating linearly between the points of the grid."""
    finite = np.where(np.isfinite(q), q, cut + 1e6)
    below, above = np.minimum(finite[:-1], finite[1:]), np.maximum(finite[:-1], finite[1:])
    rise = np.where(above > below, above - below, 1.0)
    share = np.where(above <= cut, 1.0, np.where(below >= cut, 0.0, (cut - below) / rise))
    return float((share * np.diff(shifts)).sum())

r"""What the learned ratios of single events say in the regions, with the backgrounds there.

The intensity of signal and backgrounds at x, in units of that of the signal at the reference, is

    λ(x|θ, n) = R(x)·m(θ) + Σ_b n_b ρ_b(x)⁻¹,   ρ_b⁻¹ = P_b(x)/P(x|reference)

(arXiv:2410.07315, appendix C), with ρ_b from a classifier, or, where nothing is known of the backgrounds but their
numbers in the regions, with the ratio of these numbers. What an estimator claims is not what it knows: beside the
expected intervals of this likelihood stands the information that its score keeps. The mean of the scores
s = ∂ log λ of a parameter and of the normalisations is a vector of observables of its own, with

    I = Dᵀ V⁻¹ D,   D = ∂⟨Σ s⟩/∂(θ_k, n),   V = ⟨Σ s sᵀ⟩

from true weights; the normalisations are then fitted along. That is never more than there is.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from partonic.errors import InferenceError
from partonic.inference.likelihood.event_terms import FLOOR
from partonic.inference.optimised_template.asimov import Asimov
from partonic.inference.optimised_template.backgrounds import BackgroundEvents
from partonic.inference.optimised_template.events import TemplateEvents
from partonic.units import PB_TO_FB

__all__ = ["UnbinnedEvents"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class UnbinnedEvents:
    """Simulated events of signal and backgrounds that have ratios, one after another.

    Attributes:
        events: what they were made from.
        ratios: R, `(N, A)`.
        behind: ρ_b⁻¹, `(N, B)`.
        signal: true weights of the signal, 0 for events of backgrounds, pb, `(N, A)`.
        backgrounds: true weights as each background, pb, `(N, B)`.
    """

    events: TemplateEvents
    ratios: Array
    behind: Array
    signal: Array
    backgrounds: Array

    @classmethod
    def of(cls, events: TemplateEvents, learned: bool = True) -> "UnbinnedEvents":
        """Return the events in the regions.

        Args:
            events: of signal and backgrounds.
            learned: whether the densities of the backgrounds are those of the estimator; or else only their numbers in
                the regions are known.

        Raises:
            InferenceError: if no event has a ratio, or the densities are asked for and not there.
        """
        parts: tuple[TemplateEvents | BackgroundEvents, ...] = (events, *events.backgrounds)
        count = len(events.backgrounds)
        ratios = np.concatenate([each.ratios for each in parts])
        if not learned:
            behind = _of_regions(events)[np.concatenate([each.region for each in parts])]
        elif not count:
            behind = np.zeros((len(ratios), 0))
        else:
            known = [each.behind for each in parts if each.behind is not None]
            if len(known) < len(parts):
                message = "how likely events are under the backgrounds is not known: give `inference.backgrounds`"
                raise InferenceError(message)
            behind = np.concatenate(known)
        signal, backgrounds = np.zeros_like(ratios), np.zeros((len(ratios), count))
        signal[: len(events)] = events.weights
        start = len(events)
        for number, each in enumerate(events.backgrounds):
            backgrounds[start : start + len(each.weights), number] = each.weights
            start += len(each.weights)
        usable = np.isfinite(ratios).all(axis=1) & np.isfinite(behind).all(axis=1)
        here = np.where(usable, np.nan_to_num(ratios) @ events.mixture.signal.monomials.evaluate(events.standard), 0.0)
        usable &= here > 0
        if not usable.any():
            message = "no simulated event in the regions of `inference.template` has coefficients"
            raise InferenceError(message)
        return cls(events, ratios[usable], behind[usable], signal[usable], backgrounds[usable])

    def asimov(self, luminosity: float) -> Asimov:
        """Return the expected likelihood; densities of the signal are normalised with their own mean.

        Args:
            luminosity: in fb⁻¹.
        """
        vector, scale = self._standard_vector, luminosity * PB_TO_FB
        at_standard = self.signal @ vector
        here = self.ratios @ vector
        smallest = FLOOR * (here + self.behind.sum(axis=1))
        return Asimov(
            self.events.mixture.signal.monomials,
            self.ratios,
            self.behind.T,
            scale * (at_standard + self.backgrounds.sum(axis=1)),
            scale * self.signal.sum(axis=0),
            scale * self.backgrounds.sum(axis=0),
            self._uncertainties,
            scale * ((at_standard / here) @ self.ratios),
            smallest,
        )

    def information(self, luminosity: float) -> Array:
        """Return what the scores keep of the information on each parameter, the others known, `(K,)`.

        Args:
            luminosity: in fb⁻¹.
        """
        monomials, standard = self.events.mixture.signal.monomials, self.events.standard
        scale, vector = luminosity * PB_TO_FB, self._standard_vector
        whole = self.ratios @ vector + self.behind.sum(axis=1)
        weights = self.signal @ vector + self.backgrounds.sum(axis=1)
        free = self._uncertainties > 0
        of_backgrounds = (self.behind / whole[:, None])[:, free]
        found = []
        for number in range(len(standard)):
            score = (self.ratios @ monomials.gradient(standard)[:, number]) / whole
            scores = np.column_stack([score, of_backgrounds])
            slopes = np.column_stack([self.signal @ monomials.gradient(standard)[:, number], self.backgrounds[:, free]])
            response = scale * (scores.T @ slopes)
            variance = scale * (scores.T @ (weights[:, None] * scores))
            matrix = response.T @ np.linalg.pinv(variance, hermitian=True) @ response
            matrix[1:, 1:] += np.diag(self._uncertainties[free] ** -2.0)
            found.append(matrix[0, 0] - matrix[0, 1:] @ np.linalg.pinv(matrix[1:, 1:], hermitian=True) @ matrix[1:, 0])
        return np.array(found)

    @property
    def _standard_vector(self) -> Array:
        vector: Array = self.events.mixture.signal.monomials.evaluate(self.events.standard)
        return vector

    @property
    def _uncertainties(self) -> Array:
        widths = [np.inf if each.uncertainty is None else each.uncertainty for each in self.events.backgrounds]
        return np.array(widths, dtype=np.float64)


def _of_regions(events: TemplateEvents) -> Array:
    """Return the numbers of background events over that of signal events in each region, `(R, B)`."""
    regions = [events.region, *(each.region for each in events.backgrounds)]
    count = 1 + max(int(each.max(initial=0)) for each in regions)
    signal = events.weights @ events.mixture.signal.monomials.evaluate(events.standard)
    expected = np.bincount(events.region, signal, minlength=count)
    numbers = [np.bincount(each.region, each.weights, minlength=count) for each in events.backgrounds]
    behind = np.array(numbers).reshape(-1, count).T
    result: Array = behind / np.where(expected > 0, expected, np.nan)[:, None]
    return result

r"""How well ratios tell points of θ apart: the likelihood of the class that an event belongs to.

Take points θ_k as classes of equal size. An event x is of class k with the probability

    q_k(x) = d_k/Σ_j d_j,      d_k = r(x|θ_k)/σ_k,      r(x|θ) = Σ_a m_a(θ) R_a(x),

and the mean of log q_k over simulated events with the weights of θ_k, plus log K, is largest for the true ratios of any
summary of x (a proper scoring rule; it is then the mutual information of x and the class). What is common to all θ
cancels in q: no density of a reference has to be known, none is rare, and the influence of an event on it is bounded
however large its ratios are.

The points stand around the reference at several distances, and the classes of each distance are a sum of their own,
weighted by one over what the true ratios of the partons reach: far away squares decide, near by the score at the
reference. d below ε = 10⁻³ goes on as ε²/(2ε − d), so that ratios that are negative have a likelihood, too.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from partonic.errors import ParameterError
from partonic.inference.calibration.joint_likelihood import points_of_theta
from partonic.inference.coefficients.positivity import SMALLEST_SHARE
from partonic.polynomial import Monomials

__all__ = ["DISTANCES", "ClassLikelihood"]

Array = NDArray[np.float64]

DISTANCES = (1.0, 0.3, 0.1)
"""Of the points, in units in which the square of a parameter adds as much rate as the reference has."""

_POINTS = 16
"""At each distance, beside the reference."""


@dataclass(frozen=True)
class ClassLikelihood:
    """The classes, and the part of each event in them.

    Attributes:
        powers: m_a(θ_k) of the points at each distance, `(S, K, A)`.
        weights: true weights c_a of N events over the cross section at the reference, `(N, A)`.
        scale: what each distance is multiplied by, `(S,)`.
    """

    powers: Tensor
    weights: Tensor
    scale: Tensor

    @classmethod
    def of(cls, monomials: Monomials, reference: Array, centre: Array, weights: Array) -> "ClassLikelihood":
        """Return the classes of simulated events.

        Args:
            monomials: the A monomials.
            reference: σ_ref/σ_kk at the squares of the parameters that change shapes, `(A,)`.
            centre: θ_ref, `(P,)`.
            weights: c_a of N events, any unit, `(N, A)`.

        Raises:
            ParameterError: if no parameter is known to change shapes, or a rate is not positive at a point.
        """
        offsets = [points_of_theta(monomials, reference * distance**2, _POINTS) for distance in DISTANCES]
        powers = np.stack([monomials.evaluate(centre + each) for each in offsets])
        if powers.shape[1] < 2:
            message = (
                "no parameter has a square that changes the shape of events: likelihoods at points of θ cannot choose "
                "a calibration; name one"
            )
            raise ParameterError(message)
        rates = powers @ weights.sum(axis=0)
        if not (rates > 0).all():
            raise ParameterError(
                f"the rate of the calibration events is {rates.min():g} at a point of θ; expected more than 0: give "
                "more events, or name a calibration"
            )
        scaled = torch.as_tensor(weights / (weights.sum(axis=0) @ monomials.evaluate(centre)))
        found = cls(torch.as_tensor(powers), scaled, torch.ones(len(DISTANCES), dtype=torch.float64))
        own = scaled @ found.powers[0, 0]
        true = scaled / torch.where(own > 0, own, 1.0 / len(scaled))[:, None]
        reached = found.by_distance(true, torch.ones(len(weights), dtype=torch.float64)).sum(dim=0)
        return cls(found.powers, found.weights, 1.0 / (len(DISTANCES) * reached.clamp(min=1e-300)))

    def __call__(self, ratios: Tensor, counts: Tensor) -> Tensor:
        """Return the part of each event in the sum, `(N,)`: 1 in total where ratios are as good as those of partons.

        Args:
            ratios: R_a but for any factor of an event, `(N, A)`.
            counts: how often each event is there, `(N,)`.
        """
        return self.by_distance(ratios, counts) @ self.scale

    def by_distance(self, ratios: Tensor, counts: Tensor) -> Tensor:
        """Return the mean of log(K q_k) of each distance, as parts of events `(N, S)`, without `scale`."""
        parts = []
        for powers in self.powers:
            true = self.weights @ powers.T
            rates = counts @ true
            logs = _logarithm(ratios @ powers.T / rates)
            told = logs - torch.logsumexp(logs, dim=1, keepdim=True) + np.log(len(powers))
            parts.append((true / rates * told).mean(dim=1) * counts)
        return torch.stack(parts, dim=1)


def _logarithm(values: Tensor) -> Tensor:
    """Return log x; below ε 2 log ε − log(2ε − x), which touches it there."""
    inside = values.clamp(min=SMALLEST_SHARE)
    return torch.log(inside) - torch.log1p((SMALLEST_SHARE - values).clamp(min=0.0) / SMALLEST_SHARE)

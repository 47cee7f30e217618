"""Whether the probabilities of jets mean what they say: predicted against observed frequencies.

Jets are sorted into bins of the predicted probability to come from one particle. In each bin the mean prediction should
be the fraction of jets that do come from it, within the binomial error.
"""

from dataclasses import asdict, dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from partonic.unfolding.provenance.candidates import TARGETS

__all__ = ["ReliabilityBin", "jet_reliability"]


@dataclass(frozen=True)
class ReliabilityBin:
    """Jets with similar predicted probability.

    Attributes:
        predicted: mean predicted probability.
        observed: fraction of the jets that come from the particle.
        error: of the difference, if the prediction is right: √Σ p(1 − p)/n.
        jets: number n of jets.
    """

    predicted: float
    observed: float
    error: float
    jets: int

    def to_json(self) -> dict[str, float | int]:
        """Return the four numbers by name."""
        return asdict(self)


def jet_reliability(
    probabilities: Float[Tensor, "events jets 3"],
    provenance: Int[Tensor, "events jets"],
    jet_mask: Bool[Tensor, "events jets"],
    bins: int = 10,
) -> dict[str, tuple[ReliabilityBin, ...]]:
    """Return the bins of the probabilities to come from H, t_had and t_lep, without empty ones.

    Args:
        probabilities: of each jet to come from the three particles.
        provenance: 1, 2, 3 for jets that do, 0 for others.
        jet_mask: real jets.
        bins: equal bins between 0 and 1.
    """
    result = {}
    for target, name in enumerate(TARGETS):
        predicted = probabilities[..., target][jet_mask].double()
        observed = (provenance[jet_mask] == target + 1).double()
        number = (predicted * bins).long().clamp(max=bins - 1)
        chosen = (number == k for k in torch.unique(number).tolist())
        result[name] = tuple(_bin(predicted[rows], observed[rows]) for rows in chosen)
    return result


def _bin(predicted: Float[Tensor, " jets"], observed: Float[Tensor, " jets"]) -> ReliabilityBin:
    count = len(predicted)
    return ReliabilityBin(
        predicted=predicted.mean().item(),
        observed=observed.mean().item(),
        error=float((predicted * (1.0 - predicted)).sum().sqrt()) / count,
        jets=count,
    )

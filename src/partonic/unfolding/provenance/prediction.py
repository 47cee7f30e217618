"""What the assignment network says: probabilities of all candidates, and of the origin of each jet."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

from partonic.unfolding.provenance.scores import CandidateScores

__all__ = ["ProvenancePrediction"]


@dataclass(frozen=True)
class ProvenancePrediction:
    """What the assignment network says about events.

    Attributes:
        scores: of all candidates, and of each target being incomplete; see `joint_log_probability`.
        origin: log-probability of each jet to come from none, H, t_had, t_lep, `(N, J, 4)`.
        jet_mask: real jets, `(N, J)`.
    """

    scores: CandidateScores
    origin: Float[Tensor, "events jets 4"]
    jet_mask: Bool[Tensor, "events jets"]

    def jet_probabilities(self, slots: int) -> Float[Tensor, "events slots 3"]:
        """Return the probability of each jet to come from H, t_had, t_lep, padded with zeros to `slots` jets."""
        known = torch.where(self.jet_mask[..., None], self.origin[..., 1:].exp(), 0.0)
        return functional.pad(known, (0, 0, 0, slots - known.shape[1]))

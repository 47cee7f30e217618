"""Scores of all candidates of an event: what a method knows before conflicts between the targets are resolved."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from partonic.unfolding.provenance.candidates import TARGETS, JetCandidates, candidates

__all__ = ["CandidateScores"]


@dataclass(frozen=True)
class CandidateScores:
    """Log-probabilities of the candidates of each target, up to a constant for each event; −∞ for impossible ones.

    Attributes:
        higgs: of pairs of jets, `(N, P)`, in the order of `candidates`.
        hadronic_top: of triples, `(N, T)`.
        leptonic_top: of single jets, `(N, J)`.
        missing: that the target left no complete set of jets, `(N, 3)`.
    """

    higgs: Float[Tensor, "events pairs"]
    hadronic_top: Float[Tensor, "events triples"]
    leptonic_top: Float[Tensor, "events jets"]
    missing: Float[Tensor, "events 3"]

    def __len__(self) -> int:
        """Return the number of events."""
        return len(self.missing)

    @property
    def of_targets(self) -> tuple[Float[Tensor, "events pairs"], Float[Tensor, "events triples"], Tensor]:
        """The scores of the candidates of H, t_had and t_lep."""
        return self.higgs, self.hadronic_top, self.leptonic_top

    @property
    def table(self) -> JetCandidates:
        """The candidates that the scores belong to."""
        return candidates(self.leptonic_top.shape[1], str(self.missing.device))

    def jets_needed(self) -> Int[Tensor, " events"]:
        """Return how many jets, hardest first, hold every possible candidate of each event."""
        needed = torch.zeros(len(self), dtype=torch.long, device=self.missing.device)
        for target, scores in enumerate(self.of_targets):
            jets = torch.where(scores > -torch.inf, self.table.needed(target), 0)
            if jets.shape[1]:
                needed = torch.maximum(needed, jets.amax(dim=1))
        return needed

    def normalised(self) -> "CandidateScores":
        """Return log-probabilities that sum to one for each target, the missing one included.

        Raises nothing for a target without any possibility: its scores stay −∞.
        """
        parts, missing = [], []
        for target, scores in enumerate(self.of_targets):
            joint = torch.cat([self.missing[:, target, None], scores], dim=1)
            total = joint.logsumexp(dim=1, keepdim=True)
            logs = joint - torch.where(total > -torch.inf, total, 0.0)
            missing.append(logs[:, 0])
            parts.append(logs[:, 1:])
        return CandidateScores(parts[0], parts[1], parts[2], torch.stack(missing, dim=1))

    def jet_membership(self) -> tuple[Float[Tensor, "events jets"], ...]:
        """Return the probability that each jet belongs to H, t_had, t_lep, summed over normalised candidates."""
        return tuple(
            scores.exp() @ self.table.membership(target).to(scores)
            for target, scores in zip(range(len(TARGETS)), self.of_targets, strict=True)
        )

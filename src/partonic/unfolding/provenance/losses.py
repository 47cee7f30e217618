"""The losses of the assignment network: cross entropies of candidates, missing targets and the origin of jets."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from partonic.unfolding.provenance.candidates import TARGETS
from partonic.unfolding.provenance.prediction import ProvenancePrediction
from partonic.unfolding.provenance.truth import AssignmentTruth

__all__ = ["provenance_losses"]


def provenance_losses(prediction: ProvenancePrediction, truth: AssignmentTruth) -> dict[str, Float[Tensor, ""]]:
    """Return the losses, each the mean of −log probability.

    Args:
        prediction: of the network.
        truth: of the same events; targets that need jets beyond those looked at count as incomplete.

    Returns:
        ``H``, ``t_had``, ``t_lep``: of the true candidate, or of the target being incomplete, mean over events;
        ``jets``: of the origin of jets, mean over all real jets; ``total``: their sum.
    """
    slots = prediction.origin.shape[1]
    truth = truth.limited_to(slots)
    numbers = prediction.scores.table.numbers(truth.assignment)
    losses = {
        name: -_log_probability(scores, prediction.scores.missing[:, target], numbers[:, target]).mean()
        for target, (name, scores) in enumerate(zip(TARGETS, prediction.scores.of_targets, strict=True))
    }
    log_origin = prediction.origin.gather(-1, truth.provenance[..., None])[..., 0]
    losses["jets"] = -log_origin[prediction.jet_mask].mean()
    losses["total"] = torch.stack(list(losses.values())).sum()
    return losses


def _log_probability(
    scores: Float[Tensor, "events candidates"], missing: Float[Tensor, " events"], number: Int[Tensor, " events"]
) -> Float[Tensor, " events"]:
    """Return the log-probability of the candidate with the given number, of the missing target where it is −1."""
    return torch.cat([missing[:, None], scores], dim=1).gather(1, number[:, None] + 1)[:, 0]

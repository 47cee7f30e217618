"""The losses of the assignment network: cross entropies of the joint assignment and of the origin of jets."""

from jaxtyping import Float
from torch import Tensor

from partonic.unfolding.provenance.joint import joint_log_probability
from partonic.unfolding.provenance.prediction import ProvenancePrediction
from partonic.unfolding.provenance.truth import AssignmentTruth

__all__ = ["provenance_losses"]


def provenance_losses(prediction: ProvenancePrediction, truth: AssignmentTruth) -> dict[str, Float[Tensor, ""]]:
    """Return the losses, each the mean of −log probability.

    Args:
        prediction: of the network.
        truth: of the same events; targets that need jets beyond those looked at count as incomplete.

    Returns:
        ``assignment``: of the true conflict-free assignment with its incomplete targets missing, mean over events;
        ``jets``: of the origin of jets, mean over all real jets; ``total``: their sum.
    """
    truth = truth.limited_to(prediction.origin.shape[1])
    assignment = -joint_log_probability(prediction.scores, truth.assignment).mean()
    log_origin = prediction.origin.gather(-1, truth.provenance[..., None])[..., 0]
    jets = -log_origin[prediction.jet_mask].mean()
    return {"assignment": assignment, "jets": jets, "total": assignment + jets}

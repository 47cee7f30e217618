"""What a method of simulation-based inference is: a loss of simulated events, and densities of observed ones.

Every loss here is a sum over events that is linear in their coefficients. So events may have any weights, of either
sign, one sample serves every θ by its morphing weights, and no loss divides by a density that may vanish.
"""

from abc import abstractmethod

import torch
from jaxtyping import Float
from torch import Tensor, nn

__all__ = ["Method", "MethodLoss", "event_mean"]

MethodLoss = tuple[Float[Tensor, " members"], Float[Tensor, "members values"]]
"""Loss of each member, averaged over the events of a batch, and the outputs that repel each other."""


class Method(nn.Module):
    """Networks, and what they are trained to say."""

    members: int

    @abstractmethod
    def losses(
        self,
        inputs: Float[Tensor, "events inputs"],
        targets: Float[Tensor, "events monomials"],
        generator: torch.Generator | None,
        weights: Float[Tensor, "events members"] | None = None,
    ) -> MethodLoss:
        """Return the losses of a batch.

        Args:
            inputs: standardised features.
            targets: y (`partonic.sbi.expansion`) in units of the mean weight at the reference.
            generator: for random draws of θ; None for the fixed draws of a validation.
            weights: how often each member has each event in its bootstrap sample; None for once.
        """

    @abstractmethod
    def targets_of(self, inputs: Float[Tensor, "events inputs"]) -> Float[Tensor, "members events monomials"]:
        """Return the learned E[y|x]/E[y_0|x] of each member, float64; the first column is 1."""

    def covariance_of(
        self, inputs: Float[Tensor, "events inputs"]
    ) -> Float[Tensor, "events monomials monomials"] | None:
        """Return the covariance of the mean of `targets_of`, float64; None if it is the scatter of the members."""
        return None

    def residual(self, inputs: Float[Tensor, "events inputs"]) -> Float[Tensor, " events"] | None:
        """Return by how much the method's own ratio differs from the polynomial; None if it is one."""
        return None


def event_mean(
    losses: Float[Tensor, "members events"], weights: Float[Tensor, "events members"] | None
) -> Float[Tensor, " members"]:
    """Return the mean of the losses over the events, each as often as it is in the sample of the member."""
    return (losses if weights is None else losses * weights.T.to(losses)).mean(dim=1)

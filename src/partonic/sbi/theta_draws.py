"""Random θ for losses of ratios at any θ."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

__all__ = ["ThetaDraws"]


class ThetaDraws(nn.Module):
    """θ from a list of points, drawn before the training from the prior, with all that losses need of them.

    Attributes:
        units: θ in units of the prior, −1 to 1, `(P, K)`: what networks see.
        weights: with which the targets sum to c(θ)/σ(θ) in units of σ_ref, `(P, A)`.
        gradients: derivatives of `weights` in `units`, `(P, A, K)`.
    """

    units: Tensor
    weights: Tensor
    gradients: Tensor

    def __init__(self, units: Tensor, weights: Tensor, gradients: Tensor) -> None:
        super().__init__()
        for name, value in (("units", units), ("weights", weights), ("gradients", gradients)):
            self.register_buffer(name, value, persistent=False)

    def numbers(self, events: int, generator: torch.Generator | None) -> Int[Tensor, " events"]:
        """Return the number of a point for each event; one after another without a generator."""
        count, device = len(self.units), self.units.device
        if generator is None:
            return torch.arange(events, device=device) * 7919 % count
        return torch.randint(count, (events,), generator=generator, device=device)

    def densities(
        self, targets: Float[Tensor, "events monomials"], numbers: Int[Tensor, " events"]
    ) -> tuple[Float[Tensor, " events"], Float[Tensor, " events"]]:
        """Return c_ref and c(θ)/σ(θ) of events at the points with these numbers, in units of σ_ref."""
        return targets[:, 0], (targets * self.weights[numbers]).sum(dim=1)

    def slopes(
        self, targets: Float[Tensor, "events monomials"], numbers: Int[Tensor, " events"]
    ) -> Float[Tensor, "events parameters"]:
        """Return the derivatives of c(θ)/σ(θ) in `units`: the density times the score."""
        return torch.einsum("na,nak->nk", targets, self.gradients[numbers])

    def rows(self, events: int, generator: torch.Generator | None) -> Float[Tensor, "events monomials"]:
        """Return the weights at a random point for each event."""
        return self.weights[self.numbers(events, generator)]

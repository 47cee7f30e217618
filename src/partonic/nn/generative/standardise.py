"""Shift and scale of each number to mean 0 and standard deviation 1, with its Jacobian; weighted, in float64."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from partonic.errors import TrainingError

__all__ = ["AffineScale"]


class AffineScale(nn.Module):
    """The map (x − mean)/deviation; mean and deviation are buffers, so they are saved with the network."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, features: int) -> None:
        """Start as the identity of `features` numbers."""
        super().__init__()
        self.register_buffer("mean", torch.zeros(features, dtype=torch.float64))
        self.register_buffer("deviation", torch.ones(features, dtype=torch.float64))

    def fit(
        self, values: Float[Tensor, "events features"], weights: Float[Tensor, " events"], *, constant_allowed: bool
    ) -> None:
        """Take mean and deviation from weighted events.

        Args:
            values: of the events.
            weights: of the events, in any unit; their sum must be positive.
            constant_allowed: a number that never varies is only shifted; else it is refused.

        Raises:
            TrainingError: if a number never varies and that is not allowed, or its weighted variance is not positive.
        """
        share = (weights.double() / weights.double().sum())[:, None]
        values = values.double()
        mean = (share * values).sum(dim=0)
        variance = (share * (values - mean).square()).sum(dim=0)
        constant = values.amax(dim=0) == values.amin(dim=0)
        broken = (constant & (not constant_allowed)) | (~constant & ~(variance > 0.0))
        if bool(broken.any()):
            raise TrainingError(
                f"the numbers {broken.nonzero().flatten().tolist()} of the data have no positive variance: leave "
                "out numbers that are the same in all events, and check the negative weights"
            )
        self.mean.copy_(mean)
        self.deviation.copy_(torch.where(constant, 1.0, variance.clamp(min=0.0).sqrt()))

    def forward(self, values: Float[Tensor, "*batch features"]) -> Float[Tensor, "*batch features"]:
        """Return the standardised numbers, float64."""
        scaled: Tensor = (values.double() - self.mean) / self.deviation
        return scaled

    def inverse(self, scaled: Float[Tensor, "*batch features"]) -> Float[Tensor, "*batch features"]:
        """Return the numbers that `forward` standardised, float64."""
        values: Tensor = scaled.double() * self.deviation + self.mean
        return values

    def log_jacobian(self) -> Float[Tensor, ""]:
        """Return ln |d scaled/dx|, the same everywhere."""
        return -self.deviation.log().sum()

"""Typical sizes of an event's weight and of its derivatives, as functions of what is seen of it.

Ratios of an effective theory grow with powers of the energy, and their scatter given x as they do: those of W±Z by four
decades from the bulk to the tail. These perceptrons learn E|y_b(x)| of the simulated events, each counted once: the
minimum of Σ g + |y| e^{−g} over functions g is the logarithm of the mean of |y| (the deviance of a gamma distribution).
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from partonic.sbi.ensemble_mlp import EnsembleMLP

__all__ = ["Magnitudes"]

_HIDDEN = (32, 32)
"""Hidden units: a rough size is enough, for what is learned does not depend on it."""

_LOWEST = 1e-3
"""Quantile of the magnitudes of the sample below which, by a factor e, none is predicted."""

_START = (0.02, 0.98)
"""Part of the range within which the training starts, where the logistic function has a slope."""


class Magnitudes(nn.Module):
    """Perceptrons of the named features, one for the weight at the reference and one for each derivative.

    What they say stays within the range of the sample, also for events that are like none of it.

    Attributes:
        floor: |R| that is added to that of each event, at least the median of the sample, `(A − 1,)`.
        low, high, start: lowest, highest and first logarithm, `(A,)`.
    """

    floor: Tensor
    low: Tensor
    high: Tensor
    start: Tensor

    def __init__(self, inputs: int, targets: int) -> None:
        """Draw the first weights from torch's global generator.

        Args:
            inputs: numbers of the standardised named features, the first of an event's row.
            targets: number A of the weight and the derivatives.
        """
        super().__init__()
        self.inputs = inputs
        self.networks = EnsembleMLP(inputs, _HIDDEN, targets)
        self.register_buffer("floor", torch.zeros(targets - 1, dtype=torch.float64))
        for name in ("low", "high", "start"):
            self.register_buffer(name, torch.zeros(targets))

    def take_range(self, targets: Float[Tensor, "events monomials"], least: Float[Tensor, " derivatives"]) -> None:
        """Take floors and bounds from the training sample.

        Args:
            targets: y of the events.
            least: lowest floor of each derivative; infinite for one that is constant.
        """
        weight, rest = targets[:, :1].abs(), targets[:, 1:].abs()
        ratios = torch.where(weight > 0, rest / weight, torch.inf)
        order = ratios.argsort(dim=0)
        filled = weight[:, 0][order].cumsum(dim=0)
        middle = (filled < 0.5 * weight.sum()).sum(dim=0)
        median = ratios.gather(0, order).gather(0, middle[None])[0]
        floor = torch.maximum(median, torch.where(torch.isfinite(least), least, 0.0))
        self.floor.copy_(torch.where(floor > 0, floor, 1.0))  # of a derivative that no event has: any number
        sizes = self._sizes(targets)
        ordered = sizes.sort(dim=0).values
        self.low.copy_(ordered[int(_LOWEST * len(sizes))].clamp(min=torch.finfo(torch.float32).tiny).log() - 1.0)
        self.high.copy_(ordered[-1].log() + 0.5)
        self.start.copy_((sizes.mean(dim=0).log().float() - self.low).div(self.high - self.low).clamp(*_START).logit())

    def deviance(
        self, inputs: Float[Tensor, "events inputs"], targets: Float[Tensor, "events monomials"]
    ) -> Float[Tensor, ""]:
        """Return the loss: the mean of g + |y| e^{−g} over events and networks."""
        logs = self._logs(inputs)
        return (logs + self._sizes(targets).float() * torch.exp(-logs)).mean()

    def forward(
        self, inputs: Float[Tensor, "events inputs"]
    ) -> tuple[Float[Tensor, "events 1"], Float[Tensor, "events derivatives"]]:
        """Return the typical weight at the reference of an event, and the typical derivatives in units of it."""
        logs = self._logs(inputs)
        return torch.exp(logs[:, :1]), torch.exp(logs[:, 1:] - logs[:, :1])

    def _sizes(self, targets: Tensor) -> Tensor:
        weight = targets[:, :1].abs()
        return torch.cat([weight, targets[:, 1:].abs() + self.floor * weight], dim=1)

    def _logs(self, inputs: Tensor) -> Tensor:
        named = inputs[:, : self.inputs]
        soft = torch.sigmoid(self.networks(torch.asinh(named)).T + self.start)
        return self.low + (self.high - self.low) * soft

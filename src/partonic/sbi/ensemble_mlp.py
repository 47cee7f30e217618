"""Many multilayer perceptrons as one: their weights are stacked, and a layer is one batched matrix product."""

import itertools
import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

__all__ = ["EnsembleMLP"]


class EnsembleMLP(nn.Module):
    """G perceptrons with SiLU between the layers (smooth, so that scores exist) and one output each."""

    def __init__(self, inputs: int, hidden: Sequence[int], networks: int) -> None:
        """Draw the first weights from torch's global generator, uniform within ±1/√fan-in as `nn.Linear` does.

        Args:
            inputs: numbers an event.
            hidden: units of each layer.
            networks: number G of networks.
        """
        super().__init__()
        self.networks = networks
        sizes = (inputs, *hidden, 1)
        pairs = list(itertools.pairwise(sizes))
        self.weights = nn.ParameterList([self._drawn(networks, before, before, after) for before, after in pairs])
        self.biases = nn.ParameterList([self._drawn(networks, before, 1, after) for before, after in pairs])

    @staticmethod
    def _drawn(networks: int, fan_in: int, *shape: int) -> nn.Parameter:
        bound = 1.0 / math.sqrt(fan_in)
        return nn.Parameter(torch.empty(networks, *shape).uniform_(-bound, bound))

    def forward(
        self,
        inputs: Float[Tensor, "*networks events inputs"],
        theta: Float[Tensor, "networks events parameters"] | None = None,
    ) -> Float[Tensor, "networks events"]:
        """Return the output of every network for every event; inputs are common, or each network has its own.

        Args:
            inputs: of the events.
            theta: further inputs of each network; None for none.
        """
        return torch.baddbmm(self.biases[-1], self._hidden(inputs, theta), self.weights[-1])[..., 0]

    def encode(self, inputs: Float[Tensor, "events inputs"]) -> Float[Tensor, "events inputs"]:
        """Return the inputs: the networks see all of them together with θ."""
        return inputs

    def decide(
        self,
        seen: Float[Tensor, "*networks events inputs"],
        theta: Float[Tensor, "networks events parameters"] | None = None,
    ) -> Float[Tensor, "networks events"]:
        """Return the outputs, as a call."""
        return self.forward(seen, theta)

    @property
    def last_width(self) -> int:
        """Number U of last hidden units of a network, with the constant."""
        return int(self.weights[-1].shape[1]) + 1

    def last_units(self, inputs: Float[Tensor, "*networks events inputs"]) -> Float[Tensor, "networks events units"]:
        """Return the last hidden units of every network and 1, in which the outputs are linear."""
        hidden = self._hidden(inputs, None)
        return torch.cat([hidden, torch.ones_like(hidden[..., :1])], dim=-1)

    def _hidden(self, inputs: Tensor, theta: Tensor | None) -> Tensor:
        values = inputs.expand(self.networks, *inputs.shape[-2:])
        if theta is not None:
            values = torch.cat([values, theta], dim=-1)
        for weight, bias in zip(list(self.weights)[:-1], list(self.biases)[:-1], strict=True):
            values = nn.functional.silu(torch.baddbmm(bias, values, weight))
        return values

"""Masked networks (MADE, Germain et al., arXiv:1502.03509): outputs of a degree see only inputs of smaller degrees.

Each input number x_i has a degree, its place in the order in which numbers are drawn. Hidden units of degree d see the
context and the inputs of degree < d; the parameters of x_i are read from hidden units of degree ≤ that of x_i. Degrees
of hidden units go round: unit j has degree j modulo the number of degrees. Layout of weights and masks is that of the
masked networks of zuko, so that weights can be exchanged.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["MaskedLinear", "MaskedNetwork", "hidden_degrees"]


def hidden_degrees(units: int, features: int, context: int) -> Int[Tensor, "units"]:
    """Return the degrees of a hidden layer. Without context, a unit of degree 0 would see nothing, so there is none."""
    lowest = 0 if context > 0 or features == 1 else 1
    return lowest + torch.arange(units) % (features - lowest)


class MaskedLinear(nn.Module):
    """A linear layer whose weights are multiplied by a mask (True = connected)."""

    weight: Tensor
    bias: Tensor
    mask: Tensor

    def __init__(self, mask: Bool[Tensor, "outputs inputs"], generator: torch.Generator | None = None) -> None:
        """Start from uniform weights in ±1/√inputs.

        Args:
            mask: which output sees which input.
            generator: source of the first weights; torch's global one if None.
        """
        super().__init__()
        limit = max(mask.shape[1], 1) ** -0.5
        self.weight = nn.Parameter(torch.empty(mask.shape).uniform_(-limit, limit, generator=generator))
        self.bias = nn.Parameter(torch.empty(mask.shape[0]).uniform_(-limit, limit, generator=generator))
        self.register_buffer("mask", mask)

    def masked_weight(self) -> Float[Tensor, "outputs inputs"]:
        """Return the weights that act."""
        return self.weight * self.mask

    def forward(self, inputs: Float[Tensor, "n inputs"]) -> Float[Tensor, "n outputs"]:
        """Return W x + b with masked W."""
        return functional.linear(inputs, self.masked_weight(), self.bias)


class MaskedNetwork(nn.Module):
    """Raw parameters of each number from the numbers before it and the context, by masked layers with ReLU."""

    def __init__(
        self,
        order: Sequence[int],
        context: int,
        hidden: Sequence[int],
        outputs: int,
        generator: torch.Generator | None = None,
    ) -> None:
        """Build masks and first weights.

        Args:
            order: degree of each input number: a permutation of 0, 1, ..., D − 1.
            context: length of the context, which follows the numbers on the input and is seen by all.
            hidden: units of each hidden layer.
            outputs: outputs for each number; those of a number are adjacent.
            generator: source of the first weights; torch's global one if None.
        """
        super().__init__()
        self.order = tuple(order)
        self.context = context
        self.outputs = outputs
        degrees = torch.tensor(self.order)
        self.degrees = [hidden_degrees(units, len(self.order), context) for units in hidden]
        always = torch.full((context,), -1)
        inputs = torch.cat((degrees, always))
        masks = []
        for layer, units in enumerate(self.degrees):
            masks.append(units[:, None] > inputs if layer == 0 else units[:, None] >= inputs)
            inputs = units
        last = degrees.repeat_interleave(outputs)
        masks.append(last[:, None] >= inputs if self.degrees else last[:, None] > inputs)
        self.layers = nn.ModuleList(MaskedLinear(mask, generator) for mask in masks)

    def forward(
        self, x: Float[Tensor, "n features"], context: Float[Tensor, "n context"]
    ) -> Float[Tensor, "n features outputs"]:
        """Return the raw parameters of every number."""
        values = torch.cat((x, context), dim=-1)
        for layer in self.layers[:-1]:
            values = functional.relu(layer(values), inplace=True)
        raw: Tensor = self.layers[-1](values)
        return raw.unflatten(-1, (len(self.order), self.outputs))

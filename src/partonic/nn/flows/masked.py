"""Masked networks (MADE, Germain et al., arXiv:1502.03509): outputs of a degree see only inputs of smaller degrees.

Each input number x_i has a degree, its place in the order in which numbers are drawn. Hidden units of degree d see the
context and the inputs of degree < d; the parameters of x_i are read from hidden units of degree ≤ that of x_i. Degrees
of hidden units go round: unit j has degree j modulo the number of degrees. Layout of weights and masks is that of the
masked networks of zuko, so that weights can be exchanged; to compute, hidden units are sorted by degree.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from partonic.nn.flows.triangular import SortedWeight, TriangularLinear, staircase

__all__ = ["MaskedLinear", "MaskedNetwork", "hidden_degrees"]


def hidden_degrees(units: int, features: int, context: int) -> Int[Tensor, "units"]:
    """Return the degrees of a hidden layer. Without context, a unit of degree 0 would see nothing, so there is none."""
    lowest = 0 if context > 0 or features == 1 else 1
    return lowest + torch.arange(units) % (features - lowest)


class MaskedLinear(nn.Module):
    """A linear layer whose weights are multiplied by a mask (True = connected).

    Inputs come and outputs go sorted by degree; parameters and mask are stored unsorted.
    """

    weight: Tensor
    bias: Tensor
    mask: Tensor
    row_order: Tensor
    row_place: Tensor
    column_order: Tensor
    column_place: Tensor
    sorted_mask: Tensor

    def __init__(
        self,
        mask: Bool[Tensor, "outputs inputs"],
        output_degrees: Int[Tensor, "outputs"],
        input_degrees: Int[Tensor, "inputs"],
        generator: torch.Generator | None = None,
    ) -> None:
        """Start from uniform weights in ±1/√inputs.

        Args:
            mask: which output sees which input.
            output_degrees: degree of each output; the mask depends on the degrees only.
            input_degrees: degree of each input.
            generator: source of the first weights; torch's global one if None.
        """
        super().__init__()
        limit = max(mask.shape[1], 1) ** -0.5
        self.weight = nn.Parameter(torch.empty(mask.shape).uniform_(-limit, limit, generator=generator))
        self.bias = nn.Parameter(torch.empty(mask.shape[0]).uniform_(-limit, limit, generator=generator))
        self.register_buffer("mask", mask)
        self._rows_of_degree: list[int] = torch.bincount(output_degrees).tolist()
        rows = torch.argsort(output_degrees, stable=True)
        columns = torch.argsort(input_degrees, stable=True)
        in_order = mask[rows][:, columns]
        self.blocks = staircase(in_order, output_degrees[rows])
        for name, order in (("row", rows), ("column", columns)):
            self.register_buffer(f"{name}_order", order, persistent=False)
            self.register_buffer(f"{name}_place", torch.argsort(order), persistent=False)
        self.register_buffer("sorted_mask", in_order.to(self.weight.dtype), persistent=False)
        self._kept: Tensor | None = None
        self._kept_version = -1

    def sorted_weight(self) -> Float[Tensor, "outputs inputs"]:
        """Return the weights that act, rows and columns sorted by degree; in evaluation kept until they change."""
        if self.training or (torch.is_grad_enabled() and self.weight.requires_grad):
            return self._sort()
        if self._kept is None or self._kept_version != self.weight._version:
            with torch.inference_mode(mode=False), torch.no_grad():
                self._kept, self._kept_version = self._sort(), self.weight._version
        return self._kept

    def sorted_bias(self) -> Float[Tensor, "outputs"]:
        """Return the biases sorted by degree."""
        return self.bias[self.row_order]

    def by_degree(self, degrees: int) -> list[tuple[Tensor, Tensor]]:
        """Return the sorted weights and biases of the outputs of each degree 0, 1, ..., `degrees` − 1."""
        rows = self._rows_of_degree + [0] * (degrees - len(self._rows_of_degree))
        weights, biases = torch.split(self.sorted_weight(), rows), torch.split(self.sorted_bias(), rows)
        return list(zip(weights, biases, strict=True))

    def forward(self, inputs: Float[Tensor, "inputs n"]) -> Float[Tensor, "outputs n"]:
        """Return W x + b with masked W, all sorted by degree, a column for each event."""
        weight, bias = self.sorted_weight(), self.sorted_bias()
        outputs: Tensor = TriangularLinear.apply(inputs, weight, bias, self.blocks)  # type: ignore[no-untyped-call]
        return outputs

    def train(self, mode: bool = True) -> "MaskedLinear":
        """Switch between training and evaluation."""
        self._kept = None
        return super().train(mode)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> "MaskedLinear":
        self._kept = None  # the weights move to another device or type
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        return self

    def _load_from_state_dict(self, *arguments: Any) -> None:
        self._kept = None  # the weights may be replaced
        super()._load_from_state_dict(*arguments)

    def _sort(self) -> Tensor:
        orders = (self.row_order, self.column_order, self.row_place, self.column_place)
        weight: Tensor = SortedWeight.apply(self.weight, self.sorted_mask, orders)  # type: ignore[no-untyped-call]
        return weight


class MaskedNetwork(nn.Module):
    """Raw parameters of each number from the numbers before it and the context, by masked layers with ReLU."""

    drawn: Tensor
    place: Tensor

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
        layers = [torch.cat((degrees, torch.full((context,), -1))), *self.degrees, degrees.repeat_interleave(outputs)]
        self.layers = nn.ModuleList()
        for place, (before, after) in enumerate(pairwise(layers)):
            mask = after[:, None] > before if place == 0 else after[:, None] >= before
            self.layers.append(MaskedLinear(mask, after, before, generator))
        self.register_buffer("drawn", torch.argsort(degrees), persistent=False)
        self.register_buffer("place", degrees, persistent=False)

    def masked_layers(self) -> list[MaskedLinear]:
        """Return the layers, from first to last."""
        return [layer for layer in self.layers if isinstance(layer, MaskedLinear)]

    def forward(
        self, x: Float[Tensor, "features n"], context: Float[Tensor, "context n"]
    ) -> Float[Tensor, "features outputs n"]:
        """Return the raw parameters of every number, in the order of degrees. Events are columns.

        Args:
            x: the numbers, in the order of degrees.
            context: the context.
        """
        values = torch.cat((context, x))
        for layer in self.layers[:-1]:
            values = torch.relu_(layer(values))
        raw: Tensor = self.layers[-1](values)
        return raw.view(len(self.order), self.outputs, x.shape[1])

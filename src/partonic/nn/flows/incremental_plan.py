"""Weights of an autoregressive transform, cut into dense blocks in the order in which they are needed.

A hidden unit of degree d never changes once the numbers of degree < d are drawn. Sorted by degree, a masked layer is
block triangular: at step t its units of degree t see a leading part of the sorted units before them, so that a dense
product of one block gives them, and all steps together cost one pass of the network. Units of degree 0 see the context
only. They, and all that the context and they add to later units, are worked out once for each event.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from partonic.nn.flows.autoregressive import AutoregressiveTransform
from partonic.nn.flows.chosen_bin import SMALLEST_SLOPE
from partonic.nn.flows.masked import MaskedLinear, MaskedNetwork

__all__ = ["LayerBlocks", "TransformBlocks", "cut_transform"]


@dataclass(frozen=True)
class LayerBlocks:
    """One layer; its units sorted by degree."""

    shared: Tensor
    """Weights of what does not depend on the sample, (units, context or units of degree 0 before)."""

    bias: Tensor
    """Biases, (units, 1)."""

    blocks: tuple[Tensor, ...]
    """At each step, the weights of the units of that degree, (units of the step, numbers or units known by then)."""

    still: int | None
    """How many units, the first ones, do not depend on the sample; None for the spline parameters."""


@dataclass(frozen=True)
class TransformBlocks:
    """One transform: hidden layers, and the layer of the spline parameters."""

    drawn: list[int]
    """Which number is drawn at each step."""

    places: list[int]
    """At which step each number is drawn."""

    layers: tuple[LayerBlocks, ...]
    """Layers in turn. The last holds the 3K + 1 rows of `_parameter_rows` for each step."""

    bound: float
    """The spline acts in [−bound, bound]."""

    bins: int
    """Bins of the spline, K."""

    def event_part(self, context: Float[Tensor, "context n"]) -> list[Tensor]:
        """Return what each layer gets from the context alone, bias included.

        Args:
            context: conditions of the events.

        Returns:
            for each layer (units, events, 1); the first units, of degree 0, only where they are hidden ones.
        """
        parts = []
        values = context
        for layer in self.layers:
            part = layer.shared @ values + layer.bias
            parts.append(part[layer.still :, :, None])
            values = part[: layer.still].relu()
        return parts


def cut_transform(transform: AutoregressiveTransform, precision: torch.dtype) -> TransformBlocks:
    """Gather the masked weights of a transform into dense blocks.

    Args:
        transform: the transform; its weights are copied.
        precision: of the products with hidden units; products with numbers and context keep that of the weights.
    """
    network = transform.network
    features = len(network.order)
    bins = (network.outputs + 1) // 3
    drawn = torch.argsort(torch.tensor(network.order))
    columns = torch.cat((torch.arange(features, features + network.context), drawn))
    columns_still, known = network.context, list(range(features))
    layers = []
    for place, degrees in enumerate(network.degrees):
        rows = torch.argsort(degrees, stable=True)
        weight, bias = _weights(network, place)
        ends = torch.bincount(degrees, minlength=features).cumsum(dim=0).tolist()
        kind = weight.dtype if place == 0 else precision
        layers.append(_cut(weight[rows][:, columns], bias[rows], ends, known, columns_still, ends[0], kind))
        columns, columns_still, known = rows, ends[0], [end - ends[0] for end in ends]
    weight, bias = _parameter_rows(*_weights(network, len(layers)), drawn, bins)
    ends = [(step + 1) * (3 * bins + 1) for step in range(features)]
    layers.append(_cut(weight[:, columns], bias, ends, known, columns_still, None, precision))
    return TransformBlocks(drawn.tolist(), list(network.order), tuple(layers), transform.bound, bins)


def _weights(network: MaskedNetwork, place: int) -> tuple[Tensor, Tensor]:
    layer = network.layers[place]
    if not isinstance(layer, MaskedLinear):
        raise TypeError(f"expected a masked layer, got {type(layer).__name__}")
    return (layer.weight * layer.mask).detach(), layer.bias.detach()


def _cut(
    weight: Float[Tensor, "rows columns"],
    bias: Float[Tensor, "rows"],
    ends: Sequence[int],
    known: Sequence[int],
    columns_still: int,
    rows_still: int | None,
    kind: torch.dtype,
) -> LayerBlocks:
    """Cut a sorted layer: rows end at `ends` for each step, which sees `known` of the moving columns."""
    moving = weight[:, columns_still:]
    starts = [0, *ends[:-1]]
    blocks = tuple(
        moving[max(start, rows_still or 0) : end, :seen].to(kind).contiguous()
        for start, end, seen in zip(starts, ends, known, strict=True)
    )
    return LayerBlocks(weight[:, :columns_still].contiguous(), bias[:, None].contiguous(), blocks, rows_still)


def _parameter_rows(
    weight: Float[Tensor, "outputs columns"], bias: Float[Tensor, "outputs"], drawn: Int[Tensor, "features"], bins: int
) -> tuple[Float[Tensor, "rows columns"], Float[Tensor, "rows"]]:
    """Return the rows of the spline parameters, number by number as drawn: 2K sizes and K + 1 slopes at all knots.

    The outer knots, whose slope is 1, get rows of zeros. Rows are scaled such that r / (1 + |r|) is the exponent up to
    a common factor.
    """
    both = torch.cat((weight, bias[:, None]), dim=1).reshape(len(drawn), 3 * bins - 1, -1)[drawn]
    scale = -1.0 / math.log(SMALLEST_SLOPE)
    zeros = torch.zeros_like(both[:, :1])
    rows = torch.cat((2.0 * scale * both[:, : 2 * bins], zeros, scale * both[:, 2 * bins :], zeros), dim=1).flatten(
        0, 1
    )
    return rows[:, :-1], rows[:, -1]

"""Linear layers with a block-triangular mask, without the multiplications by zero.

Sorted by degree, the mask of a layer between units of D degrees is a staircase: outputs of degree d see a leading
stretch of the inputs. Rows are taken in a few blocks, each multiplied with the stretch that its last row sees, forward
and backward; close to half of the work of the full matrix is saved. Blocks of several degrees keep a mask inside.
"""

from typing import Any, NamedTuple

import torch
from jaxtyping import Bool, Int
from torch import Tensor
from torch.autograd.function import once_differentiable

__all__ = ["Block", "SortedWeight", "TriangularLinear", "staircase"]

SMALLEST_BLOCK = 64
"""Rows of a block at least; thinner matrices multiply slowly."""


class Block(NamedTuple):
    """Rows `start` to `stop` of a sorted weight; they see only the first `columns` inputs."""

    start: int
    stop: int
    columns: int


def staircase(mask: Bool[Tensor, "outputs inputs"], degrees: Int[Tensor, "outputs"]) -> tuple[Block, ...]:
    """Cut the rows of a mask into blocks.

    Args:
        mask: mask whose columns are sorted by degree, so that each row is True, ..., True, False, ..., False.
        degrees: degree of each row; rows of a degree are adjacent, and seen columns depend on the degree only.
    """
    seen = mask.sum(dim=1).tolist()
    starts = [0, *(degrees.diff().nonzero()[:, 0] + 1).tolist()]
    blocks: list[Block] = []
    for start, stop in zip(starts, [*starts[1:], len(seen)], strict=True):
        if blocks and blocks[-1].stop - blocks[-1].start < SMALLEST_BLOCK:
            last = blocks.pop()
            blocks.append(Block(last.start, stop, max(last.columns, seen[start])))
        else:
            blocks.append(Block(start, stop, seen[start]))
    return tuple(blocks)


class SortedWeight(torch.autograd.Function):
    """Weights with rows and columns in the order of degrees, times the mask. Gathers only, in both directions."""

    @staticmethod
    def forward(ctx: Any, weight: Tensor, mask: Tensor, orders: tuple[Tensor, ...]) -> Tensor:
        """Return ``weight[rows][:, columns] * mask``.

        Args:
            ctx: context of autograd.
            weight: weights, as they are stored.
            mask: sorted mask, as numbers.
            orders: rows, columns, and the inverse permutations of both.
        """
        rows, columns, row_places, column_places = orders
        ctx.save_for_backward(mask, row_places, column_places)
        return weight.index_select(0, rows).index_select(1, columns).mul_(mask)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        """Return the gradient in the order of the stored weights."""
        mask, row_places, column_places = ctx.saved_tensors
        return (gradient * mask).index_select(0, row_places).index_select(1, column_places), None, None


class TriangularLinear(torch.autograd.Function):
    """``weight @ inputs + bias`` in blocks, for a sorted weight that vanishes outside them."""

    @staticmethod
    def forward(ctx: Any, inputs: Tensor, weight: Tensor, bias: Tensor, blocks: tuple[Block, ...]) -> Tensor:
        """Return the outputs, with a column for each event."""
        ctx.save_for_backward(inputs, weight)
        ctx.blocks = blocks
        outputs = inputs.new_empty((weight.shape[0], inputs.shape[1]))
        for start, stop, columns in blocks:
            part = weight[start:stop, :columns]
            torch.addmm(bias[start:stop, None], part, inputs[:columns], out=outputs[start:stop])
        return outputs

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None, None]:
        """Return the gradients of inputs, weight and bias."""
        inputs, weight = ctx.saved_tensors
        needs_inputs, needs_weight, needs_bias, _ = ctx.needs_input_grad
        of_inputs = torch.zeros_like(inputs) if needs_inputs else None
        of_weight = torch.zeros_like(weight) if needs_weight else None
        for start, stop, columns in ctx.blocks:
            part = gradient[start:stop]
            if of_inputs is not None:
                of_inputs[:columns].addmm_(weight[start:stop, :columns].T, part)
            if of_weight is not None:
                torch.mm(part, inputs[:columns].T, out=of_weight[start:stop, :columns])
        return of_inputs, of_weight, gradient.sum(dim=1) if needs_bias else None, None

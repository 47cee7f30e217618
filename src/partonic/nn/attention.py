"""Self-attention over the objects of an event, which come in no order and in varying number.

Each layer is x + Attention(norm(x)), then x + MLP(norm(x)): the normalisation stands first (Xiong et al.,
arXiv:2002.04745), so that no warm-up of the learning rate is needed. Nothing tells the layer the place of an object:
exchanging two objects exchanges their outputs. The objects are packed (`Packing`), so that padded slots do not exist
for it. For sets of ten objects two small matrix products are faster than fused attention kernels, which are made for
sets of thousands.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import cast

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from partonic.errors import ConfigError
from partonic.nn.linear import linear
from partonic.nn.packing import Packing

__all__ = ["AttentionBlock", "AttentionStack", "ResidualAttention"]


class ResidualAttention(nn.Module):
    """The weights of a layer, x + Attention(norm(x)), then x + MLP(norm(x)); who looks at whom is up to subclasses."""

    def __init__(self, width: int, heads: int, feedforward: int, dropout: float = 0.0) -> None:
        """Create the layer.

        Args:
            width: numbers W per object.
            heads: attention heads; must divide `width`.
            feedforward: hidden units of the network.
            dropout: fraction of the units added in each half that are dropped in training.

        Raises:
            ConfigError: if `heads` does not divide `width`.
        """
        super().__init__()
        if width % heads:
            raise ConfigError(f"attention: the width must be a multiple of the heads, got {width} and {heads}")
        self.heads = heads
        self.attention_norm = nn.LayerNorm(width)
        self.queries_keys_values = nn.Linear(width, 3 * width)
        self.join_heads = nn.Linear(width, width)
        self.network_norm = nn.LayerNorm(width)
        self.expand = nn.Linear(width, feedforward)
        self.contract = nn.Linear(feedforward, width)
        self.drop = nn.Dropout(dropout)

    def residual(
        self, objects: Float[Tensor, "*objects width"], attention: Callable[[Tensor], Tensor]
    ) -> Float[Tensor, "*objects width"]:
        """Return the objects after the layer, with what `attention` makes of the normalised ones."""
        objects = objects + self.drop(attention(self.attention_norm(objects)))
        hidden = linear(self.expand, self.network_norm(objects), relu=True)
        change: Tensor = self.drop(linear(self.contract, hidden))
        return objects + change


class AttentionBlock(ResidualAttention):
    """One layer of self-attention and a network with one hidden layer, both residual."""

    def forward(
        self, objects: Float[Tensor, "events objects width"], mask: Bool[Tensor, "events objects"]
    ) -> Float[Tensor, "events objects width"]:
        """Let the objects of each event look at each other.

        Args:
            objects: their numbers; padded slots may hold anything.
            mask: True for real objects.

        Returns:
            the new numbers, zero in padded slots.
        """
        packing = Packing.of(mask)
        return packing.unpack(self.on_rows(packing.pack(objects), packing))

    def on_rows(
        self, rows: Float[Tensor, "rows width"], packing: Packing, bias: Sequence[Tensor] | None = None
    ) -> Float[Tensor, "rows width"]:
        """Do the same with packed objects; `bias` as for `AttentionStack.on_rows`."""
        return self.residual(rows, partial(self._attention, packing=packing, bias=bias))

    def _attention(self, rows: Tensor, packing: Packing, bias: Sequence[Tensor] | None) -> Tensor:
        blocks = packing.split(linear(self.queries_keys_values, rows))
        biases = [None] * len(blocks) if bias is None else bias
        looked_up = [self._look_up(block, more).flatten(0, 1) for block, more in zip(blocks, biases, strict=True)]
        return linear(self.join_heads, torch.cat(looked_up) if looked_up else rows)

    def _look_up(self, block: Tensor, bias: Tensor | None) -> Tensor:
        """Return the values that each object finds in the others of its event, `(events, objects, width)`."""
        events, objects, stacked = block.shape
        size = stacked // (3 * self.heads)
        queries, keys, values = block.view(events, objects, 3, self.heads, size).permute(2, 0, 3, 1, 4)
        # Keys in rows: a softmax over the last of a few numbers is four times slower than over the last but one.
        logits = keys @ (queries * size**-0.5).transpose(-1, -2)
        attention = torch.softmax(logits if bias is None else logits + bias, dim=-2)
        found: Tensor = attention.transpose(-1, -2) @ values
        return found.transpose(1, 2).reshape(events, objects, stacked // 3)


class AttentionStack(nn.Module):
    """Attention layers one after another."""

    def __init__(self, layers: int, width: int, heads: int, feedforward: int, dropout: float = 0.0) -> None:
        """Create `layers` layers; see `AttentionBlock` for the rest.

        Raises:
            ConfigError: if `heads` does not divide `width`.
        """
        super().__init__()
        self.blocks = nn.ModuleList([AttentionBlock(width, heads, feedforward, dropout) for _ in range(layers)])

    def forward(
        self, objects: Float[Tensor, "events objects width"], mask: Bool[Tensor, "events objects"]
    ) -> Float[Tensor, "events objects width"]:
        """Apply the layers; arguments and result are those of `AttentionBlock.forward`."""
        packing = Packing.of(mask)
        return packing.unpack(self.on_rows(packing.pack(objects), packing))

    def on_rows(
        self, rows: Float[Tensor, "rows width"], packing: Packing, bias: Sequence[Tensor] | None = None
    ) -> Float[Tensor, "rows width"]:
        """Apply the layers to packed objects.

        Args:
            rows: their numbers.
            packing: of the rows.
            bias: what is added to the logits of attention, for each block of the packing `(events, heads, objects,
                objects)`, where the first object is the one that is looked at; None for nothing.
        """
        for block in self.blocks:
            rows = cast("AttentionBlock", block).on_rows(rows, packing, bias)
        return rows

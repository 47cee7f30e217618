"""Causal self-attention over sequences of objects: each one sees itself and those before it.

Sequences are padded at their end only. Since nothing looks ahead, real objects never see the padding, and no mask is
needed; what comes out at padded places is meaningless and left to the caller.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.nn.attention import ResidualAttention
from partonic.nn.linear import linear

__all__ = ["CausalBlock"]


class CausalBlock(ResidualAttention):
    """One layer of causal self-attention and a network with one hidden layer, both residual."""

    def forward(self, objects: Float[Tensor, "rows objects width"]) -> Float[Tensor, "rows objects width"]:
        """Let each object look at itself and those before it."""
        return self.residual(objects, self._attention)

    def _attention(self, objects: Tensor) -> Tensor:
        rows, count, width = objects.shape
        size = width // self.heads
        stacked = linear(self.queries_keys_values, objects).view(rows, count, 3, self.heads, size)
        queries, keys, values = stacked.permute(2, 0, 3, 1, 4).unbind(dim=0)
        # Keys in rows: a softmax over the last of a few numbers is four times slower than over the last but one.
        scores = keys @ (queries * size**-0.5).transpose(-1, -2)
        ahead = torch.ones(count, count, dtype=torch.bool, device=objects.device).tril(-1)
        attention = torch.softmax(scores.masked_fill(ahead, -torch.inf), dim=-2).transpose(-1, -2)
        return linear(self.join_heads, (attention @ values).transpose(1, 2).reshape(rows, count, width))

"""Causal self-attention over sequences of objects: each one sees itself and those before it.

Sequences are padded at their end only. Since nothing looks ahead, real objects never see the padding, and no mask is
needed; what comes out at padded places is meaningless and left to the caller.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from partonic.errors import ConfigError
from partonic.nn.linear import linear

__all__ = ["CausalBlock"]


class CausalBlock(nn.Module):
    """x + Attention(norm(x)), then x + MLP(norm(x)), with normalisation first (Xiong et al., arXiv:2002.04745)."""

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

    def forward(self, objects: Float[Tensor, "rows objects width"]) -> Float[Tensor, "rows objects width"]:
        """Let each object look at itself and those before it."""
        objects = objects + self.drop(self._attention(self.attention_norm(objects)))
        hidden = linear(self.expand, self.network_norm(objects), relu=True)
        change: Tensor = self.drop(linear(self.contract, hidden))
        return objects + change

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

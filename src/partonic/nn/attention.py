"""Self-attention over the objects of an event, which come in no order and in varying number.

Each layer is x + Attention(norm(x)), then x + MLP(norm(x)): the normalisation stands first (Xiong et al.,
arXiv:2002.04745), so that no warm-up of the learning rate is needed. Nothing tells the layer the place of an object:
exchanging two objects exchanges their outputs. Padded slots are never looked at.
"""

from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from partonic.errors import ConfigError

__all__ = ["AttentionBlock", "AttentionStack", "visible_objects"]


class AttentionBlock(nn.Module):
    """One layer of self-attention and a network with one hidden layer, both residual."""

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

    def forward(
        self, objects: Float[Tensor, "events objects width"], mask: Bool[Tensor, "events objects"]
    ) -> Float[Tensor, "events objects width"]:
        """Let the objects of each event look at each other.

        Args:
            objects: their numbers; those of padded slots must be finite and have no influence on real objects.
            mask: True for real objects. In an event that has none all slots count, so that everything stays finite.

        Returns:
            the new numbers; those of padded slots mean nothing.
        """
        return self.transform(objects, visible_objects(mask))

    def transform(
        self, objects: Float[Tensor, "events objects width"], visible: Bool[Tensor, "events 1 1 objects"]
    ) -> Float[Tensor, "events objects width"]:
        """Do the same with the mask prepared by `visible_objects`, once for many layers."""
        objects = objects + self.drop(self._attention(self.attention_norm(objects), visible))
        hidden = functional.relu(self.expand(self.network_norm(objects)))
        return objects + self.drop(self.contract(hidden))

    def _attention(self, objects: Tensor, visible: Tensor) -> Tensor:
        events, count, width = objects.shape
        stacked = self.queries_keys_values(objects).view(events, count, 3, self.heads, width // self.heads)
        queries, keys, values = stacked.permute(2, 0, 3, 1, 4)
        looked_up = functional.scaled_dot_product_attention(queries, keys, values, attn_mask=visible)
        joined: Tensor = self.join_heads(looked_up.transpose(1, 2).reshape(events, count, width))
        return joined


class AttentionStack(nn.Module):
    """Attention layers one after another."""

    def __init__(self, layers: int, width: int, heads: int, feedforward: int, dropout: float = 0.0) -> None:
        """Create `layers` layers; see `AttentionBlock` for the rest.

        Raises:
            ConfigError: if `heads` does not divide `width`.
        """
        super().__init__()
        self.blocks = nn.ModuleList(AttentionBlock(width, heads, feedforward, dropout) for _ in range(layers))

    def forward(
        self, objects: Float[Tensor, "events objects width"], mask: Bool[Tensor, "events objects"]
    ) -> Float[Tensor, "events objects width"]:
        """Apply the layers; the arguments are those of `AttentionBlock.forward`."""
        visible = visible_objects(mask)
        for block in self.blocks:
            objects = block.transform(objects, visible)
        return objects


def visible_objects(mask: Bool[Tensor, "events objects"]) -> Bool[Tensor, "events 1 1 objects"]:
    """Return which objects can be looked at: the real ones, or all slots of an event that has no real object."""
    empty = ~mask.any(dim=1, keepdim=True)
    return (mask | empty)[:, None, None, :]

"""A set transformer whose attention is told of pairs of objects: trunk of the backbone `set_transformer`.

Objects and a token of the whole event look at each other. The bias of each head is learned from the features of the
pair, as in arXiv:2202.03772. No slot has a place: nothing depends on the order of objects of a kind.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from partonic.config.sbi.backbones import SetTransformerConfig
from partonic.features.event_objects import KINDS
from partonic.nn.attention import AttentionStack
from partonic.nn.packing import Packing
from partonic.sbi.backbones.layout import NUMBERS, ObjectInputs
from partonic.sbi.backbones.pairs import PairBias, packed_pair_features

__all__ = ["SetTransformer"]


class SetTransformer(nn.Module):
    """Sees the objects of an event and gives `width` numbers."""

    def __init__(self, named: int, config: SetTransformerConfig) -> None:
        """Create the network.

        Args:
            named: number of named features that the token of the event is given; 0 for none.
            config: sizes.
        """
        super().__init__()
        self.width, self.named = 2 * config.width, named
        self.embed = nn.Linear(len(KINDS) * (len(NUMBERS) + 1), config.width)
        self.embed_event = nn.Linear(named + 1, config.width)
        self.stack = AttentionStack(config.layers, config.width, config.heads, config.feedforward, config.dropout)
        self.pairs = PairBias(config.pair_hidden, config.heads) if config.pair_hidden else None
        self.norm = nn.LayerNorm(2 * config.width)

    def forward(self, inputs: ObjectInputs) -> Float[Tensor, "events width"]:
        """Return the token of the event, and the mean of the objects, after the layers."""
        kinds = inputs.one_hot_kinds()
        numbers = torch.cat([inputs.numbers, torch.ones_like(inputs.numbers[..., :1])], dim=-1)
        tokens = self.embed((kinds[..., None] * numbers[..., None, :]).flatten(2))
        event = self.embed_event(torch.cat([inputs.named[:, : self.named], torch.ones_like(tokens[:, 0, :1])], dim=1))
        tokens = torch.cat([event[:, None], tokens], dim=1)
        real = torch.cat([inputs.real.new_ones(len(inputs), 1), inputs.real], dim=1)
        packing = Packing.of(real)
        momenta = torch.cat([torch.zeros_like(inputs.momenta[:, :1]), inputs.momenta], dim=1)
        bias = None if self.pairs is None else self.pairs(packed_pair_features(packing.pack(momenta), packing))
        rows = self.stack.on_rows(packing.pack(tokens), packing, bias)
        first = packing.first(rows)
        seen: Tensor = self.norm(torch.cat([first, packing.mean(rows)], dim=1))
        return seen

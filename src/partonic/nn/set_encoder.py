"""A transformer over sets: objects of several kinds become tokens, look at each other, and are averaged.

Each kind of object has its own linear embedding, whose constant term tells the kinds apart. Nothing depends on the
order of the objects or on what padded slots hold. Between encoder and decoders the objects stay packed (`Packing`).
"""

from collections.abc import Sequence
from typing import cast

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from partonic.nn.attention import AttentionStack
from partonic.nn.packing import Packing
from partonic.nn.scaling import MaskedStandardiser

__all__ = ["ObjectEmbedding", "SetDecoder", "SetEncoder"]


class ObjectEmbedding(nn.Module):
    """Standardise the features of one kind of object and embed them linearly."""

    def __init__(self, features: int, width: int) -> None:
        """Create the embedding of `features` numbers per object in `width`; until `scales` are fitted, all stays."""
        super().__init__()
        self.scales = MaskedStandardiser(features)
        self.embed = nn.Linear(features, width)

    def forward(
        self, objects: Float[Tensor, "events objects features"], mask: Bool[Tensor, "events objects"]
    ) -> Float[Tensor, "events objects width"]:
        """Return the tokens; what padded slots hold, even NaN, is replaced by the mean of real objects."""
        tokens: Tensor = self.embed(self.scales(objects, mask))
        return tokens


class SetEncoder(nn.Module):
    """Embed objects of several kinds and let all of them look at each other."""

    def __init__(self, features: Sequence[int], stack: AttentionStack, width: int) -> None:
        """Create the encoder.

        Args:
            features: numbers per object, for each kind of object.
            stack: the attention layers.
            width: their width.
        """
        super().__init__()
        self.embeddings = nn.ModuleList([ObjectEmbedding(count, width) for count in features])
        self.stack = stack
        self.norm = nn.LayerNorm(width)

    def embedding(self, kind: int) -> ObjectEmbedding:
        """Return the embedding of one kind of object."""
        return cast("ObjectEmbedding", self.embeddings[kind])

    def fit_scales(
        self,
        kinds: Sequence[Float[Tensor, "events _ _"]],
        masks: Sequence[Bool[Tensor, "events _"]],
    ) -> None:
        """Set the scales of all features from training events; the arguments are those of `forward`.

        Raises:
            NonFiniteError: if a feature of a real object is not finite.
            TrainingError: if a kind has no real object.
        """
        for kind, (objects, mask) in enumerate(zip(kinds, masks, strict=True)):
            self.embedding(kind).scales.fit(objects, mask)

    def forward(
        self,
        kinds: Sequence[Float[Tensor, "events _ _"]],
        masks: Sequence[Bool[Tensor, "events _"]],
    ) -> tuple[Float[Tensor, "rows width"], Packing]:
        """Return the encoded objects of all kinds, packed.

        Args:
            kinds: features of the objects of each kind, unscaled.
            masks: True for real objects.
        """
        tokens = [embed(objects, mask) for embed, objects, mask in zip(self.embeddings, kinds, masks, strict=True)]
        packing = Packing.of(torch.cat(list(masks), dim=1))
        rows = self.stack.on_rows(packing.pack(torch.cat(tokens, dim=1)), packing)
        return self.norm(rows), packing


class SetDecoder(nn.Module):
    """Look at encoded objects with one question in mind: attention layers of its own, and the mean over objects."""

    def __init__(self, stack: AttentionStack, width: int) -> None:
        """Create the decoder with its attention layers, `width` numbers per object."""
        super().__init__()
        self.stack = stack
        self.norm = nn.LayerNorm(width)

    def forward(self, rows: Float[Tensor, "rows width"], packing: Packing) -> Float[Tensor, "events width"]:
        """Return one vector for each event, of packed objects."""
        return packing.mean(self.norm(self.stack.on_rows(rows, packing)))

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

__all__ = ["ObjectEmbedding", "SetDecoder", "SetEncoder"]

_SMALLEST_SCALE = 1e-6
"""Features that vary less than this are taken to be constant and only shifted."""


class ObjectEmbedding(nn.Module):
    """Standardise the features of one kind of object and embed them linearly."""

    mean: Tensor
    scale: Tensor

    def __init__(self, features: int, width: int) -> None:
        """Create the embedding of `features` numbers per object in `width`; until `fit_scales` nothing is scaled."""
        super().__init__()
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("scale", torch.ones(features))
        self.embed = nn.Linear(features, width)

    def fit_scales(
        self, objects: Float[Tensor, "events objects features"], mask: Bool[Tensor, "events objects"]
    ) -> None:
        """Set mean and standard deviation of each feature from the real objects of training events."""
        real = objects[mask].double()
        spread = real.std(dim=0, correction=0)
        self.mean.copy_(real.mean(dim=0))
        self.scale.copy_(torch.where(spread > _SMALLEST_SCALE, spread, 1.0))

    def forward(
        self, objects: Float[Tensor, "events objects features"], mask: Bool[Tensor, "events objects"]
    ) -> Float[Tensor, "events objects width"]:
        """Return the tokens; what padded slots hold, even NaN, is replaced by the mean of real objects."""
        tokens: Tensor = self.embed(self.standardise(objects, mask))
        return tokens

    def standardise(
        self, objects: Float[Tensor, "events objects features"], mask: Bool[Tensor, "events objects"]
    ) -> Float[Tensor, "events objects features"]:
        """Return the features with mean 0 and standard deviation 1, 0 in padded slots."""
        return torch.where(mask[..., None], (objects - self.mean) / self.scale, 0.0)


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
        """Set the scales of all features from training events; the arguments are those of `forward`."""
        for kind, (objects, mask) in enumerate(zip(kinds, masks, strict=True)):
            self.embedding(kind).fit_scales(objects, mask)

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

"""Sets of varying size without padding: all real objects as rows of one table, sets of equal size side by side.

Layers that treat each object alone then work on real objects only, and attention on exact blocks (sets, size, width),
without masks. With four to sixteen jets per event, padded to the largest event, half of the slots are empty, and three
quarters of the pairs of slots.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

__all__ = ["Packing"]


@dataclass(frozen=True)
class Packing:
    """Where the objects of a padded table stand in the packed one.

    Attributes:
        rows: for each packed row, its place in the padded table (events × slots, flattened), `(R,)`.
        order: events in the order of their number of objects, `(N,)`.
        blocks: (events, objects in each) of the blocks, in order; events without objects are the first block.
        slots: slots per event of the padded table.
    """

    rows: Int[Tensor, " rows"]
    order: Int[Tensor, " events"]
    blocks: tuple[tuple[int, int], ...]
    slots: int

    @classmethod
    def of(cls, mask: Bool[Tensor, "events slots"]) -> "Packing":
        """Return the packing of a padded table whose real objects are those where `mask` is True."""
        sizes, order = mask.sum(dim=1).sort(stable=True)
        slots = mask.shape[1]
        places = order[:, None] * slots + torch.arange(slots, device=mask.device)
        numbers, events = torch.unique_consecutive(sizes, return_counts=True)
        blocks = tuple(zip(events.tolist(), numbers.tolist(), strict=True)) or ((0, 0),)
        return cls(places[mask[order]], order, blocks, slots)

    @property
    def lengths(self) -> list[int]:
        """Rows of each block."""
        return [events * objects for events, objects in self.blocks]

    def pack(self, padded: Float[Tensor, "events slots width"]) -> Float[Tensor, "rows width"]:
        """Return the real objects as rows."""
        return padded.flatten(0, 1).index_select(0, self.rows)

    def unpack(self, rows: Float[Tensor, "rows width"]) -> Float[Tensor, "events slots width"]:
        """Return the objects in the padded table, zero in padded slots."""
        events, width = len(self.order), rows.shape[1]
        padded = rows.new_zeros(events * self.slots, width)
        return padded.index_copy(0, self.rows, rows).view(events, self.slots, width)

    def split(self, rows: Float[Tensor, "rows width"]) -> Sequence[Float[Tensor, "_ _ width"]]:
        """Return the blocks, `(events, objects, width)` each."""
        return [
            block.view(events, objects, rows.shape[1])
            for block, (events, objects) in zip(torch.split(rows, self.lengths), self.blocks, strict=True)
        ]

    def mean(self, rows: Float[Tensor, "rows width"]) -> Float[Tensor, "events width"]:
        """Return the mean over the objects of each event, zero for an event without."""
        means = torch.cat([block.sum(dim=1) / max(block.shape[1], 1) for block in self.split(rows)])
        return torch.empty_like(means).index_copy(0, self.order, means)

    def first(self, rows: Float[Tensor, "rows width"]) -> Float[Tensor, "events width"]:
        """Return the first object of each event, zero for an event without."""
        firsts = torch.cat([block[:, :1].sum(dim=1) for block in self.split(rows)])
        return torch.empty_like(firsts).index_copy(0, self.order, firsts)

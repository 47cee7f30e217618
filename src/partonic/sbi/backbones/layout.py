"""How the inputs of an event lie in one row of numbers, so that methods and tables need not know of objects.

A row holds the standardised named features, then for each slot of an object whether it is real, its momentum, and its
standardised numbers.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional

from partonic.features.event_objects import KINDS, ObjectSlots

__all__ = ["NUMBERS", "InputLayout", "ObjectInputs"]

NUMBERS = ("log_pt", "eta", "cos_phi", "sin_phi", "log_mass", "btag", "tagged", "charge", "is_muon")
"""Standardised numbers of an object."""

_ROW = 1 + 4 + len(NUMBERS)


@dataclass(frozen=True, eq=False)
class ObjectInputs:
    """Objects of N events, with S slots each.

    Attributes:
        real: which slots hold an object, `(N, S)`.
        momenta: (E, px, py, pz) in units of the scaler, `(N, S, 4)`, zero in empty slots.
        numbers: `NUMBERS`, `(N, S, 9)`, zero in empty slots.
        kinds: number of the kind of each slot (`KINDS`), `(S,)`, or `(N, S)` after `compact`.
        named: standardised named features, `(N, I)`.
    """

    real: Bool[Tensor, "events slots"]
    momenta: Float[Tensor, "events slots 4"]
    numbers: Float[Tensor, "events slots numbers"]
    kinds: Int[Tensor, "*events slots"]
    named: Float[Tensor, "events named"]

    def __len__(self) -> int:
        """Return the number of events."""
        return len(self.real)

    def compact(self) -> "ObjectInputs":
        """Return the same events with the real objects in the first slots, as many as the largest event needs."""
        size = max(int(self.real.sum(dim=1).max()), 1) if len(self) else 1
        order = (~self.real).to(torch.uint8).argsort(dim=1, stable=True)[:, :size]
        momenta, numbers = (
            values.gather(1, order[..., None].expand(-1, -1, values.shape[-1]))
            for values in (self.momenta, self.numbers)
        )
        kinds = self.kinds.expand(len(self), -1).gather(1, order)
        return ObjectInputs(self.real.gather(1, order), momenta, numbers, kinds, self.named)

    def one_hot_kinds(self) -> Float[Tensor, "events slots kinds"]:
        """Return 1 for the kind of each object."""
        hot = functional.one_hot(self.kinds, len(KINDS)).to(self.numbers)
        return hot.expand(len(self), -1, -1)


@dataclass(frozen=True)
class InputLayout:
    """Where the parts of a row are.

    Attributes:
        named: number I of named features, flags of missing ones included.
        slots: of the objects.
    """

    named: int
    slots: ObjectSlots

    @property
    def width(self) -> int:
        """Numbers of a row."""
        return self.named + len(self.slots) * _ROW

    def split(self, rows: Float[Tensor, "events width"]) -> ObjectInputs:
        """Return the parts of rows."""
        table = rows[:, self.named :].reshape(len(rows), len(self.slots), _ROW)
        kinds = torch.cat(
            [torch.full((place.stop - place.start,), kind, device=rows.device) for kind, place in self.slots.kinds()]
        )
        return ObjectInputs(table[..., 0] > 0.0, table[..., 1:5], table[..., 5:], kinds, rows[:, : self.named])


def joined(
    named: Float[Tensor, "events named"],
    real: Bool[Tensor, "events slots"],
    momenta: Float[Tensor, "events slots 4"],
    numbers: Float[Tensor, "events slots numbers"],
) -> Float[Tensor, "events width"]:
    """Return rows of the parts, float32."""
    table = torch.cat([real[..., None].to(numbers), momenta.to(numbers), numbers], dim=-1)
    return torch.cat([named.float(), table.flatten(1).float()], dim=1)

"""What Lorentz-covariant networks are told of objects: vectors that turn with the event, scalars that do not.

Objects and a token of the whole event, whose momentum is zero, have as vectors their momentum and the directions that
break the symmetry. ``beam`` gives the part of each momentum across the beam (products of those are the same under
rotations about the beam and boosts along it) and log pT as a scalar; ``time`` the direction (1, 0, 0, 0) of the
laboratory, in which the detector is at rest, and η as a scalar if the beam is known, too.
"""

from collections.abc import Collection
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from partonic.features.event_objects import KINDS
from partonic.sbi.backbones.layout import NUMBERS, ObjectInputs

__all__ = ["CovariantTokens", "CovariantView"]

_IDENTITY = ("btag", "tagged", "charge", "is_muon")


@dataclass(frozen=True, eq=False)
class CovariantTokens:
    """Tokens of N events: that of the whole event first, then its objects, as many as the largest event has.

    Attributes:
        real: which slots hold a token, `(N, T)`.
        momenta: in units of the scaler, zero for the token of the event, `(N, T, 4)`.
        vectors: momenta, and the references, `(N, T, V, 4)`.
        scalars: `(N, T, C)`.
    """

    real: Bool[Tensor, "events tokens"]
    momenta: Float[Tensor, "events tokens 4"]
    vectors: Float[Tensor, "events tokens vectors 4"]
    scalars: Float[Tensor, "events tokens scalars"]

    def mask(self) -> Bool[Tensor, "events 1 1 tokens"]:
        """Return which tokens may be looked at."""
        return self.real[:, None, None, :]


class CovariantView:
    """How objects become tokens.

    Attributes:
        vectors: number V of vectors of a token.
        scalars: number C of scalars of a token.
    """

    def __init__(self, named: int, references: Collection[str], plane: bool = False) -> None:
        """Choose what is told.

        Args:
            named: number of named features that the token of the event is given; 0 for none.
            references: of ``beam`` and ``time``.
            plane: whether the network is told of the beam as a plane of its own, not by transverse momenta.
        """
        self.named, self._beam, self._time = named, "beam" in references, "time" in references
        self._transverse = self._beam and not plane
        directions = (("log_pt",) if self._beam else ()) + (("eta",) if self._beam and self._time else ())
        self._numbers = [NUMBERS.index(name) for name in (*_IDENTITY, *directions)]
        self.vectors = 1 + int(self._transverse) + int(self._time)
        self.scalars = 1 + len(KINDS) + len(self._numbers) + named

    def __call__(self, inputs: ObjectInputs) -> CovariantTokens:
        """Return the tokens of events."""
        inputs = inputs.compact()
        objects = torch.cat([inputs.one_hot_kinds(), inputs.numbers[..., self._numbers]], dim=-1)
        objects = torch.nn.functional.pad(objects, (1, self.named))
        event = torch.zeros_like(objects[:, :1])
        event[..., 0] = 1.0
        if self.named:
            event[:, 0, -self.named :] = inputs.named[:, : self.named]
        momenta = torch.nn.functional.pad(inputs.momenta, (0, 0, 1, 0))
        vectors = [momenta]
        if self._transverse:
            vectors.append(momenta * momenta.new_tensor([0.0, 1.0, 1.0, 0.0]))
        if self._time:
            vectors.append(momenta.new_tensor([1.0, 0.0, 0.0, 0.0]).expand_as(momenta))
        real = torch.cat([inputs.real.new_ones(len(inputs), 1), inputs.real], dim=1)
        return CovariantTokens(real, momenta, torch.stack(vectors, dim=2), torch.cat([event, objects], dim=1))

"""Classes of initial states: two gluons, a gluon and a quark, two quarks.

Gluons radiate more than quarks, so that the objects beside the decay products of an event tell them apart. Which quark
it was, and from which side it came, they hardly tell.
"""

from collections.abc import Sequence
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor

from partonic.physics.process import Channel, PartonEvents

__all__ = ["ChannelCrossSection", "InitialState", "classes_of", "coefficients_by_class", "labels_of"]

InitialState = Literal["gg", "qg", "qq"]
"""A class of initial states; ``qq`` are all with two quarks or antiquarks."""

_BY_GLUONS: tuple[InitialState, ...] = ("qq", "qg", "gg")
"""The classes by their number of gluons."""

_GLUON = 21


@runtime_checkable
class ChannelCrossSection(Protocol):
    """A dσ/dz that tells its partonic channels apart; every `Process` does."""

    @property
    def channels(self) -> tuple[Channel, ...]: ...  # noqa: D102

    def channel_coefficients(self, events: PartonEvents) -> Float[Tensor, "events channels monomials"]:
        """Return the coefficients of dσ/(dΦ_n dx1 dx2), channel by channel."""


def classes_of(channels: Sequence[Channel]) -> tuple[InitialState, ...]:
    """Return the classes that the channels of a process have, gluons first."""
    numbers = {_gluons(channel) for channel in channels}
    return tuple(_BY_GLUONS[number] for number in sorted(numbers, reverse=True))


def coefficients_by_class(
    process: ChannelCrossSection, events: PartonEvents, classes: Sequence[InitialState]
) -> Float[Tensor, "events classes monomials"]:
    """Return the coefficients of dσ/(dΦ_n dx1 dx2) summed over the channels of each class."""
    by_channel = process.channel_coefficients(events)
    place = torch.tensor([classes.index(_BY_GLUONS[_gluons(channel)]) for channel in process.channels])
    shape = (len(by_channel), len(classes), by_channel.shape[2])
    return by_channel.new_zeros(shape).index_add_(1, place.to(by_channel.device), by_channel)


def labels_of(initial_pdg: NDArray[Any], classes: Sequence[InitialState]) -> Int[Tensor, " events"]:
    """Return the class of each event by the PDG ids `(N, 2)` of its incoming partons; −1 for none of these classes."""
    gluons = (np.asarray(initial_pdg) == _GLUON).sum(axis=1)
    place = [classes.index(name) if name in classes else -1 for name in _BY_GLUONS]
    return torch.tensor(place)[torch.from_numpy(gluons)]


def _gluons(channel: Channel) -> int:
    return sum(parton == _GLUON for parton in channel.initial)

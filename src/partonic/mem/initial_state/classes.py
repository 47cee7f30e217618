"""Classes of initial states: two gluons, a gluon and a quark, two quarks.

Gluons radiate more than quarks, so that the objects beside the decay products of an event tell them apart. Which quark
it was, and from which side it came, they hardly tell.
"""

from collections.abc import Sequence
from typing import Any, Literal, Protocol, get_args, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor

from partonic.errors import ProcessError
from partonic.physics.process import Channel, PartonEvents

__all__ = ["CLASSES", "ChannelCrossSection", "InitialState", "classes_of", "coefficients_by_class", "labels_of"]

InitialState = Literal["gg", "qg", "qq"]
"""A class of initial states; ``qq`` are all with two quarks or antiquarks."""

CLASSES: tuple[InitialState, ...] = get_args(InitialState)
"""All classes, by their number of quarks."""

_GLUON, _HEAVIEST_QUARK = 21, 6


@runtime_checkable
class ChannelCrossSection(Protocol):
    """A dσ/dz that tells its partonic channels apart; every `Process` does."""

    @property
    def channels(self) -> tuple[Channel, ...]: ...  # noqa: D102

    def channel_coefficients(self, events: PartonEvents) -> Float[Tensor, "events channels monomials"]:
        """Return the coefficients of dσ/(dΦ_n dx1 dx2), channel by channel."""


def classes_of(channels: Sequence[Channel]) -> tuple[InitialState, ...]:
    """Return the classes that the channels of a process have, gluons first.

    Raises:
        ProcessError: if a channel has something else than gluons and quarks in its initial state.
    """
    found = {_class_of(channel) for channel in channels}
    return tuple(name for name in CLASSES if name in found)


def coefficients_by_class(
    process: ChannelCrossSection, events: PartonEvents, classes: Sequence[InitialState]
) -> Float[Tensor, "events classes monomials"]:
    """Return the coefficients of dσ/(dΦ_n dx1 dx2) summed over the channels of each class.

    Args:
        process: dσ/dz.
        events: partons, in the order of the process.
        classes: `classes_of` the process, or more.
    """
    by_channel = process.channel_coefficients(events)
    place = torch.tensor([classes.index(_class_of(channel)) for channel in process.channels])
    shape = (len(by_channel), len(classes), by_channel.shape[2])
    return by_channel.new_zeros(shape).index_add_(1, place.to(by_channel.device), by_channel)


def labels_of(initial_pdg: NDArray[Any], classes: Sequence[InitialState]) -> Int[Tensor, " events"]:
    """Return the class of each event by the PDG ids `(N, 2)` of its incoming partons; −1 for none of these classes."""
    size = np.abs(np.asarray(initial_pdg))
    is_quark = (size >= 1) & (size <= _HEAVIEST_QUARK)
    known = (is_quark | (size == _GLUON)).all(axis=1)
    place = np.array([classes.index(name) if name in classes else -1 for name in CLASSES])
    return torch.from_numpy(np.where(known, place[is_quark.sum(axis=1)], -1))


def _class_of(channel: Channel) -> InitialState:
    label = int(labels_of(np.array([channel.initial]), CLASSES)[0])
    if label < 0:
        raise ProcessError(f"expected gluons and quarks in the initial state, got the PDG ids {channel.initial}")
    return CLASSES[label]

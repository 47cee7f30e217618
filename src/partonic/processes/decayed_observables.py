"""Observables of what is produced, for events that list the products of its tops instead."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.processes.definition import PartonObservable

__all__ = ["of_produced", "produced_momenta"]


def of_produced(observables: Sequence[PartonObservable], tops: tuple[int, ...]) -> tuple[PartonObservable, ...]:
    """Return the observables for events in which three products stand in place of each top.

    Args:
        observables: functions of the momenta with tops, which need no PDG ids.
        tops: places of the tops among the particles that are produced.
    """

    def summed(of: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
        return lambda momenta, pdg: of(produced_momenta(momenta, tops), pdg)

    return tuple(replace(one, of=summed(one.of)) for one in observables)


def produced_momenta(
    momenta: Float[Tensor, "events particles 4"], tops: tuple[int, ...]
) -> Float[Tensor, "events produced 4"]:
    """Return momenta with the sum of its products in place of each decayed top."""
    produced = momenta.shape[1] - 2 * len(tops)
    parts = momenta.split([3 if slot in tops else 1 for slot in range(produced)], dim=1)
    return torch.stack([part.sum(dim=1) for part in parts], dim=1)

"""Before a training: events parted into training and validation, and first weights from a seed of their own."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from partonic.nn.training.table import TensorTable
from partonic.rng import torch_generator

__all__ = ["copies_of", "seeded_weights", "split_table"]


_SAME = 6
"""Decimals (of GeV, or of numbers in the unit cube) to which copies of one parton event are equal."""


def split_table(
    table: TensorTable, fraction: float, seed: int, partons: Float[Tensor, "events *numbers"] | None = None
) -> tuple[TensorTable, TensorTable]:
    """Part events at random into training and validation.

    Copies of one parton event (fractional smearing, several showers) stay together: a network that has seen one of them
    knows the partons of the others.

    Args:
        table: all events.
        fraction: part that is kept for validation, at least one event.
        seed: root seed.
        partons: numbers of the partons of each event, equal for copies; None if there are no copies.
    """
    order = torch.randperm(len(table), generator=torch_generator(seed, "split"))
    group = None if partons is None else copies_of(partons)
    if group is None:
        held_out = max(1, round(fraction * len(table)))
        return TensorTable(table.rows(order[held_out:])), TensorTable(table.rows(order[:held_out]))
    number = int(group.max()) + 1
    chosen = torch.randperm(number, generator=torch_generator(seed, "split", "groups"))
    is_held_out = torch.zeros(number, dtype=torch.bool)
    is_held_out[chosen[: max(1, round(fraction * number))]] = True
    mask = is_held_out[group[order]]
    return TensorTable(table.rows(order[~mask])), TensorTable(table.rows(order[mask]))


def copies_of(partons: Float[Tensor, "events *numbers"]) -> Int[Tensor, " events"] | None:
    """Return a number for each event that is equal for copies; None if all events differ."""
    rows = np.ascontiguousarray(partons.detach().double().cpu().flatten(1).numpy().round(_SAME) + 0.0)
    keys = rows.view(np.dtype((np.void, rows.dtype.itemsize * rows.shape[1]))).ravel()
    unique, group = np.unique(keys, return_inverse=True)
    return None if len(unique) == len(rows) else torch.from_numpy(group.astype(np.int64))


@contextmanager
def seeded_weights(seed: int, *key: str) -> Iterator[None]:
    """Draw the first weights, which torch takes from its global generator, from a seed of their own."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(torch_generator(seed, "weights", *key).initial_seed())
        yield

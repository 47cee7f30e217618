"""Before a training: events parted into training and validation, and first weights from a seed of their own."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from partonic.nn.training.table import TensorTable
from partonic.rng import torch_generator

__all__ = ["seeded_weights", "split_table"]


def split_table(table: TensorTable, fraction: float, seed: int) -> tuple[TensorTable, TensorTable]:
    """Part events at random into training and validation.

    Args:
        table: all events.
        fraction: part that is kept for validation, at least one event.
        seed: root seed.
    """
    order = torch.randperm(len(table), generator=torch_generator(seed, "split"))
    held_out = max(1, round(fraction * len(table)))
    return TensorTable(table.rows(order[held_out:])), TensorTable(table.rows(order[:held_out]))


@contextmanager
def seeded_weights(seed: int, *key: str) -> Iterator[None]:
    """Draw the first weights, which torch takes from its global generator, from a seed of their own."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(torch_generator(seed, "weights", *key).initial_seed())
        yield

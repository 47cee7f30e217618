"""Sums that do not depend on the machine: torch on one thread."""

import contextlib
from collections.abc import Iterator

import torch

__all__ = ["one_thread"]


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Let torch use one thread inside the block.

    The order in which floating-point numbers are added depends on the number of threads, and training amplifies the
    last digit: an interrupted run that is continued on more cores would give other events. The tensors of a generation
    are small, too: threads mostly wait for each other.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)

"""The compiled loops of boosting, shared out to threads.

Pieces do not depend on the number of threads, and results are added in the order of the pieces, so that a training
gives the same bits on one core and on many. Plain threads, since the compiled loops release the interpreter: they
neither forbid a fork nor abort when two callers meet, as the thread pools of numba may.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import TypeVar

from partonic.errors import DependencyError, TrainingError

__all__ = ["CODES", "MISSING", "PIECE", "Threads", "kernels", "pieces"]

MISSING = 255
"""Code of a missing value (NaN)."""

CODES = 256
"""Number of codes, that of missing values included."""

PIECE = 1 << 16
"""Events that a thread takes at a time."""

T = TypeVar("T")
R = TypeVar("R")


def kernels() -> ModuleType:
    """Return the compiled functions, `partonic.trees.kernels`.

    Raises:
        DependencyError: if numba is not installed.
    """
    try:
        from partonic.trees import kernels as compiled
    except ImportError as error:
        raise DependencyError(f"boosted trees need numba: pip install 'partonic[sbi]' ({error})") from error
    return compiled


def pieces(count: int, size: int = PIECE) -> list[slice]:
    """Cut `count` rows into pieces of at most `size`."""
    return [slice(start, min(start + size, count)) for start in range(0, count, size)]


class Threads:
    """Threads that share out pieces; a context.

    Args:
        count: how many; with 1 the caller's own thread does all.

    Raises:
        TrainingError: if there are none.
    """

    def __init__(self, count: int = 1) -> None:
        if count < 1:
            raise TrainingError(f"the number of threads must be at least 1, got {count}")
        self.count = count
        self._pool = ThreadPoolExecutor(count) if count > 1 else None

    def __enter__(self) -> "Threads":
        """Return the threads."""
        return self

    def __exit__(self, *error: object) -> None:
        """End the threads."""
        if self._pool is not None:
            self._pool.shutdown()

    def share(self, function: Callable[[T], R], parts: Sequence[T]) -> list[R]:
        """Return the function of each part, in their order."""
        return list(map(function, parts) if self._pool is None else self._pool.map(function, parts))

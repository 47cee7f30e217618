"""ROOT files with one row an event, through `uproot`: opening, finding branches, reading in steps.

Branches have other names in other versions of a format. Each quantity therefore has a list of candidate names, the
first of which that is present is read; the user may name another.
"""

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int, Shaped

from partonic.errors import EventFileError
from partonic.events.readers.objects import Objects

_COUNTER = re.compile(r"n[A-Z]").match

__all__ = ["Batch", "Branches", "opened_tree", "read_steps", "resolved"]


@contextmanager
def opened_tree(path: Path, name: str) -> Iterator[tuple[Any, Any]]:
    """Open a ROOT file; give the file and its tree `name`.

    Raises:
        EventFileError: if the file is no ROOT file, is truncated, or has no such tree.
    """
    import uproot

    with path.open("rb") as raw:
        if raw.read(4) != b"root":
            raise EventFileError(f"{path} is not a ROOT file")
    try:
        file = uproot.open(path)
    except (OSError, ValueError, KeyError, IndexError, EOFError, uproot.DeserializationError) as error:
        raise EventFileError(f"{path} cannot be opened, it may be truncated: {_short(error)}. Copy it again") from error
    with file:
        if name not in file:
            trees = ", ".join(file.keys(cycle=False)) or "nothing"
            raise EventFileError(f"{path} has no tree '{name}'; it has: {trees}")
        try:
            yield file, file[name]
        except (OSError, EOFError, uproot.DeserializationError) as error:
            raise EventFileError(f"{path} is damaged or truncated: {_short(error)}. Copy it again") from error


@dataclass(frozen=True)
class Branches:
    """The branches of a file in which the quantities are found.

    Attributes:
        path: the file.
        names: branch of each quantity; quantities that the file lacks, and need not have, are absent.
    """

    path: Path
    names: Mapping[str, str]

    def __contains__(self, quantity: object) -> bool:
        """Return whether the file has `quantity`."""
        return quantity in self.names

    def has_all(self, *quantities: str) -> bool:
        """Return whether the file has all `quantities`."""
        return all(quantity in self.names for quantity in quantities)


def resolved(
    path: Path, present: Sequence[str], needed: Mapping[str, Sequence[str]], optional: Mapping[str, Sequence[str]]
) -> Branches:
    """Find the branch of each quantity among its candidates.

    Args:
        path: the file, for messages.
        present: paths of the branches of the file; a candidate names the last part, ``Jet.PT`` of ``Jet/Jet.PT``.
        needed: candidates of each quantity that must be there.
        optional: candidates of those that may be missing.

    Raises:
        EventFileError: if a needed quantity is missing; names the candidates and similar branches of the file.
    """
    found: dict[str, str] = {}
    there = {branch.rpartition("/")[2]: branch for branch in reversed(present)}
    for quantity, candidates in {**optional, **needed}.items():
        branch = next((name for name in candidates if name in there), None)
        if branch is not None:
            found[quantity] = there[branch]
        elif quantity in needed:
            similar = difflib.get_close_matches(
                candidates[0], [name for name in there if not _COUNTER(name)], n=5, cutoff=0.5
            )
            raise EventFileError(
                f"{path} lacks the branch {' or '.join(candidates)} ({quantity}); similar ones there: "
                f"{', '.join(similar) or 'none'}. Name the right one under import.branches: `{quantity}: <branch>`"
            )
    return Branches(path, found)


class Batch:
    """Some events of a tree: quantities as flat NumPy arrays."""

    def __init__(self, branches: Branches, arrays: Mapping[str, Any], first: int, count: int) -> None:
        """Wrap the awkward arrays, by branch, of `count` events that begin with number `first` of the file."""
        self.branches = branches
        self.first = first
        self._arrays = arrays
        self._count = count

    def __len__(self) -> int:
        """Return the number of events."""
        return self._count

    def __contains__(self, quantity: object) -> bool:
        """Return whether the file has `quantity`."""
        return quantity in self.branches

    def scalar(self, quantity: str) -> Shaped[np.ndarray, " events"]:
        """Return one value an event, `(N,)`; of a branch that holds lists of one (Delphes) that one.

        Raises:
            EventFileError: if a value is NaN or infinite, or an event has not exactly one.
        """
        import awkward as ak

        array = self._column(quantity)
        if array.ndim > 1:
            counts = np.asarray(ak.num(array))
            if (counts != 1).any():
                event = int(np.flatnonzero(counts != 1)[0])
                raise EventFileError(f"{self._where(quantity, event)} has {counts[event]} values, expected one")
            array = ak.flatten(array)
        values = np.asarray(array)
        self._check_finite(quantity, values, np.arange(len(values)))
        return values

    def counts(self, quantity: str) -> Int[np.ndarray, " events"]:
        """Return the number of values of each event."""
        import awkward as ak

        return np.asarray(ak.num(self._column(quantity))).astype(np.int64)

    def flat(self, quantity: str) -> Shaped[np.ndarray, " values"]:
        """Return the values of all events one after another.

        Raises:
            EventFileError: if one is NaN or infinite.
        """
        import awkward as ak

        values = np.asarray(ak.flatten(self._column(quantity)))
        self._check_finite(quantity, values, np.repeat(np.arange(len(self)), self.counts(quantity)))
        return values

    def matrix(self, quantity: str, width: int) -> Float[np.ndarray, "events width"]:
        """Return a list of fixed length `width` of each event, `(N, width)`.

        Raises:
            EventFileError: if an event has another number of values.
        """
        counts = self.counts(quantity)
        if (counts != width).any():
            event = int(np.flatnonzero(counts != width)[0])
            raise EventFileError(f"{self._where(quantity, event)} has {counts[event]} values, but event 0 has {width}")
        return self.flat(quantity).astype(np.float64).reshape(len(self), width)

    def objects(self, **quantities: str) -> Objects:
        """Return objects whose features are `quantities`.

        Raises:
            EventFileError: if the features have different numbers of objects.
        """
        first = next(iter(quantities.values()))
        counts = self.counts(first)
        for quantity in quantities.values():
            differs = self.counts(quantity) != counts
            if differs.any():
                event = int(np.flatnonzero(differs)[0])
                raise EventFileError(
                    f"{self._where(quantity, event)} has another length than {self.branches.names[first]}"
                )
        return Objects(counts, {name: self.flat(quantity) for name, quantity in quantities.items()})

    def _column(self, quantity: str) -> Any:
        return self._arrays[self.branches.names[quantity]]

    def _where(self, quantity: str, event: int) -> str:
        return (
            f"{self.branches.path}: event {self.first + event} (the first is 0): branch {self.branches.names[quantity]}"
        )

    def _check_finite(self, quantity: str, values: Shaped[np.ndarray, " n"], event: Int[np.ndarray, " n"]) -> None:
        if np.issubdtype(values.dtype, np.floating) and not np.isfinite(values).all():
            bad = int(np.argmin(np.isfinite(values)))
            raise EventFileError(
                f"{self._where(quantity, int(event[bad]))} holds {values[bad]}, expected finite numbers"
            )


def read_steps(tree: Any, branches: Branches, size: int) -> Iterator[Batch]:
    """Read the events of a tree, `size` at a time.

    Raises:
        EventFileError: if the file is damaged.
    """
    import uproot

    names = sorted(set(branches.names.values()))
    for start in range(0, tree.num_entries, size):
        stop = min(start + size, tree.num_entries)
        try:
            arrays = {name: tree[name].array(entry_start=start, entry_stop=stop, library="ak") for name in names}
        except (OSError, ValueError, KeyError, IndexError, EOFError, uproot.DeserializationError) as error:
            raise EventFileError(
                f"{branches.path} is damaged or truncated after event {start}: {_short(error)}. Copy it again"
            ) from error
        yield Batch(branches, arrays, start, stop - start)


def _short(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__

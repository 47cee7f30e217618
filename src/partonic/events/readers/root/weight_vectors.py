"""Vectors of weights of ROOT files: their lengths in all events, and what they mean, in all files of a sample.

A weight is known by its place in the vector. A vector that has other lengths in some events, or other lengths or texts
in some files, therefore has no meaning that holds for the sample: it is left out with a warning, or refused where it
gives the dependence on θ.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from partonic.errors import EventFileError
from partonic.events.readers.files import EventFile
from partonic.events.readers.notes import Notes
from partonic.events.readers.root.batch import Batch, read_steps
from partonic.events.readers.root.file import Tree

__all__ = ["WeightVector", "common_vectors", "finite_columns", "surveyed_vector"]

_STEP = 200_000
_TEXT = re.compile(r"\[(\d+)\] is (.+?)(?=;|\[\d+\] is|$)")
"""Semicolons between weights are missing in some versions."""


@dataclass(frozen=True)
class WeightVector:
    """A vector of weights in one file.

    Attributes:
        file: the file.
        branch: its name.
        size: number of weights of the first event; None if there are no events.
        most: largest number of weights of an event, until a fault.
        title: what the file says of it, empty for nothing.
        fault: what is wrong with the lengths, empty for nothing.
    """

    file: EventFile
    branch: str
    size: int | None
    title: str = ""
    fault: str = ""
    most: int = 0

    @property
    def texts(self) -> Mapping[int, str]:
        """What the title says of single weights, by place: ``[0] is ISR=2 FSR=1; [1] is ...``."""
        return {int(place): text.strip() for place, text in _TEXT.findall(self.title)}


def surveyed_vector(tree: Tree, branch: str, left_out: frozenset[int] = frozenset()) -> WeightVector:
    """Look at the lengths of a vector in all events of a file.

    Args:
        tree: of an open file.
        branch: the vector.
        left_out: numbers of events of this file that do not count.
    """
    counter = f"n{branch}"
    counted = tree.counter(branch) == counter and counter in tree.branches
    size, most, title = None, 0, " ".join(tree.title(branch).split())
    for batch in read_steps(tree, {"weights": counter if counted else branch}, _STEP):
        lengths = batch.scalar("weights").astype(np.int64) if counted else batch.counts("weights")
        kept = ~np.isin(batch.numbers, list(left_out))
        lengths, numbers = lengths[kept], batch.numbers[kept]
        if size is None and len(lengths):
            size = int(lengths[0])
        most = max(most, int(lengths.max(initial=0)))
        if (lengths != size).any():
            event = int(np.flatnonzero(lengths != size)[0])
            fault = (
                f"{tree.file}: event {numbers[event]} (the first is 0): branch {branch} has {lengths[event]} values, "
                f"but the first event has {size}"
            )
            return WeightVector(tree.file, branch, size, title, fault, most)
    return WeightVector(tree.file, branch, size, title, most=most)


def common_vectors(
    surveys: Sequence[Mapping[str, WeightVector]], needed: frozenset[str], notes: Notes
) -> dict[str, WeightVector]:
    """Return the vectors that mean the same in all files of a sample.

    Args:
        surveys: vectors of each file by quantity; files without events do not count.
        needed: quantities whose faults are errors; others are left out with a warning.
        notes: told the warnings.

    Raises:
        EventFileError: if a needed vector has a fault, or differs between files; names both.
    """
    common: dict[str, WeightVector] = {}
    for quantity in dict.fromkeys(quantity for survey in surveys for quantity in survey):
        vectors = [survey[quantity] for survey in surveys if quantity in survey and survey[quantity].size is not None]
        if not vectors:
            continue
        fault = next((vector.fault for vector in vectors if vector.fault), "") or _difference(vectors)
        if not fault:
            common[quantity] = next((vector for vector in vectors if vector.title), vectors[0])
        elif quantity in needed:
            raise EventFileError(
                f"{fault}. These weights give the dependence on θ and must mean the same in all events: import the "
                "files that agree as one sample"
            )
        else:
            notes.warn(f"the weights {vectors[0].branch} are left out of the sample: {fault}")
    return common


def _difference(vectors: Sequence[WeightVector]) -> str:
    first = vectors[0]
    for other in vectors[1:]:
        if other.size != first.size:
            return f"{first.file} has {first.size} values of {first.branch}, {other.file} has {other.size}"
        if first.title and other.title and first.title != other.title:
            return f"{first.file} says of {first.branch} '{first.title}', {other.file} '{other.title}'"
    return ""


def finite_columns(batch: Batch, quantity: str, values: np.ndarray, places: Sequence[int]) -> None:
    """Check that the weights at `places` of the vectors `values` `(N, size)` are finite.

    Raises:
        EventFileError: if one is not; names event and weight.
    """
    bad = ~np.isfinite(values[:, list(places)])
    if bad.any():
        event, place = (int(index) for index in np.argwhere(bad)[0])
        raise EventFileError(
            f"{batch.where(event)}: branch {batch.names[quantity]}: weight {places[place]} is "
            f"{values[event, places[place]]}, expected finite numbers. Leave it out with import.extra_weights"
        )

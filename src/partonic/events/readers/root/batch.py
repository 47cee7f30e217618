"""Some events of a ROOT file: quantities as flat NumPy arrays, checked."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from partonic.errors import EventFileError
from partonic.events.readers.files import EventFile
from partonic.events.readers.notes import Notes
from partonic.events.readers.numbering import Numbering
from partonic.events.readers.objects import Objects, azimuth
from partonic.events.readers.root.file import Tree, opened

__all__ = ["Batch", "read_sample", "read_steps"]

_FULL_TURN = 2.0 * np.pi
"""Largest |φ| that is taken for an angle in radians; degrees are larger."""


_WHOLE = re.compile(r"_(pdg(_[12])?|mother|flavour|status|charge|multiplicity|identification|veto)$").search
"""Quantities that are whole numbers; an identification or a veto may be true or false as well."""

_LARGEST_WHOLE = 2**31

_LARGEST_JET = 1e5
"""GeV. Beyond what any collider gives a jet; in MeV that is 100 GeV."""


class Batch:
    """Some events of a tree.

    Attributes:
        file: the file, for messages.
        names: branch of each quantity.
        numbers: numbers of the events in the file, `(N,)`.
    """

    def __init__(
        self, file: EventFile, names: Mapping[str, str], arrays: Mapping[str, Any], numbers: Int[np.ndarray, " events"]
    ) -> None:
        """Wrap the awkward arrays, by branch, of the events `numbers`."""
        self.file = file
        self.names = names
        self.numbers = numbers
        self._arrays = arrays

    def __len__(self) -> int:
        """Return the number of events."""
        return len(self.numbers)

    def __contains__(self, quantity: object) -> bool:
        """Return whether the file has `quantity`."""
        return quantity in self.names

    def has_all(self, *quantities: str) -> bool:
        """Return whether the file has all `quantities`."""
        return all(quantity in self.names for quantity in quantities)

    def select(self, kept: Bool[np.ndarray, " events"]) -> "Batch":
        """Return the events for which `kept` is True."""
        arrays = self._arrays if kept.all() else {name: array[kept] for name, array in self._arrays.items()}
        return Batch(self.file, self.names, arrays, self.numbers[kept])

    def where(self, event: int) -> str:
        """Return file and number of the event in a row, for messages."""
        return f"{self.file}: event {self.numbers[event]} (the first is 0)"

    def scalar(self, quantity: str, *, finite: bool = True) -> Shaped[np.ndarray, " events"]:
        """Return one value an event, `(N,)`; of a branch that holds lists of one (Delphes) that one.

        Args:
            quantity: its name.
            finite: refuse NaN and infinite values.

        Raises:
            EventFileError: if a value is missing, or NaN or infinite and must not be, or an event has not exactly one.
        """
        import awkward as ak

        array = self._arrays[self.names[quantity]]
        if array.ndim > 1:
            counts = np.asarray(ak.num(array))
            if (counts != 1).any():
                event = int(np.flatnonzero(counts != 1)[0])
                raise EventFileError(f"{self._branch(quantity, event)} has {counts[event]} values, expected one")
            array = ak.flatten(array)
        return self._numbers(quantity, array, np.arange(len(self)), finite=finite)

    def counts(self, quantity: str) -> Int[np.ndarray, " events"]:
        """Return the number of values of each event.

        Raises:
            EventFileError: if the branch holds one number an event, and no lists.
        """
        import awkward as ak

        array = self._arrays[self.names[quantity]]
        if array.ndim < 2:
            raise EventFileError(
                f"{self.file}: branch {self.names[quantity]} ({quantity}) holds one number an event, expected a list"
            )
        counts: Int[np.ndarray, " events"] = np.asarray(ak.fill_none(ak.num(array), 0)).astype(np.int64)
        return counts

    def flat(self, quantity: str, *, finite: bool = True) -> Shaped[np.ndarray, " values"]:
        """Return the values of all events one after another.

        Args:
            quantity: their name.
            finite: refuse NaN and infinite values.

        Raises:
            EventFileError: if one is NaN or infinite and must not be, or missing.
        """
        import awkward as ak

        event = np.repeat(np.arange(len(self)), self.counts(quantity))
        return self._numbers(quantity, ak.flatten(self._arrays[self.names[quantity]]), event, finite=finite)

    def matrix(self, quantity: str, width: int, *, finite: bool = True) -> Float[np.ndarray, "events width"]:
        """Return a list of fixed length `width` of each event, `(N, width)`.

        Raises:
            EventFileError: if an event has another number of values, or one is NaN or infinite and must not be.
        """
        counts = self.counts(quantity)
        if (counts != width).any():
            event = int(np.flatnonzero(counts != width)[0])
            raise EventFileError(f"{self._branch(quantity, event)} has {counts[event]} values, expected {width}")
        return self.flat(quantity, finite=finite).astype(np.float64).reshape(len(self), width)

    def angle(self, quantity: str) -> Float[np.ndarray, " events"]:
        """Return one azimuth an event, in (−π, π]."""
        return self._azimuth(quantity, self.scalar(quantity), np.arange(len(self)))

    def objects(self, **quantities: str) -> Objects:
        """Return objects whose features are `quantities`; the azimuth ``phi`` is brought into (−π, π].

        Raises:
            EventFileError: if the features have different numbers of objects.
        """
        first = next(iter(quantities.values()))
        counts = self.counts(first)
        for quantity in quantities.values():
            other = self.counts(quantity)
            if (other != counts).any():
                event = int(np.flatnonzero(other != counts)[0])
                raise EventFileError(
                    f"{self._branch(quantity, event)} has {other[event]} values, but {self.names[first]} has "
                    f"{counts[event]}: they are not of one collection"
                )
        columns = {name: self.flat(quantity) for name, quantity in quantities.items()}
        if "phi" in columns:
            event_of = np.repeat(np.arange(len(self)), counts)
            columns["phi"] = self._azimuth(quantities["phi"], columns["phi"], event_of)
        return Objects(counts, columns)

    def _branch(self, quantity: str, event: int) -> str:
        return f"{self.where(event)}: branch {self.names[quantity]}"

    def _numbers(
        self, quantity: str, array: Any, event: Int[np.ndarray, " values"], *, finite: bool = True
    ) -> Shaped[np.ndarray, " values"]:
        import awkward as ak

        missing = np.asarray(ak.is_none(array))
        if missing.any():
            raise EventFileError(f"{self._branch(quantity, int(event[np.argmax(missing)]))} has a value missing")
        values = np.asarray(ak.drop_none(array))
        if finite and np.issubdtype(values.dtype, np.floating) and not np.isfinite(values).all():
            bad = int(np.argmin(np.isfinite(values)))
            raise EventFileError(
                f"{self._branch(quantity, int(event[bad]))} holds {values[bad]}, expected finite numbers"
            )
        if _WHOLE(quantity):
            return self._whole(quantity, values, event)
        if quantity.endswith("_pt"):
            self._check_momentum(quantity, values, event)
        if values.dtype == np.bool_:
            raise EventFileError(
                f"{self.file}: branch {self.names[quantity]} ({quantity}) holds true and false, expected numbers"
            )
        return values

    def _check_momentum(
        self, quantity: str, values: Shaped[np.ndarray, " values"], event: Int[np.ndarray, " values"]
    ) -> None:
        largest = _LARGEST_JET if quantity in ("jet_pt", "true_jet_pt") else np.inf
        wrong = (values < 0) | (values > largest)
        if wrong.any():
            worst = int(np.argmax(wrong))
            most = "" if np.isinf(largest) else f" and at most {largest:g}"
            raise EventFileError(
                f"{self._branch(quantity, int(event[worst]))} holds {values[worst]:g}, expected a transverse momentum "
                f"in GeV, not negative{most}. Is it in MeV, or another quantity?"
            )

    def _whole(
        self, quantity: str, values: Shaped[np.ndarray, " values"], event: Int[np.ndarray, " values"]
    ) -> Shaped[np.ndarray, " values"]:
        if values.dtype == np.bool_:
            return values if quantity.endswith(("_identification", "_veto")) else values.astype(np.int64)
        wrong = (values != np.round(values)) | (values >= _LARGEST_WHOLE) | (values < -_LARGEST_WHOLE)
        if wrong.any():
            worst = int(np.argmax(wrong))
            raise EventFileError(
                f"{self._branch(quantity, int(event[worst]))} holds {values[worst]}, expected a whole number of at "
                f"most 32 bits ({quantity})"
            )
        return values.astype(np.int64)

    def _azimuth(
        self, quantity: str, phi: Shaped[np.ndarray, " values"], event: Int[np.ndarray, " values"]
    ) -> Float[np.ndarray, " values"]:
        far = np.abs(phi) > _FULL_TURN * (1 + 1e-6)
        if far.any():
            worst = int(np.argmax(far))
            raise EventFileError(
                f"{self._branch(quantity, int(event[worst]))} holds {phi[worst]:g}, expected an azimuth in radians"
            )
        return azimuth(phi)


def read_steps(tree: Tree, names: Mapping[str, str], size: int) -> Iterator[Batch]:
    """Read the events of a tree, `size` at a time.

    Args:
        tree: of an open file.
        names: branch of each quantity that is read.
        size: number of events of a batch.

    Raises:
        EventFileError: if the file is damaged.
    """
    branches = sorted(set(names.values()))
    for start in range(0, tree.entries, size):
        stop = min(start + size, tree.entries)
        arrays = {branch: tree.array(branch, start, stop) for branch in branches}
        yield Batch(tree.file, names, arrays, np.arange(start, stop))


def read_sample(
    numbering: Numbering, tree: str, names: Mapping[str, str], size: int, left_out: frozenset[int]
) -> Iterator[tuple[Batch, Int[np.ndarray, " events"]]]:
    """Read the events of all files of a sample that were looked at before, with their numbers in the sample.

    Args:
        numbering: of the events of the files.
        tree: name of the tree of events.
        names: branch of each quantity that is read.
        size: number of events of a batch, at most.
        left_out: numbers of events that are passed over.

    Raises:
        EventFileError: if a file is damaged.
    """
    gone = np.array(sorted(left_out), dtype=np.int64)
    for index, file in enumerate(numbering.files):
        with opened(file, Notes()) as root:
            for batch in read_steps(root.tree(tree), names, size):
                kept = batch.select(~np.isin(numbering.first(index) + batch.numbers, gone))
                if len(kept):
                    yield kept, numbering.first(index) + kept.numbers

"""What is watched while a sample is read: weights that stand apart, events that come twice, sums that cannot be."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from partonic.config.importing import ImportConfig
from partonic.errors import EventFileError
from partonic.events.batch import EventBatch
from partonic.events.columns import weight_column
from partonic.events.duplicates import Duplicates
from partonic.events.identity import OtherEvents, certified, read_good_runs
from partonic.events.readers.source import EventSource
from partonic.events.readers.wild_weights import LargestWeights

__all__ = ["LeftOut", "Watch"]

Array = NDArray[np.float64]

_STRANGE_RATIO = 10.0
"""Ratio between the sums of an extra and of the nominal weight beyond which the two hardly have the same units."""


_FEWEST = 10
"""Events of a file whose mean weight says something."""


@dataclass
class LeftOut:
    """Events that are treated as if they were not in the files, with the reasons.

    Attributes:
        wild: reason, by number of the event.
        copies: number of the first copy, by number of the event.
    """

    wild: dict[int, str] = field(default_factory=dict)
    copies: dict[int, int] = field(default_factory=dict)

    def numbers(self) -> frozenset[int]:
        """Return the numbers of all of them."""
        return frozenset(self.wild) | frozenset(self.copies)


class Watch:
    """Watches the tables of one reading of a sample.

    Attributes:
        source: the sample.
        left_out: events that were left out in this reading; grows if another reading is needed.
    """

    def __init__(self, config: ImportConfig, source: EventSource, left_out: LeftOut) -> None:
        self.source = source
        self.left_out = left_out
        self._config = config
        self._duplicates = Duplicates(config.data)
        points = [f"weight at θ = ({', '.join(f'{x:g}' for x in point)})" for point in source.points]
        self._largest = LargestWeights(["nominal weight", *points])
        self._names = source.metadata.weight_names
        self._sums = np.zeros(1 + len(self._names))
        self._of_files = np.zeros((2, len(source.wild.numbering.files)))  # number of events, sum of |nominal weights|
        self._largest_extra = LargestWeights([weight_column(name) for name in self._names])
        self._good = None if config.good_runs is None else read_good_runs(config.good_runs)
        self._others = OtherEvents(config.overlap_with) if config.overlap_with else None
        self._kept = np.zeros(3, dtype=np.int64)  # all, certified, in no other store

    def tables(self) -> Iterator[pa.Table]:
        """Yield the tables of the source, without events that are not certified or that another store has."""
        for table in self.source.tables:
            self._look_at(table)
            kept = self._certified_alone(table)
            if len(kept):
                yield kept

    def needs_another_reading(self) -> bool:
        """Check all that was seen, after the last table; return whether more events have to be left out.

        Raises:
            EventFileError: if there is something that the policies call an error, or there is no event at all.
        """
        if not self._kept[0]:
            raise EventFileError(f"{self._files()}: there is no event in the files of the sample")
        self._flag_apart()
        self.source.finish()
        self.source.wild.check_few(self.left_out.wild)
        before = len(self.left_out.numbers())
        self._settle_copies()
        if self.source.wild.policy == "drop":
            self.left_out.wild |= self.source.wild.reasons
        return len(self.left_out.numbers()) > before

    def note(self) -> None:
        """Write what was found into the notes of the source, after the last reading."""
        self._note_wild()
        self._note_copies()
        self._note_selection()
        self._check_sums()
        self._compare_files()

    def _look_at(self, table: pa.Table) -> None:
        self._kept[0] += len(table)
        self._duplicates.add(table)
        events = np.asarray(table.column("event_id")).astype(np.int64)
        weight = np.asarray(table.column("weight"), dtype=np.float64)
        coefficients = EventBatch(table, self.source.metadata).coefficients
        at_points = coefficients @ self.source.metadata.monomials.evaluate(self.source.points).T
        files = self.source.wild.numbering.indices(events)
        for row, amount in enumerate((np.ones(len(files)), np.abs(weight))):
            self._of_files[row] += np.bincount(files, amount, self._of_files.shape[1])
        if not self._config.data:
            self._largest.add(np.column_stack([weight, at_points]), events)
        extra = [np.asarray(table.column(weight_column(name)), dtype=np.float64) for name in self._names]
        self._sums += [weight.sum(), *(values.sum() for values in extra)]
        if extra:
            self._largest_extra.add(np.column_stack(extra), events)

    def _certified_alone(self, table: pa.Table) -> pa.Table:
        if self._good is not None:
            table = table.filter(pa.array(certified(table, self._good)))
        self._kept[1] += len(table)
        if self._others is not None:
            table = table.filter(pa.array(~self._others.contain(table)))
        self._kept[2] += len(table)
        return table

    def _flag_apart(self) -> None:
        for event, reason in self._largest.apart().items():
            if event not in self.left_out.numbers():
                self.source.wild.flag(event, reason)

    def _settle_copies(self) -> None:
        copies, policy = self._duplicates.found(), self._config.duplicates
        if copies and policy == "error":
            raise EventFileError(
                f"{self._same_events(copies)}: it would count twice. Take one of them out of import.files, or set "
                "import.duplicates to drop (the first copy stays) or keep"
            )
        if policy == "drop":
            self.left_out.copies |= copies

    def _same_events(self, copies: Mapping[int, int]) -> str:
        where = self.source.wild.numbering.where
        event, first = next(iter(copies.items()))
        others = f", and so for {len(copies) - 1} more" if len(copies) > 1 else ""
        return f"{where(event)} is the same event as {where(first)}{others}"

    def _note_wild(self) -> None:
        wild, notes = self.source.wild, self.source.notes
        wild.reasons |= self.left_out.wild
        if wild.reasons:
            done = {"drop": "left out", "keep": "kept"}[wild.policy]
            notes.facts["wild_weights"] = wild.record()
            notes.warn(f"{done} {_events(len(wild.reasons))} with wild weights: {wild.described()}")
        for event, reason in self._largest_extra.apart().items():
            notes.warn(f"{wild.numbering.where(event)}: {reason}; it stays, for it is none of the θ points")

    def _note_copies(self) -> None:
        notes = self.source.notes
        copies = self.left_out.copies or self._duplicates.found()
        if copies:
            done = "left out" if self._config.duplicates == "drop" else "kept"
            notes.facts["duplicates"] = {"policy": self._config.duplicates, "events": sorted(copies)}
            notes.warn(f"{done} {_events(len(copies))} that the files have twice: {self._same_events(copies)}")
        elif self.source.metadata.identity and (again := self._duplicates.same_numbers()):
            notes.facts["events_with_the_number_of_another"] = again

    def _note_selection(self) -> None:
        read, certified_, alone = (int(number) for number in self._kept)
        if self._good is not None:
            self.source.notes.facts["certified"] = {
                "file": str(self._config.good_runs),
                "events": certified_,
                "of": read,
            }
        if self._others is not None:
            self.source.notes.facts["overlap"] = {
                "stores": [str(path) for path in self._config.overlap_with], "left_out": certified_ - alone,
            }  # fmt: skip
        if not alone:
            raise EventFileError(
                f"{self._files()}: none of the {read} events is left after import.good_runs and import.overlap_with"
            )

    def _check_sums(self) -> None:
        nominal = float(self._sums[0])
        if nominal <= 0 and not self._config.data:
            raise EventFileError(
                f"{self._files()}: the nominal weights of all events sum to {nominal:.6g} pb, which is no cross "
                "section. Check import.cross_section and the weights of the files"
            )
        for name, total in zip(self._names, self._sums[1:], strict=True):
            ratio = abs(total / nominal)
            if not 1.0 / _STRANGE_RATIO < ratio < _STRANGE_RATIO:
                self.source.notes.warn(
                    f"the weights '{name}' sum to {total / nominal:.3g} times the nominal ones: they may be in other "
                    "units, or no weights at all"
                )

    def _compare_files(self) -> None:
        """Warn if the weights of one file are so small beside those of another that it hardly counts."""
        counts, sizes = self._of_files
        told = np.flatnonzero((counts >= _FEWEST) & (sizes > 0))
        if len(told) < 2:
            return
        means = sizes[told] / counts[told]
        ratio = means.max() / means.min()
        if ratio > _STRANGE_RATIO:
            large, small = (self.source.wild.numbering.files[told[at]] for at in (means.argmax(), means.argmin()))
            self.source.notes.warn(
                f"the nominal weights of {large} are on average {ratio:.3g} times those of {small}: they may be in "
                "other units, and then the events of the second hardly count"
            )

    def _files(self) -> str:
        return str(self.source.wild.numbering.files[0])


def _events(number: int) -> str:
    return f"{number} event{'' if number == 1 else 's'}"

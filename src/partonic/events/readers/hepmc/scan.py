"""A first pass over the text of a HepMC file: events, weights and cross section, without building the events."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from partonic.errors import EventFileError
from partonic.events.text.compression import opened_bytes, reading

__all__ = ["HepmcSummary", "scan_hepmc"]

_KINDS = {b"HepMC::Asciiv3": "hepmc3", b"HepMC::IO_GenEvent": "hepmc2"}
_LISTING = re.compile(rb"(HepMC::\w+)-(START|END)_EVENT_LISTING")
_MENDING = "Copy it again, or make the events again"


@dataclass(frozen=True)
class HepmcSummary:
    """What the first pass over a file finds.

    Attributes:
        count: number of events.
        kept: number of events that are not left out.
        totals: sum of each weight over these, in the order of the file.
        names: names of the weights; their numbers where the file does not name them; empty for events without weights.
        cross_section: what the last event states, pb; of several documents the average; None if nothing.
        error: its uncertainty, pb; None if there is none.
        kind: ``"hepmc3"`` or ``"hepmc2"``.
        version: of the library that wrote it, as the file states it.
        accepted: number of accepted events that the last event states; None if it does not.
        not_finite: first event in which a weight is NaN or infinite, by the number of the weight.
        programs: programs that the file names.
        by_weight: cross section and uncertainty of each weight, where events state more than one; else empty.
        documents: cross section of each listing that has one, where there are several listings; else empty.
    """

    count: int
    kept: int
    totals: tuple[float, ...]
    names: tuple[str, ...]
    cross_section: float | None
    error: float | None = None
    kind: str = "hepmc3"
    version: str = ""
    accepted: int | None = None
    not_finite: dict[int, int] = field(default_factory=dict)
    programs: tuple[str, ...] = ()
    by_weight: tuple[tuple[float, float], ...] = ()
    documents: tuple[float, ...] = ()

    def stated(self, place: int | None) -> tuple[float | None, float | None]:
        """Return cross section and uncertainty of the weight at `place`, or the only ones that are stated."""
        if place is not None and len(self.by_weight) == len(self.names):
            return self.by_weight[place]
        return self.cross_section, self.error


@dataclass
class _Document:
    """One listing of events; a file may hold several one after the other."""

    count: int = 0
    kept: int = 0
    sections: tuple[float, ...] = ()
    errors: tuple[float, ...] = ()
    accepted: int | None = None


class _Scan:
    """Adds up the lines of a file. A line of HepMC text begins with a letter that says what it holds."""

    def __init__(self, first: int, left_out: frozenset[int]) -> None:
        self.first, self.left_out = first, left_out
        self.count = self.kept = 0
        self.documents: list[_Document] = []
        self.open = False
        self.kind = self.version = ""
        self.programs: list[str] = []
        self.not_finite: dict[int, int] = {}
        self._totals: list[float] = []
        self._names: tuple[str, ...] = ()
        self._weights: int | None = None
        self._seen = True
        """Whether the weights of the present event were there."""

    def add(self, line: bytes) -> None:
        """Take one line into account."""
        if line.startswith(b"HepMC::"):
            self._listing(line)
            return
        if not line.strip():
            return
        if not self.open:
            where = "after END_EVENT_LISTING" if self.documents else "at its beginning"
            raise ValueError(f"{where} comes text that is no listing of events: {line[:60].decode(errors='replace')!r}")
        match line[:2]:
            case b"E ":
                self._event(line.split())
            case b"W ":
                self._weight_line(line)
            case b"N ":
                self._name(tuple(line.decode(errors="replace").split('"')[1::2]))
            case b"T " if not self.documents[-1].count:
                self.programs.append(" ".join(_names(line)[:2]).strip())
            case b"A " if line.startswith(b"A 0 GenCrossSection "):
                self._section(line.split()[3:])
            case b"C ":
                self._section(line.split()[1:])

    def _listing(self, line: bytes) -> None:
        found = _LISTING.match(line)
        if found is None:
            self.version = self.version or line.decode(errors="replace").partition("Version")[2].strip()
            return
        if found[2] == b"END":
            self._finish_event()
            self.open = False
            return
        if self.open:
            raise ValueError(f"document {len(self.documents)} has no END_EVENT_LISTING before another one begins")
        kind = _KINDS.get(found[1])
        if kind is None or (self.kind and kind != self.kind):
            name = found[1].decode()
            raise ValueError(f"it is text of the kind {name}{' after another kind' if kind else ''}; expected one "
                             f"of {', '.join(known.decode() for known in _KINDS)}")  # fmt: skip
        self.kind, self.open = kind, True
        self.documents.append(_Document())

    def _event(self, fields: list[bytes]) -> None:
        """Version 3 has few numbers here; version 2 lists random numbers and then the weights."""
        self._finish_event()
        self.count += 1
        self.documents[-1].count += 1
        self._seen = False
        if self.kind == "hepmc2":
            position = 12 + int(fields[11])
            number = int(fields[position])
            values = fields[position + 1 :]
            if len(values) != number:
                raise ValueError(f"it announces {number} weights and has {len(values)}")
            self._add([float(value) for value in values])

    def _weight_line(self, line: bytes) -> None:
        """The weights of an event, or before the first event their names, separated by a backslash and a bar."""
        if not self.documents[-1].count:
            self._name(_names(line))
        else:
            self._add([float(value) for value in line.split()[1:]])

    def _name(self, names: tuple[str, ...]) -> None:
        if self._names and names and names != self._names:
            raise ValueError(f"its weights are called {', '.join(names[:10])}, before {', '.join(self._names[:10])}")
        self._names = names or self._names

    def _section(self, fields: list[bytes]) -> None:
        """The last one counts: value, error, accepted and attempted events, then value and error of further weights."""
        document = self.documents[-1]
        document.accepted = int(fields[2]) if len(fields) > 3 and int(fields[2]) > 0 else None
        if self._left_out:
            return
        numbers = [float(word) for word in [*fields[:2], *fields[4:]]]
        document.sections, document.errors = tuple(numbers[::2]), tuple(numbers[1::2])

    @property
    def _left_out(self) -> bool:
        """Whether the present event is left out."""
        return self.first + self.count - 1 in self.left_out

    def _add(self, weights: list[float]) -> None:
        self._seen = True
        if self._weights is None:
            self._weights, self._totals = len(weights), [0.0] * len(weights)
            if weights and self._names and len(weights) != len(self._names):
                raise ValueError(f"its number of weights is {len(weights)}, but {len(self._names)} are named")
        if len(weights) != self._weights:
            raise ValueError(f"its number of weights is {len(weights)}, that of the events before {self._weights}")
        if self._left_out:
            return
        self.kept += 1
        self.documents[-1].kept += 1
        for index, weight in enumerate(weights):
            self._totals[index] += weight
            if not math.isfinite(weight):
                self.not_finite.setdefault(index, self.count - 1)

    def _finish_event(self) -> None:
        """An event of version 3 without a line of weights has none."""
        if not self._seen:
            self._add([])

    def summary(self) -> HepmcSummary:
        """Return what was found.

        Raises:
            ValueError: if there are other numbers of names and of weights.
        """
        number = self._weights or 0
        if self._names and number and len(self._names) != number:
            raise ValueError(f"its events have {number} weights, but it names {len(self._names)}")
        names = self._names if number and self._names else tuple(str(index) for index in range(number))
        full = [document for document in self.documents if document.count]
        last = full[-1] if len(full) == 1 else _Document()
        kept = [document for document in full if document.kept]
        sections, errors = _average([one.sections for one in kept], kept), _average([one.errors for one in kept], kept)
        return HepmcSummary(
            self.count,
            self.kept,
            tuple(self._totals),
            names,
            sections[0] if sections else None,
            errors[0] if errors else None,
            self.kind,
            self.version,
            last.accepted,
            self.not_finite,
            tuple(self.programs),
            tuple(zip(sections, errors, strict=False)) if len(sections) > 1 else (),
            tuple(one.sections[0] for one in kept if one.sections) if len(kept) > 1 else (),
        )


def _average(values: Sequence[tuple[float, ...]], documents: Sequence[_Document]) -> tuple[float, ...]:
    """Return the means by numbers of events; nothing if a document states none, and only what all of them state."""
    total = sum(document.kept for document in documents)
    return tuple(
        sum(value * document.kept for value, document in zip(column, documents, strict=True)) / total
        for column in zip(*values, strict=False)
    )


def _names(line: bytes) -> tuple[str, ...]:
    """Return the words of a line in which a backslash and a bar separate, and a backslash before another is one."""
    text = line[2:].decode(errors="replace").rstrip("\r\n")
    plain = re.sub(r"\\(.)", lambda found: "\n" if found[1] == "|" else found[1], text)
    return tuple(plain.split("\n"))


def scan_hepmc(path: Path, first: int = 0, left_out: frozenset[int] = frozenset()) -> HepmcSummary:
    """Return what a file holds.

    Args:
        path: the file, plain or compressed.
        first: number of its first event in the sample.
        left_out: numbers of events that do not count.

    Raises:
        EventFileError: if it is truncated, damaged, or no HepMC text.
    """
    scan = _Scan(first, left_out)
    try:
        with reading(path, lambda: f" after {scan.count} events"), opened_bytes(path) as stream:
            for number, line in enumerate(stream):
                if line[:1] not in b"PV":
                    scan.add(_beginning(path, line) if number == 0 else line)
        if scan.open or not scan.documents:
            raise EventFileError(
                f"{path} is truncated: END_EVENT_LISTING is missing after {scan.count} events. {_MENDING}. If the "
                "program that wrote it was stopped and its last event is whole, add the line "
                f"HepMC::{'IO_GenEvent' if scan.kind == 'hepmc2' else 'Asciiv3'}-END_EVENT_LISTING"
            )
        return scan.summary()
    except (ValueError, IndexError, OverflowError) as error:
        event = f"event {max(scan.count - 1, 0)} (the first is 0)"
        raise EventFileError(f"{path}: {event} is malformed: {error}") from error


def _beginning(path: Path, line: bytes) -> bytes:
    """Check the first line; return it without a byte order mark."""
    line = line.removeprefix(b"\xef\xbb\xbf")
    if line.startswith(b"HepMC::") or not line.strip():
        return line
    hint = ""
    if line.startswith(b"<"):
        hint = ": choose the format `lhe`"
    elif line[:2] in (b"\xff\xfe", b"\xfe\xff"):
        hint = ": it is in UTF-16; convert it to UTF-8"
    elif line.startswith(b"E "):
        hint = ": HEPEVT and HepMC text without a header have no weights and no cross section"
    raise EventFileError(
        f"{path} is truncated or no HepMC text: expected HepMC::Version at its beginning, got "
        f"{line[:60].decode(errors='replace')!r}{hint}"
    )

"""A first pass over the text of a HepMC file: events, weights and cross section, without building the events."""

import gzip
import io
import math
import zlib
from dataclasses import dataclass
from pathlib import Path

from partonic.errors import EventFileError

__all__ = ["HepmcSummary", "scan_hepmc"]

_END = "END_EVENT_LISTING"


@dataclass(frozen=True)
class HepmcSummary:
    """What the first pass over a file finds.

    Attributes:
        count: number of events.
        total: sum of the nominal weights.
        names: names of the weights; their numbers where the file does not name them.
        cross_section: what the last event states, pb; None if nothing.
    """

    count: int
    total: float
    names: tuple[str, ...]
    cross_section: float | None


class _Scan:
    """Adds up the lines of a file. A line of HepMC text begins with a letter that says what it holds."""

    def __init__(self) -> None:
        self.count = 0
        self.total = 0.0
        self.ended = False
        self.cross_section: float | None = None
        self._names: tuple[str, ...] = ()
        self._weights = 0

    def add(self, line: str) -> None:
        """Take one line into account."""
        match line[:2]:
            case "E ":
                self._event(line.split())
            case "W ":
                self._weight_line(line)
            case "N ":
                self._names = tuple(line.split('"')[1::2])
            case "A " if line.startswith("A 0 GenCrossSection "):
                self.cross_section = float(line.split()[3])
            case "C ":
                self.cross_section = float(line.split()[1])
            case "He":
                self.ended = self.ended or _END in line

    def _event(self, fields: list[str]) -> None:
        """Version 3 has few numbers here; version 2 lists random numbers and then the weights."""
        self.count += 1
        if len(fields) > 11:
            position = 12 + int(fields[11])
            self._weights = int(fields[position])
            self._add(float(fields[position + 1]) if self._weights else 1.0)

    def _weight_line(self, line: str) -> None:
        """The weights of an event, or before the first event their names, separated by a backslash and a bar."""
        if self.count == 0:
            self._names = tuple(line[2:].rstrip("\n").split("\\|"))
            return
        values = line.split()[1:]
        self._weights = len(values)
        self._add(float(values[0]))

    def _add(self, weight: float) -> None:
        if not math.isfinite(weight):
            raise ValueError(f"its weight is {weight}")
        self.total += weight

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the weights, or their numbers."""
        named = len(self._names) == self._weights
        return self._names if named else tuple(str(index) for index in range(self._weights))


def scan_hepmc(path: Path) -> HepmcSummary:
    """Return what a file holds.

    Raises:
        EventFileError: if it is truncated, damaged, or no HepMC text.
    """
    scan = _Scan()
    try:
        with _lines(path) as lines:
            for line in lines:
                scan.add(line)
    except (ValueError, IndexError) as error:
        raise EventFileError(f"{path}: event {scan.count - 1} (the first is 0) is malformed: {error}") from error
    except (EOFError, zlib.error, OSError) as error:
        raise EventFileError(f"{path}: truncated or damaged after {scan.count} events: {error}") from error
    if not scan.ended:
        raise EventFileError(f"{path} is truncated or no HepMC text: {_END} is missing after {scan.count} events")
    return HepmcSummary(scan.count, scan.total, scan.names, scan.cross_section)


def _lines(path: Path) -> io.TextIOWrapper:
    with path.open("rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
    return io.TextIOWrapper(gzip.GzipFile(path, "rb"), encoding="utf-8") if packed else path.open(encoding="utf-8")

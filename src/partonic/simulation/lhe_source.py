"""Les Houches event files, streamed in chunks.

A file is read twice from end to end, never held in memory: once to check it, count its events and sum their weights;
once to cut it into chunks of text that the workers parse (`lhe_chunk`). Format: arXiv:hep-ph/0609017 (version 1) and
arXiv:1405.1067 (version 3).
"""

import gzip
import hashlib
import html
import io
import math
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from partonic.errors import EventFileError
from partonic.events.weights import WeightSums

__all__ = ["LheFacts", "event_texts", "lhe_facts"]

_WEIGHT = re.compile(r"<weight\s[^>]*?\bid\s*=\s*[\"']([^\"']+)[\"'][^>]*>(.*?)</weight>", re.DOTALL)
_MENDING = "Copy it again, or generate the events again"


@dataclass(frozen=True)
class LheFacts:
    """What a file says about all its events.

    Attributes:
        path: the file.
        digest: SHA-256 of its bytes, 64 hex digits.
        beams: PDG identifiers of the two beams.
        beam_energies: their energies in GeV.
        strategy: IDWTUP, the meaning of the weights.
        num_events: number of events.
        sums: number and sum of the weights, and the cross section stated, by process number.
        relative_error: of the total cross section stated, XERRUP of independent processes; 0 if none is stated.
        weights: identifier and text of the named weights that the header declares.
        header: text of the header block.
    """

    path: Path
    digest: str
    beams: tuple[int, int]
    beam_energies: tuple[float, float]
    strategy: int
    num_events: int
    sums: dict[int, WeightSums]
    relative_error: float
    weights: dict[str, str]
    header: str


def lhe_facts(path: Path) -> LheFacts:
    """Read a file from end to end, check its form and sum its weights.

    Raises:
        EventFileError: if it cannot be read, is truncated, or an event in it is malformed.
    """
    before, found = _Preamble(), _Sums()
    for text in event_texts(path, before):
        found.add(path, text)
    init = _init_lines(path, before.text)
    stated = {int(line[3]): float(line[0]) for line in init[1:]}
    return LheFacts(
        path=path,
        digest=_digest(path),
        beams=(int(init[0][0]), int(init[0][1])),
        beam_energies=(float(init[0][2]), float(init[0][3])),
        strategy=int(init[0][8]),
        num_events=found.events,
        sums=found.sums(stated),
        relative_error=_relative_error(init[1:]),
        weights={name: html.unescape(text.strip()) for name, text in _WEIGHT.findall(before.text)},
        header=before.text,
    )


class _Preamble:
    """Collects the text before the first event."""

    def __init__(self) -> None:
        self.text = ""


class _Sums:
    """Counts events and sums their weights by process."""

    def __init__(self) -> None:
        self.events = 0
        self._counts: dict[int, int] = {}
        self._totals: dict[int, float] = {}

    def add(self, path: Path, text: bytes) -> None:
        try:
            words = text.split(None, 5)
            process, weight = int(words[2]), float(words[3])
        except (ValueError, IndexError) as error:
            raise EventFileError(f"{path}: event {self.events} is malformed: no line with NUP IDPRUP XWGTUP") from error
        self.events += 1
        self._counts[process] = self._counts.get(process, 0) + 1
        self._totals[process] = self._totals.get(process, 0.0) + weight

    def sums(self, stated: dict[int, float]) -> dict[int, WeightSums]:
        processes = self._counts | dict.fromkeys(stated, 0) | self._counts
        return {
            process: WeightSums(self._counts.get(process, 0), self._totals.get(process, 0.0), stated.get(process, 0.0))
            for process in processes
        }


def event_texts(path: Path, preamble: _Preamble | None = None) -> Iterator[bytes]:
    """Yield the text of each event, from ``<event>`` to before ``</event>``.

    Args:
        path: an LHE file, plain or compressed with gzip.
        preamble: filled with the text before the first event.

    Raises:
        EventFileError: if the file cannot be read or ends too early.
    """
    try:
        with _opened(path) as stream:
            yield from _events_of(path, stream, preamble)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise EventFileError(f"{path} is truncated or damaged: {error}. {_MENDING}") from error
    except OSError as error:
        raise EventFileError(f"cannot read the event file {path}: {error.strerror or error}") from error


def _opened(path: Path) -> io.BufferedIOBase:
    with path.open("rb") as raw:
        compressed = raw.read(2) == b"\x1f\x8b"
    return gzip.open(path, "rb") if compressed else path.open("rb")


def _events_of(path: Path, stream: io.BufferedIOBase, preamble: _Preamble | None) -> Iterator[bytes]:
    before: list[bytes] | None = []
    event: list[bytes] | None = None
    ended = False
    number = 0
    for line in stream:
        if event is not None:
            if line.lstrip().startswith(b"</event>"):
                yield b"".join(event)
                event, number = None, number + 1
            else:
                event.append(line)
        elif line.lstrip().startswith((b"<event>", b"<event ")):
            event = [_without_attributes(line)]
            _hand_over(before, preamble)
            before = None
        elif line.lstrip().startswith(b"</LesHouchesEvents>"):
            ended = True
        elif before is not None:
            before.append(line)
    _hand_over(before, preamble)
    if not ended:
        inside = f" within event {number}" if event is not None else f" after {number} events"
        raise EventFileError(f"{path} is truncated: it ends{inside}, without </LesHouchesEvents>. {_MENDING}")


def _without_attributes(line: bytes) -> bytes:
    return b"<event> " + line.partition(b">")[2]


def _hand_over(before: list[bytes] | None, preamble: _Preamble | None) -> None:
    if before is not None and preamble is not None:
        preamble.text = b"".join(before).decode("utf-8", errors="replace")


def _init_lines(path: Path, text: str) -> list[list[str]]:
    """Return the words of the lines of the block ``<init>``: beams and weighting strategy, then the processes."""
    block = re.search(r"<init\b[^>]*>([^<#]*)", text)
    lines = [line.split() for line in block.group(1).splitlines() if line.strip()] if block else []
    try:
        lines = [[word.replace("D", "E").replace("d", "e") for word in line] for line in lines]
        processes = int(lines[0][9])
        lines = lines[: 1 + processes]
        [[float(word) for word in line] for line in lines]
        if len(lines) != 1 + processes or any(len(line) < 4 for line in lines[1:]):
            raise IndexError
    except (IndexError, ValueError) as error:
        raise EventFileError(
            f"{path} has no valid <init> block: expected a line of ten numbers (beams, energies, PDFs, IDWTUP, NPRUP) "
            "and one of four for each process. Is it a Les Houches event file?"
        ) from error
    return lines


def _relative_error(processes: list[list[str]]) -> float:
    total = abs(sum(float(line[0]) for line in processes))
    return math.hypot(*(float(line[1]) for line in processes)) / total if total else 0.0


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()

"""Les Houches event files, streamed in chunks.

A file is read twice from end to end, never held in memory: once to check it, count its events and sum their weights;
once to cut it into chunks of text that the workers parse (`lhe_chunk`). Format: arXiv:hep-ph/0609017 (version 1) and
arXiv:1405.1067 (version 3).
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from partonic.errors import EventFileError
from partonic.events.lhe_normalisation import WeightSums
from partonic.events.text.lhe_header import LheHeader
from partonic.events.text.lhe_numbers import process_and_weight
from partonic.events.text.lhe_text import LheText

__all__ = ["LheFacts", "event_texts", "lhe_facts"]


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
        EventFileError: if it cannot be read, is truncated, holds several documents, or an event in it is malformed.
    """
    text, found = LheText(path), _Sums()
    for event in text.events():
        found.add(path, event)
    if len(text.documents) > 1:
        raise EventFileError(
            f"{path} holds {len(text.documents)} LHE documents one after the other; the simulation takes one. "
            "Split the file, or give only one of them"
        )
    header = LheHeader(str(path), text.documents[0].preamble)
    return LheFacts(
        path=path,
        digest=_digest(path),
        beams=header.beams,
        beam_energies=header.energies,
        strategy=header.strategy,
        num_events=found.events,
        sums=found.sums({process: section for process, (section, _) in header.processes.items()}),
        relative_error=header.relative_error,
        weights={name: weight.text for name, weight in header.weights.items()},
        header=header.text,
    )


class _Sums:
    """Counts events and sums their weights by process."""

    def __init__(self) -> None:
        self.events = 0
        self._counts: dict[int, int] = {}
        self._totals: dict[int, float] = {}

    def add(self, path: Path, text: bytes) -> None:
        try:
            process, weight = process_and_weight(text)
        except ValueError as error:
            raise EventFileError(
                f"{path}: event {self.events} is malformed: no line with NUP IDPRUP XWGTUP ({error})"
            ) from error
        self.events += 1
        self._counts[process] = self._counts.get(process, 0) + 1
        self._totals[process] = self._totals.get(process, 0.0) + weight

    def sums(self, stated: dict[int, float]) -> dict[int, WeightSums]:
        processes = self._counts | dict.fromkeys(stated, 0) | self._counts
        return {
            process: WeightSums(self._counts.get(process, 0), self._totals.get(process, 0.0), stated.get(process, 0.0))
            for process in processes
        }


def event_texts(path: Path) -> Iterator[bytes]:
    """Yield the text of each event, between ``<event>`` and ``</event>``.

    Args:
        path: an LHE file, plain or compressed.

    Raises:
        EventFileError: if the file cannot be read or ends too early.
    """
    return LheText(path).events()


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()

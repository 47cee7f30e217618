"""What a Les Houches document says before its first event: beams, cross sections, weights, notes of its program."""

import html
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeGuard

from partonic.errors import EventFileError
from partonic.events.text.lhe_numbers import fortran_number

__all__ = ["DeclaredWeight", "LheHeader", "header_text"]

_CDATA = re.compile(r"<!--.*?-->|<!\[CDATA\[(.*?)\]\]>", re.DOTALL)
_INIT = re.compile(r"<init(?:\s[^>]*)?>(.*?)</init\s*>", re.DOTALL)
_HEADER = re.compile(r"<header(?:\s[^>]*)?>.*?</header\s*>", re.DOTALL)
_BLOCKS = re.compile(r"<initrwgt(?:\s[^>]*)?>(.*?)(</initrwgt\s*>|$)", re.DOTALL)
_ATTRIBUTES = r"((?:\s+[\w:.-]+\s*=\s*(?:\"[^\"]*\"|'[^']*'))*)\s*"
_WEIGHT_TAGS = re.compile(
    rf"<weightgroup{_ATTRIBUTES}>|(</weightgroup\s*>)|<weight{_ATTRIBUTES}(?:/>|>(.*?)</weight\s*>)", re.DOTALL
)
_ATTRIBUTE = re.compile(r"\s([\w:.-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_ENCODING = re.compile(rb"<\?xml[^>]*\sencoding\s*=\s*[\"']([\w.-]+)[\"']")
_MADGRAPH_EVENTS = re.compile(r"#\s*Number of Events\s*:\s*(\d+)")
_MADGRAPH_SECTION = re.compile(r"#\s*Integrated weight \(pb\)\s*:\s*(\S+)")
_GENERATOR = re.compile(r"<generator(?:\s([^>]*))?>(.*?)</generator\s*>", re.DOTALL)
_MADGRAPH_VERSION = re.compile(r"<MGVersion>\s*#?\s*(\S+)\s*</MGVersion>|VERSION\s+(\d[\w.]*)\s")


@dataclass(frozen=True)
class DeclaredWeight:
    """A weight that a header declares.

    Attributes:
        text: its description.
        group: names of the groups around it, from outside, joined by underscores.
    """

    text: str
    group: str


def header_text(preamble: bytes) -> str:
    """Return what is before the first event as text: in the encoding that it states, else UTF-8, else Latin-1."""
    stated = _ENCODING.search(preamble)
    for encoding in ([stated[1].decode()] if stated else []) + ["utf-8"]:
        try:
            return preamble.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
    return preamble.decode("latin-1")


class LheHeader:
    """The text before the first event of a document, understood as far as it is needed.

    Attributes:
        where: file, and number of the document if it has several, for messages.
        text: the text.
        beams: PDG identifiers of the beams.
        energies: their energies in GeV.
        strategy: IDWTUP.
        processes: XSECUP and XERRUP in pb by process number LPRUP, as the file states them, −1 and NaN included.
    """

    def __init__(self, where: str, preamble: bytes) -> None:
        """Read the block ``<init>``.

        Raises:
            EventFileError: if it is malformed, or two processes have one number.
        """
        self.where = where
        self.text = header_text(preamble)
        first, processes = self._init_numbers()
        self.beams = (int(first[0]), int(first[1]))
        self.energies = (first[2], first[3])
        self.strategy = int(first[8])
        self.processes = {int(number): (section, error) for section, error, _, number in processes}
        if len(self.processes) < len(processes):
            raise EventFileError(
                f"{where}: its <init> block has several processes with the same number LPRUP, so it is not known "
                "which cross section the events have: give each process a number of its own"
            )

    @cached_property
    def _shown(self) -> str:
        """The text without comments; CDATA sections are what they hold, with their special characters escaped."""
        return _CDATA.sub(lambda found: html.escape(found[1] or "", quote=False), self.text)

    def _init_numbers(self) -> tuple[list[float], list[list[float]]]:
        found = _INIT.search(_HEADER.sub("", self._shown))
        try:
            lines = self._init_lines("" if found is None else found[1])
            first = lines[0]
            processes = [line[:4] for line in lines[1 : 1 + int(first[9])]]
            whole = [*first[:2], *first[4:10], *(line[3] for line in processes)]
            if len(processes) != first[9] or not all(number.is_integer() for number in whole):
                message = "numbers are missing, or identifiers are not whole"
                raise ValueError(message)
        except (ValueError, IndexError, OverflowError) as error:
            raise EventFileError(
                f"{self.where} has no valid <init> block: expected a line of ten numbers (beams, energies, PDFs, "
                f"IDWTUP, NPRUP) and one of four for each process ({error}). Is it a Les Houches event file?"
            ) from error
        return first, processes

    @staticmethod
    def _init_lines(block: str) -> list[list[float]]:
        """Return its numbers line by line, whether or not Fortran broke long lines."""
        lines = [line.split() for line in block.partition("<")[0].splitlines() if not line.lstrip().startswith("#")]
        words = [fortran_number(word.encode()) for line in lines for word in line]
        count = int(words[9])
        if len(words) == 10 + 4 * count:
            return [words[:10], *(words[10 + 4 * index : 14 + 4 * index] for index in range(count))]
        return [[fortran_number(word.encode()) for word in line] for line in lines if line]

    @cached_property
    def weights(self) -> dict[str, DeclaredWeight]:
        """The weights that the header declares, by identifier.

        Raises:
            EventFileError: if one has no identifier or no end, or an identifier has two meanings.
        """
        declared: dict[str, DeclaredWeight] = {}
        for block, end in _BLOCKS.findall(self._shown):
            found = self._weights_of_block(block)
            if not end or len(found) != len(re.findall(r"<weight(?=[\s/>])", block)):
                raise EventFileError(
                    f"{self.where}: its block <initrwgt> is malformed: a <weight> has no id or no end, or the block "
                    "itself has none. Mend the header"
                )
            for name, weight in found:
                if (earlier := declared.setdefault(name, weight)).text != weight.text:
                    raise EventFileError(
                        f"{self.where} declares two weights '{name}': '{earlier.text}' and '{weight.text}'. Which one "
                        "the events have cannot be known; give each weight an id of its own"
                    )
        return declared

    @staticmethod
    def _weights_of_block(block: str) -> list[tuple[str, DeclaredWeight]]:
        groups: list[str] = []
        found = []
        for tag in _WEIGHT_TAGS.finditer(block):
            if tag[0].startswith("<weightgroup"):
                groups.append(_attributes(tag[1]).get("name", ""))
            elif tag[2] is not None:
                del groups[-1:]
            elif "id" in (attributes := _attributes(tag[3])):
                text = html.unescape(" ".join((tag[4] or "").split()))
                found.append((attributes["id"].strip(), DeclaredWeight(text, "_".join(filter(None, groups)))))
        return found

    @cached_property
    def record(self) -> Mapping[str, Any] | None:
        """What our own generator wrote into the header; None in files of others."""
        found = re.search(r"<partonic>(.*?)</partonic>", self._shown, re.DOTALL)
        try:
            record = None if found is None else json.loads(html.unescape(found[1]))
        except ValueError:
            return None  # another program's element of the same name
        return record if isinstance(record, dict) else None

    @property
    def cross_section(self) -> float:
        """Sum of XSECUP, pb."""
        return sum(section for section, _ in self.processes.values())

    @property
    def relative_error(self) -> float:
        """Relative error of the cross section, from XERRUP of independent processes; 0 if none is stated."""
        errors = [error for _, error in self.processes.values()]
        total = abs(self.cross_section)
        return math.hypot(*errors) / total if total and all(error >= 0 for error in errors) else 0.0

    @property
    def own_relative_error(self) -> float:
        """As `relative_error`; in files of our own generator its record knows how the processes are correlated."""
        own = (self.record or {}).get("cross_section")
        value, error = (own.get("value"), own.get("error")) if isinstance(own, dict) else (None, None)
        if _is_number(value) and _is_number(error) and value:
            return abs(float(error) / float(value))
        return self.relative_error

    @property
    def theta(self) -> dict[str, float]:
        """θ of the generation that our own generator wrote; nothing in files of others.

        Raises:
            EventFileError: if that is no point.
        """
        stated = (self.record or {}).get("theta", {})
        if not (isinstance(stated, dict) and all(_is_number(value) for value in stated.values())):
            raise EventFileError(
                f"{self.where}: its header has an element <partonic> whose theta is {stated!r}, expected a number for "
                "each parameter. Remove the element if another program wrote it"
            )
        return {name: float(value) for name, value in stated.items()}

    @property
    def stated_events(self) -> int | None:
        """Number of events that MadGraph notes (``MGGenerationInfo``), None if there is no such note."""
        found = _MADGRAPH_EVENTS.search(self.text)
        return None if found is None else int(found[1])

    @property
    def stated_section(self) -> float | None:
        """Cross section in pb that MadGraph notes (``MGGenerationInfo``), None if there is no such note."""
        found = _MADGRAPH_SECTION.search(self.text)
        try:
            return None if found is None else fortran_number(found[1].encode())
        except ValueError:
            return None

    @property
    def generators(self) -> list[str]:
        """Names and versions of the programs that the header names."""
        named = []
        for text, inside in _GENERATOR.findall(self._shown):
            attributes = _attributes(f" {text}")
            named.append(f"{attributes.get('name') or inside.strip()} {attributes.get('version', '')}".strip())
        madgraph = _MADGRAPH_VERSION.search(self.text) if "MadGraph" in self.text or "MGVersion" in self.text else None
        return named or ([f"MadGraph {madgraph[1] or madgraph[2]}"] if madgraph else [])


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _attributes(text: str) -> dict[str, str]:
    return {name: html.unescape(one or other) for name, one, other in _ATTRIBUTE.findall(text)}

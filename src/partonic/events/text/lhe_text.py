"""The text of Les Houches event files, cut into documents and events while it streams past.

This is the one place that knows where an event begins and ends; counting, summing, importing and the simulation all
read through it. The files are XML by name only (run cards in them have bare ``<`` and ``&``), so they are searched for
the few tags that matter. What is in comments, in CDATA sections and in the header is never taken for an event, and what
is neither an event nor anything known is an error: nothing is passed over in silence.
"""

import codecs
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from partonic.errors import EventFileError
from partonic.events.text.compression import opened_bytes, reading

__all__ = ["LheDocument", "LheText", "without_comments"]

_BLOCK = 1 << 20
_MENDING = "Copy it again, or make the events again"

_HIDDEN = re.compile(rb"<!--.*?-->|<!\[CDATA\[.*?\]\]>", re.DOTALL)
_HIDDEN_BEGIN = re.compile(rb"<!--|<!\[CDATA\[")
_BEGIN = re.compile(rb"<!--|<LesHouchesEvents(?=[\s>])")
_BEFORE = re.compile(
    rb"<!--|<!\[CDATA\[|<header(?=[\s>])|</header\s*>|<init(?=[\s>])|</init\s*>|<event(?=[\s>])|<eventgroup(?=[\s>])|"
    rb"</LesHouchesEvents\s*>|<LesHouchesEvents(?=[\s>])"
)
_BETWEEN = re.compile(
    rb"<!--|<!\[CDATA\[|<event(?=[\s>])|<eventgroup(?=[\s>])|</LesHouchesEvents\s*>|<LesHouchesEvents(?=[\s>])"
)
_AROUND = re.compile(rb"\s+|\xef\xbb\xbf|#[^\n]*|<!--.*?-->|<\?[^>]*\?>|<!DOCTYPE[^>]*>", re.DOTALL)
_ELEMENT = re.compile(rb"<([A-Za-z][\w.-]*)(?:\s[^>]*)?(?:/>|>.*?</\1\s*>)", re.DOTALL)
_LONGEST_TAG = 32
"""More than the length of each tag that is looked for, which may lie across the end of a block."""

_ENDS = {b"<!--": b"-->", b"<![CDATA[": b"]]>"}
_ENCODINGS = ((codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"), (codecs.BOM_UTF16_LE, "utf-16"),
              (codecs.BOM_UTF16_BE, "utf-16"), (codecs.BOM_UTF8, "utf-8-sig"))  # fmt: skip


@dataclass
class LheDocument:
    """One document ``<LesHouchesEvents>``; a file may hold several one after the other.

    Attributes:
        preamble: its text before the first event, as it is in the file.
        count: number of its events that were read.
    """

    preamble: bytes
    count: int = 0


class LheText:
    """A file, read once from end to end.

    Attributes:
        path: the file.
        documents: those that have begun; the last one is that of the last event.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.documents: list[LheDocument] = []

    @property
    def count(self) -> int:
        """Number of events read."""
        return sum(document.count for document in self.documents)

    def events(self) -> Iterator[bytes]:
        """Yield the text of each event between ``<event ...>`` and ``</event>``, without comments of XML.

        Raises:
            EventFileError: if the file cannot be read, is no LHE file, ends too early, or has text between the events
                that is none; or if it has groups of events.
        """
        with reading(self.path, lambda: f" after {self.count} events"), opened_bytes(self.path) as stream:
            cursor = _Cursor(self.path, stream)
            while self._next_document(cursor):
                yield from self._events_of_document(cursor)

    def _next_document(self, cursor: "_Cursor") -> bool:
        """Go on to the next document, and read what is before its first event; False at the end of the file."""
        cursor.forget()
        found = self._begin_of_document(cursor)
        before = cursor.data[cursor.at :] if found is None else cursor.data[cursor.at : found.start()]
        rest = _AROUND.sub(b"", before)
        if rest:
            raise EventFileError(self._foreign(rest))
        if found is None:
            if not self.documents:
                raise EventFileError(f"{self.path} is no Les Houches event file: it holds nothing but comments")
            return False
        position = self._end_of_preamble(cursor, found.end())
        self.documents.append(LheDocument(cursor.data[cursor.at : position]))
        cursor.at = position
        return True

    def _begin_of_document(self, cursor: "_Cursor") -> re.Match[bytes] | None:
        position = cursor.at
        while (found := cursor.search(_BEGIN, position)) is not None and found.group() in _ENDS:
            position = self._end_of_hidden(cursor, found.group(), found.end())
        return found

    def _foreign(self, text: bytes) -> str:
        shown = text[:60].decode(errors="replace")
        if self.documents:
            return (
                f"{self.path}: after </LesHouchesEvents> of document {len(self.documents)} comes text that is no LHE "
                f"document: {shown!r}. Remove it, or mend its beginning <LesHouchesEvents>"
            )
        hint = ": choose the format `hepmc`" if text.startswith(b"HepMC::") else ""
        return (
            f"{self.path} is no Les Houches event file: expected <LesHouchesEvents version=...> at its beginning, got "
            f"{shown!r}{hint}"
        )

    def _end_of_preamble(self, cursor: "_Cursor", position: int) -> int:
        """Return where the first event, or the end of a document without events, begins."""
        in_header, init_end = False, -1
        while (found := cursor.search(_BEFORE, position)) is not None:
            tag, position = found.group(), found.end()
            if tag in _ENDS:
                position = self._end_of_hidden(cursor, tag, position)
            elif tag.startswith(b"<header"):
                in_header = True
            elif tag.startswith(b"</header"):
                in_header = False
            elif tag == b"<LesHouchesEvents":
                raise EventFileError(self._cut("before another document begins"))
            elif in_header:
                continue
            elif tag.startswith((b"<init", b"</init")):
                init_end = found.end() if tag.startswith(b"</") else init_end
            elif init_end >= 0:
                self._check_gap(cursor.data[init_end : found.start()])
                return found.start()
            else:
                raise EventFileError(f"{self.path} has no valid <init> block (<init> ... </init>) before its events")
        raise EventFileError(self._cut("within its header" if in_header else "before the first event"))

    def _end_of_hidden(self, cursor: "_Cursor", tag: bytes, position: int) -> int:
        end = cursor.find(_ENDS[tag], position)
        if end < 0:
            raise EventFileError(self._cut(f"within a {'comment' if tag == b'<!--' else 'CDATA section'}"))
        return end + len(_ENDS[tag])

    def _events_of_document(self, cursor: "_Cursor") -> Iterator[bytes]:
        document = self.documents[-1]
        while True:
            found = self._next_tag(cursor)
            tag = found.group()
            if tag.startswith(b"</"):
                cursor.at = found.end()
                return
            if tag == b"<LesHouchesEvents":
                raise EventFileError(self._cut("before another document begins"))
            if tag == b"<eventgroup":
                raise EventFileError(
                    f"{self.path} has groups of events (<eventgroup>): real emissions and their counter-events, which "
                    "mean something only together. Shower them first, and import the HepMC events"
                )
            cursor.at = found.start()
            yield self._event(cursor)
            document.count += 1

    def _next_tag(self, cursor: "_Cursor") -> re.Match[bytes]:
        """Return the next tag outside of comments; what is before it must be empty, comment, or a whole element."""
        cursor.forget()
        position = cursor.at
        while (found := cursor.search(_BETWEEN, position)) is not None:
            if found.group() not in _ENDS:
                gap = cursor.data[cursor.at : found.start()]
                self._check_gap(gap)
                return found
            position = self._end_of_hidden(cursor, found.group(), found.end())
        raise EventFileError(self._cut(self._after()))

    def _check_gap(self, gap: bytes) -> None:
        """Check that text outside of the events is space, comments and whole elements, but no lost event."""
        if gap and not gap.isspace() and (rest := _ELEMENT.sub(b"", _AROUND.sub(b" ", gap)).strip()):
            raise EventFileError(
                f"{self.path}: {self._after()} comes text that belongs to no event: "
                f"{rest[:60].decode(errors='replace')!r}. A tag <event> or </event> may be damaged: mend it"
            )

    def _after(self) -> str:
        return f"after event {self.count - 1} (the first is 0)" if self.count else "before the first event"

    def _event(self, cursor: "_Cursor") -> bytes:
        """Return the text of the event that begins at the cursor, and go behind it."""
        end = cursor.find(b"</event", cursor.at)
        text = cursor.data[cursor.at : end]
        if end >= 0 and b"<!" in text:
            end = self._end_outside_comments(cursor)
            text = without_comments(cursor.data[cursor.at : end])
        begun = text.find(b"<event", 6) >= 0
        if end < 0 or begun:
            where = f"event {self.count} (the first is 0)"
            if begun:
                raise EventFileError(f"{self.path}: {where} has no end </event> before the next one begins")
            raise EventFileError(self._cut(f"within {where}"))
        behind = cursor.find(b">", end)
        if behind < 0:
            raise EventFileError(self._cut(f"within event {self.count} (the first is 0)"))
        cursor.at = behind + 1
        return text.partition(b">")[2]

    def _end_outside_comments(self, cursor: "_Cursor") -> int:
        position, end = cursor.at, cursor.find(b"</event", cursor.at)
        while end >= 0:
            hidden = _HIDDEN_BEGIN.search(cursor.data, position, end)
            if hidden is None:
                return end
            position = self._end_of_hidden(cursor, hidden.group(), hidden.end())
            end = cursor.find(b"</event", position)
        return end

    def _cut(self, where: str) -> str:
        return f"{self.path} is truncated: it ends {where}, without </LesHouchesEvents>. {_MENDING}"


def without_comments(text: bytes) -> bytes:
    """Return text without the comments ``<!-- -->`` and CDATA sections of XML."""
    return _HIDDEN.sub(b" ", text)


class _Cursor:
    """A part of the text in memory, from `at` on what is still to be read; grows as far as a search needs."""

    def __init__(self, path: Path, stream: io.BufferedIOBase) -> None:
        self.data = b""
        self.at = 0
        self._blocks = _blocks(path, stream)

    def find(self, text: bytes, position: int) -> int:
        """Return where `text` is at or after `position`, −1 if the file ends before."""
        while (found := self.data.find(text, position)) < 0:
            position = max(position, len(self.data) - len(text) + 1)
            if not self._grow():
                return -1
        return found

    def search(self, pattern: re.Pattern[bytes], position: int) -> re.Match[bytes] | None:
        """Return the first match at or after `position`; None if the file ends before."""
        while True:
            found = pattern.search(self.data, position)
            # A tag is known by the byte behind it, which must be in memory, too.
            if found is not None and found.end() < len(self.data):
                return found
            position = max(position, len(self.data) - _LONGEST_TAG)
            if not self._grow():
                return pattern.search(self.data, position)

    def forget(self) -> None:
        """Forget what is before the cursor once it is much; positions from before are void then."""
        if self.at > _BLOCK:
            self.data, self.at = self.data[self.at :], 0

    def _grow(self) -> bool:
        block = next(filter(None, self._blocks), b"")
        self.data += block
        return bool(block)


def _blocks(path: Path, stream: io.BufferedIOBase) -> Iterator[bytes]:
    """Yield the file as UTF-8 if its first bytes say that it is in another Unicode encoding, else as it is."""
    block = stream.read(_BLOCK)
    encoding = next((name for mark, name in _ENCODINGS if block.startswith(mark)), None)
    if encoding is None and block[:4].count(0) >= 2:
        encoding = "utf-16-le" if block[1:2] == b"\0" else "utf-16-be"
    if encoding in (None, "utf-8-sig"):
        yield block.removeprefix(codecs.BOM_UTF8)
        while block := stream.read(_BLOCK):
            yield block
        return
    decoder = codecs.getincrementaldecoder(str(encoding))()
    try:
        while block:
            yield decoder.decode(block).encode()
            block = stream.read(_BLOCK)
        yield decoder.decode(b"", final=True).encode()
    except UnicodeError as error:
        raise EventFileError(f"{path} begins as text in {encoding} but cannot be read as such: {error}") from error

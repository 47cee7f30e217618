"""HepMC text without its weights, for the library that builds the events; the weights are read here.

`pyhepmc` takes names of weights apart at blanks, which generators put into them, and stops at weights that are NaN.
Neither is a fault of the event.
"""

import io
import re
from collections import deque

__all__ = ["WeightlessText"]

_BLOCK = 1 << 20
_LINES = re.compile(rb"^(?:HepMC::|E |W |N )[^\n]*\n?", re.MULTILINE)


class WeightlessText(io.RawIOBase):
    """A stream of HepMC text from which the lines and numbers of weights are taken out as it is read.

    Attributes:
        weights: those of the events that were passed on, in their order; empty for events without.
    """

    def __init__(self, stream: io.BufferedIOBase) -> None:
        """Read from `stream`, in which `scan_hepmc` found nothing wrong."""
        super().__init__()
        self.weights: deque[list[float]] = deque()
        self._stream = stream
        self._rest = b""
        self._ready = memoryview(b"")
        self._in_header = True

    def readable(self) -> bool:
        """Return that the stream can be read."""
        return True

    def readinto(self, buffer: object) -> int:
        """Fill `buffer` with text; return how many bytes, 0 at the end."""
        target = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        while not self._ready:
            block = self._stream.read(_BLOCK)
            text = self._rest + block
            whole = text.rfind(b"\n") + 1 if block else len(text)
            self._rest = text[whole:]
            if not block and not text:
                return 0
            self._ready = memoryview(_LINES.sub(self._without_weights, text[:whole]))
        count = min(len(target), len(self._ready))
        target[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count

    def _without_weights(self, found: re.Match[bytes]) -> bytes:
        line = found[0]
        if line.startswith(b"HepMC"):
            self._in_header = True
        elif line.startswith(b"E "):
            self._in_header = False
            return self._event(line)
        elif line.startswith(b"W "):
            if not self._in_header:
                self.weights[-1] = [float(word) for word in line.split()[1:]]
            return b""
        elif line.startswith(b"N "):
            return b""
        return line

    def _event(self, line: bytes) -> bytes:
        """Version 2 lists random numbers and then the weights in the first line of an event."""
        fields = line.split()
        self.weights.append([])
        if len(fields) <= 11:
            return line
        position = 12 + int(fields[11])
        self.weights[-1] = [float(word) for word in fields[position + 1 :]]
        return b" ".join([*fields[:position], b"0\n"])

"""Progress on the terminal: a bar with rate and time left, or a line now and then where there is no terminal."""

import sys
import time
from typing import Protocol, runtime_checkable

from tqdm import tqdm

__all__ = ["TerminalProgress"]

SECONDS_BETWEEN_LINES = 15.0


@runtime_checkable
class TextStream(Protocol):
    """Where progress is written: a terminal, a file, a log."""

    def write(self, text: str, /) -> int:
        """Write `text`."""

    def flush(self) -> None:
        """Write out what is held back."""

    def isatty(self) -> bool:
        """Whether it is a terminal."""


class TerminalProgress:
    """The `partonic.progress.Progress` of the command line, on stderr."""

    def __init__(self, stream: TextStream | None = None) -> None:
        self._stream: TextStream = stream or sys.stderr
        self._bar: tqdm | None = None
        self._told = 0.0

    def start(self, description: str, total: int | None, unit: str, done: int = 0) -> None:
        """Begin a task of `total` units of which `done` are there already."""
        self.finish()
        terminal = self._stream.isatty()
        self._bar = tqdm(
            desc=description, total=total, unit=f" {unit}", initial=done, file=self._stream if terminal else _Nowhere(),
            dynamic_ncols=terminal, mininterval=0.2, smoothing=0.1,
        )  # fmt: skip
        self._told = time.monotonic()

    def advance(self, amount: int = 1, **figures: float | str) -> None:
        """Report `amount` more units done, with figures to show beside the bar."""
        if self._bar is None:
            return
        if figures:
            self._bar.set_postfix(figures, refresh=False)
        self._bar.update(amount)
        if not self._stream.isatty() and time.monotonic() - self._told > SECONDS_BETWEEN_LINES:
            self._tell()

    def finish(self) -> None:
        """End the task."""
        if self._bar is None:
            return
        if not self._stream.isatty():
            self._tell()
        self._bar.close()
        self._bar = None

    def _tell(self) -> None:
        self._told = time.monotonic()
        self._stream.write(f"{self._bar}\n")
        self._stream.flush()


class _Nowhere:
    """Where the bar itself is drawn when there is no terminal."""

    def write(self, text: str) -> int:
        """Take the text and show nothing."""
        return len(text)

    def flush(self) -> None:
        """Do nothing."""

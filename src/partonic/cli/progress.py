"""Progress on stderr: a bar with rate, time left and memory, or lines of a log where there is no terminal."""

import math
import sys
import time
from datetime import datetime
from typing import Protocol, runtime_checkable

from tqdm import tqdm

from partonic.cli.memory import MemoryWatch
from partonic.progress import duration_text

__all__ = ["TerminalProgress"]

SECONDS_BETWEEN_LINES = 15.0
"""A log gets no line sooner than this after the last one, but for those of beginning and end."""


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
    """The `partonic.progress.Progress` of the command line, on stderr.

    Figures that are NaN or infinite are counted, so that a single one among many steps is seen.
    """

    def __init__(self, stream: TextStream | None = None) -> None:
        self._stream: TextStream = stream or sys.stderr
        self._shown: _Bar | _Log | None = None
        self._not_finite = 0

    def start(self, description: str, total: int | None, unit: str, done: int = 0) -> None:
        """Begin a task of `total` units of which `done` are there already."""
        self.finish()
        self._not_finite = 0
        kind = _Bar if self._stream.isatty() else _Log
        self._shown = kind(self._stream, description, total, unit, done)

    def advance(self, amount: int = 1, **figures: float | str) -> None:
        """Report `amount` more units done, with figures to show beside."""
        if self._shown is None:
            return
        self._not_finite += sum(not math.isfinite(each) for each in figures.values() if not isinstance(each, str))
        count: dict[str, float | str] = {"not_finite": self._not_finite} if self._not_finite else {}
        self._shown.advance(amount, figures | count)

    def finish(self) -> None:
        """End the task."""
        if self._shown is not None:
            self._shown.finish()
            self._shown = None


class _Bar:
    """A bar on a terminal."""

    def __init__(self, stream: TextStream, description: str, total: int | None, unit: str, done: int) -> None:
        self._memory = MemoryWatch()
        self._bar = tqdm(
            desc=description, total=total, unit=f" {unit}", initial=done, file=stream, dynamic_ncols=True,
            mininterval=0.2, smoothing=0.1,
        )  # fmt: skip

    def advance(self, amount: int, figures: dict[str, float | str]) -> None:
        self._bar.set_postfix(figures | {"memory": self._memory.text()}, refresh=False)
        self._bar.update(amount)

    def finish(self) -> None:
        self._bar.close()


class _Log:
    """Lines with a time, for files and batch systems."""

    def __init__(self, stream: TextStream, description: str, total: int | None, unit: str, done: int) -> None:
        self._stream, self._description, self._total, self._unit = stream, description, total, unit
        self._done = self._done_before = done
        self._figures: dict[str, float | str] = {}
        self._memory = MemoryWatch()
        self._began = time.monotonic()
        there = f", {done:,} of them there already" if done else ""
        self._write(f"begins, {_amount(total, unit)}{there}" if total is not None or done else "begins")

    def advance(self, amount: int, figures: dict[str, float | str]) -> None:
        self._done += amount
        self._figures = figures
        if time.monotonic() - self._told > SECONDS_BETWEEN_LINES:
            self._write(self._now())

    def finish(self) -> None:
        whole = self._total is None or self._done >= self._total
        reached = f"{self._done:,} {self._unit}" if whole else f"{self._done:,} of {_amount(self._total, self._unit)}"
        figures = "".join(f", {text}" for text in self._figure_texts())
        self._write(
            f"ends, {reached} after {duration_text(time.monotonic() - self._began)}{figures}, {self._memory.text()}"
        )

    def _now(self) -> str:
        share = f" ({self._done / self._total:.0%})" if self._total else ""
        of_total = f" of {self._total:,}" if self._total is not None else ""
        parts = [f"{self._done:,}{of_total} {self._unit}{share}"]
        rate = (self._done - self._done_before) / max(time.monotonic() - self._began, 1e-9)
        if rate > 0:
            parts.append(f"{rate:.3g} {self._unit}/s")
            if self._total is not None:
                parts.append(f"{duration_text(max(self._total - self._done, 0) / rate)} left")
        return ", ".join([*parts, *self._figure_texts(), self._memory.text()])

    def _figure_texts(self) -> list[str]:
        return [
            f"{name}={value:.4g}" if isinstance(value, float) else f"{name}={value}"
            for name, value in self._figures.items()
        ]

    def _write(self, text: str) -> None:
        self._told = time.monotonic()
        self._stream.write(f"{datetime.now().astimezone():%Y-%m-%d %H:%M:%S} {self._description}: {text}\n")
        self._stream.flush()


def _amount(total: int | None, unit: str) -> str:
    return f"{total:,} {unit}" if total is not None else unit

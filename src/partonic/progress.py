"""How long computations tell how far they are, without the library printing anything itself."""

from typing import Protocol, runtime_checkable

__all__ = ["SILENT", "Progress", "SilentProgress", "duration_text"]


@runtime_checkable
class Progress(Protocol):
    """What a long computation reports to. The command line passes one that draws a bar with rate and time left."""

    def start(self, description: str, total: int | None, unit: str, done: int = 0) -> None:
        """Begin a task of `total` units (None: unknown); `done` units were done by an earlier, interrupted run."""

    def advance(self, amount: int = 1, **figures: float | str) -> None:
        """Report `amount` more units done, with figures worth showing beside the bar (e.g. ``loss=0.3``)."""

    def finish(self) -> None:
        """End the task."""


class SilentProgress:
    """A progress that shows nothing: the default of the library."""

    def start(self, description: str, total: int | None, unit: str, done: int = 0) -> None:
        """Ignore the start of a task."""

    def advance(self, amount: int = 1, **figures: float | str) -> None:
        """Ignore an advance."""

    def finish(self) -> None:
        """Ignore the end of a task."""


SILENT: Progress = SilentProgress()


def duration_text(seconds: float) -> str:
    """Return a duration as people say it, e.g. ``"0.4 s"``, ``"13 s"``, ``"4 min 10 s"`` or ``"2 h 5 min"``."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"

"""How a command ends when it is stopped by Ctrl-C or by SIGTERM: it says what is kept, and how to go on."""

import contextlib
import os
import shlex
import signal
import threading
from collections.abc import Iterator, Sequence
from types import FrameType

__all__ = ["Stop", "how_to_go_on", "stop_signals"]


class Stop:
    """Which signal has stopped the command.

    Attributes:
        signal: SIGINT until another one came.
    """

    def __init__(self) -> None:
        self.signal = signal.SIGINT

    @property
    def exit_status(self) -> int:
        """Exit status as shells have it, 128 and the number of the signal: 130 after Ctrl-C, 143 after SIGTERM."""
        return 128 + int(self.signal)


@contextlib.contextmanager
def stop_signals() -> Iterator[Stop]:
    """While the block runs, SIGTERM raises `KeyboardInterrupt` as Ctrl-C does; gives what will know the signal.

    A process that is forked meanwhile ends by SIGTERM as it would without us. Outside of the main thread, where
    signals cannot be caught, nothing is changed.
    """
    stop, owner = Stop(), os.getpid()

    def terminate(number: int, _: FrameType | None) -> None:
        if os.getpid() != owner:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
            return
        stop.signal = signal.Signals(number)
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = signal.signal(signal.SIGTERM, terminate)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGTERM, before)


def how_to_go_on(arguments: Sequence[str]) -> str:
    """Return the command that goes on where one with these arguments was stopped."""
    again = [each for each in arguments if each != "--force"]
    hint = " (without --force, which would begin anew)" if len(again) < len(arguments) else ""
    return f"to go on: {shlex.join(['partonic', *again])}{hint}"

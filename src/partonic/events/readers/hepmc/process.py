"""Reading HepMC files in a child process: whatever becomes of it, here it is an error that names file and event."""

import contextlib
import importlib.util
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import IO

import pyarrow as pa

from partonic.errors import DependencyError, EventFileError
from partonic.events.readers.hepmc.child import PROGRESS

__all__ = ["record_batches"]

_CHILD = "partonic.events.readers.hepmc.child"
_MESSAGES = 2_000
"""Bytes at the end of what the library printed that are looked at for a reason."""


def record_batches(path: Path, kind: str) -> Iterator[pa.RecordBatch]:
    """Yield the events of a file, as `child.SCHEMA` has them, some dozens at a time.

    Args:
        path: the file.
        kind: ``"hepmc3"`` or ``"hepmc2"``.

    Raises:
        EventFileError: if an event cannot be read, or the library crashes.
        DependencyError: if the library is not installed.
    """
    if importlib.util.find_spec("pyhepmc") is None:
        message = "HepMC files are read with pyhepmc, which is not installed: pip install 'partonic[readers]'"
        raise DependencyError(message)
    with tempfile.TemporaryFile() as progress, tempfile.TemporaryFile() as messages:
        command = [sys.executable, "-P", "-m", _CHILD, str(path), kind, str(progress.fileno())]
        with subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=messages,
            pass_fds=(progress.fileno(),), env=_environment(),
        ) as child:  # fmt: skip
            try:
                whole = yield from _batches(child)
                code = child.wait()
            finally:
                child.kill()
        if code != 0 or not whole:
            raise EventFileError(f"{_place(path, progress)}: {_end(code, messages)}")


def _batches(child: "subprocess.Popen[bytes]") -> Generator[pa.RecordBatch, None, bool]:
    """Yield what the child sends; return whether the stream came to its end."""
    with contextlib.suppress(pa.ArrowInvalid, OSError), pa.ipc.open_stream(child.stdout) as stream:
        yield from stream
        return True
    return False


def _environment() -> dict[str, str]:
    """Return the environment of the child, in which it finds this very package."""
    package = Path(__file__).resolve().parents[3]
    places = [str(package.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(places)}


def _place(path: Path, progress: IO[bytes]) -> str:
    found = os.pread(progress.fileno(), PROGRESS.size, 0)
    if len(found) < PROGRESS.size:
        return f"{path}: before the first event"
    return f"{path}: event {PROGRESS.unpack(found)[0]} (the first is 0)"


def _end(code: int, messages: IO[bytes]) -> str:
    messages.seek(0, os.SEEK_END)
    messages.seek(max(0, messages.tell() - _MESSAGES))
    printed = messages.read().decode(errors="replace").strip().splitlines()
    said = f"; it printed: {printed[-1].strip()[:200]}" if printed else ""
    if code >= 0:
        return f"the process that reads HepMC files ended with the code {code}{said}"
    with contextlib.suppress(ValueError):
        name = signal.Signals(-code).name
        remedy = "The event may be damaged: remove it, or make the file again"
        if -code == signal.SIGKILL:
            remedy = "Something stopped it, perhaps the system because memory ran out"
        return f"the HepMC library crashed at it ({name}){said}. {remedy}"
    return f"the HepMC library was stopped by signal {-code}{said}"

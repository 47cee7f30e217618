"""Opening a user's shared library: only with consent, and with errors that say what is wrong with it."""

import ctypes
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from partonic.errors import ProcessError

__all__ = ["first_symbol", "open_library"]


def open_library(path: Path, trust_library: bool) -> ctypes.CDLL:
    """Load a shared library.

    Args:
        path: the file.
        trust_library: consent to run its code: loading it already does.

    Raises:
        ProcessError: if consent is missing, or the file is missing or cannot be loaded on this machine.
    """
    if not path.is_file():
        raise ProcessError(f"shared library not found: {path}")
    if not trust_library:
        raise ProcessError(
            f"{path} is machine code that runs with your rights as soon as it is loaded. Make sure where it comes "
            "from, then consent with trust_library=True"
        )
    try:
        return ctypes.CDLL(str(path.resolve()))
    except OSError as error:
        raise ProcessError(
            f"cannot load {path}: {error}. It must be a shared library (.so) built for {platform.system()} "
            f"{platform.machine()}, with all libraries that it needs in reach"
        ) from error


def first_symbol(library: ctypes.CDLL, path: Path, names: Sequence[str]) -> Any:
    """Return the first of the functions `names` that the library has, as a ctypes function.

    Raises:
        ProcessError: if it has none of them; the message lists what was looked for.
    """
    for name in names:
        if hasattr(library, name):
            return getattr(library, name)
    raise ProcessError(f"{path} has none of the symbols {', '.join(names)} that a matrix element library must have")

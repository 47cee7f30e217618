"""Output files that are either whole or absent.

A result is written beside its destination under a temporary name and renamed into place at the end, so that a
kill at any moment, a full disk or a read-only folder never leaves a half-written file under the final name.
"""

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from partonic.errors import OutputError

__all__ = ["atomic_output", "output_folder", "write_json", "write_text"]


@contextlib.contextmanager
def atomic_output(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; rename it to `path` when the block ends well, else remove it.

    Args:
        path: final path of the file. Its folder is created if it is missing.

    Raises:
        OutputError: if the file cannot be written (disk full, read-only place, quota, ...).
    """
    output_folder(path.parent)
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".partial", dir=path.parent)
    except OSError as error:
        raise OutputError(_reason(path, error)) from error
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)
        os.replace(temporary, path)
    except OSError as error:
        raise OutputError(_reason(path, error)) from error
    finally:
        temporary.unlink(missing_ok=True)


def output_folder(path: Path) -> Path:
    """Create the folder `path` (with parents) and return it.

    Raises:
        OutputError: if it cannot be created.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(_reason(path, error)) from error
    return path


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` atomically, in UTF-8.

    Raises:
        OutputError: if the file cannot be written.
    """
    with atomic_output(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, content: Mapping[str, object]) -> None:
    """Write `content` to `path` atomically as JSON. NaN and infinities are refused (`ValueError`).

    Raises:
        OutputError: if the file cannot be written.
    """
    write_text(path, json.dumps(content, indent=2, allow_nan=False) + "\n")


def _reason(path: Path, error: OSError) -> str:
    return (
        f"cannot write {path}: {error.strerror or error}. Nothing was left half-written; "
        "free space or choose another place with the key `output` (or --output), then run again"
    )

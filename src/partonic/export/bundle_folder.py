"""A folder of files with their checksums, written whole or not at all.

``SHA256SUMS`` has one line a file, as the program ``sha256sum -c`` reads it.
"""

import contextlib
import json
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from partonic.errors import OutputError
from partonic.files import output_folder
from partonic.provenance import file_digest

__all__ = ["CHECKSUMS", "check_place", "write_bundle"]

CHECKSUMS = "SHA256SUMS"


def write_bundle(folder: Path, files: Mapping[str, Callable[[Path], None]], is_bundle: Callable[[Path], bool]) -> None:
    """Write files and their checksums into a folder; a bundle that was there before is replaced as a whole.

    Args:
        folder: of the bundle.
        files: what writes each file, by its name.
        is_bundle: whether a folder that exists holds a bundle of this kind.

    Raises:
        OutputError: if there is something else in the folder, or it cannot be written.
    """
    check_place(folder, is_bundle)
    output_folder(folder.parent)
    try:
        temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".partial", dir=folder.parent))
    except OSError as error:
        raise OutputError(_reason(folder, error)) from error
    try:
        for name, write in files.items():
            write(temporary / name)
        sums = "".join(f"{file_digest(temporary / name)}  {name}\n" for name in files)
        (temporary / CHECKSUMS).write_text(sums, encoding="utf-8")
        temporary.chmod(0o755)
        _put_in_place(temporary, folder)
    except OSError as error:
        raise OutputError(_reason(folder, error)) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def check_place(folder: Path, is_bundle: Callable[[Path], bool]) -> None:
    """Check that a folder is free, or holds a bundle that may be replaced.

    Raises:
        OutputError: if it is a file, or holds something else.
    """
    if folder.is_dir():
        if any(folder.iterdir()) and not is_bundle(folder):
            raise OutputError(
                f"{folder} holds files that are no such bundle, and nothing is written over them: give a new folder, "
                "or empty this one"
            )
    elif folder.exists():
        raise OutputError(f"{folder} is a file: give the folder that the bundle is to be written to (--output)")


def states(path: Path, key: str, value: str) -> bool:
    """Whether a JSON file has `value` under `key`."""
    with contextlib.suppress(OSError, ValueError):
        content = json.loads(path.read_text(encoding="utf-8"))
        return isinstance(content, dict) and content.get(key) == value
    return False


def _put_in_place(temporary: Path, folder: Path) -> None:
    """Rename the finished folder into place; the old one goes only when the new one stands."""
    if not folder.exists():
        temporary.rename(folder)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".old", dir=folder.parent))
    folder.rename(old / folder.name)
    try:
        temporary.rename(folder)
    except OSError:
        (old / folder.name).rename(folder)
        raise
    finally:
        shutil.rmtree(old, ignore_errors=True)


def _reason(folder: Path, error: OSError) -> str:
    return (
        f"cannot write the bundle {folder}: {error.strerror or error}. Nothing was left half-written; free space or "
        "choose another folder (--output), then run again"
    )

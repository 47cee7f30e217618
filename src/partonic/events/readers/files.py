"""The files of a sample: paths, patterns, folders and addresses of the section `import`.

One rule holds for every path of an analysis file: it is relative to the folder where the command is run; ``~`` and
``$VARIABLES`` mean what they mean in a shell.
"""

import glob
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from partonic.config.importing import ImportConfig
from partonic.config.paths import expanded
from partonic.errors import EventFileError
from partonic.provenance import file_digest

__all__ = ["EventFile", "is_address", "sample_files", "short_name"]

EventFile = Path | str
"""A file here, or the address of one elsewhere (``root://...``)."""

_ADDRESS = re.compile(r"^[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_PATTERN = re.compile(r"[*?\[]")
_PACKED = ("", ".gz", ".xz", ".zst", ".bz2")
_ENDINGS = {
    "lhe": tuple(f".lhe{packed}" for packed in _PACKED),
    "nanoaod": (".root",),
    "delphes": (".root",),
    "hepmc": tuple(f"{name}{packed}" for name in (".hepmc", ".hepmc2", ".hepmc3") for packed in _PACKED),
}
"""Endings of the files that are taken from a folder."""


def is_address(text: str) -> bool:
    """Return whether `text` is an address of another machine, such as ``root://host//file.root``."""
    return _ADDRESS.match(text) is not None


def short_name(file: EventFile) -> str:
    """Return the last part of a path or address."""
    return Path(str(file)).name


def sample_files(config: ImportConfig) -> tuple[EventFile, ...]:
    """Return the files of the sample, in order: those of a pattern or a folder sorted by name.

    Args:
        config: the section `import`.

    Raises:
        EventFileError: if a file is missing or unreadable, a pattern or a folder gives no file, a variable is not set,
            an address is given for a text format, or a file is there twice while `duplicates` is ``error``.
    """
    found = [file for text in config.files for file in _expanded(text, config.format)]
    return tuple(_each_once(found, config))


def _expanded(text: str, kind: str) -> Sequence[EventFile]:
    if is_address(text):
        if kind not in ("nanoaod", "delphes"):
            raise EventFileError(
                f"import.files: {text}: only ROOT files are read from another machine; copy this one here first"
            )
        return (text,)
    try:
        local = expanded(text)
    except ValueError as error:
        raise EventFileError(f"import.files: {text}: {error}") from error
    if not local.strip():
        raise EventFileError(f"import.files: '{text}' is an empty path; '.' is the folder where the command is run")
    path = Path(local)
    try:
        if path.is_dir():
            return _of_folder(path, kind)
        if path.is_file() or not _PATTERN.search(local):
            return (_readable(path),)
    except OSError as error:  # a name that is too long, a folder that may not be entered
        raise EventFileError(f"cannot read {text[:200]} (import.files): {error.strerror or error}") from error
    matches = sorted(Path(name) for name in glob.glob(local, recursive=True))
    files = [_readable(match) for match in matches if not match.is_dir()]
    if not files:
        raise EventFileError(f"import.files: no file matches the pattern {text} (relative paths begin in {Path.cwd()})")
    return files


def _of_folder(folder: Path, kind: str) -> Sequence[Path]:
    inside = sorted(folder.iterdir())
    files = [path for path in inside if path.name.lower().endswith(_ENDINGS[kind]) and not path.is_dir()]
    if not files:
        raise EventFileError(
            f"import.files: the folder {folder} has no file that ends with {', '.join(_ENDINGS[kind])}; name the "
            "files, or give a pattern"
        )
    return [_readable(file) for file in files]


def _readable(path: Path) -> Path:
    if path.is_symlink() and not path.exists():
        raise EventFileError(f"event file {path} is a link to {os.readlink(path)}, which is not there (import.files)")
    if not path.exists():
        where = "" if path.is_absolute() else f"; relative paths begin in {Path.cwd()}"
        raise EventFileError(f"event file {path} not found (import.files{where})")
    if not path.is_file():
        raise EventFileError(
            f"{path} is no regular file but a pipe or device (import.files), and events are read more than once: write "
            "them into a file first"
        )
    if not os.access(path, os.R_OK):
        raise EventFileError(f"event file {path} cannot be read: permission denied (import.files)")
    return path


def _each_once(files: Sequence[EventFile], config: ImportConfig) -> Iterator[EventFile]:
    """Yield each file once; whether two are the same is decided by what they hold."""
    seen: dict[str, EventFile] = {}
    same_size = _sizes_given_twice(files)
    for file in files:
        key = _key(file, read=isinstance(file, Path) and file.stat().st_size in same_size)
        first = seen.get(key)
        seen.setdefault(key, file)
        if first is not None and config.duplicates == "error":
            again = "it is listed twice" if str(first) == str(file) else f"it holds the same as {first}"
            raise EventFileError(
                f"import.files: {file}: {again}, and its events would count twice. Take one of them out, or set "
                "import.duplicates to drop"
            )
        if first is None or config.duplicates == "keep":
            yield file


def _sizes_given_twice(files: Sequence[EventFile]) -> set[int]:
    sizes = Counter(file.stat().st_size for file in files if isinstance(file, Path))
    return {size for size, number in sizes.items() if number > 1}


def _key(file: EventFile, *, read: bool) -> str:
    if not isinstance(file, Path):
        return file
    return file_digest(file) if read else str(file.resolve())

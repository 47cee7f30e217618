"""Opening event files that are text, compressed or not; what a file is, its first bytes say and not its name."""

import bz2
import contextlib
import gzip
import importlib
import io
import lzma
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from partonic.errors import EventFileError

__all__ = ["opened_bytes", "reading"]

_ZSTD_PLACES = ("compression.zstd", "backports.zstd")
"""Python has Zstandard from 3.14 on; before, the same as a package."""

_MENDING = "Copy it again, or make the events again"

_REFUSED = {
    b"PK\x03\x04": "a zip archive: unpack it first",
    b"\x1f\x9d": "compressed with `compress`: unpack it first",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive: unpack it first",
    b"LZIP": "compressed with lzip: unpack it first",
    b"\x04\x22\x4d\x18": "compressed with lz4: unpack it first",
    b"root": "a ROOT file, not text: convert it to text, or choose the format `nanoaod` or `delphes`",
    b"hmpb": "a protobuf container of HepMC3, not text: convert it to HepMC3 text",
    b"PAR1": "a Parquet file, not text",
    b"%PDF": "a PDF document",
}
"""What other files begin with, and what to do with them."""


@contextlib.contextmanager
def reading(path: Path, place: Callable[[], str] = lambda: "") -> Iterator[None]:
    """Turn what goes wrong while a file is read into an error that names it.

    Args:
        path: the file.
        place: tells how far it was read, e.g. ``" after 12 events"``.

    Raises:
        EventFileError: if the file cannot be read, or its compressed data end too early or are damaged.
    """
    try:
        yield
    except (EOFError, zlib.error, lzma.LZMAError, _zstd_error()) as error:
        raise EventFileError(f"{path} is truncated or damaged{place()}: {error}. {_MENDING}") from error
    except OSError as error:
        if error.errno is None:  # gzip and bz2 report damaged data in this way
            raise EventFileError(f"{path} is truncated or damaged{place()}: {error}. {_MENDING}") from error
        raise EventFileError(f"cannot read the event file {path}: {error.strerror or error}") from error


def opened_bytes(path: Path) -> io.BufferedIOBase:
    """Open a file that is plain text or compressed with gzip, bzip2, xz or Zstandard, in one member or several.

    Raises:
        EventFileError: if it is empty, an archive, compressed in another way, or no text at all.
        OSError: if it cannot be opened.
    """
    with path.open("rb") as raw:
        first = raw.read(600)
    if not first:
        raise EventFileError(f"{path} is empty (0 bytes). {_MENDING}")
    stream = _stream(path, first)
    try:
        with reading(path):
            _check_content(path, first if stream is None else stream.read(600))
    except BaseException:
        if stream is not None:
            stream.close()
        raise
    if stream is None:
        return path.open("rb")
    stream.seek(0)
    return stream


def _stream(path: Path, first: bytes) -> io.BufferedIOBase | None:
    """Return a stream of what a compressed file holds; None if it is not compressed."""
    if first.startswith(b"\x1f\x8b"):
        return gzip.GzipFile(path, "rb")
    if first.startswith(b"\xfd7zXZ\x00"):
        return lzma.LZMAFile(path, "rb")
    if first.startswith(b"BZh"):
        return bz2.BZ2File(path, "rb")
    if first.startswith(b"\x28\xb5\x2f\xfd") or (len(first) > 4 and first[1:4] == b"\x2a\x4d\x18"):
        return _zstd(path)
    return None


def _zstd_module() -> Any:
    for place in _ZSTD_PLACES:
        with contextlib.suppress(ImportError):
            return importlib.import_module(place)
    return None


def _zstd_error() -> type[Exception]:
    module = _zstd_module()
    error: type[Exception] = EOFError if module is None else module.ZstdError
    return error


def _zstd(path: Path) -> io.BufferedIOBase:
    module = _zstd_module()
    if module is None:
        raise EventFileError(
            f"{path} is compressed with Zstandard, which this Python cannot read: install the package backports.zstd, "
            "or unpack the file first"
        )
    stream: io.BufferedIOBase = module.open(path, "rb")
    return stream


def _check_content(path: Path, first: bytes) -> None:
    if not first:
        raise EventFileError(f"{path} holds nothing: 0 bytes once it is decompressed. {_MENDING}")
    for magic, what in _REFUSED.items():
        if first.startswith(magic):
            raise EventFileError(f"{path} is {what}")
    if first[257:262] == b"ustar":
        raise EventFileError(f"{path} is a tar archive: unpack it first")

"""What made an output: package versions, seed and configuration, recorded beside every result."""

import hashlib
import importlib.metadata
import json
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path

__all__ = ["content_hash", "file_digest", "package_versions"]

_RECORDED = (
    "partonic", "numpy", "torch", "pyarrow", "pythia8mc", "fastjet", "madspace", "madnis", "pyamplicol", "ufoamp",
    "awkward", "uproot", "pylhe", "pyhepmc", "dask", "matplotlib",
)  # fmt: skip


def package_versions(names: Sequence[str] = _RECORDED) -> dict[str, str]:
    """Return the versions of Python and of those of the packages that are installed."""
    versions = {"python": platform.python_version()}
    for name in names:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def content_hash(content: Mapping[str, object]) -> str:
    """Return a hash of a JSON-like mapping that does not depend on the order of its keys (64 hex digits)."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, allow_nan=False).encode()).hexdigest()


def file_digest(path: Path) -> str:
    """Return the SHA-256 of the content of a file, 64 hex digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()

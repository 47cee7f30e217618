"""Where sets of parton densities are found: files in the LHAPDF format, flat or in one folder a set.

Looked for is `<name>_<member>.dat`, or `<name>/<name>_<member>.dat`, with `<name>.info` beside it (optional for the
flat files that ship with Pythia 8), in the folder that the user names, else in those of the environment variable
`LHAPDF_DATA_PATH` and in the one that ships with Pythia 8.
"""

import importlib.metadata
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from partonic.errors import PdfError

__all__ = ["PdfSet", "available_sets", "find_set", "pythia_folder", "search_folders"]


@dataclass(frozen=True)
class PdfSet:
    """One member of a set, as found on disk.

    Attributes:
        name: of the set.
        member: 0 is the central one.
        grid: file with the densities.
        info: contents of the `.info` file; empty if there is none.
    """

    name: str
    member: int
    grid: Path
    info: Mapping[str, Any] = field(default_factory=dict)


def pythia_folder() -> Path | None:
    """Return the folder of grids that ships with Pythia 8 (without importing it), or None where there is none."""
    candidates = [Path(sys.prefix) / "share" / "Pythia8" / "pdfdata"]
    if settings := os.environ.get("PYTHIA8DATA"):
        candidates.insert(0, Path(settings).parent / "pdfdata")
    try:
        installed = importlib.metadata.files("pythia8mc") or []
    except importlib.metadata.PackageNotFoundError:
        installed = []
    candidates.extend(Path(str(file.locate())).parent for file in installed if file.parent.name == "pdfdata")
    return next((folder.resolve() for folder in candidates if folder.is_dir()), None)


def search_folders(folder: Path | None = None) -> list[Path]:
    """Return the folders in which sets are looked for, in this order; just `folder` if it is given."""
    if folder is not None:
        return [folder]
    folders = [Path(part) for part in os.environ.get("LHAPDF_DATA_PATH", "").split(os.pathsep) if part]
    shipped = pythia_folder()
    return folders + ([shipped] if shipped is not None else [])


def available_sets(folders: list[Path]) -> list[str]:
    """Return the names of the sets (those with a central member) in some folders, sorted."""
    suffix = "_0000.dat"
    files = [file for folder in folders for pattern in (f"*{suffix}", f"*/*{suffix}") for file in folder.glob(pattern)]
    return sorted({file.name.removesuffix(suffix) for file in files})


def find_set(name: str, folder: Path | None = None, member: int = 0) -> PdfSet:
    """Find one member of a set.

    Args:
        name: of the set, as LHAPDF calls it.
        folder: to look in; default `LHAPDF_DATA_PATH`, then the grids that ship with Pythia 8.
        member: 0 is the central one.

    Raises:
        PdfError: if it is nowhere; the message lists the sets found and the folders looked in.
    """
    folders = search_folders(folder)
    file_name = f"{name}_{member:04d}.dat"
    for place in folders:
        for grid in (place / file_name, place / name / file_name):
            if grid.is_file():
                return PdfSet(name, member, grid, _read_info(grid.parent / f"{name}.info"))
    found = ", ".join(available_sets(folders)) or "none"
    looked = ", ".join(str(place) for place in folders) or "no folder (Pythia 8 is not installed)"
    raise PdfError(
        f"parton densities '{name}', member {member}, not found: no file {file_name} in {looked}. Sets found: {found}. "
        "Name another set, or give its folder (or set LHAPDF_DATA_PATH)"
    )


def _read_info(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise PdfError(f"the description {path} of a PDF set cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise PdfError(f"the description {path} of a PDF set must be a list of 'key: value' lines")
    return content


def coupling_from_name(name: str) -> tuple[float, int] | None:
    """Return α_s(m_Z) and the order of running that the name of a set tells, e.g. 0.130 and 1 for `…_lo_as_0130…`.

    The names of NNPDF sets carry both; None for other names. NLO and NNLO sets are run at second order.
    """
    match = re.search(r"_(n{0,2}lo)[a-z]*_as_(\d{4})(?:_|$)", name)
    return None if match is None else (int(match[2]) / 1000.0, 1 if match[1] == "lo" else 2)

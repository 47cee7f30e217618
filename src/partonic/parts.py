"""The finished parts of a long computation, kept beside its output until all are there.

``<output>.parts/<hash>`` belongs to the run whose result depends on what was hashed; an interrupted run finds its parts
there and makes the missing ones only, and parts of other settings are removed.
"""

import shutil
from pathlib import Path

from partonic.files import output_folder

__all__ = ["parts_folder", "remove_parts"]


def parts_folder(output: Path, digest: str) -> Path:
    """Return the folder of the parts of `output` made with all that `digest` is a hash of, and remove all others.

    Raises:
        OutputError: if it cannot be created.
    """
    above = _above(output)
    folder = output_folder(above / digest[:16])
    for other in above.iterdir():
        if other != folder:
            shutil.rmtree(other, ignore_errors=True)
    for leftover in folder.glob(".*.partial"):
        leftover.unlink(missing_ok=True)
    return folder


def remove_parts(output: Path) -> None:
    """Remove all parts of `output`."""
    shutil.rmtree(_above(output), ignore_errors=True)


def _above(output: Path) -> Path:
    return output.parent / f"{output.name}.parts"

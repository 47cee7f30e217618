"""Data files of the installation: sets of parton densities, and trained models that are whole."""

import json
from pathlib import Path

from partonic.errors import ModelError
from partonic.pretrained import pretrained_folder
from partonic.provenance import file_digest
from partonic.trained.model_folder import RECORD, WEIGHTS

__all__ = ["check_pretrained_models", "pretrained_folders"]


def pretrained_folders(above: Path | None = None) -> tuple[Path, ...]:
    """Return the folders of the trained models that ship with the package.

    Args:
        above: where to look; default the package.
    """
    return tuple(sorted(path.parent for path in (above or pretrained_folder("")).rglob(RECORD)))


def check_pretrained_models(above: Path | None = None) -> tuple[str, ...]:
    """Return the names of the trained models that ship with the package, after comparing their checksums.

    Args:
        above: where to look; default the package.

    Raises:
        ModelError: if there is none, or one is damaged.
    """
    above = above or pretrained_folder("")
    folders = pretrained_folders(above)
    if not folders:
        raise ModelError(f"no trained model in {above}: install partonic anew")
    if damaged := [str(folder) for folder in folders if not _is_whole(folder)]:
        raise ModelError(f"trained models that are damaged: {', '.join(damaged)}; install partonic anew")
    return tuple(str(folder.relative_to(above)) for folder in folders)


def _is_whole(folder: Path) -> bool:
    try:
        expected = json.loads((folder / RECORD).read_text(encoding="utf-8"))["weights_sha256"]
        return bool(file_digest(folder / WEIGHTS) == expected)
    except (OSError, ValueError, KeyError, TypeError):
        return False

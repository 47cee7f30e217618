"""Where the files of a trained model are, and what they hold: found by the name of a model and of a parton view."""

from pathlib import Path
from typing import get_args

from partonic.config.unfolding import View
from partonic.errors import ModelError
from partonic.pretrained import pretrained_folder, pretrained_models, processes_with
from partonic.provenance import content_hash, file_digest

__all__ = [
    "MODEL_FILES",
    "POSTERIOR",
    "PRETRAINED",
    "available_views",
    "find_model",
    "find_sbi_model",
    "model_files",
    "model_fingerprint",
]

PRETRAINED = "pretrained"
"""Name of the models that ship with the package."""

MODEL_FILES = ("model.json", "weights.safetensors")
"""Files of a model folder."""

POSTERIOR = "posterior.safetensors"
"""File of what the weights are uncertain by, of models that were trained with it; its checksum is in the record."""

_VIEWS: tuple[View, ...] = get_args(View)


def find_model(model: str | Path, process: str, view: View | None = None) -> Path:
    """Return the folder of a trained model.

    Args:
        model: `PRETRAINED`, a folder that holds one folder for each view, or the model folder itself.
        process: name of the hard process, for the pretrained models.
        view: which partons; None for those of the model folder, or for the first view that there is.

    Raises:
        ModelError: if there is no such model; the message says what there is.
    """
    folder = _above(model, process)
    if _is_model(folder):
        return folder
    for name in available_views(model, process):
        if view in (name, None):
            return folder / name
    raise ModelError(_not_found(model, folder, view or "any", process))


def find_sbi_model(model: str | Path, process: str) -> Path:
    """Return the folder of a trained model of simulation-based inference.

    Args:
        model: `PRETRAINED`, or the model folder itself.
        process: name of the hard process, for the pretrained model.

    Raises:
        ModelError: if there is no such model; the message says what there is.
    """
    is_pretrained = str(model) == PRETRAINED
    folder = pretrained_folder(process) / "sbi" if is_pretrained else Path(model)
    if _is_model(folder):
        return folder
    if is_pretrained:
        known = ", ".join(processes_with("sbi")) or "no process"
        raise ModelError(
            f"no pretrained model of simulation-based inference of '{process}' ships with partonic (there is one of: "
            f"{known}): leave `model` out, and it is trained on events of this analysis, or name a model folder"
        )
    raise ModelError(
        f"{folder} holds no model of simulation-based inference ({MODEL_FILES[0]}): give '{PRETRAINED}', or a folder "
        "that `partonic train` wrote for a section `sbi`, such as <output>/train_sbi"
    )


def available_views(model: str | Path, process: str) -> tuple[View, ...]:
    """Return the parton views that a folder, or the package, has a model for; empty for a model folder itself."""
    folder = _above(model, process)
    return tuple(view for view in _VIEWS if _is_model(folder / view))


def model_files(folder: Path) -> tuple[Path, ...]:
    """Return the files of a model folder."""
    return tuple(folder / name for name in MODEL_FILES)


def model_fingerprint(folder: Path) -> str:
    """Return a hash of settings and weights of a model, 64 hex digits.

    Raises:
        ModelError: if a file of the model is missing.
    """
    if missing := [path.name for path in model_files(folder) if not path.is_file()]:
        raise ModelError(f"{folder} is no whole model: it lacks {', '.join(missing)}; copy the folder again")
    return content_hash({path.name: file_digest(path) for path in model_files(folder)})


def _above(model: str | Path, process: str) -> Path:
    return pretrained_folder(process) if str(model) == PRETRAINED else Path(model)


def _is_model(folder: Path) -> bool:
    return (folder / MODEL_FILES[0]).is_file()


def _not_found(model: str | Path, folder: Path, view: str, process: str) -> str:
    if str(model) == PRETRAINED:
        known = [f"{name} ({', '.join(views)})" for name, views in pretrained_models().items()]
        return f"no pretrained model of the view '{view}' of '{process}' ships with partonic; it has: " + (
            ", ".join(known) or "none"
        )
    if not folder.is_dir():
        return f"there is no folder {folder}; give '{PRETRAINED}', or a folder written by `partonic train`"
    views = available_views(model, process)
    there = f"it has: {', '.join(views)}" if views else f"give '{PRETRAINED}', or a folder written by `partonic train`"
    return f"{folder} holds no model of the view '{view}' ({view}/{MODEL_FILES[0]}); {there}"

"""Trained models that ship with the package: data only, one folder for each process.

In it are one folder for each parton view, ``mem`` with the parts of the matrix element method, and ``sbi`` with a model
of simulation-based inference and the calibration of its coefficients, as far as there are any. Each model is a folder
with ``model.json`` (settings, and what it was trained on) and ``weights.safetensors``.
"""

from pathlib import Path

__all__ = ["pretrained_folder", "pretrained_models", "processes_with"]

_FOLDER = Path(__file__).parent


def pretrained_folder(process: str) -> Path:
    """Return the folder of the models of a process; it need not exist."""
    return _FOLDER / process


def pretrained_models() -> dict[str, tuple[str, ...]]:
    """Return the names of the parton views of each process for which a model ships with the package."""
    found = sorted(path.parent for path in _FOLDER.glob("*/*/model.json") if path.parent.name != "sbi")
    processes = dict.fromkeys(folder.parent.name for folder in found)
    return {name: tuple(folder.name for folder in found if folder.parent.name == name) for name in processes}


def processes_with(kind: str) -> tuple[str, ...]:
    """Return the processes for which a model of a kind, a folder such as ``sbi``, ships with the package."""
    return tuple(sorted(path.parents[1].name for path in _FOLDER.glob(f"*/{kind}/model.json")))

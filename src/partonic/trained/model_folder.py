"""Trained networks as data: a folder with `model.json` (what it is) and `weights.safetensors` (its numbers).

The record tells the architecture, the preprocessing and where the model comes from; what it contains is up to the
model. Weights are written first, the record with their checksum last, so that a folder with a record is whole. Loading
reads numbers and text and executes nothing.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
from torch import Tensor, nn

from partonic.errors import ModelError
from partonic.files import atomic_output, output_folder, write_json

__all__ = ["RECORD", "WEIGHTS", "load_record", "load_tensors", "load_weights", "save_model"]

RECORD = "model.json"
"""File of the record."""

WEIGHTS = "weights.safetensors"
"""File of the weights."""

FORMAT = 1
"""Version of the layout of the folder."""


def save_model(folder: Path, weights: nn.Module | Mapping[str, Tensor], record: Mapping[str, object]) -> None:
    """Write a model folder. A model that was there before is replaced.

    Args:
        folder: created if it is missing.
        weights: a module, or its state.
        record: JSON-like description from which the module can be built again.

    Raises:
        OutputError: if the folder cannot be written.
        ValueError: if the record is no JSON, e.g. has a number that is not finite.
    """
    state = weights.state_dict() if isinstance(weights, nn.Module) else weights
    # A copy each: the format refuses tensors that share memory, such as tied weights.
    whole = {name: tensor.detach().to("cpu", copy=True).contiguous() for name, tensor in state.items()}
    content = safetensors.torch.save(whole, {"format": "pt"})
    document = {"format": FORMAT, "weights_sha256": hashlib.sha256(content).hexdigest(), "record": dict(record)}
    json.dumps(document, allow_nan=False)  # before the old model is touched
    (output_folder(folder) / RECORD).unlink(missing_ok=True)
    with atomic_output(folder / WEIGHTS) as temporary:
        temporary.write_bytes(content)
    write_json(folder / RECORD, document)


def load_record(folder: Path) -> dict[str, Any]:
    """Return the record of a model folder.

    Raises:
        ModelError: if the folder is no model, or its record is damaged or of another version of the layout.
    """
    record = _document(folder)["record"]
    if not isinstance(record, dict):
        raise ModelError(f"{folder / RECORD} is damaged: its record is a {type(record).__name__}. {_MEND}")
    return record


def load_weights(folder: Path, module: nn.Module) -> None:
    """Load the weights of a model folder into `module`, on whatever device it is.

    Raises:
        ModelError: if the weights are missing, truncated, altered, or not those of such a module.
    """
    tensors = load_tensors(folder)
    _compare(tensors, module.state_dict(), folder / WEIGHTS)
    module.load_state_dict(tensors)


def load_tensors(folder: Path) -> dict[str, Tensor]:
    """Return the weights of a model folder by their names, on the CPU.

    Raises:
        ModelError: if they are missing, truncated or altered.
    """
    document, path = _document(folder), folder / WEIGHTS
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"cannot read the weights {path}: {error.strerror or error}. {_MEND}") from error
    if hashlib.sha256(content).hexdigest() != document["weights_sha256"]:
        raise ModelError(f"{path} is damaged: its checksum is not the one in {RECORD}. {_MEND}")
    try:
        tensors: dict[str, Tensor] = safetensors.torch.load(content)
    except safetensors.SafetensorError as error:
        raise ModelError(f"{path} is no safetensors file: {error}. {_MEND}") from error
    return tensors


_MEND = "Copy the whole folder anew, or train the model again"


def _document(folder: Path) -> dict[str, Any]:
    path = folder / RECORD
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ModelError(f"{folder} holds no trained model: expected the file {path}. {_MEND}") from error
    except OSError as error:
        raise ModelError(f"cannot read {path}: {error.strerror or error}. {_MEND}") from error
    except ValueError as error:  # neither JSON nor UTF-8
        raise ModelError(f"{path} is damaged: {error}. {_MEND}") from error
    if not isinstance(document, dict) or not {"format", "weights_sha256", "record"} <= document.keys():
        raise ModelError(f"{path} is not the record of a model of partonic. {_MEND}")
    if document["format"] != FORMAT:
        raise ModelError(
            f"{path} has layout {document['format']!r}, this version of partonic reads layout {FORMAT}. "
            "Use the version that wrote it, or train the model again"
        )
    return document


def _compare(found: Mapping[str, Tensor], expected: Mapping[str, Tensor], path: Path) -> None:
    """Refuse weights of another module, naming the first differences."""
    differences = [f"{name} is missing" for name in sorted(expected.keys() - found.keys())]
    differences += [f"{name} is not expected" for name in sorted(found.keys() - expected.keys())]
    for name in sorted(found.keys() & expected.keys()):
        shapes = tuple(found[name].shape), tuple(expected[name].shape)
        if shapes[0] != shapes[1]:
            differences.append(f"{name} has shape {shapes[0]}, expected {shapes[1]}")
    if differences:
        more = f" and {len(differences) - 3} more differences" if len(differences) > 3 else ""
        raise ModelError(f"{path} belongs to another network: {'; '.join(differences[:3])}{more}. {_MEND}")

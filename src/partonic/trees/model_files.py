"""An ensemble as data: a folder with ``model.json`` (what it is) and ``weights.safetensors`` (its numbers).

The layout is that of the networks of `partonic.nn.model_folder`. Numbers come back to the last bit, and loading
executes nothing.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray
from pydantic import ValidationError

from partonic.errors import ModelError
from partonic.files import atomic_output, output_folder, write_json
from partonic.polynomial import Monomials
from partonic.trees.binning import FeatureBins
from partonic.trees.ensemble import BoostedTrees
from partonic.trees.facts import TrainingFacts
from partonic.trees.scaling import Scaling
from partonic.trees.settings import TreeSettings

__all__ = ["is_model", "load_trees", "save_trees"]

RECORD = "model.json"
WEIGHTS = "weights.safetensors"
FORMAT = 1
KIND = "boosted_trees"

_MEND = "Copy the whole folder anew, or train the trees again"
_TENSORS = ("edges", "edge_counts", "mean", "deviation", "roots", "nodes", "steps")


def save_trees(folder: Path, trees: BoostedTrees) -> None:
    """Write an ensemble. One that was there before is replaced.

    Raises:
        OutputError: if the folder cannot be written.
    """
    tensors = {
        "edges": trees.bins.edges, "edge_counts": trees.bins.counts,
        "mean": trees.scaling.mean, "deviation": trees.scaling.deviation,
        "roots": trees.roots, "nodes": trees.nodes, "steps": trees.steps,
    }  # fmt: skip
    content = safetensors.numpy.save({name: np.ascontiguousarray(array) for name, array in tensors.items()})
    record = {
        "kind": KIND,
        "features": list(trees.bins.names),
        "parameters": list(trees.monomials.parameters),
        "exponents": [list(powers) for powers in trees.monomials.exponents],
        "weight": trees.scaling.weight,
        "settings": trees.settings.model_dump(mode="json"),
        "facts": trees.facts.to_json(),
    }
    document = {"format": FORMAT, "weights_sha256": hashlib.sha256(content).hexdigest(), "record": record}
    (output_folder(folder) / RECORD).unlink(missing_ok=True)
    with atomic_output(folder / WEIGHTS) as temporary:
        temporary.write_bytes(content)
    write_json(folder / RECORD, document)


def is_model(folder: Path) -> bool:
    """Whether a folder holds a model."""
    return (folder / RECORD).is_file()


def load_trees(folder: Path) -> BoostedTrees:
    """Read an ensemble.

    Raises:
        ModelError: if the folder holds none, or it is damaged or of another version of the layout.
    """
    document = _document(folder / RECORD)
    tensors = _tensors(folder / WEIGHTS, str(document["weights_sha256"]))
    try:
        record = document["record"]
        trees = BoostedTrees(
            monomials=Monomials(tuple(record["parameters"]), tuple(tuple(powers) for powers in record["exponents"])),
            bins=FeatureBins(tuple(record["features"]), tensors["edges"], tensors["edge_counts"]),
            scaling=Scaling(record["weight"], tensors["mean"], tensors["deviation"]),
            roots=tensors["roots"],
            nodes=tensors["nodes"],
            steps=tensors["steps"],
            settings=TreeSettings.model_validate(record["settings"]),
            facts=TrainingFacts.from_json(record["facts"]),
        )
    except (KeyError, TypeError, AttributeError, ValidationError) as error:
        raise ModelError(f"{folder / RECORD} is damaged: {error}. {_MEND}") from error
    return trees


def _document(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ModelError(f"{path.parent} holds no trained trees: expected the file {path}. {_MEND}") from error
    except OSError as error:
        raise ModelError(f"cannot read {path}: {error.strerror or error}. {_MEND}") from error
    except ValueError as error:  # neither JSON nor UTF-8
        raise ModelError(f"{path} is damaged: {error}. {_MEND}") from error
    if not isinstance(document, dict) or not {"format", "weights_sha256", "record"} <= document.keys():
        raise ModelError(f"{path} is not the record of a model of partonic. {_MEND}")
    if document["format"] != FORMAT:
        raise ModelError(
            f"{path} has layout {document['format']!r}, this version of partonic reads layout {FORMAT}. "
            "Use the version that wrote it, or train the trees again"
        )
    if not isinstance(document["record"], dict) or document["record"].get("kind") != KIND:
        raise ModelError(f"{path} is the record of another kind of model, not of boosted trees: give their folder")
    return document


def _tensors(path: Path, checksum: str) -> dict[str, NDArray[Any]]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"cannot read the trees {path}: {error.strerror or error}. {_MEND}") from error
    if hashlib.sha256(content).hexdigest() != checksum:
        raise ModelError(f"{path} is damaged: its checksum is not the one in {RECORD}. {_MEND}")
    try:
        tensors: dict[str, NDArray[Any]] = safetensors.numpy.load(content)
    except safetensors.SafetensorError as error:
        raise ModelError(f"{path} is no safetensors file: {error}. {_MEND}") from error
    if missing := [name for name in _TENSORS if name not in tensors]:
        raise ModelError(f"{path} lacks {', '.join(missing)}. {_MEND}")
    return tensors

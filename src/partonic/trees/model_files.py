"""An ensemble as data: the model folder of `partonic.trained.model_folder`. Numbers come back to the last bit."""

from pathlib import Path

import numpy as np
import torch
from pydantic import ValidationError

from partonic.config.trees import TreeSettings
from partonic.errors import ModelError, ParameterError
from partonic.polynomial import Monomials
from partonic.trained.model_folder import RECORD, WEIGHTS, load_record, load_tensors, save_model
from partonic.trees.binning import FeatureBins
from partonic.trees.ensemble import BoostedTrees
from partonic.trees.facts import TrainingFacts
from partonic.trees.scaling import Scaling

__all__ = ["is_model", "load_trees", "save_trees"]

KIND = "boosted_trees"


def save_trees(folder: Path, trees: BoostedTrees) -> None:
    """Write an ensemble. One that was there before is replaced.

    Raises:
        OutputError: if the folder cannot be written.
    """
    arrays = {
        "edges": trees.bins.edges, "edge_counts": trees.bins.counts,
        "mean": trees.scaling.mean, "deviation": trees.scaling.deviation,
        "roots": trees.roots, "nodes": trees.nodes, "steps": trees.steps,
    }  # fmt: skip
    record = {
        "kind": KIND,
        "features": list(trees.bins.names),
        "parameters": list(trees.monomials.parameters),
        "exponents": [list(powers) for powers in trees.monomials.exponents],
        "weight": trees.scaling.weight,
        "settings": trees.settings.model_dump(mode="json"),
        "facts": trees.facts.to_json(),
    }
    tensors = {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in arrays.items()}
    save_model(folder, tensors, record)


def is_model(folder: Path) -> bool:
    """Whether a folder holds a model."""
    return (folder / RECORD).is_file()


def load_trees(folder: Path) -> BoostedTrees:
    """Read an ensemble.

    Raises:
        ModelError: if the folder holds none, or it is damaged or of another version of the layout.
    """
    record = load_record(folder)
    if record.get("kind") != KIND:
        raise ModelError(f"{folder / RECORD} is the record of another kind of model: give a folder of boosted trees")
    arrays = {name: tensor.numpy() for name, tensor in load_tensors(folder).items()}
    try:
        return BoostedTrees(
            monomials=Monomials(tuple(record["parameters"]), tuple(tuple(powers) for powers in record["exponents"])),
            bins=FeatureBins(tuple(record["features"]), arrays["edges"], arrays["edge_counts"]),
            scaling=Scaling(record["weight"], arrays["mean"], arrays["deviation"]),
            roots=arrays["roots"],
            nodes=arrays["nodes"],
            steps=arrays["steps"],
            settings=TreeSettings.model_validate(record["settings"]),
            facts=TrainingFacts.from_json(record["facts"]),
        )
    except (KeyError, TypeError, AttributeError, ValidationError, ParameterError) as error:
        raise ModelError(
            f"{folder} ({RECORD}, {WEIGHTS}) is damaged: {error}. Copy the whole folder anew, or train the trees again"
        ) from error

"""Which trained models can be written as ONNX files, and how."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from partonic.errors import ModelError, OutputError
from partonic.export.acceptance_graph import acceptance_graph
from partonic.export.network_file import ExportedNetwork, Graph, write_network
from partonic.export.sbi_graph import sbi_graph
from partonic.export.tracing import needs_onnx
from partonic.export.tree_graph import tree_graph
from partonic.rng import numpy_generator
from partonic.trained.model_folder import load_record

__all__ = ["EVENTS", "export_network"]

Maker = Callable[[Path, int, np.random.Generator, Path | None], Graph]

EVENTS = 1000
"""Events that an ONNX file is compared with torch on."""


def export_network(folder: Path, path: Path, store: Path | None = None, seed: int = 1) -> ExportedNetwork:
    """Write a trained model as an ONNX file and compare it with torch on events.

    Args:
        folder: of the model: of simulation-based inference (networks or trees), of boosted trees of `partonic.trees`,
            or an acceptance of the matrix element method.
        path: of the file, ``….onnx``.
        store: event store to compare on; random events otherwise.
        seed: of the random events.

    Raises:
        DependencyError: if the extra `export` is not installed.
        ModelError: if the folder holds no model, or one that ONNX files are not made of, or the file does not say what
            the model says.
        OutputError: if the file cannot be written.
        SchemaError: if the store does not fit the model.
    """
    needs_onnx()
    if path.suffix != ".onnx":
        raise OutputError(f"an ONNX file ends in .onnx, got {path}: give such a name (--output)")
    graph = _maker(folder)(folder, EVENTS, numpy_generator(seed, "export"), store)
    return write_network(graph, path, store is not None)


def _maker(folder: Path) -> Maker:
    record = load_record(folder)
    if record.get("kind") == "boosted_trees":
        return tree_graph
    if {"config", "exponents", "reference_point"} <= record.keys():
        return sbi_graph
    if {"network", "layout"} <= record.keys() and _is_acceptance(record["network"]):
        return acceptance_graph
    raise ModelError(
        f"{folder} holds {_what(record)}, and no ONNX files are made of such: expected a model of simulation-based "
        "inference (<output>/train_sbi), boosted trees, or an acceptance (<output>/train_mem/acceptance). "
        "docs/how-to/export.md says why"
    )


def _is_acceptance(sizes: Any) -> bool:
    return isinstance(sizes, dict) and set(sizes) == {"hidden"}


def _what(record: dict[str, Any]) -> str:
    if "view" in record:
        return "a model of unfolding, which is a sampler"
    if "cube" in record:
        return "a proposal of the matrix element method, which is a sampler"
    return "a part of the matrix element method" if "layout" in record else "another kind of model"

"""What an ONNX file holds, in words: its inputs and outputs with their axes and units, and where its numbers come from.

All of it is kept in the file itself, as texts under keys that begin with ``partonic.``: lists and mappings as JSON.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from partonic.provenance import package_versions

if TYPE_CHECKING:
    import onnx

__all__ = ["ArrayDescription", "Description", "add_description"]

FORMAT = 1
"""Version of the meaning of the keys and of the names of inputs and outputs."""


@dataclass(frozen=True)
class ArrayDescription:
    """An input or an output.

    Attributes:
        name: in the file.
        axes: what each axis counts, e.g. ``("events", "features")``.
        unit: of the numbers; empty for pure numbers.
        meaning: one sentence.
        entries: names of the places along the last axis, where they have such.
        units: units of these places; null where partonic's definition of the feature says what it is in.
    """

    name: str
    axes: tuple[str, ...]
    unit: str
    meaning: str
    entries: tuple[str, ...] = ()
    units: tuple[str | None, ...] = ()


@dataclass(frozen=True)
class Description:
    """What a file holds.

    Attributes:
        kind: of the model, e.g. ``"simulation-based inference"``.
        process: short name of the process; empty where the model knows none.
        fingerprint: hash of settings and weights of the model folder (`partonic.trained.model_files`).
        inputs, outputs: the arrays, in the order of the file.
        facts: what else a user must know, e.g. monomials.
    """

    kind: str
    process: str
    fingerprint: str
    inputs: tuple[ArrayDescription, ...]
    outputs: tuple[ArrayDescription, ...]
    facts: Mapping[str, Any] = field(default_factory=dict)


def add_description(model: "onnx.ModelProto", description: Description) -> None:
    """Write a description into the metadata of a model, and the meaning of each array beside it."""
    facts = {
        "format": FORMAT,
        "kind": description.kind,
        "process": description.process,
        "model_sha256": description.fingerprint,
        "version": package_versions()["partonic"],
        "inputs": [asdict(each) for each in description.inputs],
        "outputs": [asdict(each) for each in description.outputs],
        **description.facts,
    }
    del model.metadata_props[:]
    for name, value in facts.items():
        text = value if isinstance(value, str) else json.dumps(value, allow_nan=False)
        model.metadata_props.add(key=f"partonic.{name}", value=text)
    model.producer_name, model.producer_version = "partonic", str(facts["version"])
    model.doc_string = f"{description.kind} of partonic; its metadata say what goes in and what comes out"
    _name_arrays(model.graph.input, description.inputs)
    _name_arrays(model.graph.output, description.outputs)


def _name_arrays(values: "Sequence[onnx.ValueInfoProto]", described: Sequence[ArrayDescription]) -> None:
    for value, each in zip(values, described, strict=True):
        value.doc_string = f"{each.meaning} [{each.unit or 'pure numbers'}]"

"""An ONNX file of a network: described, checked against torch, and written whole or not at all."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from partonic.errors import OutputError
from partonic.export.described import Description, add_description
from partonic.export.parity import check_parity
from partonic.files import atomic_output

if TYPE_CHECKING:
    import onnx

__all__ = ["ExportedNetwork", "Graph", "write_network"]


@dataclass(frozen=True, eq=False)
class Graph:
    """A network as a graph, with what is known of it.

    Attributes:
        model: the graph.
        description: what it holds.
        events: inputs to try it on, by name; their first axis counts events.
        expected: what the trained model says of these events, by the names of the outputs.
    """

    model: "onnx.ModelProto"
    description: Description
    events: Mapping[str, NDArray[np.floating]]
    expected: Mapping[str, NDArray[np.floating]]


@dataclass(frozen=True)
class ExportedNetwork:
    """What was written.

    Attributes:
        path: of the file.
        kind: of the model.
        bytes: size of the file.
        events: number of events that it was compared with torch on.
        deviation: largest deviation, in units of the larger of the value and the root mean square of its output.
        real: whether the events were those of a store; else they were drawn.
    """

    path: Path
    kind: str
    bytes: int
    events: int
    deviation: float
    real: bool

    def __str__(self) -> str:
        """Return a line for the terminal."""
        what = "events of the store" if self.real else "random events"
        return (
            f"{self.kind} in {self.path} ({self.bytes / 1e6:.2g} MB); ONNX Runtime and torch differ by "
            f"{self.deviation:.1e} at most on {self.events} {what}"
        )


def write_network(graph: Graph, path: Path, real: bool) -> ExportedNetwork:
    """Check a graph and write it.

    Args:
        graph: the network.
        path: of the file, which must end in ``.onnx``; one that is there is replaced.
        real: whether its events are those of a store.

    Raises:
        ModelError: if it does not say what the trained model says.
        OutputError: if the file cannot be written.
    """
    if path.is_dir():
        raise OutputError(f"{path} is a folder: give the name of the ONNX file, e.g. {path / 'network.onnx'}")
    add_description(graph.model, graph.description)
    found = check_parity(graph.model, graph.events, graph.expected)
    count = len(next(iter(graph.events.values())))
    facts = {**graph.description.facts, "parity": {"events": count, "largest_deviation": found}}
    add_description(graph.model, replace(graph.description, facts=facts))
    content = graph.model.SerializeToString()
    with atomic_output(path) as temporary:
        temporary.write_bytes(content)
    return ExportedNetwork(path, graph.description.kind, len(content), count, found, real)

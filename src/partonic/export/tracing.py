"""A torch module as an ONNX graph, for any number of events."""

import contextlib
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from partonic.errors import DependencyError, ModelError

if TYPE_CHECKING:
    import onnx

__all__ = ["OPSET", "joined", "needs_onnx", "traced"]

OPSET = 20
"""Version of the ONNX operators; ONNX Runtime reads it from version 1.17 on."""


def needs_onnx() -> None:
    """Check that what writes and runs ONNX files is installed.

    Raises:
        DependencyError: naming the extra.
    """
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise DependencyError(
            f"ONNX files need onnx, onnxruntime and onnxscript: pip install 'partonic[export]' ({error})"
        ) from error


def traced(
    module: nn.Module, examples: Sequence[Tensor], inputs: Sequence[str], outputs: Sequence[str]
) -> "onnx.ModelProto":
    """Return the graph of a module.

    Args:
        module: in the mode of evaluation.
        examples: inputs to follow the computation with; their first axis counts events, and is left open in the graph.
        inputs: names of the arrays that go in.
        outputs: names of those that come out.

    Raises:
        ModelError: if the module does something that ONNX has no operator for.
    """
    events = torch.export.Dim("events")
    shapes = tuple({0: events} for _ in examples)
    try:
        with _quiet(), torch.no_grad():
            program = torch.onnx.export(
                module.eval(), tuple(examples), dynamo=True, dynamic_shapes=shapes, verbose=False,
                input_names=list(inputs), output_names=list(outputs), opset_version=OPSET,
            )  # fmt: skip
    except torch.onnx.OnnxExporterError as error:
        raise ModelError(f"this network cannot be written as ONNX: {_root(error)}") from error
    if program is None:
        message = "this network cannot be written as ONNX: torch gave no graph"
        raise ModelError(message)
    model = program.model_proto
    _forget_sources(model)
    return model


def joined(
    first: "onnx.ModelProto", second: "onnx.ModelProto", names: Mapping[str, str], outputs: Sequence[str]
) -> "onnx.ModelProto":
    """Return one graph after another as one.

    Args:
        first: a graph.
        second: one that goes on where it ends.
        names: output of the first → input of the second.
        outputs: of the whole.
    """
    from onnx import compose

    inner = compose.add_prefix(second, "after_", rename_outputs=False, rename_inputs=False)
    inner.ir_version = first.ir_version = max(first.ir_version, second.ir_version)
    whole = compose.merge_models(first, inner, io_map=list(names.items()), outputs=list(outputs))
    found = {value.name: value for value in whole.graph.output}
    del whole.graph.output[:]  # they come in the order of the parts
    whole.graph.output.extend(found[name] for name in outputs)
    return whole


def _forget_sources(model: "onnx.ModelProto") -> None:
    """Take out which lines of which files each operation came from: the graph is to mean the same everywhere."""
    graph = model.graph
    for part in (*graph.node, *graph.value_info, *graph.input, *graph.output, *graph.initializer, graph):
        del part.metadata_props[:]


def _root(error: BaseException) -> str:
    """Return the first line of what went wrong in the first place: torch wraps it several times."""
    while error.__cause__ is not None:
        error = error.__cause__
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep what torch's exporter says of itself to itself: deprecations and packages that no network here needs."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)

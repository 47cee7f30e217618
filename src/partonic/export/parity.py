"""Does an ONNX file say what the trained model says? ONNX Runtime against torch, on the same events."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from partonic.errors import ModelError

if TYPE_CHECKING:
    import onnx

__all__ = ["TOLERANCE", "check_parity", "deviation", "run_onnx"]

Array = NDArray[np.float64]

TOLERANCE = 1e-4
"""Largest deviation in units of the larger of the value and the root mean square of its output.

Networks are computed in single precision: sums of a few hundred products in another order differ by some 10⁻⁶, and
exponentials of logarithms of ratios by ten times that."""

_ROUNDING = 1e-9
"""Part of the largest root mean square below which another place of an output is 0 but for rounding."""


def check_parity(
    model: "onnx.ModelProto", inputs: Mapping[str, NDArray[np.floating]], expected: Mapping[str, NDArray[np.floating]]
) -> float:
    """Return the largest deviation of a file from what torch says of the same events.

    Args:
        model: the file.
        inputs: events, by the names of the inputs.
        expected: what torch says, by the names of the outputs.

    Raises:
        ModelError: if the file cannot be run, or deviates by more than `TOLERANCE`; NaN must be NaN in both.
    """
    found = run_onnx(model, inputs)
    worst = {name: deviation(found[name], values) for name, values in expected.items()}
    name = max(worst, key=lambda each: worst[each])
    if not worst[name] <= TOLERANCE:
        raise ModelError(
            f"the ONNX file does not say what the model says: '{name}' deviates by {worst[name]:.2g}, at most "
            f"{TOLERANCE:g} is allowed; nothing was written. Please report this with the versions of torch, onnx and "
            "onnxruntime"
        )
    return worst[name]


def run_onnx(model: "onnx.ModelProto", inputs: Mapping[str, NDArray[np.floating]]) -> dict[str, NDArray[np.floating]]:
    """Return the outputs of a file by name, on one core.

    Raises:
        ModelError: if ONNX Runtime refuses the file or the inputs.
    """
    import onnxruntime
    from onnxruntime.capi import onnxruntime_pybind11_state as states

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    refusals = (
        states.Fail,
        states.InvalidArgument,
        states.InvalidGraph,
        states.NotImplemented,
        states.RuntimeException,
    )
    try:
        session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        found = session.run(None, dict(inputs))
    except refusals as error:
        raise ModelError(f"ONNX Runtime cannot run the exported network: {error}") from error
    return {output.name: values for output, values in zip(session.get_outputs(), found, strict=True)}


def deviation(found: NDArray[np.floating], expected: NDArray[np.floating]) -> float:
    """Return the largest deviation of arrays of one shape, ∞ if shapes differ or one is NaN where the other is not.

    It is in units of the larger of the value and the root mean square of the values in its place of the last axis; a
    place that is 0 but for rounding beside the others is taken as such.
    """
    if found.shape != expected.shape or not np.array_equal(np.isnan(found), np.isnan(expected)):
        return float("inf")
    one, two = (np.nan_to_num(each.astype(np.float64), nan=0.0) for each in (found, expected))
    axes = tuple(range(max(1, two.ndim - 1)))
    typical = np.sqrt(np.mean(two**2, axis=axes, keepdims=True)) if two.size else np.ones(1)
    scale = np.maximum(np.maximum(np.abs(two), typical), _ROUNDING * np.max(typical, initial=0.0))
    return float(np.max(np.abs(one - two) / np.where(scale > 0, scale, 1.0), initial=0.0))

"""Linear layers on CPU cores at the speed of oneDNN where no gradient is asked for.

`torch.nn.Linear` takes the matrix product of float32 from the BLAS that PyTorch was built with, usually MKL, which is
half as fast as oneDNN on many processors, and fills its result with the bias before. oneDNN comes with PyTorch and adds
the bias while it multiplies. Results agree to rounding.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

__all__ = ["is_fused", "linear"]


def linear(layer: nn.Linear, inputs: Tensor, *, relu: bool = False) -> Tensor:
    """Apply a linear layer, and the rectifier after it if `relu`; differentiable where gradients are enabled."""
    if _FUSED is None or type(layer) is not nn.Linear or not is_fused(inputs):  # others may draw their weights
        result: Tensor = layer(inputs)
        return torch.relu(result) if relu else result
    fused = _FUSED(inputs, layer.weight, layer.bias, "none", [], "")
    return torch.relu_(fused) if relu else fused  # oneDNN's own rectifier makes 0 of NaN


def is_fused(inputs: Tensor) -> bool:
    """Return whether `linear` takes oneDNN's operator for these inputs."""
    wanted = inputs.device.type == "cpu" and inputs.dtype == torch.float32
    return _FUSED is not None and wanted and not torch.is_grad_enabled() and not torch.is_autocast_enabled("cpu")


def _fused() -> Callable[..., Tensor] | None:
    """Return oneDNN's operator, which PyTorch's compiler uses, or None where it is not there or not what we know."""
    if not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return None
    found: Callable[..., Tensor] | None = getattr(torch.ops.mkldnn, "_linear_pointwise", None)
    if found is None:
        return None
    one = torch.ones(1, 1)
    try:
        with torch.no_grad():
            value = found(one, -one, one[0], "none", [], "")
    except (RuntimeError, TypeError):
        return None
    return found if value.shape == one.shape and not value.any() else None


_FUSED = _fused()

"""Weights of neural spline flows of zuko, for comparisons and for models trained elsewhere.

Only the names of the tensors are known here; zuko itself is not needed.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from partonic.errors import ConfigError
from partonic.nn.flows.autoregressive import AutoregressiveTransform
from partonic.nn.flows.flow import ConditionalFlow

__all__ = ["load_zuko_weights"]


def load_zuko_weights(flow: ConditionalFlow, state: Mapping[str, Tensor]) -> None:
    """Copy the weights of a `zuko.flows.NSF` without random permutations, of bound 5, into a flow of the same shape.

    Args:
        flow: autoregressive flow that takes the weights. For the same density its bound must be 5 and its base scale 1.
        state: state dict of the zuko flow.

    Raises:
        ConfigError: if a tensor is missing or left over, or a shape, an order or a mask differs.
    """
    expected = {f"base.{name}" for name in ("loc", "scale")}
    for place, transform in enumerate(flow.transforms):
        if not isinstance(transform, AutoregressiveTransform):
            message = "weights of zuko's NSF fit an autoregressive flow only; set its kind to 'autoregressive'"
            raise ConfigError(message)
        prefix = f"transform.transforms.{place}"
        if flow.features > 1:
            _check_equal(f"{prefix}.order", _tensor(state, f"{prefix}.order"), torch.tensor(transform.network.order))
            expected.add(f"{prefix}.order")
        for number, layer in enumerate(transform.network.layers):
            for name, target in layer.state_dict(keep_vars=True).items():
                key = f"{prefix}.hyper.{2 * number}.{name}"
                expected.add(key)
                source = _tensor(state, key)
                if name == "mask" or source.shape != target.shape:
                    _check_equal(key, source, target)
                else:
                    target.data.copy_(source)
    left = sorted(set(state) - expected)
    if left:
        message = (
            f"the weights have tensors that the flow lacks, e.g. '{left[0]}'; are there more transforms or layers?"
        )
        raise ConfigError(message)


def _tensor(state: Mapping[str, Tensor], key: str) -> Tensor:
    if key not in state:
        message = f"the weights lack the tensor '{key}'; expected those of a zuko.flows.NSF of the same shape"
        raise ConfigError(message)
    return state[key]


def _check_equal(key: str, found: Tensor, expected: Tensor) -> None:
    if found.shape != expected.shape:
        message = f"'{key}' has shape {tuple(found.shape)}, the flow expects {tuple(expected.shape)}"
        raise ConfigError(message)
    if not torch.equal(found.cpu(), expected.cpu()):
        message = f"'{key}' differs from that of the flow; a zuko flow must be made with randperm=False"
        raise ConfigError(message)

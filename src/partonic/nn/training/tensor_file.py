"""Nested states as one safetensors file: tensors as they are, the rest as JSON in the file's header. No pickle.

A checkpoint holds dictionaries, lists, numbers and tensors. Each tensor is stored under the path that leads to it, and
the tree around them as JSON that names these paths. Reading executes nothing; a file is written whole or not at all.
"""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor

from partonic.errors import TrainingError
from partonic.files import atomic_output

__all__ = ["read_state", "read_tensors", "write_state", "write_tensors"]

_TREE = "tree"
_TENSOR, _ITEMS, _TUPLE, _NUMBER = "@tensor", "@items", "@tuple", "@number"


def write_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Write named tensors and text to `path` atomically.

    Raises:
        OutputError: if the file cannot be written.
    """
    # A clone each: the format refuses tensors that share memory, such as tied weights.
    whole = {name: tensor.detach().to("cpu", copy=True).contiguous() for name, tensor in tensors.items()}
    with atomic_output(path) as temporary:
        safetensors.torch.save_file(whole, temporary, dict(metadata))


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read what `write_tensors` wrote.

    Raises:
        TrainingError: if the file is missing, truncated or no safetensors file.
    """
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, dict(file.metadata() or {})  # noqa: SIM118
    except (OSError, safetensors.SafetensorError) as error:
        raise TrainingError(f"cannot read {path}: {error}. Delete it (or its folder) to train anew") from error


def write_state(path: Path, state: Mapping[Any, Any]) -> None:
    """Write a tree of dictionaries, lists, tuples, tensors, numbers, text and None to `path` atomically.

    Raises:
        TrainingError: if the tree holds an object of another kind.
        OutputError: if the file cannot be written.
    """
    tensors: dict[str, Tensor] = {}
    tree = _encode(dict(state), "", tensors)
    write_tensors(path, tensors, {_TREE: json.dumps(tree, allow_nan=False)})


def read_state(path: Path) -> dict[Any, Any]:
    """Read what `write_state` wrote.

    Raises:
        TrainingError: if the file is missing, truncated or was not written by `write_state`.
    """
    tensors, metadata = read_tensors(path)
    try:
        state = _decode(json.loads(metadata[_TREE]), tensors)
    except (KeyError, ValueError, TypeError) as error:
        raise TrainingError(f"{path} is no checkpoint of partonic: {error!r}. Delete it to train anew") from error
    if not isinstance(state, dict):
        raise TrainingError(f"{path} is no checkpoint of partonic: it holds a {type(state).__name__}. Delete it")
    return state


def _encode(value: Any, path: str, tensors: dict[str, Tensor]) -> Any:
    """Return what stands for `value` in JSON; tensors go to `tensors` under their path."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, Tensor):
        name = f"{len(tensors)}{path}"  # numbered, so that no two paths can be spelt alike
        tensors[name] = value
        return {_TENSOR: name}
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else {_NUMBER: repr(float(value))}
    if isinstance(value, Mapping):
        return {_ITEMS: [[_key(k, path), _encode(v, f"{path}/{k}", tensors)] for k, v in value.items()]}
    if isinstance(value, list | tuple):
        items = [_encode(item, f"{path}/{number}", tensors) for number, item in enumerate(value)]
        return {_TUPLE: items} if isinstance(value, tuple) else items
    if isinstance(value, torch.dtype | torch.device):
        return str(value)
    raise TrainingError(f"a checkpoint cannot hold the {type(value).__name__} at {path or '/'}")


def _key(key: Any, path: str) -> str | int:
    if isinstance(key, bool) or not isinstance(key, str | int):
        raise TrainingError(f"a checkpoint cannot hold the key {key!r} at {path or '/'}")
    return key


def _decode(value: Any, tensors: Mapping[str, Tensor]) -> Any:
    """Undo `_encode`."""
    if isinstance(value, list):
        return [_decode(item, tensors) for item in value]
    if not isinstance(value, dict):
        return value
    ((tag, content),) = value.items()
    if tag == _TENSOR:
        return tensors[content]
    if tag == _NUMBER:
        return float(content)
    if tag == _TUPLE:
        return tuple(_decode(item, tensors) for item in content)
    if tag == _ITEMS:
        return {key: _decode(item, tensors) for key, item in content}
    raise ValueError(f"unknown mark {tag!r}")

"""Tensors on disk: safetensors with a checksum, written whole or not at all, loaded without executing anything."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor

from partonic.errors import GenerationError
from partonic.files import atomic_output

__all__ = ["load_tensors", "nested_tensors", "save_tensors", "tensors_under"]

_CHECKSUM = "sha256"


def save_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Write named tensors and text metadata to `path` atomically.

    Raises:
        OutputError: if the file cannot be written.
    """
    whole = {name: tensor.detach().contiguous() for name, tensor in tensors.items()}
    content = safetensors.torch.save(whole, {**metadata, _CHECKSUM: _checksum(whole)})
    with atomic_output(path) as temporary:
        temporary.write_bytes(content)


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read the tensors and the metadata that `save_tensors` wrote.

    Raises:
        GenerationError: if the file is missing, truncated or altered.
    """
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            metadata = dict(file.metadata() or {})
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
    except (OSError, safetensors.SafetensorError) as error:
        raise GenerationError(f"cannot read {path}: {error}. Delete it to compute it anew") from error
    if metadata.pop(_CHECKSUM, None) != _checksum(tensors):
        raise GenerationError(f"{path} was altered since it was written (checksum). Delete it to compute it anew")
    return tensors, metadata


def _checksum(tensors: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().contiguous().view(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def tensors_under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors whose names begin with `prefix`, without it."""
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def nested_tensors(tensors: dict[str, Tensor]) -> dict[int, dict[str, Tensor]]:
    """Group ``"3.name"`` as ``{3: {"name": ...}}``."""
    nested: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        index, _, key = name.partition(".")
        nested.setdefault(int(index), {})[key] = tensor
    return nested

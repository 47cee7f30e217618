"""Which training a checkpoint belongs to, so that a run never goes on with other settings, events or networks.

Settings and shapes must be equal. Events and initial weights are compared by a few numbers, to a tolerance, because
what earlier phases computed may differ by rounding between machines.
"""

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from partonic.nn.training.phase_module import PhaseModule
from partonic.nn.training.settings import PhaseSettings
from partonic.nn.training.table import TensorTable

__all__ = ["differences", "fingerprint_of"]

_ROWS = 1000
"""Rows of a table that are looked at."""


def fingerprint_of(
    module: PhaseModule, train: TensorTable, validation: TensorTable, settings: PhaseSettings, seed: int
) -> dict[str, Any]:
    """Return what must be the same for a run to go on from a checkpoint."""
    state, targets = module.state_dict(), module.multipliers.constraints
    return {
        **settings.mathematical(),
        "seed": seed,
        "targets": {name: [target.target, target.damping] for name, target in targets.items()},
        "networks": {name: list(tensor.shape) for name, tensor in state.items()},
        "initial weights": {name: _size(tensor) for name, tensor in state.items()},
        "events": _figures(train),
        "validation events": _figures(validation),
    }


def differences(kept: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    """Return the names of the entries in which two fingerprints differ."""
    return sorted(name for name in kept.keys() | wanted.keys() if not _same(kept.get(name), wanted.get(name)))


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-4, abs_tol=1e-6) or (math.isnan(one) and math.isnan(other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)
    return bool(one == other)


def _figures(table: TensorTable) -> dict[str, int | float]:
    step = max(1, len(table) // _ROWS)
    return {"number": len(table), **{name: _size(column[::step]) for name, column in table.columns.items()}}


def _size(tensor: Tensor) -> float:
    """Return the root mean square, which any other content changes; 0 for nothing."""
    return float(tensor.detach().to(torch.float64).square().mean().sqrt()) if tensor.numel() else 0.0

"""Torch modules as graphs."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from partonic.errors import ModelError
from partonic.export.parity import run_onnx
from partonic.export.tracing import joined, traced


class Sum(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.sum(dim=1)


class Solved(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.linalg.solve(x[:, :, None] * x[:, None, :] + torch.eye(2), x)


def test_any_number_of_events_and_graphs_one_after_another() -> None:
    first = traced(nn.Linear(2, 2), (torch.zeros(3, 2),), ("x",), ("hidden",))
    second = traced(Sum(), (torch.zeros(3, 2),), ("inner",), ("y",))
    whole = joined(first, second, {"hidden": "inner"}, ("y",))
    for events in (1, 7):
        assert run_onnx(whole, {"x": np.zeros((events, 2), dtype=np.float32)})["y"].shape == (events,)
    assert not any(node.metadata_props for node in whole.graph.node)


def test_what_onnx_has_no_operator_for_is_named() -> None:
    with pytest.raises(ModelError, match=r"cannot be written as ONNX: No ONNX function found for .*solve"):
        traced(Solved(), (torch.zeros(3, 2),), ("x",), ("y",))

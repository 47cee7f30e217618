"""A plain network of dense layers, smooth or leaky between them."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

from torch import nn

__all__ = ["perceptron"]


def perceptron(
    inputs: int, hidden: Sequence[int], outputs: int, activation: Literal["silu", "leaky"] = "silu"
) -> nn.Sequential:
    """Return dense layers with an activation between them, weights from torch's global generator."""
    layers: list[nn.Module] = []
    for before, after in pairwise((inputs, *hidden)):
        layers += [nn.Linear(before, after), nn.SiLU() if activation == "silu" else nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers, nn.Linear((inputs, *hidden)[-1], outputs))

"""A residual network of a point, a time and a condition: the velocity of a flow, or the noise in a noisy point.

Points may have any leading axes, such as events and objects of each, with a condition for each of them.
"""

import math
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from partonic.config.generative import TimeNetworkConfig

__all__ = ["TimeNetwork"]


class _Block(nn.Module):
    """h + W₂ silu(W₁ norm(h) + U τ): the time shifts the hidden units of every block."""

    def __init__(self, width: int, times: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.inner, self.outer = nn.Linear(width, width), nn.Linear(width, width)
        self.of_time = nn.Linear(times, width, bias=False)

    def forward(self, hidden: Tensor, times: Tensor) -> Tensor:
        inner = nn.functional.silu(self.inner(self.norm(hidden)) + self.of_time(times))
        changed: Tensor = hidden + self.outer(inner)
        return changed


class TimeNetwork(nn.Module):
    """D numbers for each point of D numbers, a time in [0, 1] and a condition of C numbers."""

    frequencies: Tensor

    def __init__(self, config: TimeNetworkConfig, features: int, context: int) -> None:
        """Build the network, with weights from torch's global generator and zero at its last layer.

        Args:
            config: sizes.
            features: D.
            context: C; may be 0.
        """
        super().__init__()
        times = 1 + 2 * config.frequencies
        frequencies = math.pi * torch.arange(1, config.frequencies + 1, dtype=torch.float32)
        self.register_buffer("frequencies", frequencies, persistent=False)
        self.first = nn.Linear(features + context + times, config.width)
        self.blocks = nn.ModuleList([_Block(config.width, times) for _ in range(config.blocks)])
        self.norm = nn.LayerNorm(config.width)
        self.last = nn.Linear(config.width, features)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def forward(
        self,
        x: Float[Tensor, "*batch features"],
        time: Float[Tensor, "*times"],
        condition: Float[Tensor, "*batch context"],
    ) -> Float[Tensor, "*batch features"]:
        """Return the numbers.

        Args:
            x: points.
            time: of each point `(*batch,)`, or one for all `()`.
            condition: of each point.
        """
        angles = time[..., None] * self.frequencies.to(time.dtype)
        times = torch.cat([time[..., None], torch.sin(angles), torch.cos(angles)], dim=-1)
        times = times.expand(*x.shape[:-1], -1)
        hidden = self.first(torch.cat([x, condition, times], dim=-1))
        for block in self.blocks:
            hidden = cast("_Block", block)(hidden, times)
        numbers: Tensor = self.last(nn.functional.silu(self.norm(hidden)))
        return numbers

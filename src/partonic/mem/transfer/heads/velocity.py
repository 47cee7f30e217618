"""The velocity of an object's standard numbers, with the diagonal of its derivative carried along.

The network is small and has few inputs, so that derivatives forward through it, one for each number, cost less than
those backward: every layer acts on the value and its derivatives in one product of matrices.
"""

import math
from collections.abc import Iterable
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from partonic.config.mem_training.transfer import FlowHeadConfig
from partonic.mem.transfer.heads.whitening import Whitening
from partonic.nn.linear import linear

__all__ = ["VelocityNetwork"]

_SHARPNESS = 4.0
"""Distances from a mean candidate are told apart below 1/4 of a standard deviation, and 1/4 of a radian."""

_OF_LINE, _OF_ANGLE = 1, 6
"""Features of a number on the line and of an angle, beside those relative to mean candidates."""


class VelocityNetwork(nn.Module):
    """dy/dt of (y_pT, y_η, y_φ), periodic in the last, given a hidden state."""

    frequencies: Tensor
    owner: Tensor

    def __init__(self, config: FlowHeadConfig, context: int, queries: int) -> None:
        """Build the network, with weights from torch's global generator and zero at its last layer.

        Args:
            config: sizes.
            context: numbers of the hidden state.
            queries: mean candidates; may be 0.
        """
        super().__init__()
        times, blocks = 1 + 2 * config.frequencies, [_OF_LINE + queries] * 2 + [_OF_ANGLE + 2 * queries]
        frequencies = math.pi * torch.arange(1, config.frequencies + 1, dtype=torch.float32)
        self.register_buffer("frequencies", frequencies, persistent=False)
        owner = torch.repeat_interleave(torch.arange(3), torch.tensor(blocks))
        self.register_buffer("owner", torch.nn.functional.one_hot(owner, 3).T.float(), persistent=False)
        self.first = nn.Linear(sum(blocks), config.width, bias=False)
        self.context = nn.Linear(context, config.width)
        self.times = nn.Linear(times, config.width * (1 + config.layers))
        self.layers = nn.ModuleList([nn.Linear(config.width, config.width, bias=False) for _ in range(config.layers)])
        self.last = nn.Linear(config.width, 3)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def given(self, context: Float[Tensor, "rows context"]) -> Float[Tensor, "rows width"]:
        """Return what a hidden state adds to the first layer, the same at all times."""
        return linear(self.context, context)

    def forward(
        self,
        y: Float[Tensor, "rows 3"],
        time: Float[Tensor, "*times"],
        given: Float[Tensor, "rows width"],
        whitening: Whitening,
        means: Float[Tensor, "rows queries 4"],
        numbers: Iterable[int] = (),
    ) -> tuple[Float[Tensor, "rows 3"], Float[Tensor, "numbers rows"]]:
        """Return the velocity, and ∂v_i/∂y_i for each of the `numbers` i; differentiable.

        Args:
            y: standard numbers.
            time: of each row `(rows,)`, or one for all `()`.
            given: from `given`.
            whitening: what standard numbers mean.
            means: standardised t of pT and of η, cos φ and sin φ of mean candidates.
            numbers: whose derivatives are wanted.
        """
        chosen = list(numbers)
        features, slopes = _features(y, whitening, means)
        stacked = torch.cat([features[None], slopes * self.owner[chosen][:, None]])
        of_time = self._of_time(time)
        pre = linear(self.first, stacked)
        value, slope = _silu(pre[0] + given + of_time[0])
        hidden = torch.cat([value[None], slope * pre[1:]])
        for number, layer in enumerate(self.layers, start=1):
            pre = linear(cast("nn.Linear", layer), hidden)
            value, slope = _silu(pre[0] + of_time[number])
            hidden = hidden + torch.cat([value[None], slope * pre[1:]])
        diagonal = (hidden[1:] * self.last.weight[chosen][:, None]).sum(dim=2)
        return linear(self.last, hidden[0]), diagonal

    def _of_time(self, time: Tensor) -> tuple[Tensor, ...]:
        """Return what the time adds to each layer."""
        angles = time[..., None] * self.frequencies.to(time.dtype)
        numbers = torch.cat([time[..., None], torch.sin(angles), torch.cos(angles)], dim=-1)
        whole: Tensor = self.times(numbers)
        return whole.chunk(1 + len(self.layers), dim=-1)


def _silu(values: Tensor) -> tuple[Tensor, Tensor]:
    """Return x σ(x) and its derivative."""
    share = torch.sigmoid(values)
    result = values * share
    return result, share + result * (1.0 - share)


def _features(y: Tensor, whitening: Whitening, means: Tensor) -> tuple[Tensor, Tensor]:
    """Return what the network sees of standard numbers, and the derivative of each by the number that it belongs to."""
    at = whitening.inverse(y)
    distance = _SHARPNESS * (at.line[:, None] - means[..., :2])
    inverse = torch.rsqrt(1.0 + distance.square())
    near, near_slope = distance * inverse, _SHARPNESS * inverse.pow(3) * at.line_slope[:, None]
    angle, ones = y[:, 2:], torch.ones_like(y[:, :1])
    once, twice = (torch.cat([torch.cos(k * angle), torch.sin(k * angle)], dim=1) for k in (1.0, 2.0))
    once_slope = torch.stack([-once[:, 1], once[:, 0]], dim=1)
    twice_slope = 2.0 * torch.stack([-twice[:, 1], twice[:, 0]], dim=1)
    turn = at.angle_slope[:, None]
    cosine, sine = at.cosine[:, None], at.sine[:, None]
    along = cosine * means[..., 2] + sine * means[..., 3]
    across = sine * means[..., 2] - cosine * means[..., 3]
    sharp = _SHARPNESS * across
    round_off = torch.rsqrt(1.0 + sharp.square())
    of_phi = [once, twice, cosine, sine, along, sharp * round_off]
    of_phi_slope = [
        once_slope, twice_slope, -sine * turn, cosine * turn, -across * turn,
        _SHARPNESS * round_off.pow(3) * along * turn,
    ]  # fmt: skip
    features = torch.cat([y[:, :1], near[..., 0], y[:, 1:2], near[..., 1], *of_phi], dim=1)
    return features, torch.cat([ones, near_slope[..., 0], ones, near_slope[..., 1], *of_phi_slope], dim=1)

"""An autoregressive transformer: p(x|c) = Π_i p(x_i | x_1 … x_{i−1}, c), each factor from causal attention.

The token at place i holds the condition and the number before; causal attention (A. Vaswani et al., arXiv:1706.03762;
for events: arXiv:2305.10475) makes of it the parameters of the density of the number at place i. The density takes one
pass of the network, a sample one for each number.
"""

import math
from typing import cast

import torch
from torch import Tensor, nn

from partonic.config.generative import AutoregressiveTransformerConfig
from partonic.nn.causal import CausalBlock
from partonic.nn.generative.density_model import DensityModel, LogDensity
from partonic.nn.generative.number_density import number_density

__all__ = ["AutoregressiveTransformer"]

_FREQUENCIES = 4
"""Sines and cosines of a number that a token holds beside it, of periods of 8, 4, … standard deviations."""


class AutoregressiveTransformer(DensityModel):
    """One number of an event after another."""

    frequencies: Tensor

    def __init__(self, config: AutoregressiveTransformerConfig, features: int, context: int) -> None:
        """Build the network, with weights from torch's global generator."""
        super().__init__(config, features, context)
        width = config.width
        self.density = number_density(config)
        frequencies = 0.25 * math.pi * 2.0 ** torch.arange(_FREQUENCIES)
        self.register_buffer("frequencies", frequencies, persistent=False)
        self.places = nn.Parameter(0.1 * torch.randn(features, width))
        self.of_number = nn.Linear(1 + 2 * _FREQUENCIES, width)
        self.of_condition = nn.Linear(context, width) if context else None
        self.blocks = nn.ModuleList(
            [CausalBlock(width, config.heads, config.feedforward) for _ in range(config.layers)]
        )
        self.norm = nn.LayerNorm(width)
        self.heads = nn.Parameter(0.1 * torch.randn(features, width, self.density.parameters) / math.sqrt(width))
        self.biases = nn.Parameter(torch.zeros(features, self.density.parameters))

    def training_loss(
        self, x: Tensor, c: Tensor, weights: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the weighted mean of −ln p."""
        return -(weights * self._log_prob(x, c)).mean(), {}

    def _log_density(self, x: Tensor, c: Tensor, generator: torch.Generator | None) -> LogDensity:
        value = self._log_prob(x, c)
        return LogDensity(value, torch.zeros_like(value), 1)

    def _log_prob(self, x: Tensor, c: Tensor) -> Tensor:
        states = self._states(x[:, :-1], c)
        raw = torch.einsum("nfw,fwp->nfp", states, self.heads) + self.biases
        return self.density.log_prob(x, raw).sum(dim=1)

    def _draw(self, c: Tensor, generator: torch.Generator) -> Tensor:
        x = c.new_zeros(len(c), 0)
        for place in range(self.features):
            raw = self._states(x, c)[:, -1] @ self.heads[place] + self.biases[place]
            x = torch.cat([x, self.density.draw(raw, generator)[:, None]], dim=1)
        return x

    def _states(self, before: Tensor, c: Tensor) -> Tensor:
        """Return the state of each place, `(N, K + 1, width)`, given the first K numbers `(N, K)`."""
        angles = before[..., None] * self.frequencies.to(before.dtype)
        of_number = self.of_number(torch.cat([before[..., None], torch.sin(angles), torch.cos(angles)], dim=-1))
        tokens = nn.functional.pad(of_number, (0, 0, 1, 0)) + self.places[: before.shape[1] + 1]
        if self.of_condition is not None:
            tokens = tokens + self.of_condition(c)[:, None]
        for block in self.blocks:
            tokens = cast("CausalBlock", block)(tokens)
        states: Tensor = self.norm(tokens)
        return states

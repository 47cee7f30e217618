"""The weights α_i(z) of the channels that share the same partonic channels: a prior, and what is learned beyond it.

    α_i ∝ p_i(z) K_i(z),      Σ_i α_i = 1,

with the prior p_i the density that the map of channel i gives to z, |du_i/dz| times that of its VEGAS grid, which is
the product of the propagators squared that the map follows (multi-channel VEGAS: T. Ohl, hep-ph/9806432), and a learned
residual K_i = exp of a network that sees z as the numbers of the first of the maps (arXiv:2212.06172, eq. 21). The
network starts at K = 1. The weights are exact whatever it has learned; only their spread depends on it.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["ResidualWeights", "log_map_weights"]

_HARMONICS, _UNITS = 3, 32
_LARGEST_LOGARITHM = 4.0
"""|ln K| cannot exceed it: where the prior of a channel is sizeable its weight never vanishes."""


class ResidualWeights(torch.nn.Module):
    """ln K_i(z) of C channels from the D numbers of z in the first of their maps."""

    def __init__(self, dimensions: int, channels: int) -> None:
        """Build the network; it starts at ln K = 0."""
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self.hidden = torch.nn.Linear(dimensions * (2 + _HARMONICS), _UNITS)
            self.middle = torch.nn.Linear(_UNITS, _UNITS)
            self.last = torch.nn.Linear(_UNITS, channels)
        torch.nn.init.zeros_(self.last.weight)
        torch.nn.init.zeros_(self.last.bias)

    def forward(self, numbers: Float[Tensor, "points dimensions"]) -> Float[Tensor, "points channels"]:
        """Return ln K."""
        x = numbers.to(self.last.weight.dtype)
        waves = [torch.cos(math.pi * k * x) for k in range(1, _HARMONICS + 1)]
        features = torch.cat([2.0 * x - 1.0, *waves, torch.sin(2.0 * math.pi * x)], dim=1)
        silu = torch.nn.functional.silu
        result: Tensor = self.last(silu(self.middle(silu(self.hidden(features)))))
        return _LARGEST_LOGARITHM * torch.tanh(result / _LARGEST_LOGARITHM)


def log_map_weights(
    log_prior: Float[Tensor, "points channels"], log_residual: Float[Tensor, "points channels"] | None
) -> Float[Tensor, "points channels"]:
    """Return log α, normalised over the channels; a prior of −∞ leaves a channel out."""
    logits = log_prior if log_residual is None else log_prior + log_residual.to(log_prior.dtype)
    return torch.log_softmax(logits, dim=1)

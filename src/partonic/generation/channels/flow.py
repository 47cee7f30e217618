"""One flow for all channels: the channel is a condition of its networks.

A chain of D blocks maps a point y of the unit cube to uniform numbers. Block d changes the number d by a spline whose
parameters a network makes from all other numbers and the channel. Numbers enter as harmonics: cos πky, and a sine for
what is periodic. What does not depend on the channel is learned once for all of them.
"""

import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from partonic.errors import NonFiniteError
from partonic.generation.channels.spline import learned_bin

__all__ = ["ChannelFlow", "ChannelFlowShape"]


@dataclass(frozen=True, kw_only=True)
class ChannelFlowShape:
    """What the shape of a flow depends on.

    Attributes:
        dimensions: D of the unit cube.
        channels: number of densities that the flow has.
        layers: linear layers of each network.
        units: hidden units of each layer.
        bins: bins of the splines.
        harmonics: cosines of each number that the networks see.
    """

    dimensions: int
    channels: int
    layers: int
    units: int
    bins: int
    harmonics: int


class ChannelFlow(torch.nn.Module):
    """Densities on the unit cube, one for each channel; it starts with uniform ones."""

    def __init__(self, shape: ChannelFlowShape, dtype: torch.dtype = torch.float64) -> None:
        """Build the flow; the hidden layers start from fixed numbers, so that the same seed trains the same flow."""
        super().__init__()
        self.shape = shape
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self.networks = torch.nn.ModuleList(_network(shape) for _ in range(shape.dimensions))
        self.frequencies: Tensor
        self.register_buffer("frequencies", math.pi * torch.arange(1, shape.harmonics + 1), persistent=False)
        self.to(dtype)

    @property
    def dtype(self) -> torch.dtype:
        """The type of the parameters."""
        return next(self.parameters()).dtype

    def log_density(
        self, points: Float[Tensor, "points dimensions"], channels: Int[Tensor, " points"]
    ) -> Float[Tensor, " points"]:
        """Return the log-density at `points` in their channels, differentiable in the parameters."""
        numbers = list(points.to(self.dtype).unbind(dim=1))
        return self._through(numbers, channels, range(self.shape.dimensions), inverse=False)

    def sample(
        self, channels: Int[Tensor, " points"], generator: torch.Generator
    ) -> tuple[Float[Tensor, "points dimensions"], Float[Tensor, " points"]]:
        """Draw a point for each entry of `channels`, float64, with its log-density.

        Raises:
            NonFiniteError: if the flow gives a NaN, which a trained flow never should.
        """
        latent = torch.rand((len(channels), self.shape.dimensions), generator=generator, dtype=self.dtype)
        numbers = list(latent.unbind(dim=1))
        with torch.no_grad():
            log_density = self._through(numbers, channels, reversed(range(self.shape.dimensions)), inverse=True)
        points = torch.stack(numbers, dim=1)
        bad = ~(log_density.isfinite() & points.isfinite().all(dim=1))
        if bool(bad.any()):
            raise NonFiniteError(
                f"the sampler drew {int(bad.sum())} of {len(points)} points with a density that is not finite; first "
                f"from the latent point {latent[bad][0].tolist()}. Delete the sampler folder and train it anew"
            )
        return points.to(torch.float64), log_density.to(torch.float64)

    def _through(self, numbers: list[Tensor], channels: Tensor, order: Iterable[int], inverse: bool) -> Tensor:
        """Take the numbers (changed in place) through the blocks and return Σ log dz/dy."""
        features = [self._features(number) for number in numbers]
        channel = torch.nn.functional.one_hot(channels, self.shape.channels).to(self.dtype)
        total = torch.zeros_like(numbers[0])
        for block in order:
            conditions = [*features[:block], *features[block + 1 :], channel]
            parameters = self.networks[block](torch.cat(conditions, dim=1))
            found = learned_bin(parameters, numbers[block], inverse=inverse)
            numbers[block], log_slope = found.inverse(numbers[block]) if inverse else found.forward(numbers[block])
            features[block] = self._features(numbers[block])
            total = total + log_slope
        return total

    def _features(self, number: Tensor) -> Tensor:
        harmonics = torch.cos(number[:, None] * self.frequencies)
        return torch.cat([2.0 * number[:, None] - 1.0, harmonics, torch.sin(2.0 * math.pi * number[:, None])], dim=1)


def _network(shape: ChannelFlowShape) -> torch.nn.Sequential:
    inputs = (shape.dimensions - 1) * (2 + shape.harmonics) + shape.channels
    layers: list[torch.nn.Module] = []
    for width, following in itertools.pairwise([inputs, *[shape.units] * (shape.layers - 1)]):
        layers += [torch.nn.Linear(width, following), torch.nn.SiLU()]  # smooth: so is the density within a bin
    last = torch.nn.Linear(shape.units, 3 * shape.bins + 1)
    torch.nn.init.zeros_(last.weight)
    torch.nn.init.zeros_(last.bias)
    return torch.nn.Sequential(*layers, last)

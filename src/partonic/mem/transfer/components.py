"""Densities of one component of an object: on the line, on the circle, and of a tag, given a state of the network.

On the line a component is standardised and a rational-quadratic spline maps it to a Gaussian. On the circle the spline
maps it to a uniform angle: its slope at the seam is 1, and the seam is placed by the network, which loses nothing,
because a density on the circle somewhere equals the uniform one.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from partonic.nn.flows.spline import spline_forward, spline_inverse, spline_parameters
from partonic.nn.linear import linear

__all__ = ["CircleDensity", "LineDensity", "SmallNetwork"]

_BOUND = 5.0
"""Standard deviations within which the splines on the line act."""

_LOG_TWO_PI = math.log(2.0 * math.pi)


class SmallNetwork(nn.Module):
    """One hidden layer; rows in, columns out, as the splines take their parameters."""

    def __init__(self, inputs: int, hidden: int, outputs: int) -> None:
        """Create a network whose outputs start near 0."""
        super().__init__()
        self.inner = nn.Linear(inputs, hidden)
        self.outer = nn.Linear(hidden, outputs)
        with torch.no_grad():
            self.outer.weight.mul_(0.1)
            self.outer.bias.zero_()

    def forward(self, rows: Float[Tensor, "rows inputs"]) -> Float[Tensor, "outputs rows"]:
        """Return the outputs."""
        return linear(self.outer, linear(self.inner, rows, relu=True)).t().contiguous()


class LineDensity(nn.Module):
    """Density of a number on the line."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, inputs: int, hidden: int, bins: int) -> None:
        """Create the density given `inputs` numbers."""
        super().__init__()
        self.network = SmallNetwork(inputs, hidden, spline_parameters(bins) + 2)
        self.register_buffer("mean", torch.zeros(()))
        self.register_buffer("deviation", torch.ones(()))

    def fit_scales(self, values: Float[Tensor, " rows"]) -> None:
        """Take mean and standard deviation from a sample."""
        self.mean.copy_(values.double().mean())
        self.deviation.copy_(values.double().std().clamp(min=1e-3))

    def standardised(self, values: Float[Tensor, " rows"]) -> Float[Tensor, " rows"]:
        """Return the values as the network sees them."""
        return (values - self.mean) / self.deviation

    def log_prob(self, values: Float[Tensor, " rows"], given: Float[Tensor, "rows inputs"]) -> Float[Tensor, " rows"]:
        """Return the log-density of (not standardised) values."""
        shift, log_scale, raw = self._spline_of(given)
        moved = (self.standardised(values) - shift) * torch.exp(log_scale)
        z, log_slope = spline_forward(moved, raw, _BOUND)
        return -0.5 * (z.square() + _LOG_TWO_PI) + log_slope + log_scale - torch.log(self.deviation)

    def sample(self, given: Float[Tensor, "rows inputs"], generator: torch.Generator) -> Float[Tensor, " rows"]:
        """Draw one value for each row."""
        shift, log_scale, raw = self._spline_of(given)
        z = torch.randn(len(given), generator=generator, device=generator.device).to(given)
        moved, _ = spline_inverse(z, raw, _BOUND)
        return (moved * torch.exp(-log_scale) + shift) * self.deviation + self.mean

    def _spline_of(self, given: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return shift, logarithm of the scale and raw parameters of the spline."""
        raw = self.network(given)
        return raw[0], _LOG_SCALE_LIMIT * torch.tanh(raw[1] / _LOG_SCALE_LIMIT), raw[2:]


_LOG_SCALE_LIMIT = 5.0
"""Largest |ln| of the factor by which the network may narrow or widen a component before the spline."""


class CircleDensity(nn.Module):
    """Density of an angle in (−π, π]."""

    def __init__(self, inputs: int, hidden: int, bins: int) -> None:
        """Create the density given `inputs` numbers."""
        super().__init__()
        self.network = SmallNetwork(inputs, hidden, spline_parameters(bins) + 2)
        with torch.no_grad():
            self.network.outer.bias[0] = 1.0  # the seam starts opposite to φ = 0

    def log_prob(self, angles: Float[Tensor, " rows"], given: Float[Tensor, "rows inputs"]) -> Float[Tensor, " rows"]:
        """Return the log-density of angles in radians."""
        raw = self.network(given)
        shift = torch.atan2(raw[1], raw[0])
        place = torch.remainder(angles - shift + math.pi, 2.0 * math.pi) / math.pi - 1.0
        _, log_slope = spline_forward(place, raw[2:], 1.0)
        return log_slope - _LOG_TWO_PI

    def sample(self, given: Float[Tensor, "rows inputs"], generator: torch.Generator) -> Float[Tensor, " rows"]:
        """Draw one angle in (−π, π] for each row."""
        raw = self.network(given)
        shift = torch.atan2(raw[1], raw[0])
        uniform = torch.rand(len(given), generator=generator, device=generator.device).to(given)
        place, _ = spline_inverse(2.0 * uniform - 1.0, raw[2:], 1.0)
        return math.pi - torch.remainder(math.pi - math.pi * place - shift, 2.0 * math.pi)

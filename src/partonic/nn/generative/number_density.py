"""Densities of single numbers with parameters from a network: mixtures of Gaussians, or a Gaussian under a spline."""

import math
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.config.generative import AutoregressiveTransformerConfig
from partonic.nn.flows.spline import spline_forward, spline_inverse, spline_parameters

__all__ = ["MixtureDensity", "NumberDensity", "SplineDensity", "number_density"]


@runtime_checkable
class NumberDensity(Protocol):
    """A density of single numbers; raw parameters have the shape `(*batch, parameters)`."""

    @property
    def parameters(self) -> int:
        """Raw parameters of a number."""

    def log_prob(self, x: Tensor, raw: Tensor) -> Tensor:
        """Return ln p of numbers `(*batch,)`."""

    def draw(self, raw: Tensor, generator: torch.Generator) -> Tensor:
        """Draw numbers `(*batch,)`."""


class MixtureDensity:
    """A mixture of Gaussians (C. M. Bishop, NCRG/94/004)."""

    def __init__(self, components: int) -> None:
        """Mix so many Gaussians."""
        self.components = components

    @property
    def parameters(self) -> int:
        """A logit, a mean and a log-deviation of each component."""
        return 3 * self.components

    def log_prob(self, x: Float[Tensor, "*batch"], raw: Float[Tensor, "*batch parameters"]) -> Float[Tensor, "*batch"]:
        """Return ln p."""
        logits, mean, log_deviation = self._split(raw)
        pull = (x[..., None] - mean) * (-log_deviation).exp()
        terms = torch.log_softmax(logits, dim=-1) - 0.5 * pull.square() - log_deviation
        return torch.logsumexp(terms, dim=-1) - 0.5 * math.log(2.0 * math.pi)

    def draw(self, raw: Float[Tensor, "*batch parameters"], generator: torch.Generator) -> Float[Tensor, "*batch"]:
        """Draw a component, then a number."""
        logits, mean, log_deviation = self._split(raw)
        shares = torch.softmax(logits, dim=-1).flatten(0, -2).to(generator.device)
        chosen = torch.multinomial(shares, 1, generator=generator).to(raw.device).view(*raw.shape[:-1], 1)
        noise = _normal(mean[..., 0], generator)
        drawn: Tensor = mean.gather(-1, chosen)[..., 0] + log_deviation.gather(-1, chosen)[..., 0].exp() * noise
        return drawn

    def _split(self, raw: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return logits, means spread over ±2 at first, and log-deviations between e⁻⁷ and e³."""
        logits, shift, free = raw.chunk(3, dim=-1)
        spread = torch.linspace(-2.0, 2.0, self.components, dtype=raw.dtype, device=raw.device)
        return logits, spread + shift, -2.0 + 5.0 * torch.tanh((free + 1.5) / 5.0)


class SplineDensity:
    """A Gaussian number moved by a rational-quadratic spline."""

    def __init__(self, bins: int, bound: float) -> None:
        """Have so many bins in [−bound, bound]."""
        self.bins, self.bound = bins, bound

    @property
    def parameters(self) -> int:
        """Those of the spline."""
        return spline_parameters(self.bins)

    def log_prob(self, x: Float[Tensor, "*batch"], raw: Float[Tensor, "*batch parameters"]) -> Float[Tensor, "*batch"]:
        """Return ln p."""
        base, log_slope = spline_forward(x.flatten(), self._columns(raw), self.bound)
        log_density: Tensor = (-0.5 * base.square() - 0.5 * math.log(2.0 * math.pi) + log_slope).view(x.shape)
        return log_density

    def draw(self, raw: Float[Tensor, "*batch parameters"], generator: torch.Generator) -> Float[Tensor, "*batch"]:
        """Draw a Gaussian number and move it."""
        noise = _normal(raw[..., 0], generator)
        return spline_inverse(noise.flatten(), self._columns(raw), self.bound)[0].view(noise.shape)

    @staticmethod
    def _columns(raw: Tensor) -> Tensor:
        return raw.flatten(0, -2).t().contiguous()


def number_density(config: AutoregressiveTransformerConfig) -> NumberDensity:
    """Return the density of the settings."""
    if config.density == "mixture":
        return MixtureDensity(config.components)
    return SplineDensity(config.bins, config.bound)


def _normal(like: Tensor, generator: torch.Generator) -> Tensor:
    return torch.randn(like.shape, generator=generator, device=generator.device, dtype=like.dtype).to(like.device)

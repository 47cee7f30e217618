"""Denoising diffusion: a network predicts the noise ε in x_φ = cos φ x + sin φ ε (J. Ho et al., arXiv:2006.11239).

The network N enters as ε(x_φ) = sin φ x_φ + cos φ N(x_φ), so that a noisy point without signal is its own noise and the
event it came from, (x_φ − sin φ ε)/cos φ, has no large errors there (preconditioning as in arXiv:2206.00364; N is the
velocity of arXiv:2202.00512). φ rises evenly with time, the cosine schedule (arXiv:2102.09672), from a small noise to a
small signal. Samples: ancestral (DDPM), deterministic (DDIM, arXiv:2010.02502), or by the probability flow
(arXiv:2011.13456): with y = x_φ/cos φ and τ = tan φ it is dy/d ln τ = τ ε(x_φ), and also gives the density.
"""

import math
from dataclasses import replace
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor

from partonic.config.generative import DiffusionConfig
from partonic.nn.generative.continuous import ContinuousModel
from partonic.nn.generative.density_model import LogDensity
from partonic.nn.generative.gaussian import standard_normal_log_prob
from partonic.nn.generative.solvers import Velocity
from partonic.nn.generative.time_draws import stratified_times

__all__ = ["Diffusion"]


class Diffusion(ContinuousModel):
    """A network that predicts the noise in noisy events."""

    def training_loss(
        self, x: Tensor, c: Tensor, weights: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the weighted squared error of the noise at one time of each event."""
        time = stratified_times(x, generator)
        noise = self._normal((len(x), self.features), generator)
        angle = self._angle(time)[:, None]
        error = self._noise_in(torch.cos(angle) * x + torch.sin(angle) * noise, time, c) - noise
        return (weights * error.square().mean(dim=1)).mean(), {}

    def velocity(self, c: Tensor) -> Velocity:
        """Return the probability flow of y from noise at time 0 to data at time 1, even in ln τ."""
        low, high = (math.log(math.tan(angle)) for angle in self._angles())

        def flow(time: Tensor, state: Tensor) -> Tensor:
            ratio = torch.exp(high + (low - high) * time)
            angle = torch.atan(ratio)
            return (low - high) * ratio * self._noise_in(state * torch.cos(angle), self._time(angle), c)

        return flow

    def _noise_log_prob(self, state: Tensor) -> Tensor:
        signal = math.cos(self._angles()[1])
        return standard_normal_log_prob(state * signal) + self.features * math.log(signal)

    def _log_density(self, x: Tensor, c: Tensor, generator: torch.Generator | None) -> LogDensity:
        signal = math.cos(self._angles()[0])
        found = super()._log_density(x / signal, c, generator)
        return replace(found, value=found.value - self.features * math.log(signal))

    def _draw(self, c: Tensor, generator: torch.Generator) -> Tensor:
        config = cast("DiffusionConfig", self.config)
        if config.sampler == "ode":
            signal = math.cos(self._angles()[1])
            noise = self._normal((len(c), self.features), generator) / signal
            return self.transport(noise, c).state * math.cos(self._angles()[0])
        return self._denoised(c, generator, config.steps, fresh=config.sampler == "ddpm")

    def _denoised(self, c: Tensor, generator: torch.Generator, steps: int, *, fresh: bool) -> Tensor:
        """Return events of noise, step by step; `fresh` noise in each step or none."""
        state = self._normal((len(c), self.features), generator)
        times = torch.linspace(1.0, 0.0, steps + 1, dtype=torch.float64).tolist()
        for now, then in pairwise(times):
            angle, smaller = (self._angle(torch.tensor(time)).item() for time in (now, then))
            noise = self._noise_in(state, state.new_tensor(now), c)
            clean = (state - math.sin(angle) * noise) / math.cos(angle)
            if then == 0.0:
                return clean
            kicks = 0.0
            if fresh:  # the variance of x_then given x_now and the data
                ratio = math.cos(angle) / math.cos(smaller)
                kicks = math.sin(smaller) / math.sin(angle) * math.sqrt(1.0 - ratio**2)
            state = math.cos(smaller) * clean + math.sqrt(math.sin(smaller) ** 2 - kicks**2) * noise
            if fresh:
                state = state + kicks * self._normal(tuple(state.shape), generator)
        return state

    def _noise_in(self, point: Tensor, time: Tensor, c: Tensor) -> Tensor:
        """Return the noise that the network finds in points `(N, D)` at a time each, or one for all."""
        angle = self._angle(time)[..., None]
        noise: Tensor = torch.sin(angle) * point + torch.cos(angle) * self.network(point, time, c)
        return noise

    def _angles(self) -> tuple[float, float]:
        """Return φ at times 0 and 1."""
        config = cast("DiffusionConfig", self.config)
        return math.asin(config.smallest_noise), math.acos(config.smallest_signal)

    def _angle(self, time: Tensor) -> Tensor:
        low, high = self._angles()
        return low + (high - low) * time

    def _time(self, angle: Tensor) -> Tensor:
        low, high = self._angles()
        return (angle - low) / (high - low)

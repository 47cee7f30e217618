"""Conditional flow matching (Y. Lipman et al., arXiv:2210.02747): regression of the velocity of straight paths.

A path goes from noise ε at t = 0 to an event x at t = 1, x_t = (1 − (1 − σ) t) ε + t x, with the constant velocity
x − (1 − σ) ε. The mean velocity over all paths through a point, which the squared error finds, carries the noise to the
distribution of the events. With weights of either sign the minimum is the weighted mean velocity.
"""

from typing import cast

import torch
from torch import Tensor

from partonic.config.generative import FlowMatchingConfig
from partonic.nn.generative.continuous import ContinuousModel
from partonic.nn.generative.gaussian import standard_normal_log_prob
from partonic.nn.generative.solvers import Velocity
from partonic.nn.generative.time_draws import stratified_times

__all__ = ["FlowMatching"]


class FlowMatching(ContinuousModel):
    """A velocity field that carries Gaussian noise to events."""

    def training_loss(
        self, x: Tensor, c: Tensor, weights: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the weighted squared error of the velocity at one time of each path."""
        time = stratified_times(x, generator)
        noise = self._normal((len(x), self.features), generator)
        shrink = 1.0 - cast("FlowMatchingConfig", self.config).smallest_noise
        point = (1.0 - shrink * time)[:, None] * noise + time[:, None] * x
        error = self.network(point, time, c) - (x - shrink * noise)
        return (weights * error.square().mean(dim=1)).mean(), {}

    def velocity(self, c: Tensor) -> Velocity:
        """Return the velocity field."""
        return lambda time, state: self.network(state, time, c)

    def _noise_log_prob(self, state: Tensor) -> Tensor:
        return standard_normal_log_prob(state)

    def _draw(self, c: Tensor, generator: torch.Generator) -> Tensor:
        return self.transport(self._normal((len(c), self.features), generator), c).state

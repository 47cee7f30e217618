"""Models whose samples move from noise at time 0 to data at time 1 along a velocity field, and the density of these.

Along a path d ln p/dt = −div v (arXiv:1806.07366), so that

    ln p(x) = ln p_noise(x₀) − ∫₀¹ div v dt,   x₀ the point that x came from.

Hutchinson's directions are the same all along a path (arXiv:1810.01367): each gives an unbiased ln p, and the scatter
of these gives the error.
"""

from abc import abstractmethod

import torch
from torch import Tensor

from partonic.config.generative import DiffusionConfig, DivergenceConfig, FlowMatchingConfig, SolverConfig
from partonic.nn.generative.density_model import DensityModel, LogDensity
from partonic.nn.generative.divergence import directional_divergences, exact_divergence, rademacher
from partonic.nn.generative.solvers import Solution, Velocity, solve
from partonic.nn.generative.time_network import TimeNetwork

__all__ = ["ContinuousModel", "transported_log_density"]


VALIDATION_TIMES = 8
"""Times, with noise of their own, at which each held-out event is looked at."""


class ContinuousModel(DensityModel):
    """A density model with a velocity field, its solver and its divergence.

    Attributes:
        network: of standardised numbers, time and conditions.
        solver: settings of the solver; may be replaced at any time.
        divergence: settings of the divergence; likewise.
    """

    takes_signed_weights = True

    def __init__(self, config: FlowMatchingConfig | DiffusionConfig, features: int, context: int) -> None:
        """Build the network, with weights from torch's global generator."""
        super().__init__(config, features, context)
        self.network = TimeNetwork(config.network, features, context)
        self.solver: SolverConfig = config.solver
        self.divergence: DivergenceConfig = config.divergence

    def validation_loss(self, x: Tensor, c: Tensor, weights: Tensor, generator: torch.Generator) -> Tensor:
        """Return the loss at several times of each event: at one, its noise would choose the weights."""
        times = VALIDATION_TIMES
        return self.training_loss(x.repeat(times, 1), c.repeat(times, 1), weights.repeat(times), generator)[0]

    @abstractmethod
    def velocity(self, c: Tensor) -> Velocity:
        """Return the velocity field for standardised conditions `(N, C)`: of a time and states `(N, D)`."""

    @abstractmethod
    def _noise_log_prob(self, state: Tensor) -> Tensor:
        """Return the log-density of states at time 0, `(N,)`."""

    @property
    def density_is_estimated(self) -> bool:
        """Beyond the dimensions of the exact divergence."""
        return self.features > self.divergence.exact_dimensions

    def transport(self, noise: Tensor, c: Tensor) -> Solution:
        """Carry states `(N, D)` at time 0 to time 1; standardised, differentiable."""
        return solve(self.velocity(c), noise, 0.0, 1.0, self.solver)

    def _log_density(self, x: Tensor, c: Tensor, generator: torch.Generator | None) -> LogDensity:
        probes = None
        if self.density_is_estimated and generator is not None:
            probes = rademacher(self.divergence.probes, x, generator)
        start, integral, evaluations = transported_log_density(self.velocity(c), x, self.solver, probes)
        error = torch.zeros_like(integral[:, 0])
        if probes is not None:
            error = integral.detach().std(dim=1) / self.divergence.probes**0.5
        return LogDensity(self._noise_log_prob(start) + integral.mean(dim=1), error, evaluations)


def transported_log_density(
    velocity: Velocity, x: Tensor, solver: SolverConfig, probes: Tensor | None
) -> tuple[Tensor, Tensor, int]:
    """Return the noise `(N, D)` that events came from, and −∫₀¹ div v dt: exact `(N, 1)`, or of each probe `(N, K)`.

    Args:
        velocity: the velocity field.
        x: events at time 1, `(N, D)`.
        solver: settings.
        probes: directions of Hutchinson's estimate, `(K, N, D)`; None for the exact divergence.

    Returns:
        noise, integrals, and the number of evaluations.
    """
    features = x.shape[1]

    def with_divergence(time: Tensor, state: Tensor) -> Tensor:
        def field(point: Tensor) -> Tensor:
            return velocity(time, point)

        point = state[:, :features]
        if probes is None:
            value, exact = exact_divergence(field, point)
            return torch.cat([value, exact[:, None]], dim=1)
        return torch.cat(directional_divergences(field, point, probes), dim=1)

    columns = 1 if probes is None else len(probes)
    solution = solve(with_divergence, torch.cat([x, x.new_zeros(len(x), columns)], dim=1), 1.0, 0.0, solver)
    return solution.state[:, :features], solution.state[:, features:], solution.evaluations

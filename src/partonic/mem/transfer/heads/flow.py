"""The flow of objects: its velocity, the loss of its training, and its density and draws by solving for its paths."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.config.generative import SolverConfig
from partonic.mem.transfer.heads.velocity import VelocityNetwork
from partonic.mem.transfer.heads.whitening import Whitening, base_log_prob
from partonic.nn.generative.solvers import Solution, Velocity, solve
from partonic.nn.generative.time_draws import stratified_times

__all__ = ["ObjectFlow"]

_HALF_PI = 0.5 * math.pi


@dataclass(frozen=True)
class ObjectFlow:
    """The flow of rows of objects, each with its own condition. Numbers are standardised t of pT and η, and φ.

    Attributes:
        network: of the velocity.
        whitening: the map to standard numbers.
        given: what the condition adds to the network, `(rows, width)`.
        means: mean candidates, standardised, `(rows, queries, 4)`.
        present: 1 for the numbers that an object has, else 0, `(rows, 3)`; others stay 0.
        numbers: those that some object has.
    """

    network: VelocityNetwork
    whitening: Whitening
    given: Float[Tensor, "rows width"]
    means: Float[Tensor, "rows queries 4"]
    present: Float[Tensor, "rows 3"]
    numbers: tuple[int, ...]

    def rows(self, chosen: slice) -> "ObjectFlow":
        """Return the flow of some rows."""
        columns = (self.given[chosen], self.means[chosen], self.present[chosen])
        return ObjectFlow(self.network, self.whitening.rows(chosen), *columns, self.numbers)

    def velocity(self, time: Tensor, y: Float[Tensor, "rows 3"]) -> Float[Tensor, "rows 3"]:
        """Return the velocity of standard numbers at a time."""
        value, _ = self._of_network(time, y, ())
        return value * self.present

    def velocity_and_divergence(self, time: Tensor, state: Float[Tensor, "rows 4"]) -> Float[Tensor, "rows 4"]:
        """Return the velocity of the first three numbers, and its exact divergence."""
        value, diagonal = self._of_network(time, state[:, :3], self.numbers)
        divergence = (diagonal.T * self.present[:, list(self.numbers)]).sum(dim=1, keepdim=True)
        return torch.cat([value * self.present, divergence], dim=1)

    def log_prob(
        self, line: Float[Tensor, "rows 2"], phi: Float[Tensor, " rows"], solver: SolverConfig
    ) -> Float[Tensor, " rows"]:
        """Return the log-density of the numbers that objects have; differentiable through the steps of the solver.

        Raises:
            NonFiniteError, ParameterError: if the solver fails, see `solve`.
        """
        return self.log_prob_and_solution(line, phi, solver)[0]

    def log_prob_and_solution(
        self, line: Float[Tensor, "rows 2"], phi: Float[Tensor, " rows"], solver: SolverConfig
    ) -> tuple[Float[Tensor, " rows"], Solution]:
        """Return `log_prob`, and what the solver says of its error and its cost.

        The state of the solution is that at time 0, with −∫₀¹ div v dt as the fourth number.
        """
        y, log_slope = self.whitening.forward(line, phi)
        start = torch.cat([y * self.present, torch.zeros_like(y[:, :1])], dim=1)
        velocity: Velocity = self.velocity_and_divergence
        solution = solve(velocity, start, 1.0, 0.0, solver)
        of_numbers = (base_log_prob(solution.state[:, :3]) + log_slope) * self.present
        return of_numbers.sum(dim=1) + solution.state[:, 3], solution

    def sample(self, solver: SolverConfig, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Draw the numbers on the line, `(rows, 2)`, and φ in (−π, π]; 0 on the circle for objects without φ.

        Raises:
            NonFiniteError, ParameterError: if the solver fails, see `solve`.
        """
        found = self.carried(self._noise(len(self.given), generator) * self.present, solver)
        at = self.whitening.inverse(found.state)
        return at.line, torch.atan2(at.sine, at.cosine)

    def carried(self, noise: Float[Tensor, "rows 3"], solver: SolverConfig) -> Solution:
        """Return where noise at time 0 comes to at time 1."""
        return solve(self.velocity, noise, 0.0, 1.0, solver)

    def loss(
        self, line: Float[Tensor, "rows 2"], phi: Float[Tensor, " rows"], draws: int, generator: torch.Generator
    ) -> Float[Tensor, " rows"]:
        """Return −log p of the coarse density plus the squared error of the velocity, averaged over draws.

        The second acts on the network of the velocity and on the state, not on the coarse density.

        Args:
            line: standardised t of pT and η.
            phi: azimuth.
            draws: times and noises for each object.
            generator: of their random numbers.
        """
        y, log_slope = self.whitening.forward(line, phi)
        coarse = ((base_log_prob(y) + log_slope) * self.present).sum(dim=1)
        drawn = self._repeated(draws)
        target = (y.detach() * self.present).repeat(draws, 1)
        time = stratified_times(target, generator)
        noise = self._noise(len(target), generator) * drawn.present
        point, velocity = _path(noise, target, time)
        found = drawn.velocity(time, point)
        error = ((found - velocity).square() * drawn.present).sum(dim=1)
        return error.view(draws, -1).mean(dim=0) - coarse

    def _repeated(self, times: int) -> "ObjectFlow":
        """Return the flow with all rows so many times, and the map to standard numbers fixed."""
        fixed = vars(self.whitening.detach())
        whitening = Whitening(**{name: torch.cat([values] * times) for name, values in fixed.items()})
        given, means, present = (torch.cat([values] * times) for values in (self.given, self.means, self.present))
        return ObjectFlow(self.network, whitening, given, means, present, self.numbers)

    def _of_network(self, time: Tensor, y: Tensor, numbers: tuple[int, ...]) -> tuple[Tensor, Tensor]:
        found: tuple[Tensor, Tensor] = self.network(y, time, self.given, self.whitening, self.means, numbers)
        return found

    def _noise(self, count: int, generator: torch.Generator) -> Float[Tensor, "rows 3"]:
        """Return two Gaussian numbers and a uniform angle for each row."""
        line = torch.randn((count, 2), generator=generator, device=generator.device)
        angle = torch.rand((count, 1), generator=generator, device=generator.device)
        return torch.cat([line, math.pi * (2.0 * angle - 1.0)], dim=1).to(self.given)


def _path(
    noise: Float[Tensor, "rows 3"], target: Float[Tensor, "rows 3"], time: Float[Tensor, " rows"]
) -> tuple[Float[Tensor, "rows 3"], Float[Tensor, "rows 3"]]:
    """Return where paths from noise to targets are at a time, and their velocities."""
    cosine, sine = torch.cos(_HALF_PI * time)[:, None], torch.sin(_HALF_PI * time)[:, None]
    line = cosine * noise[:, :2] + sine * target[:, :2]
    speed = _HALF_PI * (cosine * target[:, :2] - sine * noise[:, :2])
    turn = torch.remainder(target[:, 2:] - noise[:, 2:] + math.pi, 2.0 * math.pi) - math.pi
    return torch.cat([line, noise[:, 2:] + time[:, None] * turn], dim=1), torch.cat([speed, turn], dim=1)

"""Training of the sampler: VEGAS iterations, then rounds of a flow on a buffer of evaluated points.

The matrix element is evaluated once per point. Each round draws new points from the current sampler (the first round
from the VEGAS grid), keeps them in a buffer with the density that drew them, and takes optimization steps on random
batches of the buffer, corrected by that density. With w = f/q_drawn and r = q_drawn/q the loss is an estimate of

    D_p(f‖q) = ⟨(f/q)^p⟩_q = ⟨w^p r^(p−1)⟩_drawn ,        p > 1,

normalised to ∫f = 1 (p = 2: one plus the variance of the weights; p → 1: Kullback–Leibler divergence, −⟨w log q⟩).
The first half of the rounds uses p = 1, which is stable far from the solution, the second half `tail_power`.

The state after each round is saved, and every round has its own generators, spawned from the seed and its number: a
training that was killed and continued ends with the same sampler as one that ran through.
"""

import logging
import math
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from partonic.config.generation import SamplerConfig
from partonic.errors import GenerationError, NonFiniteError
from partonic.generation.integrand import evaluate
from partonic.generation.protocol import Integrand, Sampler
from partonic.generation.sampler import FlowArchitecture, FlowSampler
from partonic.generation.tensors import load_tensors, nested_tensors, save_tensors, tensors_under
from partonic.generation.vegas import VegasSampler
from partonic.progress import SILENT, Progress
from partonic.rng import torch_generator

__all__ = ["SamplerTraining", "TrainedSamplers", "train_samplers"]

_LOG = logging.getLogger(__name__)
_WARM_UP_STEPS = 50
_BUFFER_FIELDS = ("points", "values", "log_density")


@dataclass(frozen=True)
class TrainedSamplers:
    """The two samplers of one training.

    Attributes:
        flow: the trained flow, float64.
        vegas: the VEGAS grid that it started from.
    """

    flow: FlowSampler
    vegas: VegasSampler


class SamplerTraining:
    """A training that can be saved and continued after every round."""

    def __init__(self, integrand: Integrand, dimensions: int, config: SamplerConfig, seed: int) -> None:
        """Start at the beginning: a uniform grid and an untrained flow."""
        self.integrand, self.config, self.seed = integrand, config, seed
        architecture = FlowArchitecture(
            dimensions=dimensions,
            layers=config.layers,
            units=config.units,
            bins=config.bins,
            harmonics=config.harmonics,
        )
        self.vegas = VegasSampler.uniform(dimensions, config.vegas_bins)
        self.flow = FlowSampler(architecture, torch.float32)
        self.optimizer = torch.optim.Adam(self.flow.flow.parameters(), lr=config.learning_rate, betas=(0.9, 0.99))
        self.buffer: list[tuple[Tensor, Tensor, Tensor]] = []
        self.round = 0

    def adapt_vegas(self) -> None:
        """Adapt the grid and give the flow its density."""
        for iteration in range(self.config.vegas_iterations):
            generator = torch_generator(self.seed, "vegas", iteration)
            points, log_density = self.vegas.sample(self.config.vegas_points, generator)
            weights = evaluate(self.integrand, points) * (-log_density).exp()
            self.vegas = self.vegas.adapted(points, weights, self.config.vegas_damping)
        self.flow.start_from(self.vegas)

    def run_round(self) -> float:
        """Draw new points, train on the buffer, and return the mean loss of the round."""
        generator = torch_generator(self.seed, "round", self.round)
        self._draw(generator)
        points, values, log_drawn = (torch.cat(parts) for parts in zip(*self.buffer, strict=True))
        log_weights = values.log() - log_drawn  # −inf where the integrand vanishes
        log_weights = log_weights - (log_weights.logsumexp(0) - math.log(len(log_weights)))
        total = 0.0
        for step in range(self.config.steps_per_round):
            batch = torch.randint(len(points), (self.config.batch_size,), generator=generator)
            total += self._step(step, points[batch], log_weights[batch], log_drawn[batch])
        self.round += 1
        return total / self.config.steps_per_round

    def _draw(self, generator: torch.Generator) -> None:
        sampler: Sampler = self.vegas if self.round == 0 else self.flow
        points, log_density = sampler.sample(self.config.points_per_round, generator)
        values = evaluate(self.integrand, points)
        if not bool((values > 0).any()):
            raise GenerationError(f"the integrand vanished on all {len(values)} points of training round {self.round}")
        self.buffer = [*self.buffer, (points, values, log_density)][-self.config.buffer_rounds :]

    def _step(self, step: int, points: Tensor, log_weights: Tensor, log_drawn: Tensor) -> float:
        for group in self.optimizer.param_groups:
            group["lr"] = self._learning_rate(self.round * self.config.steps_per_round + step)
        self.optimizer.zero_grad()
        log_density = self.flow.log_density(points).to(torch.float64)
        loss = self._loss(log_weights, log_drawn, log_density)
        loss.backward()  # type: ignore[no-untyped-call]
        norm = torch.nn.utils.clip_grad_norm_(self.flow.flow.parameters(), 1.0)
        if not bool(norm.isfinite()):
            raise NonFiniteError(
                f"the loss of training round {self.round}, step {step} has no finite gradient (loss {float(loss)}); "
                "lower sampler.learning_rate or sampler.tail_power"
            )
        self.optimizer.step()
        return float(loss.detach())

    def _loss(self, log_weights: Tensor, log_drawn: Tensor, log_density: Tensor) -> Tensor:
        if self.round < self.config.rounds // 2 or self.config.tail_power == 1.0:
            return (log_weights.exp() * (log_drawn - log_density)).mean()
        power = self.config.tail_power
        return (power * log_weights + (power - 1.0) * (log_drawn - log_density)).exp().mean().log() / (power - 1.0)

    def _learning_rate(self, step: int) -> float:
        total = self.config.rounds * self.config.steps_per_round
        warm_up = min(1.0, (step + 1) / _WARM_UP_STEPS)
        return self.config.learning_rate * warm_up * 0.5 * (1.0 + math.cos(math.pi * step / total))

    def save(self, path: Path, identity: str) -> None:
        """Write the whole state atomically.

        Raises:
            OutputError: if the file cannot be written.
        """
        tensors = {"vegas": self.vegas.edges}
        tensors |= {f"flow.{name}": tensor for name, tensor in self.flow.flow.state_dict().items()}
        for index, state in self.optimizer.state_dict()["state"].items():
            tensors |= {f"adam.{index}.{name}": torch.as_tensor(value) for name, value in state.items()}
        for index, part in enumerate(self.buffer):
            tensors |= {f"buffer.{index}.{name}": part[k] for k, name in enumerate(_BUFFER_FIELDS)}
        save_tensors(path, tensors, {"identity": identity, "round": str(self.round)})

    def restore(self, path: Path, identity: str) -> None:
        """Continue from a state that `save` wrote.

        Raises:
            GenerationError: if the file is damaged or belongs to another training.
        """
        tensors, metadata = load_tensors(path)
        if metadata.get("identity") != identity:
            raise GenerationError(f"{path} belongs to a training with another configuration, seed or version")
        self.vegas = VegasSampler(tensors["vegas"])
        self.flow.flow.load_state_dict(tensors_under("flow.", tensors))
        optimizer = self.optimizer.state_dict()
        optimizer["state"] = nested_tensors(tensors_under("adam.", tensors))
        self.optimizer.load_state_dict(optimizer)
        parts = nested_tensors(tensors_under("buffer.", tensors))
        self.buffer = [
            (parts[index]["points"], parts[index]["values"], parts[index]["log_density"]) for index in sorted(parts)
        ]
        self.round = int(metadata["round"])


def train_samplers(
    integrand: Integrand,
    dimensions: int,
    config: SamplerConfig,
    *,
    seed: int,
    checkpoint: Path,
    identity: str,
    progress: Progress = SILENT,
) -> TrainedSamplers:
    """Train a VEGAS grid and a flow for `integrand`, continuing from the checkpoint if there is one.

    Args:
        integrand: non-negative function on the unit cube.
        dimensions: D of the unit cube.
        config: how to train.
        seed: root of all random numbers.
        checkpoint: state of the training, written after every round. A damaged one, or one of another training, is
            replaced, with a warning in the log.
        identity: whatever the training depends on, as a hash.
        progress: told of every round.

    Raises:
        GenerationError: if the integrand vanishes wherever it is tried.
        NonFiniteError: if the integrand or the loss is not finite.
        OutputError: if the checkpoint cannot be written.
    """
    training = SamplerTraining(integrand, dimensions, config, seed)
    if checkpoint.exists():
        try:
            training.restore(checkpoint, identity)
        except GenerationError as error:
            _LOG.warning("the sampler is trained anew: %s", error)
            training = SamplerTraining(integrand, dimensions, config, seed)
    progress.start("training the sampler", config.rounds, "rounds", done=training.round)
    if training.round == 0:
        training.adapt_vegas()
    while training.round < config.rounds:
        loss = training.run_round()
        training.save(checkpoint, identity)
        progress.advance(1, loss=loss)
    progress.finish()
    return TrainedSamplers(training.flow.to(torch.float64), training.vegas)

"""Training of the multi-channel sampler (MadNIS, arXiv:2212.06172 and 2311.01548), with losses of logarithms.

Channel and latent point together are one variable (i, y) with the target t = α_i f |dz/dy| and the density p = β_i q_i,
so that the losses of one channel hold for all: with points drawn at t/p_drawn = w and Z = Σ_i ∫ t, which α does not
change because Σ_i α_i = 1,

    first half of the rounds:    ⟨(w/Z) (log t − log p)⟩_drawn ,                       Kullback–Leibler,
    second half:                 log ⟨(t/Z)^P p^(1−P) / p_drawn⟩_drawn / (P − 1) ,      P = tail_power; 2: variance.

Flow, residual weights K_i and shares β_i follow from one gradient. Each round draws new points (online), stratified
over the channels, and takes steps on the points of the latest rounds (buffered); the process is evaluated once a
point, for target and priors are kept beside it while α is worked out anew.
"""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from partonic.config.generation import SamplerConfig
from partonic.errors import GenerationError, NonFiniteError
from partonic.generation.bias import Bias
from partonic.generation.channels.densities import ChannelDensities, ChannelNetworks, stratified_channels
from partonic.generation.channels.flow import ChannelFlowShape
from partonic.generation.channels.grids import AdaptedGrids, adapt_grids, log_target
from partonic.generation.channels.space import ChannelSpace, families
from partonic.generation.channels.tally import ChannelTally
from partonic.generation.tensors import nested_tensors, tensors_under
from partonic.rng import torch_generator

__all__ = ["ChannelTraining", "TrainingPoints"]

_WARM_UP_STEPS = 50
_NOT_FINITE_LIMIT = 1e-3
_NOT_ADAPTED = "the grids of the channels must be adapted"


@dataclass(frozen=True)
class TrainingPoints:
    """Evaluated points, all that the loss needs of them.

    Attributes:
        channel: `(N,)`.
        y: latent numbers, float32, `(N, D)`.
        log_values: log g|dσ/dy| without α, `(N,)`; −∞ where the process vanishes.
        log_prior: of the maps of the channel's family, −∞ beyond their number, `(N, most maps)`.
        seen: what residual weights depend on, float32, `(N, D)`.
        log_drawn: log (β q) when drawn, `(N,)`.
    """

    channel: Tensor
    y: Tensor
    log_values: Tensor
    log_prior: Tensor
    seen: Tensor
    log_drawn: Tensor

    def tensors(self) -> dict[str, Tensor]:
        """Return the fields by name."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    def __getitem__(self, index: Tensor) -> "TrainingPoints":
        """Return some of the points."""
        return TrainingPoints(**{name: tensor[index] for name, tensor in self.tensors().items()})

    @classmethod
    def joined(cls, parts: "list[TrainingPoints]") -> "TrainingPoints":
        """Return the points of all parts."""
        return cls(**{name: torch.cat([getattr(one, name) for one in parts]) for name in cls.__dataclass_fields__})


class ChannelTraining:
    """A training of all channels that can be saved and continued after every round."""

    def __init__(
        self, spaces: tuple[ChannelSpace, ...], target: Tensor, bias: Bias, config: SamplerConfig, seed: int
    ) -> None:
        """Prepare; `adapt` or a restored state comes next."""
        self.spaces, self.target, self.bias, self.config, self.seed = spaces, target, bias, config, seed
        shape = ChannelFlowShape(
            dimensions=spaces[0].dimensions,
            channels=len(spaces),
            layers=config.layers,
            units=config.units,
            bins=config.bins,
            harmonics=config.harmonics,
        )
        self.networks = ChannelNetworks(shape, families(spaces), config.channels.least_share, torch.float32)
        rate = config.channels.learning_rate
        self.optimizer = torch.optim.Adam(self.networks.parameters(), lr=rate, betas=(0.9, 0.99))
        self.buffer: list[TrainingPoints] = []
        self.round = 0
        self.grids: AdaptedGrids | None = None
        self.dropped: tuple[str, ...] = ()

    @property
    def densities(self) -> ChannelDensities:
        """The channels with the adapted grids."""
        if self.grids is None:
            raise GenerationError(f"{_NOT_ADAPTED} before the flow is trained")
        return ChannelDensities(self.spaces, self.grids.edges, self.grids.log_shares)

    def adapt(self) -> None:
        """Adapt the grids, drop maps that add nothing, and let the shares of points start from those of the grids."""
        self.grids = adapt_grids(self.spaces, self.target, self.bias, self.config, self.seed)
        _check_finite(self.grids.tally)
        active = kept_channels(self.grids.tally, families(self.spaces), self.config.channels.drop_below)
        self.networks.active.copy_(active)
        self.networks.share_logits.data.copy_(self.grids.log_shares)
        self._name_dropped()

    def _name_dropped(self) -> None:
        kept = self.networks.active.tolist()
        self.dropped = tuple(s.channel.name for s, one in zip(self.spaces, kept, strict=True) if not one)

    def run_round(self) -> tuple[float, ChannelTally]:
        """Draw new points, train on the buffer; return the mean loss and what the new points say of the channels."""
        generator = torch_generator(self.seed, "channel round", self.round)
        new, tally = self._drawn(generator)
        self.buffer = [*self.buffer, new][-self.config.buffer_rounds :]
        points = TrainingPoints.joined(self.buffer)
        with torch.no_grad():
            log_weights = points.log_values + self._log_alpha(points) - points.log_drawn
            log_norm = log_weights.logsumexp(0) - math.log(len(log_weights))
        total = 0.0
        for step in range(self.config.steps_per_round):
            batch = torch.randint(len(points.y), (self.config.batch_size,), generator=generator)
            total += self._step(step, points[batch], log_norm)
        self.round += 1
        return total / self.config.steps_per_round, tally

    def _drawn(self, generator: torch.Generator) -> tuple[TrainingPoints, ChannelTally]:
        densities = self.densities
        most = max(map(len, self.networks.members))
        with torch.no_grad():
            log_shares = self.networks.log_shares()
            channel = stratified_channels(log_shares.exp(), self.config.channels.points_per_round, generator)
            y, log_density = self.networks.flow.sample(channel, generator)
        parts = []
        for place in sorted(set(channel.tolist())):
            own = y[channel == place]
            values, prior, seen = log_target(densities, place, own, self.target, self.bias, self.networks.active)
            prior = torch.nn.functional.pad(prior, (0, most - prior.shape[1]), value=float("-inf"))
            parts.append((values, prior, seen.to(torch.float32)))
        values, prior, seen = (torch.cat(part) for part in zip(*parts, strict=True))
        points = TrainingPoints(channel, y.to(torch.float32), values, prior, seen, log_density + log_shares[channel])
        with torch.no_grad():
            weights = (points.log_values + self._log_alpha(points) - points.log_drawn).exp()
        tally = ChannelTally.of([space.channel.name for space in self.spaces], channel, weights)
        _check_finite(tally)
        if not bool((tally.total > 0).any()):
            raise GenerationError(f"the process vanished on all {len(y)} points of training round {self.round}")
        return points[~values.isnan()], tally

    def _log_alpha(self, points: TrainingPoints) -> Tensor:
        """Return log α of the points' channels, differentiable in the residual weights."""
        result = torch.zeros_like(points.log_values)
        for family, residual in zip(self.networks.members, self.networks.residuals, strict=True):
            if len(family) == 1:
                continue
            where = torch.isin(points.channel, torch.tensor(family)).nonzero()[:, 0]
            logits = points.log_prior[where, : len(family)] + residual(points.seen[where]).to(torch.float64)
            own = points.channel[where][:, None] - points.channel.new_tensor(family)[None] == 0
            log_alpha = torch.log_softmax(logits, dim=1)
            result = result.index_put((where,), torch.where(own, log_alpha, torch.zeros_like(log_alpha)).sum(dim=1))
        return result

    def _step(self, step: int, points: TrainingPoints, log_norm: Tensor) -> float:
        for group in self.optimizer.param_groups:
            group["lr"] = self._learning_rate(self.round * self.config.steps_per_round + step)
        self.optimizer.zero_grad()
        log_density = self.networks.flow.log_density(points.y, points.channel).to(torch.float64)
        log_density = log_density + self.networks.log_shares()[points.channel]
        log_target_value = points.log_values + self._log_alpha(points) - log_norm
        loss = self._loss(log_target_value, points.log_drawn, log_density)
        loss.backward()  # type: ignore[no-untyped-call]
        norm = torch.nn.utils.clip_grad_norm_(self.networks.parameters(), 1.0)
        if not bool(norm.isfinite()):
            raise NonFiniteError(
                f"the loss of training round {self.round}, step {step} has no finite gradient (loss {float(loss)}); "
                "lower sampler.channels.learning_rate or sampler.tail_power"
            )
        self.optimizer.step()
        return float(loss.detach())

    def _loss(self, log_values: Tensor, log_drawn: Tensor, log_density: Tensor) -> Tensor:
        inside = log_values.isfinite()  # where the process vanishes there is nothing to learn but by what is elsewhere
        count = len(log_values)
        log_values, log_drawn, log_density = (one[inside] for one in (log_values, log_drawn, log_density))
        if self.round < self.config.rounds // 2 or self.config.tail_power == 1.0:
            return ((log_values - log_drawn).exp() * (log_values - log_density)).sum() / count
        power = self.config.tail_power
        logs = power * log_values - log_drawn - (power - 1.0) * log_density
        return (logs.logsumexp(0) - math.log(count)) / (power - 1.0)

    def _learning_rate(self, step: int) -> float:
        total = self.config.rounds * self.config.steps_per_round
        warm_up = min(1.0, (step + 1) / _WARM_UP_STEPS)
        return self.config.channels.learning_rate * warm_up * 0.5 * (1.0 + math.cos(math.pi * step / total))

    def state(self) -> dict[str, Tensor]:
        """Return everything that the rest of the training depends on, as named tensors."""
        grids = self.grids
        if grids is None:
            raise GenerationError(f"{_NOT_ADAPTED} before the state of the training is asked for")
        tensors = {"edges": grids.edges, "prior": grids.log_shares}
        tally = grids.tally
        tensors |= {f"tally.{n}": getattr(tally, n) for n in ("points", "total", "squares", "not_finite")}
        tensors |= {f"networks.{name}": tensor for name, tensor in self.networks.state_dict().items()}
        for index, own in self.optimizer.state_dict()["state"].items():
            tensors |= {f"adam.{index}.{name}": torch.as_tensor(value) for name, value in own.items()}
        for index, part in enumerate(self.buffer):
            tensors |= {f"buffer.{index}.{name}": tensor for name, tensor in part.tensors().items()}
        return tensors

    def restore(self, tensors: dict[str, Tensor], rounds: int) -> None:
        """Continue from a `state` after so many rounds."""
        names = tuple(space.channel.name for space in self.spaces)
        tally = ChannelTally(names, **tensors_under("tally.", tensors))
        self.grids = AdaptedGrids(tensors["edges"], tensors["prior"], tally)
        self.networks.load_state_dict(tensors_under("networks.", tensors))
        optimizer: dict[str, Any] = self.optimizer.state_dict()
        optimizer["state"] = nested_tensors(tensors_under("adam.", tensors))
        self.optimizer.load_state_dict(optimizer)
        parts = nested_tensors(tensors_under("buffer.", tensors))
        self.buffer = [TrainingPoints(**parts[index]) for index in sorted(parts)]
        self.round = rounds
        self._name_dropped()


def kept_channels(tally: ChannelTally, members: tuple[tuple[int, ...], ...], below: float) -> Tensor:
    """Return which channels are kept: a map goes if it brings less than a share `below` of what its family brings.

    The last map of partonic channels is never dropped, whatever its points were: nothing else would reach these.
    """
    active = torch.ones(len(tally.names), dtype=torch.bool)
    for family in members:
        sizes = tally.total[list(family)]
        if len(family) > 1 and float(sizes.sum()) > 0.0:
            active[list(family)] = sizes >= below * sizes.sum()
    return active


def _check_finite(tally: ChannelTally) -> None:
    bad = tally.not_finite / tally.points.clamp(min=1.0)
    if bool((bad > _NOT_FINITE_LIMIT).any()):
        worst = int(bad.argmax())
        raise NonFiniteError(
            f"dσ/du is not finite at {int(tally.not_finite[worst])} of {int(tally.points[worst])} points of the "
            f"channel '{tally.names[worst]}': its matrix element, its densities or its map fail there"
        )

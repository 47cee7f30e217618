"""Events in chunks: what one task of the generation makes, keeps on disk, and the event file is assembled from."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Tensor

from partonic.config.generation import OverweightPolicy
from partonic.errors import GenerationError
from partonic.generation.bias import Bias, no_bias
from partonic.generation.channels.sampler import MultiChannelSampler
from partonic.generation.integrand import require_finite
from partonic.generation.protocol import Sampler
from partonic.generation.tensors import load_tensors, save_tensors
from partonic.generation.unweight import UnweightingTally, accept
from partonic.physics.process import PartonEvents, Process

__all__ = ["ChunkFolder", "CrossSectionSums", "EventChunk", "Target", "UnweightedEvents", "generate_chunk"]

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class UnweightedEvents:
    """Parton-level events.

    Attributes:
        momenta: final-state momenta (E, px, py, pz) in the laboratory, GeV, `(N, n, 4)`.
        x1, x2: momentum fractions, `(N,)`.
        channel: index of the initial state among the channels of the process, `(N,)`.
        colour_flow: index of the colour flow among those of the channel, `(N,)`.
        scale: μF in GeV, `(N,)`.
        alpha_s: α_s(μR), `(N,)`.
        coefficients: coefficients of the event's own channel, `(N, A)`. In a chunk: relative to g |dσ/du| of the
            channel at the θ of generation (g: the bias), times the weight of the event in units of the common one.
    """

    momenta: Float[Tensor, "events particles 4"]
    x1: Float[Tensor, " events"]
    x2: Float[Tensor, " events"]
    channel: Int[Tensor, " events"]
    colour_flow: Int[Tensor, " events"]
    scale: Float[Tensor, " events"]
    alpha_s: Float[Tensor, " events"]
    coefficients: Float[Tensor, "events monomials"]

    def __len__(self) -> int:
        """Return the number of events."""
        return len(self.x1)

    def __getitem__(self, selection: slice) -> "UnweightedEvents":
        """Return some of the events."""
        return UnweightedEvents(**{field.name: getattr(self, field.name)[selection] for field in fields(self)})


@dataclass(frozen=True)
class CrossSectionSums:
    """Sums over all points tried of v and v vᵀ.

    v are the weighted coefficients (A), the channels at θ (C), and Σ_c |dσ_c/du| summed over the θ points that the
    events cover, which is the size of what the events share; all in pb.

    Attributes:
        points: points tried.
        first: Σ v, `(A + C + 1,)`.
        second: Σ v vᵀ, `(A + C + 1, A + C + 1)`.
    """

    points: int
    first: Float[Tensor, " entries"]
    second: Float[Tensor, "entries entries"]

    @classmethod
    def of(cls, values: Float[Tensor, "points entries"]) -> "CrossSectionSums":
        """Sum over points."""
        return cls(len(values), values.sum(dim=0), values.T @ values)

    def __add__(self, other: "CrossSectionSums") -> "CrossSectionSums":
        """Join the sums of two samples."""
        return CrossSectionSums(self.points + other.points, self.first + other.first, self.second + other.second)

    @property
    def mean(self) -> Float[Tensor, " entries"]:
        """The estimates: mean of v."""
        return self.first / self.points

    @property
    def covariance(self) -> Float[Tensor, "entries entries"]:
        """Covariance matrix of the estimates."""
        scatter = self.second / self.points - torch.outer(self.mean, self.mean)
        return scatter / (self.points - 1)


@dataclass(frozen=True)
class EventChunk:
    """The events of one chunk and what the points tried for them say about the cross section."""

    events: UnweightedEvents
    sums: CrossSectionSums
    tally: UnweightingTally

    def save(self, path: Path, identity: str) -> None:
        """Write the chunk atomically, marked with the `identity` of the computation that it belongs to.

        Raises:
            OutputError: if the file cannot be written.
        """
        tensors = {f"events.{field.name}": getattr(self.events, field.name) for field in fields(self.events)}
        tensors |= {"sums.first": self.sums.first, "sums.second": self.sums.second}
        tally = {field.name: getattr(self.tally, field.name) for field in fields(self.tally)}
        save_tensors(path, tensors, {"identity": identity, "tally": json.dumps(tally)})

    @classmethod
    def load(cls, path: Path, identity: str) -> "EventChunk":
        """Read a chunk.

        Raises:
            GenerationError: if the file is damaged or belongs to another computation.
        """
        tensors, metadata = load_tensors(path)
        if metadata.get("identity") != identity:
            raise GenerationError(f"{path} belongs to a generation with another configuration, seed or version")
        tally = UnweightingTally(**json.loads(metadata["tally"]))
        events = UnweightedEvents(**_under("events.", tensors))
        return cls(events, CrossSectionSums(tally.points, **_under("sums.", tensors)), tally)


@dataclass(frozen=True)
class ChunkFolder:
    """The finished chunks of one generation, as numbered files.

    Attributes:
        folder: where they are.
        identity: hash of the generation; files that carry another one are replaced.
    """

    folder: Path
    identity: str

    def path(self, number: int) -> Path:
        """Return the file of a chunk."""
        return self.folder / f"{number:06d}.safetensors"

    def save(self, number: int, chunk: EventChunk) -> None:
        """Keep a chunk (`OutputError` if it cannot be written)."""
        chunk.save(self.path(number), self.identity)

    def load(self, number: int) -> EventChunk:
        """Read a chunk that is there (`GenerationError` if it is damaged)."""
        return EventChunk.load(self.path(number), self.identity)

    def existing(self, number: int) -> EventChunk | None:
        """Return a chunk if an earlier run left it whole; a damaged or foreign one is logged and ignored."""
        if not self.path(number).exists():
            return None
        try:
            return self.load(number)
        except GenerationError as error:
            _LOG.warning("the chunk is made anew: %s", error)
            return None

    def events_at_hand(self) -> int:
        """Return how many events the chunks of an earlier run hold, up to the first one missing."""
        number = events = 0
        while (chunk := self.existing(number)) is not None:
            events += len(chunk.events)
            number += 1
        return events


@dataclass(frozen=True)
class Target:
    """What the points of a chunk are drawn from and how they are unweighted.

    Attributes:
        process: the hard process.
        monomials: m_a(θ) summed over the θ points that the events must cover, `(A,)`.
        theta: θ at which colour flows are drawn and channels are reported, `(K,)`.
        sampler: draws the points.
        maximum: w_max in pb.
        policy: what happens above it.
        bias: g of events.
    """

    process: Process
    monomials: Float[Tensor, " monomials"]
    theta: Float[Tensor, " parameters"]
    sampler: Sampler | MultiChannelSampler
    maximum: float
    policy: OverweightPolicy
    bias: Bias = no_bias


def generate_chunk(target: Target, points: int, generator: torch.Generator) -> EventChunk:
    """Try `points` points and return the events among them.

    The weight of a point is w = g Σ_c |dσ_c/du| / q over the channels c, with the bias g. An accepted point becomes an
    event of channel c with probability |dσ_c/du| / Σ_c |dσ_c/du|, and carries the coefficients of that channel only,
    divided by g: what it is showered as is what it is reweighted as.

    Raises:
        NonFiniteError: if dσ/du is NaN or infinite at a point; the message names it.
    """
    partons, weighted = _weighted_points(target, points, generator)
    by_channel = weighted @ target.monomials
    sizes = by_channel.abs().sum(dim=1)
    at_theta = weighted @ _monomials_at(target)
    sums = CrossSectionSums.of(torch.cat([weighted.sum(dim=1), at_theta, sizes[:, None]], dim=1))
    bias = target.bias(partons)
    weights = sizes * bias
    index, multiplier = accept(weights, target.maximum, target.policy, generator)
    channel = _draw(by_channel[index].abs(), generator)
    accepted = PartonEvents(partons.momenta[index], partons.x1[index], partons.x2[index])
    flows = target.process.flow_weights(accepted, target.theta)[torch.arange(len(index)), channel]
    own = weighted[index, channel]
    relative = own / (own @ target.monomials).abs()[:, None] * (multiplier / bias[index])[:, None]
    events = UnweightedEvents(
        momenta=accepted.momenta,
        x1=accepted.x1,
        x2=accepted.x2,
        channel=channel,
        colour_flow=_draw(flows, generator),
        scale=target.process.scale(accepted),
        alpha_s=target.process.alpha_s(accepted),
        coefficients=relative,
    )
    return EventChunk(events, sums, UnweightingTally.of(weights, target.maximum, len(index)))


def _weighted_points(target: Target, points: int, generator: torch.Generator) -> tuple[PartonEvents, Tensor]:
    """Return events and, for each partonic channel, their coefficients over the density of the points, `(N, C, A)`."""
    if isinstance(target.sampler, MultiChannelSampler):
        drawn = target.sampler.draw(points, generator)
        return drawn.events, drawn.weighted
    numbers, log_density = target.sampler.sample(points, generator)
    partons, log_jacobian = target.process.from_unit_cube(numbers)
    found = target.process.channel_coefficients(partons)
    require_finite(found.flatten(1).sum(dim=1) * log_jacobian.exp(), numbers, partons)
    return partons, found * (log_jacobian - log_density).exp()[:, None, None]


def _monomials_at(target: Target) -> Tensor:
    return torch.as_tensor(target.process.monomials.evaluate(target.theta.numpy()), dtype=torch.float64)


def _draw(shares: Float[Tensor, "events options"], generator: torch.Generator) -> Int[Tensor, " events"]:
    """Draw an option for each event with probability proportional to its non-negative share."""
    cumulative = shares.cumsum(dim=1)
    numbers = torch.rand((len(shares), 1), generator=generator, dtype=shares.dtype) * cumulative[:, -1:]
    # The last option with a share, not the last option, when rounding takes the number to the very end.
    last = (shares > 0).to(torch.int64).cumsum(dim=1).argmax(dim=1)
    return torch.minimum((cumulative <= numbers).sum(dim=1), last)


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}

"""From a process with several sampling channels to a trained sampler, continued from its checkpoint if there is one."""

import logging
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from partonic.config.generation import SamplerConfig
from partonic.errors import GenerationError
from partonic.generation.bias import Bias
from partonic.generation.channels.sampler import MultiChannelSampler
from partonic.generation.channels.space import channel_spaces
from partonic.generation.channels.tally import ChannelTally
from partonic.generation.channels.training import ChannelTraining
from partonic.generation.tensors import load_tensors, save_tensors
from partonic.physics.process import Process
from partonic.progress import SILENT, Progress

__all__ = ["TrainedChannels", "tally_weights", "train_channels"]

_LOG = logging.getLogger(__name__)
_BATCH = 20_000


@dataclass(frozen=True)
class TrainedChannels:
    """The two samplers of one training.

    Attributes:
        flow: of grids and networks; None if there were no rounds.
        vegas: of the grids alone.
        dropped: names of the channels that were dropped.
    """

    flow: MultiChannelSampler | None
    vegas: MultiChannelSampler
    dropped: tuple[str, ...]


def train_channels(
    process: Process,
    target: Tensor,
    bias: Bias,
    config: SamplerConfig,
    *,
    seed: int,
    checkpoint: Path,
    identity: str,
    progress: Progress = SILENT,
) -> TrainedChannels:
    """Adapt the grids of all channels and train flow, residual weights and shares.

    Args:
        process: with `sampling_channels`.
        target: monomials at which |dσ| is sampled, `(A,)`.
        bias: g of events.
        config: how to train.
        seed: root of all random numbers.
        checkpoint: state of the training, written after every round. A damaged one, or one of another training, is
            replaced, with a warning in the log.
        identity: whatever the training depends on, as a hash.
        progress: told of every round: the loss, what each channel contributes, and points that were not finite.

    Raises:
        GenerationError: if the process vanishes wherever it is tried, or its channels do not fit together.
        NonFiniteError: if the loss is not finite, or the process at more than a permille of the points of a channel.
        OutputError: if the checkpoint cannot be written.
    """
    training = _start(process, target, bias, config, seed)
    if checkpoint.exists():
        try:
            _restore(training, checkpoint, identity)
        except (GenerationError, KeyError, RuntimeError, TypeError) as error:
            _LOG.warning("the sampler is trained anew: %s", error)
            training = _start(process, target, bias, config, seed)
    progress.start("training the sampler", config.rounds, "rounds", done=training.round)
    if training.grids is None:
        training.adapt()
        _save(training, checkpoint, identity)
    if training.dropped:
        _LOG.info("channels of the sampling that add nothing were dropped: %s", ", ".join(training.dropped))
    while training.round < config.rounds:
        loss, tally = training.run_round()
        _save(training, checkpoint, identity)
        progress.advance(1, loss=loss, **tally.figures())
    progress.finish()
    return _trained(training, len(process.channels))


def _start(process: Process, target: Tensor, bias: Bias, config: SamplerConfig, seed: int) -> ChannelTraining:
    return ChannelTraining(channel_spaces(process, target, seed), target, bias, config, seed)


def _save(training: ChannelTraining, path: Path, identity: str) -> None:
    save_tensors(path, training.state(), {"identity": identity, "round": str(training.round)})


def _restore(training: ChannelTraining, path: Path, identity: str) -> None:
    tensors, metadata = load_tensors(path)
    if metadata.get("identity") != identity:
        raise GenerationError(f"{path} belongs to a training with another configuration, seed or version")
    training.restore(tensors, int(metadata["round"]))


def _trained(training: ChannelTraining, partonic: int) -> TrainedChannels:
    densities, active = training.densities, training.networks.active
    log_shares = densities.log_prior_shares.masked_fill(~active, float("-inf"))
    vegas = MultiChannelSampler(densities, None, log_shares.log_softmax(0), partonic, active)
    flow = None
    if training.round:
        networks = training.networks.copy(torch.float64)
        flow = MultiChannelSampler(densities, networks, networks.log_shares(), partonic, active)
    return TrainedChannels(flow, vegas, training.dropped)


def tally_weights(
    sampler: MultiChannelSampler, points: int, target: Tensor, bias: Bias, generator: torch.Generator
) -> tuple[Tensor, ChannelTally]:
    """Return the weights g Σ_c |dσ_c|/q of points, pb, and what each channel brings of their sum.

    Raises:
        NonFiniteError: if dσ/du is NaN or infinite; the message names the point.
    """
    weights, channels = [], []
    for start in range(0, points, _BATCH):
        drawn = sampler.draw(min(_BATCH, points - start), generator)
        weights.append((drawn.weighted @ target).abs().sum(dim=1) * bias(drawn.events))
        channels.append(drawn.channel)
    joined = torch.cat(weights)
    return joined, ChannelTally.of(sampler.names, torch.cat(channels), joined)

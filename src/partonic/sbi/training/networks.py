"""The training of the networks of a method, and what it takes from the events of the training beside their weights."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from partonic.config.sbi import LOCAL_METHODS, SbiConfig
from partonic.nn.bayesian.bootstrap import bootstrap_weights
from partonic.nn.training import PhaseResult, PhaseSettings, TensorTable, run_phase
from partonic.progress import SILENT, Progress
from partonic.sbi.derivatives import Derivatives
from partonic.sbi.method import Method
from partonic.sbi.phase import MethodPhase
from partonic.sbi.precision.derivatives import PreciseDerivatives
from partonic.sbi.precision.phase import MagnitudePhase
from partonic.sbi.score.local_score import LocalScore
from partonic.sbi.split import parts_of
from partonic.sbi.training.sample import TrainingSample
from partonic.sbi.uncertainty.last_layer import LastLayerLaplace

__all__ = ["networks_trained"]

_FEWER_EPOCHS, _FEWEST_EPOCHS, _RATE, _BATCH = 3, 3, 5e-3, 1024
"""Magnitudes are trained in a third of the epochs, with these steps: small perceptrons, whatever the backbone."""

_OTHER_HASH = 7919
"""Added to the seed where events that are trained on are parted once more, independently of the first time."""


def networks_trained(
    method: Method, sample: TrainingSample, config: SbiConfig, seed: int, folder: Path, progress: Progress = SILENT
) -> PhaseResult:
    """Train the networks of a method.

    Units of the targets, bins of a score and errors of the last layer are taken from events of the training, too.

    Args:
        method: with first weights; it is left with the best ones.
        sample: the events.
        config: the settings.
        seed: root seed.
        folder: of the model; it keeps the checkpoints.
        progress: told of steps.

    Raises:
        TrainingError: if events are too few, or do not depend on θ, or the training diverges.
    """
    train, group = sample.train, sample.events.group
    if config.method in LOCAL_METHODS:  # the others fill the bins of the score
        share = config.score.density_fraction
        train = sample.train & (parts_of(group, (1.0 - share, share), seed + _OTHER_HASH).number == 0)
    inner = method.inner if isinstance(method, LastLayerLaplace) else method
    if isinstance(inner, Derivatives | LocalScore):
        inner.standardise(torch.from_numpy(sample.targets[train]))
    table, held_out = sample.table(train), sample.table(sample.validation)
    if isinstance(inner, PreciseDerivatives):
        _train_magnitudes(inner, (table, held_out), config, seed, folder, progress)
    if config.network.bootstrap:
        table = table.with_columns({"weights": bootstrap_weights(group[train], config.network.members, seed)})
    result = _run(method, (table, held_out), config, seed, folder, progress)
    if isinstance(method, LastLayerLaplace):
        method.measure(table.columns["inputs"], table.columns["targets"], group[train])
    if isinstance(method, LocalScore):
        rest = sample.train & ~train
        inputs = sample.table(rest).columns["inputs"]
        method.fill(inputs, sample.targets[rest], group[rest], config.score.bin_events)
    return result


def _train_magnitudes(
    method: PreciseDerivatives, tables: tuple[TensorTable, TensorTable], config: SbiConfig, seed: int, folder: Path,
    progress: Progress,
) -> None:  # fmt: skip
    """Train the magnitudes of a method by themselves, and hold them."""
    epochs = max(_FEWEST_EPOCHS, config.training.epochs // _FEWER_EPOCHS)
    settings = replace(_settings(config, "magnitudes", epochs), learning_rate=_RATE, batch_size=_BATCH)
    train, validation = tables
    phase = MagnitudePhase(method.magnitudes)
    run_phase(phase, train, validation, settings, folder / "phases" / "magnitudes", seed, progress)
    method.take_magnitudes(train.columns["inputs"], train.columns["targets"])


def _settings(config: SbiConfig, name: str, epochs: int) -> PhaseSettings:
    training = config.training
    if config.device != "auto" and training.accelerator == "auto":
        training = training.model_copy(update={"accelerator": "gpu" if config.device == "cuda" else "cpu"})
    return PhaseSettings.from_config(training, name, epochs)


def _run(
    method: Method, tables: Sequence[TensorTable], config: SbiConfig, seed: int, folder: Path, progress: Progress
) -> PhaseResult:
    settings = _settings(config, "sbi", config.training.epochs)
    phase = MethodPhase(method, config.network.repulsion, len(tables[0]))
    return run_phase(phase, tables[0], tables[1], settings, folder / "phases" / "sbi", seed, progress)

"""Training of a network of the method with what its weights are uncertain by, as `uncertainty` asks for."""

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from partonic.config.mem_training.uncertainty import UncertaintyConfig
from partonic.nn.bayesian.bootstrap import bootstrap_weights
from partonic.nn.bayesian.calibration import calibrated_width
from partonic.nn.bayesian.gaussian_linear import bayesian, means_and_deviations
from partonic.nn.bayesian.last_layers import laplace_posterior
from partonic.nn.bayesian.phases import BOOTSTRAP, EnsemblePhase, EventLosses, VariationalPhase
from partonic.nn.bayesian.posterior import EnsemblePosterior, GaussianPosterior, WeightPosterior
from partonic.nn.training import PhaseModule, PhaseResult, PhaseSettings, TensorTable, run_phase, seeded_weights
from partonic.nn.training.preparation import copies_of
from partonic.progress import SILENT, Progress
from partonic.rng import torch_generator

__all__ = ["Part", "train_with_uncertainty"]

Network = TypeVar("Network", bound=nn.Module)

_LOG = logging.getLogger(__name__)

_SIGNIFICANT = 2.0
"""Errors of the difference of two losses from which on it says something."""

_AT_ONCE = 2048
_CALIBRATION_EVENTS = 4000
"""Training events that the width of a posterior is found with."""


@dataclass(frozen=True)
class Part(Generic[Network]):
    """A network of the method as its training with uncertainty sees it.

    Attributes:
        name: of the part, which keys its random numbers.
        network: with its first weights and its scales.
        again: builds another one, with weights from torch's global generator; its scales are taken from `network`.
        phase: trains it as it is where no uncertainty is asked for.
        losses: negative log-likelihood of events.
        last_layers: linear layers whose outputs are the parameters of densities, by name.
    """

    name: str
    network: Network
    again: Callable[[], Network]
    phase: Callable[[Network], PhaseModule]
    losses: EventLosses
    last_layers: Mapping[str, nn.Linear]


def train_with_uncertainty(
    part: Part[Network],
    config: UncertaintyConfig,
    tables: tuple[TensorTable, TensorTable],
    run: tuple[PhaseSettings, Path, int],
    progress: Progress = SILENT,
) -> tuple[PhaseResult, WeightPosterior | None]:
    """Train `part.network` in place.

    Args:
        part: the network. It holds the weights that are used afterwards: means, or those of no bootstrap sample.
        config: kind of uncertainty.
        tables: training and validation events, with their partons in the column ``momenta``.
        run: settings of the phase, its folder, and the root seed.
        progress: told of steps.

    Returns:
        how the training went, and the posterior of the weights; None for the kind ``none``.

    Raises:
        TrainingError: as `run_phase`.
    """
    (train, validation), (settings, folder, seed) = tables, run
    if config.kind == "repulsive":
        return _ensemble(part, config, tables, run, progress)
    result = run_phase(part.phase(part.network), train, validation, settings, folder, seed, progress)
    if config.kind == "none":
        return result, None
    if config.kind == "mean_field":
        result, posterior = _mean_field(part, config, tables, run, progress)
    else:
        batches = (dict(batch.columns) for batch in _batches(train, settings.batch_size))
        posterior = laplace_posterior(
            part.last_layers, partial(_losses, part), batches, _seed_of_draws(part.name, seed), config.prior
        )
    factor = _width(part, posterior, tables) if config.calibrate else 1.0
    return result, posterior.scaled(config.width * factor)


def _mean_field(
    part: Part[Network],
    config: UncertaintyConfig,
    tables: tuple[TensorTable, TensorTable],
    run: tuple[PhaseSettings, Path, int],
    progress: Progress,
) -> tuple[PhaseResult, WeightPosterior]:
    """Train on from trained weights with Gaussian ones, whose means are left in the network."""
    (train, validation), (settings, folder, seed) = tables, run
    gaussian = part.again()
    gaussian.load_state_dict(part.network.state_dict())
    bayesian(gaussian, config.deviation)
    phase = VariationalPhase(gaussian, part.losses, len(train), config.prior, config.temperature)
    further = replace(
        settings, name=f"{settings.name} with Gaussian weights", epochs=config.epochs,
        learning_rate=config.learning_rate, weight_decay=0.0,  # the prior is what keeps weights small
    )  # fmt: skip
    result = run_phase(phase, train, validation, further, folder / "gaussian", seed, progress)
    means, deviations = means_and_deviations(gaussian.state_dict())
    part.network.load_state_dict(means)
    return result, GaussianPosterior(_seed_of_draws(part.name, seed), deviations)


def _width(part: Part[Network], posterior: WeightPosterior, tables: tuple[TensorTable, TensorTable]) -> float:
    """Return the factor of the deviations that the losses of validation and training events ask for."""
    train, validation = tables
    some = train.part(0, _CALIBRATION_EVENTS)
    part.network.eval()
    factor = calibrated_width(
        part.network, posterior, lambda: float(_event_losses(part, some).mean()),
        lambda: float(_event_losses(part, validation).mean()),
    )  # fmt: skip
    known, new = _event_losses(part, some), _event_losses(part, validation)
    difference = float(new.mean() - known.mean())
    error = float((new.var() / len(new) + known.var() / len(known)).sqrt())
    if not difference > _SIGNIFICANT * error:
        _LOG.warning(
            "the width of the uncertainty of the part '%s' is hardly known, its factor %.3g may be far off: the losses "
            "of %d validation and %d training events, whose difference it is from, differ by %.3g ± %.3g. Give more "
            "events or a larger validation_fraction, or set uncertainty.calibrate to false and uncertainty.width to "
            "what trainings on different events say",
            part.name, factor, len(new), len(known), difference, error,
        )  # fmt: skip
    return factor


def _event_losses(part: Part[Network], table: TensorTable) -> Tensor:
    """Return the losses of all events of a table, float64, `(N,)`."""
    with torch.no_grad():
        return torch.cat([_losses(part, batch.columns).double().cpu() for batch in _batches(table, _AT_ONCE)])


def _losses(part: Part[Network], batch: Mapping[str, Tensor]) -> Tensor:
    return part.losses(part.network, batch, None)


def _batches(table: TensorTable, size: int) -> Iterator[TensorTable]:
    for start in range(0, len(table), size):
        yield table.part(start, start + size)


def _ensemble(
    part: Part[Network],
    config: UncertaintyConfig,
    tables: tuple[TensorTable, TensorTable],
    run: tuple[PhaseSettings, Path, int],
    progress: Progress,
) -> tuple[PhaseResult, WeightPosterior]:
    (train, validation), (settings, folder, seed) = tables, run
    networks: list[Network] = [part.network]
    for member in range(config.members):
        with seeded_weights(seed, part.name, f"member {member}"):
            networks.append(part.again())
        networks[-1].load_state_dict(dict(part.network.named_buffers()), strict=False)
    if config.bootstrap:
        momenta = train.columns["momenta"]
        copies = copies_of(momenta)
        group = np.arange(len(train)) if copies is None else copies.numpy()
        counts = bootstrap_weights(group, config.members, seed, part.name)
        train = train.with_columns({BOOTSTRAP: counts})
    phase = EnsemblePhase(networks, part.losses, len(train), config.repulsion)
    result = run_phase(phase, train, validation, settings, folder, seed, progress)
    states = [network.state_dict() for network in networks[1:]]
    members: dict[str, Tensor] = {name: torch.stack([state[name] for state in states]) for name in states[0]}
    return result, EnsemblePosterior(_seed_of_draws(part.name, seed), members)


def _seed_of_draws(name: str, seed: int) -> int:
    """Return the root seed of the draws of a posterior: each part has its own."""
    return torch_generator(seed, name, "posterior").initial_seed()

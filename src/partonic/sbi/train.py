"""Training of an estimator on simulated events: what `partonic train` does for the section `sbi`."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from partonic.config.sbi import CONDITIONAL_METHODS, LOCAL_METHODS, SbiConfig
from partonic.errors import TrainingError
from partonic.events.schema import StoreMetadata
from partonic.events.store import EventStore
from partonic.inference.coefficients.coefficients_file import CrossSectionRecord
from partonic.inference.coefficients.rate import FiducialRate
from partonic.nn.training import PhaseResult, PhaseSettings, TensorTable, run_phase, seeded_weights
from partonic.processes.definition import standard_model
from partonic.progress import SILENT, Progress
from partonic.provenance import package_versions
from partonic.sbi.build import Facts, build_method, facts_of, theta_draws
from partonic.sbi.coverage import covered_range
from partonic.sbi.data import SimulatedEvents, read_events
from partonic.sbi.derivatives import Derivatives
from partonic.sbi.expansion import Expansion
from partonic.sbi.information_trees import InformationTrees, TreeSample, grown
from partonic.sbi.method import Method
from partonic.sbi.model import SbiModel, SbiRecord, complete
from partonic.sbi.phase import MethodPhase
from partonic.sbi.score.local_score import LocalScore
from partonic.sbi.split import Parts, parts_of
from partonic.sbi.standardise import FeatureScaler
from partonic.sbi.uncertainty.bootstrap import bootstrap_weights
from partonic.sbi.uncertainty.last_layer import LastLayerLaplace
from partonic.sbi.weights import (
    check_weights,
    effective_number,
    sensitivity,
    summed_by_group,
    targets_by_group,
    warn_of_blind_validation,
)

__all__ = ["TrainedSbi", "TrainingEvents", "train_on_events", "train_sbi"]

Array = NDArray[np.float64]

_LOG = logging.getLogger(__name__)

_OTHER_HASH = 7919
"""Added to the seed where events that are trained on are parted once more, independently of the first time."""


@dataclass(frozen=True)
class TrainedSbi:
    """What a training gave.

    Attributes:
        folder: of the model.
        model: the trained estimator.
        result: the course of the training.
    """

    folder: Path
    model: SbiModel
    result: PhaseResult

    def __str__(self) -> str:
        """Return one line for the terminal."""
        facts = self.model.record.facts
        return (
            f"{self.model.record.config.method} on {facts['events']} events (effectively {facts['effective']:.0f}), "
            f"validation loss {self.result.best_validation:.4f} after epoch {self.result.best_epoch}, in {self.folder}"
        )


@dataclass(frozen=True, eq=False)
class TrainingEvents:
    """Events with what is known of all of them.

    Attributes:
        events: features, coefficients, groups.
        metadata: of their store.
        parts: which of them train, validate, calibrate and are fitted.
        cross_section: σ_a in pb with their covariance.
    """

    events: SimulatedEvents
    metadata: StoreMetadata
    parts: Parts
    cross_section: CrossSectionRecord


def train_sbi(
    stores: Sequence[Path], config: SbiConfig, seed: int, folder: Path, progress: Progress = SILENT
) -> TrainedSbi:
    """Train on the events of stores and write the model to a folder.

    Args:
        stores: simulated events of one process.
        config: the settings.
        seed: root seed; the same events, settings and seed give the same networks on the same machine.
        folder: of the model; it keeps the checkpoints, from which a killed training goes on.
        progress: told of events and steps.

    Raises:
        SchemaError: if the stores are of different processes.
        ConfigError: if a feature is not known.
        ParameterError: if a point of θ names an unknown parameter, or basis points do not fit.
        TrainingError: if events or weights are not fit to learn from, or the training does not come to finite weights.
    """
    events, metadata = read_events(stores, config.features, config.group, progress)
    parts = parts_of(events.group, config.parts(), seed)
    known = TrainingEvents(events, metadata, parts, _cross_section(stores))
    return train_on_events(known, config, seed, folder, progress)


def train_on_events(
    known: TrainingEvents,
    config: SbiConfig,
    seed: int,
    folder: Path,
    progress: Progress = SILENT,
    theta: Array | None = None,
) -> TrainedSbi:
    """Train on events that are in memory; `theta` `(P, K)` are points of the prior in place of those of the ranges.

    Raises:
        PartonicError: as `train_sbi`.
    """
    standard = standard_model(known.metadata.process)
    reference = tuple(complete(point, standard) for point in config.reference)
    expansion = Expansion.around(known.metadata.monomials, reference)
    train, validation = known.parts.of("train"), known.parts.of("validation")
    if config.training.max_events is not None:
        train &= np.cumsum(train) <= config.training.max_events
    _check_events(known, train, validation, reference)
    targets = expansion.targets(known.events.coefficients)
    targets /= targets[train, 0].mean()
    means = targets[train].sum(axis=0) / targets[train, 0].sum()
    facts = facts_of(config, expansion, means, sensitivity(expansion, targets[train]), seed)
    group, held_out = known.events.group[train], known.events.group[validation]
    warn_of_blind_validation(targets_by_group(targets[validation], held_out), expansion.monomials.names)
    for point in facts.basis:
        named = dict(zip(expansion.monomials.parameters, point.tolist(), strict=True))
        check_weights(summed_by_group(targets[train] @ expansion.row(point), group), f"the basis point {named}")
    scaler = FeatureScaler(len(known.events.names))
    scaler.fit(known.events.features[train], known.events.names)
    method = _new_method(config, facts, scaler.width, seed, theta)
    sample = _Sample(known.events, targets, train, validation, scaler)
    if isinstance(method, InformationTrees):
        result = grown(method, sample.for_trees(), expansion, config.trees, seed, folder / "training", progress)
    else:
        result = _networks_trained(method, sample, config, seed, folder, progress)
    if isinstance(method, InformationTrees | LocalScore):
        facts = replace(facts, shapes=method.shapes)
    record = _record(known, config, facts, seed, (reference, standard), scaler.width)
    model = SbiModel(record, scaler, method)
    covered = covered_range(expansion, targets_by_group(targets[train], group), sensitivity(expansion, targets[train]))
    model = _finished(model, known.events.select(train), targets[train], result, covered)
    model.save(folder)
    return TrainedSbi(folder, model, result)


def _new_method(config: SbiConfig, facts: Facts, inputs: int, seed: int, theta: Array | None) -> Method:
    needs_theta = config.method in CONDITIONAL_METHODS or (config.method == "morphing" and config.morphing.joint)
    draws = theta_draws(facts, theta, seed) if needs_theta else None
    with seeded_weights(seed, "sbi"):
        return build_method(config, facts, inputs, draws)


def _check_events(
    known: TrainingEvents,
    train: NDArray[np.bool_],
    validation: NDArray[np.bool_],
    reference: Sequence[dict[str, float]],
) -> None:
    if not len(known.metadata.parameters):
        raise TrainingError(
            f"the events of '{known.metadata.process}' have no theory parameters: there is nothing to learn"
        )
    if train.sum() < 100 or validation.sum() < 10:
        raise TrainingError(
            f"there are {int(train.sum())} events to train on and {int(validation.sum())} to validate: expected "
            "100 and 10 at least. Simulate more, or change `sbi.shares`"
        )
    for point in reference:
        row = known.metadata.monomials.evaluate(known.metadata.monomials.point(point))
        check_weights(
            summed_by_group(known.events.coefficients[train] @ row, known.events.group[train]),
            f"the reference {point or 'θ = 0'}",
        )


@dataclass(frozen=True, eq=False)
class _Sample:
    """Events as methods are trained on them.

    Attributes:
        events: all of them.
        targets: y in units of the mean weight at the reference, `(N, A)`.
        train, validation: which are for what, `(N,)`.
        scaler: of the features.
    """

    events: SimulatedEvents
    targets: Array
    train: NDArray[np.bool_]
    validation: NDArray[np.bool_]
    scaler: FeatureScaler

    def table(self, part: NDArray[np.bool_]) -> TensorTable:
        """Return the events of a mask `(N,)` as networks take them."""
        inputs = self.scaler(torch.from_numpy(self.events.features[part]))
        return TensorTable({"inputs": inputs, "targets": torch.from_numpy(self.targets[part])})

    def for_trees(self) -> TreeSample:
        """Return the events of training and validation as trees are grown on them."""
        used = self.train | self.validation
        return TreeSample(
            inputs=self.scaler(torch.from_numpy(self.events.features[used])).numpy(),
            missing=np.flatnonzero(self.scaler.flagged.numpy()).astype(np.int64),
            targets=self.targets[used],
            group=self.events.group[used],
            validation=self.validation[used],
        )


def _networks_trained(
    method: Method, sample: _Sample, config: SbiConfig, seed: int, folder: Path, progress: Progress
) -> PhaseResult:
    """Train the networks of a method, and take what it needs beside them from events of the training."""
    train, group = sample.train, sample.events.group
    if config.method in LOCAL_METHODS:
        share = config.score.density_fraction
        train = sample.train & (parts_of(group, (1.0 - share, share), seed + _OTHER_HASH).number == 0)
    inner = method.inner if isinstance(method, LastLayerLaplace) else method
    if isinstance(inner, Derivatives | LocalScore):
        inner.standardise(torch.from_numpy(sample.targets[train]))
    table = sample.table(train)
    table = sample.table(train)
    if config.network.bootstrap:
        table = table.with_columns({"weights": bootstrap_weights(group[train], config.network.members, seed)})
    result = _run(method, [table, sample.table(sample.validation)], config, seed, folder, progress)
    if isinstance(method, LastLayerLaplace):
        method.measure(table.columns["inputs"], table.columns["targets"], group[train])
    if isinstance(method, LocalScore):
        rest = sample.train & ~train
        inputs = sample.table(rest).columns["inputs"]
        method.fill(inputs, sample.targets[rest], group[rest], config.score.bin_events)
    return result


def _run(
    method: Method, tables: Sequence[TensorTable], config: SbiConfig, seed: int, folder: Path, progress: Progress
) -> PhaseResult:
    training = config.training
    if config.device != "auto" and training.accelerator == "auto":
        training = training.model_copy(update={"accelerator": "gpu" if config.device == "cuda" else "cpu"})
    settings = PhaseSettings.from_config(training, "sbi", training.epochs)
    phase = MethodPhase(method, config.network.repulsion, len(tables[0]))
    return run_phase(phase, tables[0], tables[1], settings, folder / "phases" / "sbi", seed, progress)


def _record(
    known: TrainingEvents, config: SbiConfig, facts: Facts, seed: int,
    points: tuple[tuple[dict[str, float], ...], dict[str, float]], inputs: int,
) -> SbiRecord:  # fmt: skip
    reference, standard = points
    return SbiRecord(
        config=config, process=known.metadata.process, collider_energy=known.metadata.collider_energy,
        parameters=known.metadata.parameters, exponents=known.metadata.exponents, features=known.events.names,
        inputs=inputs, reference=reference, reference_point=standard, means=tuple(facts.means.tolist()),
        ranges=tuple((float(low), float(high)) for low, high in facts.ranges),
        basis=tuple(tuple(point) for point in facts.basis.tolist()), shapes=dict(facts.shapes),
        cross_section=known.cross_section, seed=seed,
    )  # fmt: skip


def _finished(
    model: SbiModel, events: SimulatedEvents, targets: Array, result: PhaseResult, covered: Array
) -> SbiModel:
    """Return the model with what is known after the training: learned means, how it went, and where it can be used."""
    weight = targets[:, 0]
    learned = np.einsum("n,na->a", weight, model.targets(events.features).mean(axis=0)) / weight.sum()
    if not np.isfinite(learned).all():
        message = "the trained networks give ratios that are not finite: lower `sbi.training.learning_rate`"
        raise TrainingError(message)
    effective = effective_number(summed_by_group(weight, events.group))
    facts = {
        "events": len(events), "effective": effective, "epochs": result.epochs,
        "best_epoch": result.best_epoch, "validation": result.best_validation, "skipped_steps": result.skipped,
        "covered_range": dict(zip(model.record.parameters, covered.tolist(), strict=True)),
        "versions": package_versions(),
    }  # fmt: skip
    update = {"learned_means": tuple(learned.tolist()), "facts": facts}
    return SbiModel(model.record.model_copy(update=update), model.scaler, model.method)


def _cross_section(stores: Sequence[Path]) -> CrossSectionRecord:
    """Return σ_a of the accepted events, the mean of several stores."""
    rates = [FiducialRate.from_store(EventStore.open(path)) for path in stores]
    mean = np.mean([rate.coefficients for rate in rates], axis=0)
    covariance = np.sum([rate.covariance for rate in rates], axis=0) / len(rates) ** 2
    return FiducialRate(rates[0].monomials, mean, covariance).record()

"""Training of an estimator on simulated events: what `partonic train` does for the section `sbi`."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from partonic.config.sbi import CONDITIONAL_METHODS, SbiConfig
from partonic.errors import TrainingError
from partonic.events.schema import StoreMetadata
from partonic.events.store import EventStore
from partonic.features.event_objects import ObjectSlots
from partonic.inference.coefficients.coefficients_file import CrossSectionRecord
from partonic.inference.coefficients.rate import FiducialRate
from partonic.nn.training import PhaseResult, seeded_weights
from partonic.processes.definition import standard_model
from partonic.progress import SILENT, Progress
from partonic.provenance import file_digest, package_versions
from partonic.sbi.backbones.training_scales import object_scaler, sees_objects
from partonic.sbi.build import Facts, build_method, facts_of, theta_draws
from partonic.sbi.coverage import covered_range
from partonic.sbi.data import SimulatedEvents, read_events
from partonic.sbi.expansion import Expansion
from partonic.sbi.information_trees import InformationTrees, grown
from partonic.sbi.method import Method
from partonic.sbi.model import SbiModel, SbiRecord, complete
from partonic.sbi.score.local_score import LocalScore
from partonic.sbi.split import Parts, parts_of
from partonic.sbi.stacking.features import CoefficientFiles
from partonic.sbi.standardise import FeatureScaler
from partonic.sbi.training.networks import networks_trained
from partonic.sbi.training.sample import TrainingSample
from partonic.sbi.weights import (
    check_weights,
    effective_number,
    sensitivity,
    summed_by_group,
    targets_by_group,
    warn_of_blind_validation,
)
from partonic.trained.learned_events import LearnedEvents

__all__ = ["TrainedSbi", "TrainingEvents", "train_on_events", "train_sbi"]

Array = NDArray[np.float64]

_LOG = logging.getLogger(__name__)


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
        stores: SHA-256 of the stores that they come from; empty for events that come from none.
    """

    events: SimulatedEvents
    metadata: StoreMetadata
    parts: Parts
    cross_section: CrossSectionRecord
    stores: tuple[str, ...] = ()


def train_sbi(
    stores: Sequence[Path],
    config: SbiConfig,
    seed: int,
    folder: Path,
    progress: Progress = SILENT,
    files: CoefficientFiles | None = None,
) -> TrainedSbi:
    """Train on the events of stores and write the model to a folder.

    Args:
        stores: simulated events of one process.
        config: the settings.
        seed: root seed; the same events, settings and seed give the same networks on the same machine.
        folder: of the model; it keeps the checkpoints, from which a killed training goes on.
        progress: told of events and steps.
        files: of coefficients of other estimators that are features, by name.

    Raises:
        SchemaError: if the stores are of different processes.
        ConfigError: if a feature is not known.
        EventFileError: if coefficients that are features are not there for the events of a store.
        ParameterError: if a point of θ names an unknown parameter, or basis points do not fit.
        TrainingError: if events or weights are not fit to learn from, or the training does not come to finite weights.
    """
    max_jets = config.network.max_jets if sees_objects(config) else None
    events, metadata = read_events(stores, config.features, config.group, progress, max_jets, files)
    parts = parts_of(events.group, config.parts(), seed)
    digests = tuple(file_digest(path) for path in stores)
    known = TrainingEvents(events, metadata, parts, _cross_section(stores), digests)
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
    scaler = FeatureScaler(known.events.names)
    scaler.fit(known.events.features[train])
    objects = object_scaler(known.events, train, config)
    slots = None if objects is None else objects.slots
    method = _new_method(config, facts, (scaler.width, slots), seed, theta)
    sample = TrainingSample(known.events, targets, train, validation, scaler, objects)
    if isinstance(method, InformationTrees):
        if config.network.sees_objects:
            _LOG.warning(
                "trees look at the named features (%s), not at objects: sbi.network.backbone '%s' has no meaning for "
                "them", ", ".join(config.features), config.network.backbone,
            )  # fmt: skip
        result = grown(method, sample.for_trees(), expansion, config.trees, seed, folder / "training", progress)
    else:
        result = networks_trained(method, sample, config, seed, folder, progress)
    if isinstance(method, InformationTrees | LocalScore):
        facts = replace(facts, shapes=method.shapes)
    record = _record(known, config, facts, seed, (reference, standard), (scaler.width, slots))
    model = SbiModel(record, scaler, method, objects)
    covered = covered_range(expansion, targets_by_group(targets[train], group), sensitivity(expansion, targets[train]))
    model = _finished(model, known.events.select(train), targets[train], result, covered)
    model.save(folder)
    return TrainedSbi(folder, model, result)


def _new_method(
    config: SbiConfig, facts: Facts, inputs: tuple[int, ObjectSlots | None], seed: int, theta: Array | None
) -> Method:
    needs_theta = config.method in CONDITIONAL_METHODS or (config.method == "morphing" and config.morphing.joint)
    draws = theta_draws(facts, theta, seed) if needs_theta else None
    with seeded_weights(seed, "sbi"):
        return build_method(config, facts, inputs[0], draws, inputs[1])


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


def _record(
    known: TrainingEvents, config: SbiConfig, facts: Facts, seed: int,
    points: tuple[tuple[dict[str, float], ...], dict[str, float]], inputs: tuple[int, ObjectSlots | None],
) -> SbiRecord:  # fmt: skip
    reference, standard = points
    return SbiRecord(
        config=config, process=known.metadata.process, collider_energy=known.metadata.collider_energy,
        parameters=known.metadata.parameters, exponents=known.metadata.exponents, features=known.events.names,
        inputs=inputs[0], slots=inputs[1], reference=reference, reference_point=standard,
        means=tuple(facts.means.tolist()),
        ranges=tuple((float(low), float(high)) for low, high in facts.ranges),
        basis=tuple(tuple(point) for point in facts.basis.tolist()), shapes=dict(facts.shapes),
        cross_section=known.cross_section, seed=seed, stores=known.stores, events=LearnedEvents.of(known.metadata),
    )  # fmt: skip


def _finished(
    model: SbiModel, events: SimulatedEvents, targets: Array, result: PhaseResult, covered: Array
) -> SbiModel:
    """Return the model with what is known after the training: learned means, how it went, and where it can be used."""
    weight = targets[:, 0]
    model.method.eval()
    learned = np.einsum("n,na->a", weight, model.targets(events.inputs).mean(axis=0)) / weight.sum()
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
    return SbiModel(model.record.model_copy(update=update), model.scaler, model.method, model.objects)


def _cross_section(stores: Sequence[Path]) -> CrossSectionRecord:
    """Return σ_a of the accepted events, the mean of several stores."""
    rates = [FiducialRate.from_store(EventStore.open(path)) for path in stores]
    mean = np.mean([rate.coefficients for rate in rates], axis=0)
    covariance = np.sum([rate.covariance for rate in rates], axis=0) / len(rates) ** 2
    return FiducialRate(rates[0].monomials, mean, covariance).record()

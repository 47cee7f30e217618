"""Training of networks that tell backgrounds from the signal at the Standard Model.

ρ(x) = p_sig(x|SM)/p_bkg(x) of each background (arXiv:2410.07315, appendix C): with it and the learned ratios of the
signal, the density of an event of both is known. Backgrounds are event stores of other processes, with weights of
their own. The parts of the events are those of `partonic.sbi.split`: some train, some calibrate, and those for the fit
serve as pseudo-data.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from partonic.config.sbi import SbiConfig
from partonic.errors import SchemaError, TrainingError
from partonic.events.schema import StoreMetadata
from partonic.events.store import EventStore
from partonic.features.event_inputs import EventInputs
from partonic.inference.coefficients.rate import FiducialRate
from partonic.nn.training import PhaseResult, seeded_weights
from partonic.processes.definition import standard_model
from partonic.progress import SILENT, Progress
from partonic.provenance import package_versions
from partonic.sbi.backbones.training_scales import object_scaler
from partonic.sbi.background.calibration import RatioScale, calibrated, reliability
from partonic.sbi.background.model import BackgroundModel, BackgroundRecord, ratio_networks
from partonic.sbi.data import SimulatedEvents, read_events
from partonic.sbi.split import parts_of
from partonic.sbi.stacking.features import CoefficientFiles, EventFeatures
from partonic.sbi.standardise import FeatureScaler
from partonic.sbi.training.networks import networks_trained
from partonic.sbi.training.sample import TrainingSample
from partonic.sbi.weights import check_weights, summed_by_group

__all__ = ["train_backgrounds"]

Array = NDArray[np.float64]

_SEEN = ("jets", "leptons", "photons", "met")
"""Groups of columns that mean the same in events of any process."""


@dataclass(frozen=True, eq=False)
class _ClassEvents:
    """Events of signal and backgrounds, one class after another.

    Attributes:
        events: with weights as each class in place of coefficients, pb, `(N, 1 + B)`.
        part: index in `partonic.sbi.split.PARTS`, `(N,)`.
        metadata: of the signal.
    """

    events: SimulatedEvents
    part: NDArray[np.int64]
    metadata: StoreMetadata


def train_backgrounds(
    signal: Sequence[Path],
    config: SbiConfig,
    seed: int,
    folder: Path,
    progress: Progress = SILENT,
    files: CoefficientFiles | None = None,
) -> BackgroundModel:
    """Train on the signal and the backgrounds of `config.backgrounds`, and write the model to a folder.

    Args:
        signal: stores of the signal that are trained on.
        config: the settings.
        seed: root seed.
        folder: of the model; it keeps the checkpoints, from which a killed training goes on.
        progress: told of events and steps.
        files: of coefficients of other estimators that are features, by name.

    Raises:
        SchemaError: if events have other objects or another collider energy, or a feature means something else in the
            events of another process.
        ConfigError: if a feature is not known.
        TrainingError: if a class has too few events, or the training diverges.
    """
    for name, background in config.backgrounds.items():
        _check_features(background.store, config, files, name)
    known = _read(signal, config, seed, progress, files)
    train, validation = known.part == 0, known.part == 1
    names = ("signal", *config.backgrounds)
    _check(known, names, (train, validation))
    weights = known.events.coefficients
    targets = weights / weights[train].sum(axis=0) * train.sum()
    scaler = FeatureScaler(known.events.names)
    scaler.fit(known.events.features[train])
    settings = config.model_copy(update={"method": "morphing"})
    objects = object_scaler(known.events, train, settings)
    with seeded_weights(seed, "sbi backgrounds"):
        method = ratio_networks(config, scaler.width, known.events.slots, len(config.backgrounds))
    sample = TrainingSample(known.events, targets, train, validation, scaler, objects)
    result = networks_trained(method, sample, settings, seed, folder, progress)
    record = _record(signal, known, config, seed, scaler.width)
    model = BackgroundModel(record, scaler, method, objects)
    held_out = known.part == (2 if config.shares.calibration else 1)
    model = _calibrated(model, known.events.inputs[held_out], weights[held_out], result)
    model.save(folder)
    return model


def _read(
    signal: Sequence[Path], config: SbiConfig, seed: int, progress: Progress, files: CoefficientFiles | None
) -> _ClassEvents:
    """Read signal and backgrounds; an event has its weight in the column of its class."""
    jets = config.network.max_jets if config.network.sees_objects else None
    stores = [tuple(signal), *((each.store,) for each in config.backgrounds.values())]
    read = [read_events(paths, config.features, config.group, progress, jets, files) for paths in stores]
    metadata, classes = read[0][1], len(stores)
    for (events, of_class), name in zip(read[1:], config.backgrounds, strict=True):
        _check_same_inputs(events, of_class, read[0], name)
    standard = metadata.monomials.point(standard_model(metadata.process))
    parts, made = [], []
    for number, (events, _) in enumerate(read):
        weight = events.coefficients[:, 0]
        if number == 0:
            weight = events.coefficients @ metadata.monomials.evaluate(standard)
        as_class = np.zeros((len(events), classes))
        as_class[:, number] = weight
        shares = config.parts() if number == 0 else config.background_parts()
        parts.append(parts_of(events.group, shares, seed).number)
        made.append((events, as_class, events.group * classes + number))
    slots = [events.objects for events, _, _ in made if events.objects is not None]
    whole = SimulatedEvents(
        names=made[0][0].names,
        features=np.concatenate([events.features for events, _, _ in made]),
        coefficients=np.concatenate([weights for _, weights, _ in made]),
        group=np.concatenate([group for _, _, group in made]),
        slots=made[0][0].slots,
        objects=np.concatenate(slots) if slots else None,
    )
    return _ClassEvents(whole, np.concatenate(parts), metadata)


def _check_same_inputs(
    events: SimulatedEvents, found: StoreMetadata, signal: tuple[SimulatedEvents, StoreMetadata], name: str
) -> None:
    """Check that features of background events are those of the signal, and mean the same."""
    if abs(found.collider_energy / signal[1].collider_energy - 1.0) > 1e-6:
        raise SchemaError(
            f"the events of the background '{name}' are of √S = {found.collider_energy:g} GeV, those of the signal of "
            f"{signal[1].collider_energy:g} GeV: give events of one collider"
        )
    if events.names != signal[0].names or events.slots != signal[0].slots:
        raise SchemaError(
            f"the events of the background '{name}' have the features {', '.join(events.names)} and the objects "
            f"{events.slots}, those of the signal {', '.join(signal[0].names)} and {signal[0].slots}: expected the same"
        )


def _check(known: _ClassEvents, names: Sequence[str], parts: tuple[NDArray[np.bool_], NDArray[np.bool_]]) -> None:
    for number, name in enumerate(names):
        mine = known.events.coefficients[:, number] != 0
        counts = [int((mine & part).sum()) for part in parts]
        if counts[0] < 100 or counts[1] < 10:
            raise TrainingError(
                f"there are {counts[0]} events of '{name}' to train on and {counts[1]} to validate: expected 100 and "
                "10 at least. Simulate more, or change `sbi.shares`"
            )
        rows = mine & parts[0]
        weights = summed_by_group(known.events.coefficients[rows, number], known.events.group[rows])
        check_weights(weights, "θ = 0" if number else "the Standard Model")


def _check_features(store: Path, config: SbiConfig, files: CoefficientFiles | None, name: str) -> None:
    """Check that features are of what a detector sees: partons of another process are others.

    Raises:
        SchemaError: naming the columns that are not.
    """
    opened = EventStore.open(store)
    groups = {column.name: column.group for column in opened.metadata.event_schema.columns}
    columns = EventFeatures(config.features, opened, files).columns
    if hidden := [column for column in columns if groups.get(column) not in _SEEN]:
        raise SchemaError(
            f"features are made from {', '.join(hidden)}, which mean something else in the events of the background "
            f"'{name}' than in those of the signal: expected features of jets, leptons and missing momentum"
        )


def _record(signal: Sequence[Path], known: _ClassEvents, config: SbiConfig, seed: int, inputs: int) -> BackgroundRecord:
    metadata = known.metadata
    standard = metadata.monomials.point(standard_model(metadata.process))
    sigma = np.mean([FiducialRate.from_store(EventStore.open(path)).sigma(standard) for path in signal])
    rates = [FiducialRate.from_store(EventStore.open(each.store)) for each in config.backgrounds.values()]
    constant = [FiducialRate.constant(rate.coefficients[0], rate.covariance[0, 0] ** 0.5).record() for rate in rates]
    return BackgroundRecord(
        config=config, process=metadata.process, collider_energy=metadata.collider_energy,
        backgrounds=tuple(config.backgrounds), features=known.events.names, inputs=inputs, slots=known.events.slots,
        signal_cross_section=float(sigma), cross_sections=tuple(constant),
        scales=tuple(RatioScale().record() for _ in constant), seed=seed,
    )  # fmt: skip


def _calibrated(model: BackgroundModel, inputs: EventInputs, weights: Array, result: PhaseResult) -> BackgroundModel:
    """Return the model with the calibration from events that it was not trained on, and with how good it is."""
    raw, scales, found = model.raw_logs(inputs).mean(axis=0), [], {}
    totals = [model.record.signal_cross_section, *(each.coefficients[0] for each in model.record.cross_sections)]
    weights = weights / weights.sum(axis=0) * totals
    for number, name in enumerate(model.record.backgrounds):
        rows = (weights[:, 0] != 0) | (weights[:, 1 + number] != 0)
        pair = weights[rows, 0], weights[rows, 1 + number]
        scale = calibrated(raw[rows, number], *pair, name)
        scales.append(scale.record())
        found[name] = {"events": int(rows.sum()), **reliability(scale.of(raw[rows, number]), *pair)}
    facts = {
        "epochs": result.epochs, "best_epoch": result.best_epoch, "validation": result.best_validation,
        "calibration": found, "versions": package_versions(),
    }  # fmt: skip
    record = model.record.model_copy(update={"scales": tuple(scales), "facts": facts})
    return BackgroundModel(record, model.scaler, model.method, model.objects)

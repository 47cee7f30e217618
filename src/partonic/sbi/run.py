"""Coefficients of events with a trained estimator, and their calibration: what `partonic sbi` does."""

import logging
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from partonic.config.sbi import SbiConfig
from partonic.errors import EventFileError
from partonic.estimators.run import estimate_store
from partonic.event_status import count_statuses, faults_in_words
from partonic.events.store import EventStore
from partonic.inference.calibration.calibration_file import Calibration, write_calibration
from partonic.inference.calibration.choice import choose_calibration
from partonic.inference.calibration.joint_calibration import fit_joint_calibration
from partonic.inference.calibration.scaled_fit import fit_scaled_ratios
from partonic.inference.coefficients.coefficients_file import read_coefficients, write_coefficients
from partonic.inference.coefficients.event_coefficients import EventCoefficients
from partonic.inference.coefficients.event_weights import weights_of
from partonic.inference.coefficients.members_file import write_members
from partonic.inference.experiments.estimator_quality import explained
from partonic.progress import SILENT, Progress
from partonic.provenance import file_digest
from partonic.sbi.data import group_column
from partonic.sbi.estimator import NO_FEATURES, SOURCE, members_of, sbi_job
from partonic.sbi.model import SbiModel, SbiRecord
from partonic.sbi.split import Parts, parts_of
from partonic.sbi.stacking.features import CoefficientFiles

__all__ = ["SbiFiles", "coefficients_and_calibration", "coefficients_of_store", "taken_away"]

_KNOWN = 0.05
"""R² of a ratio from which on a calibration can take something away."""

_LOST = 0.2
"""Part of it that may be lost: on its own events a calibration that is flexible enough loses nothing."""

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class SbiFiles:
    """What is read and written.

    Attributes:
        model: folder of the trained estimator.
        store: the events.
        trained_on: stores that the estimator was trained on; `store` may be one of them.
        output: coefficients of the events that are fitted.
        calibration: file of the calibration to write; None for none.
        source: name of the estimator in the file of coefficients.
        members: file of the ratios of each member of the ensemble, of the events that are fitted; None for none.
        features: files of coefficients of other estimators that are features, by name.
    """

    model: Path
    store: Path
    trained_on: tuple[Path, ...]
    output: Path
    calibration: Path | None = None
    source: str = SOURCE
    members: Path | None = None
    features: CoefficientFiles = field(default_factory=dict)


def coefficients_and_calibration(files: SbiFiles, config: SbiConfig, progress: Progress = SILENT) -> str:
    """Write the coefficients of the events that were not trained on, and fit the calibration to others.

    If the estimator was trained on the store itself, the coefficients are those of its share for the fit; else of all
    its events. All coefficients are kept beside them, in ``<folder>/all``.

    Args:
        files: what is read and written.
        config: how the work is shared out. The parts of the events are those of the training.
        progress: told of each batch.

    Returns:
        one line on the result.

    Raises:
        PartonicError: as `partonic.estimators.run.estimate_store`.
        EventFileError: if no event is left for the fit or for the calibration, or a store is not the one that the
            estimator was trained on, so that nobody knows which of its events it has seen.
    """
    record = SbiModel.load(files.model).record
    _check_stores(files, record)
    numbers = {path: number for number, path in enumerate(files.trained_on)}
    kept: list[EventCoefficients] = []
    weights = []
    for path in dict.fromkeys((files.store, *(files.trained_on if files.calibration else ()))):
        every = files.output.parent / "all" / f"{files.output.stem}-{numbers.get(path, 'fit')}.parquet"
        limited = config if path == files.store else config.model_copy(update={"max_events": None})
        job = sbi_job(files.model, path, files.source, files.features)
        estimate_store(path, job, limited, every, progress, section="sbi")
        coefficients, metadata = read_coefficients(every)
        coefficients = _with_features(coefficients)
        place = _place(files, record, path)
        parts = None if place is None else _parts(path, place, coefficients, record)
        if path == files.store:
            fitted = coefficients if parts is None else coefficients.select(parts.of("fit"))
            if not len(fitted):
                raise EventFileError(
                    f"no event of {path} is left for the fit: raise `sbi.shares.fit`, or give more events"
                )
            write_coefficients(files.output, fitted, metadata)
            if files.members is not None:
                of_members = members_of(files.model, path, fitted.event_id, files.features)
                write_members(files.members, fitted.event_id, of_members)
        if parts is not None and files.calibration is not None:
            chosen = coefficients.select(parts.of("calibration"))
            kept.append(chosen)
            weights.append(weights_of(EventStore.open(path), chosen.event_id))
    faults = faults_in_words(count_statuses(fitted.status))
    left_out = f"; without coefficients: {faults}" if faults else ""
    line = f"{int(fitted.usable().sum())} events{left_out}, in {files.output}"
    if files.calibration is None:
        return line
    others, true = EventCoefficients.concatenate(kept), np.concatenate(weights)
    calibration, told = _calibration(others, true, config)
    write_calibration(files.calibration, calibration)
    return f"{line}; calibrated on {calibration.events} others{told}{taken_away(calibration, others, true)}"


def _calibration(events: EventCoefficients, weights: NDArray[np.float64], config: SbiConfig) -> tuple[Calibration, str]:
    """Fit the calibration that is asked for; return it and in words which it is, where that is not the joint one."""
    if config.calibration == "joint":
        return fit_joint_calibration(events, weights), ""
    if config.calibration != "chosen":
        return fit_scaled_ratios(events, weights, config.calibration), f" ('{config.calibration}')"
    choice = choose_calibration(events, weights)
    for each in choice.tried:
        _LOG.info("calibration %s", each)
    return choice.calibration, "" if choice.name == "joint" else f" ('{choice.name}' is best on events not fitted to)"


def taken_away(calibration: Calibration, events: EventCoefficients, weights: NDArray[np.float64]) -> str:
    """Return in words what a calibration takes away of the ratios of its own events; warn of it, too.

    The calibration is a smooth map of ratios to a reference density. Where few events have most of a ratio it can be
    too stiff, and calibrated ratios know less than those that were learned.

    Args:
        calibration: fitted to these events.
        events: with the learned ratios.
        weights: their true weights c_a, pb, `(N, A)`.
    """
    good = events.usable()
    before, after = (explained(each.select(good), weights[good]) for each in (events, calibration.apply(events)))
    lost = [name for name, known in before.items() if known > _KNOWN and known - after[name] > _LOST * known]
    if not lost:
        return ""
    told = ", ".join(f"{name} {before[name]:.2f} → {after[name]:.2f}" for name in lost)
    _LOG.warning(
        "the calibration takes away what was learned, R² of the true ratios on its own events: %s. Set "
        "`sbi.calibration: chosen`, or calibrate to more events", told,
    )  # fmt: skip
    return f"; attention: the calibration takes away, R² of {told}"


def _with_features(coefficients: EventCoefficients) -> EventCoefficients:
    """Return the events but those that the coefficients that are features do not have: they are no faults."""
    there = np.array([word != NO_FEATURES for word in coefficients.status], dtype=np.bool_)
    if not there.all():
        _LOG.warning("%d events are not in the coefficients that are features, and are left out", (~there).sum())
    return coefficients.select(there)


def coefficients_of_store(
    store: Path,
    model: Path,
    config: SbiConfig,
    output: Path,
    progress: Progress = SILENT,
    features: CoefficientFiles | None = None,
) -> str:
    """Write the coefficients of the events of any store: what `partonic sbi --store` does.

    If the estimator was trained on this very store, they are those of the events that it has not seen.

    Args:
        store: the events.
        model: folder of the trained estimator.
        config: how the work is shared out.
        output: coefficients to write.
        progress: told of each batch.
        features: files of coefficients of other estimators that are features, by name.

    Returns:
        one line on the result.

    Raises:
        PartonicError: as `partonic.estimators.run.estimate_store`.
        EventFileError: if the estimator has seen all events of the store.
    """
    record = SbiModel.load(model).record
    digest = file_digest(store)
    if not record.stores:
        _LOG.warning("%s does not say which stores it was trained on: %s may be one of them", model, store)
    result = estimate_store(store, sbi_job(model, store, files=features), config, output, progress, section="sbi")
    if digest not in record.stores:
        return str(result)
    every, metadata = read_coefficients(output)
    parts = _parts(store, (record.stores.index(digest), len(record.stores)), every, record)
    kept = every.select(parts.of("fit"))
    if not len(kept):
        output.unlink()
        raise EventFileError(
            f"{model} was trained on {store}, and none of these events was left for a fit (`sbi.shares.fit`): give "
            "other events"
        )
    write_coefficients(output, kept, metadata)
    return (
        f"{int(kept.usable().sum())} events in {output}; those of the store that were learned from or calibrated with "
        "are left out"
    )


def _place(files: SbiFiles, record: SbiRecord, path: Path) -> tuple[int, int] | None:
    """Return the number of a store among those of the training, and their number; None if it is none of them.

    A ready model may have been trained on the very events that are fitted, which its record tells.
    """
    if path in files.trained_on:
        return files.trained_on.index(path), len(files.trained_on)
    if files.trained_on or not record.stores:
        return None
    digest = file_digest(path)
    return (record.stores.index(digest), len(record.stores)) if digest in record.stores else None


def _check_stores(files: SbiFiles, record: SbiRecord) -> None:
    """Check that the stores are those of the training, and that the fitted one is none of them under another name.

    Raises:
        EventFileError: if they are not.
    """
    if not record.stores:
        _LOG.warning("%s does not say which stores it was trained on: they are taken to be those named", files.model)
        return
    if not files.trained_on:
        return
    found = tuple(file_digest(path) for path in files.trained_on)
    for path, digest in zip(files.trained_on, found, strict=True):
        if digest not in record.stores:
            raise EventFileError(
                f"{files.model} was not trained on {path} as it is now, so it is not known which of its events the "
                "networks have seen: train again (`partonic train`), or give the store as it was"
            )
    if found != record.stores:
        raise EventFileError(
            f"{files.model} was trained on {len(record.stores)} stores in another order than "
            f"{', '.join(map(str, files.trained_on))}: name them as in the training"
        )
    if files.store not in files.trained_on and file_digest(files.store) in record.stores:
        raise EventFileError(
            f"{files.store} holds events that the networks were trained on, under another name: fit other events, or "
            "leave out `sbi.stores`, and `sbi.shares` parts them"
        )


def _parts(path: Path, place: tuple[int, int], coefficients: EventCoefficients, record: SbiRecord) -> Parts:
    """Return the parts of the events of a store, from the same groups as in the training.

    `place` is the number of the store among those of the training, and their number.
    """
    config, store = record.config, EventStore.open(path)
    column = group_column(config.group, store.metadata)
    batch = store.read(tuple(dict.fromkeys(("event_id", column))), accepted_only=True)
    known = batch.column("event_id").astype(np.int64)
    groups = batch.column(column).astype(np.int64) * place[1] + place[0]
    order = np.argsort(known, kind="stable")
    rows = order[np.searchsorted(known[order], coefficients.event_id)]
    return parts_of(groups[rows], config.parts(), record.seed)

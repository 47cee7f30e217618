"""Coefficients of all events under all hypotheses, as a fit with backgrounds reads them.

The events of the signal get log P_b(x) of each background. Simulated events of each background that were neither
trained on nor calibrated with get it, too, and the ratios of the signal: pseudo-data are drawn from them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from partonic.config.sbi import SbiConfig
from partonic.errors import EventFileError
from partonic.estimators.estimator import EstimatorJob
from partonic.estimators.run import estimate_store
from partonic.events.store import EventStore
from partonic.inference.coefficients.coefficients_file import read_coefficients, write_coefficients
from partonic.progress import SILENT, Progress
from partonic.sbi.background.estimator import background_job
from partonic.sbi.background.model import BackgroundModel
from partonic.sbi.data import group_column
from partonic.sbi.estimator import SOURCE, sbi_job
from partonic.sbi.split import parts_of
from partonic.sbi.stacking.features import CoefficientFiles

__all__ = ["SIGNAL", "BackgroundFiles", "background_coefficients"]

SIGNAL = "signal"
"""Name of the hypothesis of the signal among the coefficients of background events."""


@dataclass(frozen=True)
class BackgroundFiles:
    """What is read and written.

    Attributes:
        classifier: folder of the model of the backgrounds.
        signal_model: folder of the trained estimator of the signal.
        store: the events of the signal, or data.
        fitted: coefficients of those that are fitted; the others are left out.
        of_signal: file to write of each background, for the events of `fitted`.
        of_backgrounds: file to write of each background's own events under each hypothesis.
        features: files of coefficients of other estimators that are features, by name.
        source: name of the estimator in the files of coefficients.
    """

    classifier: Path
    signal_model: Path
    store: Path
    fitted: Path
    of_signal: Mapping[str, Path]
    of_backgrounds: Mapping[str, Mapping[str, Path]]
    features: CoefficientFiles = field(default_factory=dict)
    source: str = SOURCE


def background_coefficients(files: BackgroundFiles, config: SbiConfig, progress: Progress = SILENT) -> str:
    """Write the coefficients of signal and background events.

    Args:
        files: what is read and written.
        config: how the work is shared out. The parts of the events are those of the training.
        progress: told of each batch.

    Returns:
        one line on the result.

    Raises:
        PartonicError: as `partonic.estimators.run.estimate_store`.
        EventFileError: if no event of a background is left for pseudo-data.
    """
    record = BackgroundModel.load(files.classifier).record
    wanted = read_coefficients(files.fitted)[0].event_id
    for name, output in files.of_signal.items():
        job = background_job(files.classifier, name, files.store, files.source, files.features)
        _selected(files.store, job, config, output, wanted, progress)
    numbers = []
    for name, outputs in files.of_backgrounds.items():
        store = config.backgrounds[name].store
        kept = _kept(store, record.config, record.seed, name)
        for hypothesis, output in outputs.items():
            if hypothesis == SIGNAL:
                job = sbi_job(files.signal_model, store, files.source, files.features, of_others=True)
            else:
                job = background_job(files.classifier, hypothesis, store, files.source, files.features)
            _selected(store, job, config.model_copy(update={"max_events": None}), output, kept, progress)
        numbers.append(f"{len(kept)} of {name}")
    return f"backgrounds: {', '.join(numbers)} for pseudo-data"


def _selected(
    store: Path, job: EstimatorJob, config: SbiConfig, output: Path, wanted: np.ndarray, progress: Progress
) -> None:
    """Write the coefficients of some events of a store; those of all are kept in ``<folder>/all``."""
    every = output.parent / "all" / output.name
    estimate_store(store, job, config, every, progress, section="sbi")
    coefficients, metadata = read_coefficients(every)
    write_coefficients(output, coefficients.select(np.isin(coefficients.event_id, wanted)), metadata)


def _kept(store: Path, config: SbiConfig, seed: int, name: str) -> np.ndarray:
    """Return the numbers of the events of a background that nothing was learned from."""
    opened = EventStore.open(store)
    column = group_column(config.group, opened.metadata)
    batch = opened.read(tuple(dict.fromkeys(("event_id", column))), accepted_only=True)
    parts = parts_of(batch.column(column).astype(np.int64), config.background_parts(), seed)
    found = batch.column("event_id").astype(np.int64)[parts.of("fit")]
    if not len(found):
        raise EventFileError(
            f"no event of the background '{name}' is left for pseudo-data: raise `sbi.shares.fit`, or give more events"
        )
    return found

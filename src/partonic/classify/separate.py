"""From event stores and coefficients to ROC curves of signal against background.

Each of two samples of simulated events has coefficients under both hypotheses. The curve of the discriminant does not
depend on the weight k of the background (`partonic.classify.discriminant`), which is recorded as σ_sig/σ_bkg.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from partonic.classify.discriminant import discriminant
from partonic.classify.plain_classifier import ClassifierSample, plain_classifier
from partonic.classify.roc import roc_curve
from partonic.classify.roc_file import Discrimination
from partonic.errors import EventFileError, ParameterError
from partonic.events.batch import RECO_COLUMNS
from partonic.events.store import EventStore
from partonic.features.high_level import high_level_features
from partonic.inference.coefficients.coefficients_file import read_coefficients
from partonic.inference.coefficients.event_coefficients import EventCoefficients
from partonic.inference.coefficients.event_weights import weights_of
from partonic.rng import numpy_generator

__all__ = ["SampleFiles", "separate"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class SampleFiles:
    """Files of simulated events of one process.

    Attributes:
        store: event store.
        under_signal: coefficients of its events, or part of them, under the signal.
        under_background: coefficients of the same events under the background.
    """

    store: Path
    under_signal: Path
    under_background: Path


@dataclass(frozen=True)
class _Events:
    store: EventStore
    signal: EventCoefficients
    background: EventCoefficients
    weights: Array
    cross_section: float


def separate(signal: SampleFiles, background: SampleFiles, seed: int, trees: bool = False) -> Discrimination:
    """Return the ROC curve of D = P_sig/(P_sig + k P_bkg), and that of boosted trees if they are asked for.

    Events have their weights at θ = 0. The trees learn from the selected events that have no entry in the files of
    coefficients, and are tested on the others.

    Args:
        signal: files of the signal.
        background: files of the background.
        seed: root seed of the bootstrap and of the trees.
        trees: train boosted trees on high-level features, too.

    Raises:
        EventFileError: if a file is missing or damaged, or two files are not of the same events.
        ParameterError: if there are no usable events, or too many negative weights.
        TrainingError: if there are too few events for the trees.
        DependencyError: if the trees need a package that is missing.
    """
    samples = [_read(each) for each in (signal, background)]
    k = samples[0].cross_section / samples[1].cross_section
    pairs = [(discriminant(each.signal, each.background, k), each.weights) for each in samples]
    curves = [roc_curve(samples[0].signal.source, pairs[0], pairs[1], numpy_generator(seed, "discriminant"))]
    facts: dict[str, object] = {"k": k}
    if trees:
        held_out = (samples[0].signal.event_id, samples[1].signal.event_id)
        classes = [_for_trees(each.store) for each in samples]
        found = plain_classifier(classes[0], classes[1], numpy_generator(seed, "trees"), held_out=held_out)
        curves.append(found.roc)
        facts |= {"trees": found.trees, "train_auc": found.train_auc}
    names = [each.store.metadata.process for each in samples]
    events = (len(samples[0].weights), len(samples[1].weights))
    return Discrimination(names[0], names[1], events, tuple(curves), facts)


def _read(files: SampleFiles) -> _Events:
    store = EventStore.open(files.store)
    signal, background = (read_coefficients(path)[0] for path in (files.under_signal, files.under_background))
    if not np.array_equal(signal.event_id, background.event_id):
        raise EventFileError(
            f"{files.under_background} has other events than {files.under_signal}: expected the coefficients of the "
            f"same events of {files.store} in the same order; make both from that store"
        )
    total = float(store.read(["coefficients"], selected_only=True).coefficients[:, 0].sum())
    if not total > 0:
        raise ParameterError(
            f"the selected events of {files.store} have a summed weight of {total:g} pb: expected one > 0; give a "
            "store of simulated events that pass the selection"
        )
    return _Events(store, signal, background, weights_of(store, signal.event_id)[:, 0], total)


def _for_trees(store: EventStore) -> ClassifierSample:
    batch = store.read(["event_id", "weight", "coefficients", *RECO_COLUMNS], selected_only=True)
    ids = batch.column("event_id").astype(np.int64)
    return ClassifierSample(ids, high_level_features(batch.reco()), batch.coefficients[:, 0])

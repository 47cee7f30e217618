"""A plain classifier of signal against background, to compare the discriminant of the matrix element with.

Boosted decision trees on the high-level features of `partonic.features.high_level`, as many analyses use them: the
histogram gradient boosting of scikit-learn, which takes missing features as they are. It is trained on one half of the
events and tried on the other. The signal has the weights of one θ; both classes get the same total weight in the
training.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from partonic.classify.roc import RocCurve, roc_curve
from partonic.errors import DependencyError, TrainingError
from partonic.features.high_level import FEATURES
from partonic.inference.experiments.pool import MOST_NEGATIVE

__all__ = ["ClassifierSample", "PlainClassifier", "TreeSettings", "plain_classifier"]

Array = NDArray[np.float64]

_FEWEST = 50
"""Events of each class in a half."""


@dataclass(frozen=True)
class TreeSettings:
    """Settings of the boosting.

    Attributes:
        test_share: part of the events that is kept for the test.
        rounds: most trees; fewer if the loss on a tenth of the events of training stops falling.
        learning_rate: of the boosting.
        leaves: most leaves of a tree.
        events_of_leaf: fewest events of a leaf.
    """

    test_share: float = 0.5
    rounds: int = 400
    learning_rate: float = 0.05
    leaves: int = 5
    events_of_leaf: int = 100


@dataclass(frozen=True)
class ClassifierSample:
    """Events of one class.

    Attributes:
        event_id: numbers of the events, `(N,)`.
        features: from `high_level_features`, `(N, F)`.
        weights: of the events; those with negative ones, 1% at most, are left out. `(N,)`
    """

    event_id: NDArray[np.int64]
    features: Array
    weights: Array

    def select(self, rows: NDArray[np.bool_]) -> "ClassifierSample":
        """Return some events, by a mask `(N,)`."""
        return replace(self, event_id=self.event_id[rows], features=self.features[rows], weights=self.weights[rows])


@dataclass(frozen=True)
class PlainClassifier:
    """A trained classifier and its test.

    Attributes:
        roc: curve of the events that were not trained on.
        train_auc: area under the curve of the events of training: how much was learned by heart.
        trees: number of trees.
        events: of training and test, of both classes.
        model: of scikit-learn.
    """

    roc: RocCurve
    train_auc: float
    trees: int
    events: tuple[int, int]
    model: Any

    def score(self, features: Array) -> Array:
        """Return the probability to be signal at equal total weights, of features `(N, F)`, as `(N,)`."""
        probability: Array = np.asarray(self.model.predict_proba(features)[:, 1], dtype=np.float64)
        return probability

    def to_json(self) -> dict[str, Any]:
        """Return curve and numbers by name."""
        numbers = {"train_auc": self.train_auc, "trees": self.trees, "events": list(self.events)}
        return {"roc": self.roc.to_json(), **numbers, "features": list(FEATURES)}


def plain_classifier(
    signal: ClassifierSample,
    background: ClassifierSample,
    generator: np.random.Generator,
    settings: TreeSettings | None = None,
    held_out: tuple[NDArray[np.int64], NDArray[np.int64]] | None = None,
) -> PlainClassifier:
    """Train a classifier and test it on events that it has not seen.

    Args:
        signal: events of the signal.
        background: events of the background.
        generator: chooses the events of the test, and the seed of the boosting.
        settings: of the boosting.
        held_out: numbers of the signal and background events of the test, e.g. those that have coefficients; by default
            a random part.

    Raises:
        TrainingError: if there are fewer than 50 events of a class in training or test, or too many negative weights.
        DependencyError: if scikit-learn is not installed.
    """
    options = settings or TreeSettings()
    signal, background = _positive("signal", signal), _positive("background", background)
    tests = [
        generator.random(len(sample.event_id)) < options.test_share if held_out is None
        else np.isin(sample.event_id, held_out[number])
        for number, sample in enumerate((signal, background))
    ]  # fmt: skip
    for what, test in zip(("signal", "background"), tests, strict=True):
        if min(test.sum(), (~test).sum()) < _FEWEST:
            raise TrainingError(
                f"a classifier needs {_FEWEST} events of the {what} in training and test each, got {(~test).sum()} and "
                f"{test.sum()}: use more events"
            )
    train = [sample.select(~test) for sample, test in zip((signal, background), tests, strict=True)]
    kept = [sample.select(test) for sample, test in zip((signal, background), tests, strict=True)]
    model = _trained(train[0], train[1], options, int(generator.integers(2**31)))
    curves = [_roc(model, part[0], part[1], generator) for part in (kept, train)]
    return PlainClassifier(
        roc=curves[0],
        train_auc=curves[1].auc.value,
        trees=int(model.n_iter_),
        events=(sum(len(sample.event_id) for sample in train), sum(len(sample.event_id) for sample in kept)),
        model=model,
    )


def _positive(what: str, sample: ClassifierSample) -> ClassifierSample:
    negative = -np.minimum(sample.weights, 0.0).sum() / np.abs(sample.weights).sum()
    if negative > MOST_NEGATIVE:
        raise TrainingError(
            f"{negative:.2%} of the weights of the {what} are negative, more than {MOST_NEGATIVE:.0%}: a classifier "
            "needs weights ≥ 0"
        )
    return sample.select(sample.weights >= 0)


def _trained(signal: ClassifierSample, background: ClassifierSample, options: TreeSettings, seed: int) -> Any:
    try:
        from sklearn.ensemble import HistGradientBoostingClassifier
    except ImportError as error:
        raise DependencyError(
            f"the plain classifier needs scikit-learn: pip install 'partonic[classifier]' ({error})"
        ) from error
    model = HistGradientBoostingClassifier(
        max_iter=options.rounds,
        learning_rate=options.learning_rate,
        max_leaf_nodes=options.leaves,
        min_samples_leaf=options.events_of_leaf,
        early_stopping=True,
        random_state=seed,
    )
    features = np.concatenate([signal.features, background.features])
    labels = np.repeat([1, 0], [len(signal.event_id), len(background.event_id)])
    # equal total weights of the classes, about one an event
    weights = np.concatenate([sample.weights / sample.weights.sum() for sample in (signal, background)])
    return model.fit(features, labels, sample_weight=weights * len(labels) / 2)


def _roc(
    model: Any, signal: ClassifierSample, background: ClassifierSample, generator: np.random.Generator
) -> RocCurve:
    pairs = [
        (np.asarray(model.decision_function(s.features), dtype=np.float64), s.weights) for s in (signal, background)
    ]
    return roc_curve("plain classifier", pairs[0], pairs[1], generator)

import json
import math
import sys

import numpy as np
import pytest

from partonic.classify.plain_classifier import ClassifierSample, TreeSettings, plain_classifier
from partonic.errors import DependencyError, TrainingError

FAST = TreeSettings(rounds=60, learning_rate=0.1)


def samples(generator, events, distance):
    """Unit Gaussians in three features, apart in the first; the best AUC is Φ(distance/√2)."""
    shifts = (0.5 * distance, -0.5 * distance)
    return tuple(
        ClassifierSample(
            np.arange(events), generator.normal(size=(events, 3)) + np.array([shift, 0.0, 0.0]), np.full(events, weight)
        )
        for shift, weight in zip(shifts, (1e-6, 3e-3), strict=True)
    )


def test_it_comes_near_the_best_possible():
    rng = np.random.default_rng(1)
    found = plain_classifier(*samples(rng, 4000, 1.5), rng, FAST)
    best = 0.5 * (1 + math.erf(0.75))
    assert best - 0.03 < found.roc.auc.value < best + 4 * found.roc.auc.error
    assert found.train_auc > found.roc.auc.value - 4 * found.roc.auc.error
    assert sum(found.events) == 8000
    content = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert content["trees"] == found.trees <= 60


def test_same_events_cannot_be_told_apart_and_the_test_is_honest():
    rng = np.random.default_rng(2)
    found = plain_classifier(*samples(rng, 1500, 0.0), rng, FAST)
    assert abs(found.roc.auc.value - 0.5) < 4 * found.roc.auc.error


def test_missing_features_are_used_as_they_are():
    rng = np.random.default_rng(3)
    signal, background = samples(rng, 1000, 0.0)
    signal.features[::2, 1] = np.nan
    found = plain_classifier(signal, background, rng, FAST)
    assert found.roc.auc.value > 0.7
    assert np.isfinite(found.score(signal.features)).all()


def test_chosen_events_are_held_out():
    rng = np.random.default_rng(4)
    signal, background = samples(rng, 1000, 1.0)
    found = plain_classifier(signal, background, rng, FAST, held_out=(np.arange(100), np.arange(200)))
    assert found.events == (1700, 300)
    assert found.roc.auc.n == 300


def test_errors(monkeypatch):
    rng = np.random.default_rng(5)
    with pytest.raises(TrainingError, match="needs 50 events of the signal in training and test each"):
        plain_classifier(*samples(rng, 60, 1.0), rng)
    signal, background = samples(rng, 300, 1.0)
    signal.weights[:10] *= -1
    with pytest.raises(TrainingError, match=r"3\.33% of the weights of the signal are negative"):
        plain_classifier(signal, background, rng)
    monkeypatch.setitem(sys.modules, "sklearn.ensemble", None)
    with pytest.raises(DependencyError, match=r"pip install 'partonic\[classifier\]'"):
        plain_classifier(*samples(rng, 300, 1.0), rng)

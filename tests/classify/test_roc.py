import json
import math

import numpy as np
import pytest

from partonic.classify.roc import RocCurve, roc_curve
from partonic.errors import ParameterError


def gaussians(generator, events, distance):
    """Unit Gaussians at ±distance/2: AUC = Φ(distance/√2), weights that do not depend on the number."""
    weights = generator.uniform(0.5, 1.5, (2, events))
    values = generator.normal(size=(2, events)) + 0.5 * distance * np.array([[1.0], [-1.0]])
    return (values[0], weights[0]), (values[1], weights[1])


def area(distance):
    return 0.5 * (1 + math.erf(distance / 2))


@pytest.mark.parametrize("distance", [0.0, 0.7, 2.0])
def test_area_of_gaussians(distance):
    rng = np.random.default_rng(1)
    curve = roc_curve("x", *gaussians(rng, 4000, distance), rng)
    assert abs(curve.auc.value - area(distance)) < 4 * curve.auc.error
    assert curve.auc.error < 0.01


def test_curve_of_gaussians():
    rng = np.random.default_rng(2)
    curve = roc_curve("x", *gaussians(rng, 20_000, 1.0), rng)
    # kept at 16% of the background: a cut one deviation above its mean, at the mean of the signal
    found = np.interp(1 - area(math.sqrt(2)), curve.background_efficiency, curve.signal_efficiency)
    assert found == pytest.approx(0.5, abs=5 * math.sqrt(0.25 / 20_000) * 2)
    assert curve.background_at(0.5) == pytest.approx(1 - area(math.sqrt(2)), abs=0.015)
    assert (np.diff(curve.signal_efficiency) >= 0).all()
    assert curve.signal_efficiency[[0, -1]].tolist() == [0.0, 1.0]
    assert curve.background_efficiency[[0, -1]].tolist() == [0.0, 1.0]
    assert len(curve.signal_efficiency) <= 201


def test_bootstrap_error_is_the_scatter():
    rng = np.random.default_rng(3)
    found = [roc_curve("x", *gaussians(rng, 200, 1.0), rng).auc for _ in range(60)]
    values = np.array([each.value for each in found])
    pulls = (values - area(1.0)) / np.array([each.error for each in found])
    assert abs(pulls.mean()) < 4 / math.sqrt(60)
    assert pulls.std(ddof=1) == pytest.approx(1.0, abs=4 / math.sqrt(120))


def test_against_all_pairs():
    rng = np.random.default_rng(4)
    signal, background = rng.integers(0, 6, 80).astype(float), rng.integers(0, 5, 70).astype(float)
    w, v = rng.uniform(size=80), rng.uniform(size=70)
    larger = (signal[:, None] > background) + 0.5 * (signal[:, None] == background)
    curve = roc_curve("ties", (signal, w), (background, v), rng)
    assert curve.auc.value == pytest.approx(w @ larger @ v / (w.sum() * v.sum()))


def test_unusable_events_are_told(tmp_path):
    values = np.array([1.0, 2.0, np.nan, 3.0])
    curve = roc_curve("x", (values, np.ones(4)), (np.zeros(5), np.ones(5)), np.random.default_rng(5))
    assert (curve.unusable_signal, curve.unusable_background) == (0.25, 0.0)
    assert curve.auc.value == 1.0
    content = json.loads(json.dumps(curve.to_json(), allow_nan=False))
    assert content["auc"]["value"] == 1.0
    assert content["signal_efficiency"][-1] == 1.0
    assert isinstance(curve, RocCurve)


def test_a_few_negative_weights_are_left_out_and_told():
    good, rng = (np.arange(3.0), np.ones(3)), np.random.default_rng(7)
    curve = roc_curve("x", (np.array([5.0, 6.0, 7.0]), np.array([1.0, 1.0, -0.01])), good, rng)
    assert curve.auc.n == 5
    assert curve.unusable_signal == pytest.approx(0.01 / 2.01)


def test_errors():
    good, rng = (np.arange(3.0), np.ones(3)), np.random.default_rng(6)
    with pytest.raises(ParameterError, match="the signal of a ROC curve needs events"):
        roc_curve("x", (np.full(3, np.nan), np.ones(3)), good, rng)
    with pytest.raises(ParameterError, match="the background of a ROC curve needs events"):
        roc_curve("x", good, (np.arange(3.0), np.ones(2)), rng)
    with pytest.raises(ParameterError, match=r"4\.76% of the weights of the signal are negative"):
        roc_curve("x", (np.arange(3.0), np.array([1.0, 1.0, -0.1])), good, rng)

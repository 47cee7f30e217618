"""Information that estimators keep, against closed forms: a bound that no claim can pass."""

from dataclasses import replace

import numpy as np
import pytest

from inference.toy_coefficients import MONOMIALS, toy_events, toy_weights
from partonic.inference.experiments.baselines import rate_only
from partonic.inference.experiments.estimator_quality import (
    directions_of,
    explained,
    information_of_estimator,
    kept_of_squares,
    score_of,
)
from partonic.inference.experiments.information import information_of_events

THETA = np.zeros(2)


@pytest.fixture(scope="module")
def weights():
    return toy_weights(np.random.default_rng(1), 20_000)


def changed(weights, factor, noise, seed=3):
    """Return truth times a factor plus noise in the linear ratios, relative to their scatter."""
    truth = toy_events(weights)
    ratios = truth.ratios.copy()
    spread = ratios[:, 1:3].std(axis=0)
    ratios[:, 1:3] = factor * ratios[:, 1:3] + noise * spread * np.random.default_rng(seed).normal(
        size=(len(ratios), 2)
    )
    return replace(truth, ratios=ratios)


def test_truth_keeps_what_there_is(weights):
    truth = information_of_events(weights, MONOMIALS, THETA, 1.0)
    found = information_of_estimator(toy_events(weights), weights, THETA, 1.0)
    np.testing.assert_allclose(found.kept, truth, rtol=1e-9)
    np.testing.assert_allclose(found.claimed, truth, rtol=1e-9)


@pytest.mark.parametrize(("factor", "noise"), [(2.0, 0.0), (0.5, 0.0), (1.0, 1.0), (3.0, 2.0), (-1.0, 0.3)])
def test_no_estimator_keeps_more_than_the_truth_whatever_it_claims(weights, factor, noise):
    truth = information_of_events(weights, MONOMIALS, THETA, 1.0)
    found = information_of_estimator(changed(weights, factor, noise), weights, THETA, 1.0)
    assert np.linalg.eigvalsh(truth - found.kept).min() > -1e-9 * np.trace(truth)
    if noise == 0.0:
        np.testing.assert_allclose(found.kept, truth, rtol=1e-6)
    if factor > 1.0:
        assert np.trace(found.claimed) > 1.2 * np.trace(truth)


def test_noise_of_the_size_of_the_score_halves_the_information_of_the_shape(weights):
    """One parameter: s + noise of n times its variance keeps 1/(1 + n) of the shape, and all of the rate."""
    w = weights[:, 0]
    score = weights[:, 1] / w
    mean = w @ score / w.sum()
    shape = 1e3 * w @ (score - mean) ** 2
    size = np.sqrt(w @ (score - mean) ** 2 / w.sum())
    truth = toy_events(weights)
    ratios = truth.ratios.copy()
    ratios[:, 1] += size * np.random.default_rng(5).normal(size=len(w))
    only_a = np.zeros_like(ratios)
    only_a[:, [0, 1, 3]] = ratios[:, [0, 1, 3]]
    found = information_of_estimator(replace(truth, ratios=only_a), weights, THETA, 1.0)
    rate = 1e3 * w.sum() * mean**2
    assert found.kept[0, 0] == pytest.approx(rate + 0.5 * shape, rel=0.03)


def test_an_estimator_that_knows_nothing_keeps_the_rate(weights):
    truth = toy_events(weights)
    nothing = replace(truth, ratios=np.tile(truth.ratios.mean(axis=0), (len(truth), 1)))
    nothing.ratios[:, 0] = 1.0
    found = information_of_estimator(nothing, weights, THETA, 1.0)
    slope = weights.sum(axis=0) @ MONOMIALS.gradient(THETA)
    np.testing.assert_allclose(found.kept, 1e3 * np.outer(slope, slope) / weights[:, 0].sum(), rtol=1e-6)


def test_score(weights):
    row, slope = MONOMIALS.evaluate(THETA), MONOMIALS.gradient(THETA)
    np.testing.assert_allclose(score_of(weights, row, slope), weights[:, 1:3] / weights[:, :1])
    assert not score_of(-weights[:1], row, slope).any()


def test_explained_variance(weights):
    assert explained(toy_events(weights), weights) == pytest.approx(dict.fromkeys(MONOMIALS.names[1:], 1.0))
    mean = weights.sum(axis=0) / weights[:, 0].sum()
    mean[0] = 1.0
    truth = toy_events(weights)
    constant = replace(truth, ratios=np.tile(mean, (len(truth), 1)))
    assert explained(constant, weights) == pytest.approx(dict.fromkeys(MONOMIALS.names[1:], 0.0), abs=1e-12)
    half = replace(truth, ratios=np.column_stack([truth.ratios[:, 0], (0.5 * (truth.ratios + mean))[:, 1:]]))
    assert explained(half, weights) == pytest.approx(dict.fromkeys(MONOMIALS.names[1:], 0.75))
    wrong = replace(truth, ratios=np.column_stack([np.ones(len(truth)), 3.0 * truth.ratios[:, 1:]]))
    assert min(explained(wrong, weights).values()) < 0.0


def test_directions():
    first, second = directions_of(np.array([[5.0, 4.0], [4.0, 5.0]]), ("a", "b"))
    assert first["error"] == pytest.approx(9.0**-0.5)
    assert first["direction"] == pytest.approx({"a": 0.5**0.5, "b": 0.5**0.5})
    assert second["error"] == pytest.approx(1.0)
    assert sorted(second["direction"].values()) == pytest.approx([-(0.5**0.5), 0.5**0.5])
    blind = directions_of(np.array([[4.0, 0.0], [0.0, 0.0]]), ("a", "b"))
    assert [each["error"] for each in blind] == [0.5, None]


def test_squares_of_parameters_that_interfere_with_nothing(weights):
    """Noise of the size of the scatter halves what is known of the shape of θ²; one bin knows the rate."""
    w, score = weights[:, 0], weights[:, 3] / weights[:, 0]
    mean = w @ score / w.sum()
    shape, rate = w @ (score - mean) ** 2, w.sum() * mean**2
    truth = toy_events(weights)
    ratios = truth.ratios.copy()
    ratios[:, 3] += np.sqrt(shape / w.sum()) * np.random.default_rng(5).normal(size=len(w))
    estimates = {"truth": truth, "noisy": replace(truth, ratios=ratios)}
    found = kept_of_squares(estimates, {"rate": rate_only(MONOMIALS, weights)}, weights, THETA, "truth")
    assert found["truth"] == pytest.approx({"a": 1.0, "b": 1.0})
    assert found["noisy"]["a"] == pytest.approx((rate + 0.5 * shape) / (rate + shape), abs=0.02)
    assert found["rate"]["a"] == pytest.approx(rate / (rate + shape))

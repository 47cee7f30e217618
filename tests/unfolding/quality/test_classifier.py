import math

import numpy as np
import pytest
import torch

from partonic.errors import NonFiniteError
from partonic.unfolding.quality.classifier import ClassifierSettings, classifier_two_sample_test


def draw(generator, events, scale=1.0, shift=0.0):
    condition = torch.randn(events, 2, generator=generator)
    truth = condition + torch.randn(events, 2, generator=generator)
    return condition, truth, condition + shift + scale * torch.randn(events, 2, generator=generator)


def test_equal_distributions_cannot_be_told_apart(torch_rng):
    scores = [classifier_two_sample_test(*draw(torch_rng, 500), torch_rng) for _ in range(8)]
    pulls = np.array([(score.accuracy - 0.5) / score.error for score in scores])
    # The mean over trainings too: standardising with all events, or parting pairs, would shift it.
    assert abs(pulls.mean()) < 4 / math.sqrt(8)
    assert np.abs(pulls).max() < 5
    assert max(score.error for score in scores) < 0.03


def test_accuracy_comes_near_the_best_possible(torch_rng):
    """Shifted by d in both of two dimensions the best classifier is right with probability Φ(√2 d / 2)."""
    score = classifier_two_sample_test(*draw(torch_rng, 4000, shift=1.0), torch_rng)
    best = 0.5 * (1.0 + math.erf(math.sqrt(2.0) / 2.0 / math.sqrt(2.0)))
    assert best - 0.03 < score.accuracy < best + 4 * score.error
    assert score.correct.mean() == pytest.approx(score.accuracy)
    assert set(np.unique(score.correct)) <= {0.0, 0.5, 1.0}


def test_width_is_seen_only_with_the_condition(torch_rng):
    condition, truth, samples = draw(torch_rng, 4000, scale=0.6)
    with_condition = classifier_two_sample_test(condition, truth, samples, torch_rng)
    without = classifier_two_sample_test(torch.zeros_like(condition), truth, samples, torch_rng)
    assert with_condition.accuracy > without.accuracy + 4 * with_condition.error


def test_same_generator_same_score():
    scores = []
    for _ in range(2):
        generator = torch.Generator().manual_seed(3)
        data = draw(generator, 100, scale=0.8)
        scores.append(classifier_two_sample_test(*data, generator, ClassifierSettings(epochs=2)).accuracy)
    assert scores[0] == scores[1]


def test_bad_input_is_named(torch_rng):
    condition, truth, samples = draw(torch_rng, 20)
    truth[3, 1] = math.nan
    with pytest.raises(NonFiniteError, match=r"1 of 20 events .* the first is event 3"):
        classifier_two_sample_test(condition, truth, samples, torch_rng)
    with pytest.raises(ValueError, match="needs 6 events, got 5"):
        classifier_two_sample_test(*draw(torch_rng, 5), torch_rng)

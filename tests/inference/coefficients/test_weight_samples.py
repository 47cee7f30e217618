"""Sets of weights travel with the events that they are of."""

from dataclasses import replace

import numpy as np
import pytest
from tests.inference.line_toy import coefficients, draw

from partonic.errors import ParameterError
from partonic.inference.coefficients.event_coefficients import EventCoefficients
from partonic.inference.coefficients.weight_samples import WeightSamples


def events(rng, count=5, sets=3):
    plain = coefficients(draw(rng, count))
    ratios = plain.ratios[:, None] * np.ones((1, sets, 1))
    ratios[:, :, 1:] += np.arange(sets)[None, :, None]
    return replace(plain, samples=WeightSamples(ratios, plain.log_reference[:, None] + np.arange(sets)))


def test_selected_joined_and_taken_apart(rng):
    first, second = events(rng), events(rng, 4)
    mask = np.array([True, False, True, True, False])
    chosen = first.select(mask)
    np.testing.assert_array_equal(chosen.samples.ratios, first.samples.ratios[mask])
    joined = EventCoefficients.concatenate([first, second])
    assert len(joined.samples) == 9
    of_set = joined.sample(2)
    np.testing.assert_array_equal(of_set.ratios[5:, 1:], second.ratios[:, 1:] + 2)
    np.testing.assert_array_equal(of_set.log_reference[:5], first.log_reference + 2)
    assert of_set.samples is None


def test_what_does_not_fit(rng):
    whole = events(rng)
    with pytest.raises(ParameterError, match="coefficients of 3 sets of weights, asked for was set 4"):
        whole.sample(3)
    with pytest.raises(ParameterError, match="different numbers of sets of weights cannot be put together: 3, none"):
        EventCoefficients.concatenate([whole, replace(whole, samples=None)])
    with pytest.raises(ParameterError, match="of 5 events and 6 monomials"):
        replace(whole, samples=WeightSamples(np.zeros((5, 2, 4)), np.zeros((5, 2))))
    with pytest.raises(ParameterError, match=r"the shapes \(N, S, A\) and \(N, S\)"):
        WeightSamples(np.zeros((5, 2, 4)), np.zeros((5, 3)))

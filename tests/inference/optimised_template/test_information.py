"""Information of a learned score: never more than there is, and all of it where the score is the true one."""

import numpy as np
import pytest
from tests.inference.optimised_template.plane_toy import EXPECTED, LUMINOSITY, MONOMIALS, SCALE, plane

from partonic.inference.optimised_template.information import information_of_score


def test_a_score_with_noise_has_less(rng: np.random.Generator) -> None:
    """s + noise of the variance of s: half of the information, where the square of the score would count double."""
    events = plane(20_000, rng)
    noisy = events.ratios.copy()
    noisy[:, 1] += 2.0 * rng.normal(size=len(events))
    exact, found = (
        information_of_score(each, events.weights, MONOMIALS, np.zeros(2), LUMINOSITY)
        for each in (events.ratios, noisy)
    )
    np.testing.assert_allclose(exact, 4 * EXPECTED * np.array([1.0, SCALE**2]), rtol=5e-3)
    assert found[0] == pytest.approx(0.5 * exact[0], rel=0.05)  # 20,000 events: 1%
    assert found[1] == pytest.approx(exact[1])


def test_events_without_coefficients_count_for_nothing(rng: np.random.Generator) -> None:
    events = plane(4_000, rng)
    lost = events.ratios.copy()
    lost[::2] = np.nan
    found = information_of_score(lost, events.weights, MONOMIALS, np.zeros(2), LUMINOSITY)
    whole = information_of_score(events.ratios, events.weights, MONOMIALS, np.zeros(2), LUMINOSITY)
    np.testing.assert_allclose(found, 0.5 * whole, rtol=0.05)

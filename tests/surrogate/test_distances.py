"""Wasserstein distances: closed forms, and what equal densities give."""

import numpy as np
import pytest

from partonic.rng import numpy_generator
from partonic.surrogate.distances import sample_distance, wasserstein


def test_two_points() -> None:
    """Masses 1 at 0 and at 3: the distance is 3."""
    assert wasserstein(np.array([0.0, 3.0]), np.array([True, False])) == pytest.approx(3.0)


def test_of_a_shift_is_the_shift() -> None:
    dice = numpy_generator(1, "shift")
    values = dice.normal(size=20_000)
    found = sample_distance(values, values + 0.3, dice)
    assert found["distance"] == pytest.approx(0.3 / values.std(), rel=1e-9)
    assert found["deviation"] > 20.0


def test_is_in_units_of_the_first_sample() -> None:
    dice = numpy_generator(2, "units")
    one, other = dice.normal(size=3000), dice.normal(0.2, 1.0, 3000)
    found, scaled = (sample_distance(f * one, f * other, numpy_generator(3, "deal")) for f in (1.0, 50.0))
    assert scaled == {name: pytest.approx(value, rel=1e-9) for name, value in found.items()}


def test_of_equal_densities_is_its_floor() -> None:
    """Over 30 pairs of samples, the deviation is of mean 0 and width 1 (error of the mean: 1/√30)."""
    dice = numpy_generator(4, "equal")
    found = [sample_distance(dice.normal(size=500), dice.normal(size=700), dice)["deviation"] for _ in range(30)]
    assert abs(np.mean(found)) < 4 / np.sqrt(30)
    assert 0.5 < np.std(found) < 1.7


def test_of_a_constant_is_nothing() -> None:
    found = sample_distance(np.ones(50), np.ones(60), numpy_generator(5, "constant"))
    assert found["distance"] == found["deviation"] == 0.0

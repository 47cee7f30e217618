"""VEGAS with a generator of its own: known integrals, honest covariance, and no global state."""

import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

from partonic.errors import DependencyError, NonFiniteError
from partonic.mem.classical.vegas_integral import AdaptedVegas, VegasPoints, sums

WIDTH = 0.05


def peak(x: np.ndarray) -> np.ndarray:
    """A product of Gaussians whose integral is one (but for 10⁻¹⁰ outside the cube)."""
    return np.exp(-0.5 * ((x - 0.4) / WIDTH) ** 2).prod(axis=1) / (WIDTH * np.sqrt(2.0 * np.pi)) ** x.shape[1]


def moments(x: np.ndarray) -> np.ndarray:
    """The peak, and the peak times x₀ and x₀²: integrals 1, 0.4 and 0.4² + 0.05²."""
    return peak(x)[:, None] * np.stack([np.ones(len(x)), x[:, 0], x[:, 0] ** 2], axis=1)


EXACT = np.array([1.0, 0.4, 0.4**2 + WIDTH**2])


def adapted(seed: int) -> AdaptedVegas:
    return AdaptedVegas(peak, 3, np.random.default_rng(seed), 5, 2000)


def test_known_integrals_within_their_errors(seed: int) -> None:
    grid = adapted(seed)
    points = grid.points(20_000)
    found = sums(points, moments(points.x))
    errors = np.sqrt(np.diag(found.covariance))
    assert (errors < 0.01 * EXACT).all()
    assert (np.abs(found.values - EXACT) < 4.0 * errors).all()
    assert found.contributions.sum() == pytest.approx(found.values[0])
    assert grid.evaluations > 5000


def test_covariance_is_that_of_repetitions(seed: int) -> None:
    grid = adapted(seed)
    repeated = []
    for _ in range(150):
        points = grid.points(600)
        repeated.append(sums(points, moments(points.x)))
    spread = np.cov(np.stack([one.values for one in repeated]), rowvar=False)
    claimed = np.mean([one.covariance for one in repeated], axis=0)
    # 150 repetitions know a variance to 12%.
    np.testing.assert_allclose(np.diag(claimed), np.diag(spread), rtol=0.4)
    correlation = [matrix[0, 1] / np.sqrt(matrix[0, 0] * matrix[1, 1]) for matrix in (spread, claimed)]
    assert correlation[0] == pytest.approx(correlation[1], abs=0.1)


def test_the_generator_decides_and_nothing_global_changes(seed: int) -> None:
    import gvar

    before = gvar.RNG.bit_generator.state
    first, again, other = (adapted(number).points(500).x for number in (seed, seed, seed + 1))
    assert gvar.RNG.bit_generator.state == before
    np.testing.assert_array_equal(first, again)
    assert first.shape != other.shape or not np.array_equal(first, other)


def test_values_that_are_not_finite_are_an_error() -> None:
    points = VegasPoints(np.zeros((2, 1)), np.ones(2), np.zeros(2, dtype=np.int64))
    with pytest.raises(NonFiniteError, match="not finite at 1 of 2 points"):
        sums(points, np.array([[1.0], [np.nan]]))


def test_vegas_is_optional(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    monkeypatch.setitem(sys.modules, "vegas", None)
    with pytest.raises(DependencyError, match=r"needs vegas.*partonic\[mem\]"):
        adapted(seed)


def test_package_declares_vegas(repository: Path) -> None:
    extras = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = [entry.partition(">")[0] for entry in extras["optional-dependencies"]["mem"]]
    assert {"gvar", "vegas"} <= set(names)

import numpy as np
import pytest
from scipy import stats

from partonic.errors import NonFiniteError
from partonic.plots import Axis, Profile, quantile_with_error

FINE = Axis.regular("response", "response", (800, 0.0, 4.0))


def counts_with_flows(values: np.ndarray) -> np.ndarray:
    return np.bincount(FINE.index(values), minlength=len(FINE) + 2).astype(np.float64)


@pytest.mark.parametrize("level", [0.16, 0.5, 0.84])
def test_quantile_errors_cover(rng: np.random.Generator, level: float) -> None:
    repeats, number = 1500, 400
    true = stats.norm.ppf(level, loc=1.5, scale=0.3)
    pulls = np.empty(repeats)
    for k in range(repeats):
        value, error = quantile_with_error(counts_with_flows(rng.normal(1.5, 0.3, number)), FINE.array, level, number)
        pulls[k] = (value - true) / error
    inside = np.mean(np.abs(pulls) < 1)
    allowed = 4 * np.sqrt(0.683 * 0.317 / repeats)
    assert inside == pytest.approx(0.683, abs=allowed + 0.01)  # order statistics are discrete: 1% of slack
    assert abs(pulls.mean()) < 0.12


def test_profile_finds_the_response_that_was_put_in(rng: np.random.Generator) -> None:
    axis = Axis("pt", "p", (20.0, 50.0, 100.0, 200.0), "GeV")
    profile = Profile(axis, FINE)
    for _ in range(4):
        pt = rng.uniform(10.0, 220.0, 20_000)
        profile.fill(pt, rng.normal(0.9 + pt / 1000, 4.0 / pt), np.full(20_000, 0.3))
    points = profile.points()
    for k, (low, high) in enumerate(zip(axis.edges[:-1], axis.edges[1:], strict=True)):
        pt = rng.uniform(low, high, 400_000)
        q16, q50, q84 = np.quantile(rng.normal(0.9 + pt / 1000, 4.0 / pt), [0.158655, 0.5, 0.841345])
        assert abs(points.median[k] - q50) < 4.5 * points.median_error[k]
        assert abs(points.width[k] - 0.5 * (q84 - q16)) < 4.5 * points.width_error[k]
        assert points.median_error[k] < 0.01
        assert points.width_error[k] < 0.02 * q50


def test_error_of_the_width_is_the_spread_over_pseudo_experiments(rng: np.random.Generator) -> None:
    repeats, axis = 1200, Axis("pt", "p", (0.0, 1.0))
    widths, errors = np.empty(repeats), np.empty(repeats)
    for k in range(repeats):
        profile = Profile(axis, FINE)
        profile.fill(np.full(500, 0.5), rng.normal(1.5, 0.3, 500), np.ones(500))
        points = profile.points()
        widths[k], errors[k] = points.width[0], points.width_error[0]
    assert np.sqrt((errors**2).mean()) == pytest.approx(widths.std(), rel=5 / np.sqrt(2 * repeats) + 0.03)
    # Closed form for a normal distribution: Var = 2 p (1−2p) / (4 n f²) with f the density at the quantile.
    density, p = stats.norm.pdf(1.0) / 0.3, stats.norm.cdf(-1.0)
    assert errors.mean() == pytest.approx(np.sqrt(2 * p * (1 - 2 * p) / (4 * 500 * density**2)), rel=0.05)


def test_equal_weights_do_not_change_anything_but_unequal_ones_cost_precision(rng: np.random.Generator) -> None:
    axis, repeats = Axis("pt", "p", (0.0, 1.0)), 20
    errors = np.empty((repeats, 2))
    for k in range(repeats):
        results, y = [], rng.normal(1.5, 0.3, 2000)
        for weights in (np.ones(2000), np.full(2000, 1e-6), rng.exponential(1.0, 2000)):
            profile = Profile(axis, FINE)
            profile.fill(np.full(2000, 0.5), y, weights)
            results.append(profile.points())
        errors[k] = results[0].median_error[0], results[2].median_error[0]
    assert results[0].median[0] == pytest.approx(results[1].median[0], rel=1e-9)
    assert results[0].effective_entries[0] == pytest.approx(2000)
    assert results[2].effective_entries[0] == pytest.approx(1000, rel=0.15)
    # Exponential weights leave half of the events: the errors grow by √2.
    assert errors[:, 1].mean() / errors[:, 0].mean() == pytest.approx(np.sqrt(2), rel=0.1)


def test_bins_without_enough_entries_or_out_of_range_are_left_out() -> None:
    profile = Profile(Axis("pt", "p", (0.0, 1.0, 2.0)), FINE)
    assert profile.is_empty
    profile.fill(np.full(5, 0.5), np.ones(5), np.ones(5))
    profile.fill(np.full(100, 1.5), np.full(100, 9.0), np.ones(100))
    points = profile.points()
    assert np.isnan(points.median).all()
    assert points.record()["median"] == [None, None]


def test_values_that_are_not_finite_are_an_error() -> None:
    profile = Profile(Axis("pt", "p", (0.0, 1.0)), FINE)
    with pytest.raises(NonFiniteError, match="'response'"):
        profile.fill([0.5], [np.nan], [1.0])

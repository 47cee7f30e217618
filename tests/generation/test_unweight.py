"""Unweighting: the choice of the maximum weight, the policies, and the account of overweights."""

import math
from typing import get_args

import pytest
import torch

from partonic.config.generation import OverweightPolicy
from partonic.errors import GenerationError
from partonic.generation.unweight import UnweightingTally, accept, choose_maximum_weight


def weights(n: int, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Return uniform x and weights 1/(2 √(x + 0.01)): mean 0.9050, up to 5, tail above any chosen maximum."""
    x = torch.rand(n, generator=generator, dtype=torch.float64)
    return x, 0.5 / (x + 0.01).sqrt()


MEAN = math.sqrt(1.01) - 0.1


@pytest.mark.parametrize("limit", [1e-3, 1e-2, 0.1])
def test_independent_sample_stays_below_the_limit(limit: float, torch_rng: torch.Generator) -> None:
    maximum = choose_maximum_weight(weights(200_000, torch_rng)[1], limit)
    tally = UnweightingTally.of(weights(2_000_000, torch_rng)[1], maximum, 0)
    # 85% of the limit, less two standard errors of the pilot sample: not wasteful either
    assert 0.6 * limit < tally.overweight_fraction <= limit


def test_maximum_is_the_largest_weight_when_few_points_are_above() -> None:
    assert choose_maximum_weight(torch.tensor([1.0, 2.0, 3.0]), 1e-3) == 3.0


def test_sign_does_not_matter() -> None:
    assert choose_maximum_weight(torch.tensor([1.0, -2.0, -3.0]), 1e-3) == 3.0


def test_vanishing_weights_are_an_error() -> None:
    with pytest.raises(GenerationError, match="all 5 pilot weights are zero"):
        choose_maximum_weight(torch.zeros(5), 1e-3)


@pytest.mark.parametrize("policy", ["keep", "repeat"])
def test_overweight_events_stay_unbiased(policy: OverweightPolicy, torch_rng: torch.Generator) -> None:
    n, maximum = 1_000_000, 1.5
    x, w = weights(n, torch_rng)
    index, multiplier = accept(w, maximum, policy, torch_rng)
    inside = x[index] < 0.05  # all the overweights are here: w > 1.5 for x < 0.101
    found = float(multiplier[inside].sum()) * maximum / n
    error = maximum / n * math.sqrt(float(multiplier[inside].square().sum()) * 2.0)
    exact = math.sqrt(0.06) - 0.1
    assert abs(found - exact) < 5 * error
    assert error < 0.02 * exact


def test_truncation_loses_the_reported_excess(torch_rng: torch.Generator) -> None:
    n, maximum = 1_000_000, 1.5
    _, w = weights(n, torch_rng)
    index, multiplier = accept(w, maximum, "truncate", torch_rng)
    tally = UnweightingTally.of(w, maximum, len(index))
    assert bool((multiplier == 1.0).all())
    lost = 1.0 - len(index) * maximum / n / MEAN
    assert lost == pytest.approx(tally.excess_fraction, abs=5 / math.sqrt(n))
    assert tally.excess_fraction > 0.02


def test_kept_weights_are_one_but_for_overweights(torch_rng: torch.Generator) -> None:
    _, w = weights(10_000, torch_rng)
    index, multiplier = accept(w, 1.5, "keep", torch_rng)
    torch.testing.assert_close(multiplier, (w[index] / 1.5).clamp(min=1.0), rtol=0, atol=0)
    assert set((w > 1.5).nonzero()[:, 0].tolist()) <= set(index.tolist())


def test_accepted_points_follow_the_integrand(torch_rng: torch.Generator) -> None:
    x, w = weights(300_000, torch_rng)
    index, _ = accept(w, 5.0, "keep", torch_rng)
    ordered = ((x[index] + 0.01).sqrt() - 0.1).div(MEAN).sort().values
    expected = torch.arange(1, len(ordered) + 1, dtype=torch.float64) / len(ordered)
    distance = float((ordered - expected).abs().max()) * math.sqrt(len(ordered))
    assert distance < 1.95  # Kolmogorov–Smirnov, p = 0.001
    assert len(ordered) > 40_000


def test_efficiency_is_mean_over_maximum(torch_rng: torch.Generator) -> None:
    _, w = weights(100_000, torch_rng)
    tally = UnweightingTally.of(w, 5.0, 0)
    assert tally.efficiency == pytest.approx(float(w.mean()) / 5.0)
    assert tally.overweight_fraction == tally.excess_fraction == 0.0


def test_tallies_add_up(torch_rng: torch.Generator) -> None:
    _, w = weights(1000, torch_rng)
    joined = UnweightingTally.of(w[:300], 1.5, 100) + UnweightingTally.of(w[300:], 1.5, 200)
    assert joined.to_json() == pytest.approx(UnweightingTally.of(w, 1.5, 300).to_json())
    with pytest.raises(ValueError, match="different maximum weights"):
        joined + UnweightingTally(2.0)


def test_every_policy_is_tested() -> None:
    assert set(get_args(OverweightPolicy)) == {"keep", "repeat", "truncate"}

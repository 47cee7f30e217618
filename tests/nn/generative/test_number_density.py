"""Densities of single numbers: normalised, and those of what is drawn."""

import math

import pytest
import torch

from partonic.nn.generative.number_density import MixtureDensity, SplineDensity


@pytest.mark.parametrize("density", [MixtureDensity(5), SplineDensity(6, 3.0)], ids=["mixture", "spline"])
def test_normalised_and_drawn(density, torch_rng):
    raw = 1.5 * torch.randn(3, density.parameters, generator=torch_rng, dtype=torch.float64)
    grid = torch.linspace(-40.0, 40.0, 20_001, dtype=torch.float64)
    points, wide = grid.expand(3, -1), raw[:, None].expand(-1, len(grid), -1)
    probability = density.log_prob(points, wide).exp() * float(grid[1] - grid[0])
    torch.testing.assert_close(probability.sum(dim=1), torch.ones(3, dtype=torch.float64), rtol=0.0, atol=5e-3)
    count = 20_000
    drawn = density.draw(raw[:, None].expand(-1, count, -1), torch_rng)
    for function in (lambda x: x, torch.tanh, lambda x: x.abs().clamp(max=3.0)):
        values, expected = function(drawn), (probability * function(points)).sum(dim=1)
        error = values.std(dim=1) / math.sqrt(count)
        assert ((values.mean(dim=1) - expected).abs() < 4.5 * error + 5e-3).all()

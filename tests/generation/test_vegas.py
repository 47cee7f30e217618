"""The VEGAS grid: normalised, consistent between drawing and evaluating, and adapting to a separable peak."""

import math

import pytest
import torch

from partonic.generation.vegas import VegasSampler


def separable(points: torch.Tensor) -> torch.Tensor:
    """Return 2 x · 3 y², whose integral is 1."""
    return 6.0 * points[:, 0] * points[:, 1] ** 2


def adapted(generator: torch.Generator) -> VegasSampler:
    grid = VegasSampler.uniform(2, 32)
    for _ in range(6):
        points, log_density = grid.sample(20_000, generator)
        grid = grid.adapted(points, separable(points) * (-log_density).exp(), 1.0)
    return grid


def test_drawn_density_is_the_evaluated_one(torch_rng: torch.Generator) -> None:
    grid = adapted(torch_rng)
    points, log_density = grid.sample(1000, torch_rng)
    torch.testing.assert_close(grid.log_density(points), log_density, rtol=1e-12, atol=1e-12)


def test_density_is_normalised(torch_rng: torch.Generator) -> None:
    grid = adapted(torch_rng)
    volumes = grid.edges.diff(dim=1)
    middles = 0.5 * (grid.edges[:, 1:] + grid.edges[:, :-1])
    mesh = torch.cartesian_prod(middles[0], middles[1])
    total = (grid.log_density(mesh).exp() * torch.cartesian_prod(volumes[0], volumes[1]).prod(dim=1)).sum()
    assert float(total) == pytest.approx(1.0, abs=1e-12)


def test_separable_integrand_is_learned(torch_rng: torch.Generator) -> None:
    points, log_density = adapted(torch_rng).sample(50_000, torch_rng)
    weights = separable(points) * (-log_density).exp()
    error = float(weights.std()) / math.sqrt(len(weights))
    assert abs(float(weights.mean()) - 1.0) < 5 * error
    assert float(weights.std()) < 0.2  # 0.91 for the uniform grid


def test_no_damping_exponent_leaves_the_grid(torch_rng: torch.Generator) -> None:
    grid = VegasSampler.uniform(2, 8)
    points, _ = grid.sample(1000, torch_rng)
    torch.testing.assert_close(grid.adapted(points, separable(points), 0.0).edges, grid.edges, rtol=0, atol=1e-12)


def test_vanishing_integrand_leaves_the_grid(torch_rng: torch.Generator) -> None:
    grid = VegasSampler.uniform(2, 8)
    points, _ = grid.sample(1000, torch_rng)
    torch.testing.assert_close(grid.adapted(points, torch.zeros(1000), 1.0).edges, grid.edges, rtol=0, atol=1e-12)


def test_edges_must_ascend() -> None:
    with pytest.raises(ValueError, match="ascend strictly from 0 to 1"):
        VegasSampler(torch.tensor([[0.0, 0.5, 0.5, 1.0]]))

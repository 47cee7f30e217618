"""Grids as smooth maps: one to one, normalised, without the steps of the bins, and of the shape of the grid."""

import pytest
import torch

from partonic.generation.channels.smooth_grid import SmoothGrid

EDGES = torch.stack([torch.linspace(0.0, 1.0, 33, dtype=torch.float64) ** power for power in (1.0, 2.0, 0.7)])


@pytest.fixture
def grid() -> SmoothGrid:
    return SmoothGrid(EDGES)


def test_forward_and_inverse_undo_each_other(grid: SmoothGrid, torch_rng: torch.Generator) -> None:
    y = torch.rand((4000, 3), generator=torch_rng, dtype=torch.float64)
    x, log_slope = grid.forward(y)
    again, log_again = grid.inverse(x)
    torch.testing.assert_close(again, y, rtol=0.0, atol=1e-9)
    torch.testing.assert_close(log_again, log_slope, rtol=0.0, atol=1e-7)


def test_density_is_normalised_and_that_of_the_grid(grid: SmoothGrid, torch_rng: torch.Generator) -> None:
    x = torch.rand((100_000, 3), generator=torch_rng, dtype=torch.float64)
    density = (-grid.inverse(x)[1]).exp()
    assert float(density.std()) / len(x) ** 0.5 < 0.01
    assert abs(float(density.mean()) - 1.0) < 5 * float(density.std()) / len(x) ** 0.5
    expected = (0.5 * x[:, 1] ** -0.5) * x[:, 2] ** (1 / 0.7 - 1) / 0.7
    inner = (x[:, 1] > 0.05) & (x[:, 2] > 0.1)
    assert float((density / expected)[inner].log().abs().max()) < 0.15


def test_density_has_no_steps(grid: SmoothGrid) -> None:
    edge = EDGES[1, 8]
    x = torch.full((2, 3), 0.5, dtype=torch.float64)
    x[:, 1] = torch.stack([edge - 1e-9, edge + 1e-9])
    before, after = grid.inverse(x)[1]
    assert abs(float(after - before)) < 1e-5

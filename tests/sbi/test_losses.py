"""Each loss has its minimum at the ratio of the mean densities, for weights of any sign."""

import pytest
import torch

from partonic.sbi.losses import cross_entropy, squared_ratio_error


@pytest.mark.parametrize("loss", [cross_entropy, squared_ratio_error])
def test_minimum_is_the_ratio_of_the_means(loss):
    reference = torch.tensor([1.0, 2.0, 0.5, -0.1], dtype=torch.float64)  # events at the same x
    other = torch.tensor([3.0, -0.4, 0.0, 2.0], dtype=torch.float64)
    grid = torch.linspace(-2.0, 3.0, 5001, dtype=torch.float64)
    values = torch.stack([loss(grid, r, o) for r, o in zip(reference, other, strict=True)]).sum(dim=0)
    expected = torch.log(other.sum() / reference.sum())
    assert abs(grid[values.argmin()] - expected) < 1.1e-3


def test_cross_entropy_is_one_where_nothing_is_known():
    assert float(cross_entropy(torch.zeros(1), torch.ones(1), torch.ones(1))) == pytest.approx(1.0)


def test_squared_error_stays_finite():
    logs = torch.tensor([-80.0, 80.0], requires_grad=True)
    squared_ratio_error(logs, torch.ones(2), torch.ones(2)).sum().backward()
    assert torch.isfinite(logs.grad).all()

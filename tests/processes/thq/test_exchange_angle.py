"""cos θ between two poles: inverse, density, limits."""

import pytest
import torch

from partonic.processes.thq.exchange_angle import ExchangeAngle

POLES = torch.tensor([1.0001, 1.01, 1.5, 100.0, 1e6], dtype=torch.float64)


@pytest.fixture
def angles():
    ahead, behind, share = torch.meshgrid(POLES, POLES, torch.tensor([0.0, 0.05, 0.5, 1.0]).double(), indexing="ij")
    return ExchangeAngle(ahead.flatten(), behind.flatten(), share.flatten())


@pytest.mark.parametrize("number", [0.0, 1e-6, 0.2, 0.5, 0.97, 1.0])
def test_forward_and_inverse_undo_each_other(angles, number):
    numbers = torch.full_like(angles.ahead, number)
    cosine, log_slope = angles.forward(numbers)
    assert bool((cosine.abs() <= 1.0).all())
    again, log_density = angles.inverse(cosine)
    torch.testing.assert_close(again, numbers, rtol=1e-8, atol=1e-8)
    torch.testing.assert_close(log_density, -log_slope)


def test_density_is_the_slope_of_the_distribution(angles):
    cosine = torch.full_like(angles.ahead, 0.3).requires_grad_()
    number, log_density = angles.inverse(cosine)
    (slope,) = torch.autograd.grad(number.sum(), cosine)
    torch.testing.assert_close(slope, log_density.exp())


def test_distant_poles_are_flat():
    angle = ExchangeAngle(*(torch.tensor([value], dtype=torch.float64) for value in (1e7, 1e7, 0.3)))
    cosine, log_slope = angle.forward(torch.tensor([0.8], dtype=torch.float64))
    torch.testing.assert_close(cosine, torch.tensor([0.6], dtype=torch.float64), rtol=1e-6, atol=0.0)
    torch.testing.assert_close(log_slope.exp(), torch.tensor([2.0], dtype=torch.float64), rtol=1e-6, atol=0.0)

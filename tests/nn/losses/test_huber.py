"""The Huber loss against another program's, and for periodic numbers."""

import math

import pytest
import torch

from partonic.nn.losses import huber, periodic_difference


@pytest.mark.parametrize("delta", [0.3, 1.0, 2.5])
def test_is_the_loss_of_torch(torch_rng: torch.Generator, delta: float) -> None:
    prediction, target = 3.0 * torch.randn(2, 50, 4, generator=torch_rng).double()
    expected = torch.nn.functional.huber_loss(prediction, target, reduction="none", delta=delta)
    torch.testing.assert_close(huber(prediction, target, delta), expected)


def test_gradient_is_the_residual_cut_at_delta() -> None:
    prediction = torch.tensor([-5.0, -1.0, -0.25, 0.0, 0.5, 1.0, 3.0], dtype=torch.float64).requires_grad_()
    huber(prediction, torch.zeros_like(prediction)).sum().backward()
    assert prediction.grad is not None
    torch.testing.assert_close(prediction.grad, prediction.detach().clamp(-1.0, 1.0))


def test_angles_are_compared_the_short_way_round() -> None:
    period = torch.tensor([2.0 * math.pi, math.inf], dtype=torch.float64)
    prediction = torch.tensor([[3.1, 3.1]], dtype=torch.float64).requires_grad_()
    target = torch.tensor([[-3.1, -3.1]], dtype=torch.float64)
    short = 6.2 - 2.0 * math.pi
    loss = huber(prediction, target, period=period)
    torch.testing.assert_close(loss, torch.tensor([[0.5 * short**2, 6.2 - 0.5]], dtype=torch.float64))
    loss.sum().backward()
    torch.testing.assert_close(prediction.grad, torch.tensor([[short, 1.0]], dtype=torch.float64))


def test_whole_turns_make_no_difference(torch_rng: torch.Generator) -> None:
    period = torch.tensor([2.0 * math.pi, 1.7, math.inf], dtype=torch.float64)
    x, y = 4.0 * torch.randn(2, 100, 3, generator=torch_rng).double()
    difference = periodic_difference(x, y, period)
    assert (difference.abs() <= period / 2 + 1e-12).all()
    turns = torch.tensor([3.0, -2.0, 0.0], dtype=torch.float64) * torch.where(
        torch.isfinite(period), period, torch.zeros(3).double()
    )
    torch.testing.assert_close(periodic_difference(x + turns, y, period), difference, rtol=0, atol=1e-12)
    torch.testing.assert_close(periodic_difference(y, x, period), -difference, rtol=0, atol=1e-12)


def test_delta_must_be_positive() -> None:
    with pytest.raises(ValueError, match="positive delta"):
        huber(torch.zeros(2, 2), torch.zeros(2, 2), delta=0.0)

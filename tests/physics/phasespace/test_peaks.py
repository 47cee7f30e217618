"""Maps of a number to a variable with a peak."""

import pytest
import torch

from partonic.physics.phasespace.peaks import from_peak, from_power, to_peak, to_power


@pytest.fixture
def numbers(torch_rng):
    return torch.rand(200, generator=torch_rng, dtype=torch.float64)


def test_power_goes_from_nothing_to_the_limit_and_back(numbers):
    limit = torch.full_like(numbers, 300.0)
    ends, _ = from_power(torch.tensor([0.0, 1.0], dtype=torch.float64), limit[:2], 9.0)
    torch.testing.assert_close(ends, torch.tensor([0.0, 300.0], dtype=torch.float64))
    values, log_jacobian = from_power(numbers, limit, 9.0)
    back, log_inverse = to_power(values, limit, 9.0)
    torch.testing.assert_close(back, numbers)
    torch.testing.assert_close(log_inverse, -log_jacobian)


def test_peak_goes_from_end_to_end_and_back(numbers):
    peak = 3.0 * numbers - 1.0  # inside and outside of the range
    ends, _ = from_peak(torch.tensor([0.0, 1.0], dtype=torch.float64), peak[:2], -0.5, 1.5, 0.3)
    torch.testing.assert_close(ends, torch.tensor([-0.5, 1.5], dtype=torch.float64))
    values, log_jacobian = from_peak(numbers, peak, -0.5, 1.5, 0.3)
    back, log_inverse = to_peak(values, peak, -0.5, 1.5, 0.3)
    torch.testing.assert_close(back, numbers)
    torch.testing.assert_close(log_inverse, -log_jacobian)


def test_jacobians_are_derivatives(numbers):
    limit, zero = torch.full_like(numbers, 300.0), torch.zeros_like(numbers)
    for function in (
        lambda u: (from_power(u, limit, 9.0)[0].square(), from_power(u, limit, 9.0)[1]),
        lambda u: from_peak(u, zero, -1.0, 2.0, 0.3),
    ):
        inner = (0.01 + 0.98 * numbers).requires_grad_()
        values, log_jacobian = function(inner)
        (slope,) = torch.autograd.grad(values.sum(), inner)
        torch.testing.assert_close(slope.log(), log_jacobian.detach())

import math

import pytest
import torch

from partonic.errors import ProcessError
from partonic.physics.phasespace.breit_wigner import BreitWigner

Z = BreitWigner(mass=91.1876, width=2.4952)
LOWER = torch.tensor(20.0**2, dtype=torch.float64)
UPPER = torch.tensor(500.0**2, dtype=torch.float64)


def test_round_trip_and_range(torch_rng):
    numbers = torch.rand(20_000, generator=torch_rng, dtype=torch.float64)
    square, log_jacobian = Z.forward(numbers, LOWER, UPPER)
    assert ((square >= LOWER) & (square <= UPPER)).all()
    back, log_inverse = Z.inverse(square, LOWER, UPPER)
    torch.testing.assert_close(back, numbers, rtol=0, atol=1e-12)
    torch.testing.assert_close(log_inverse, -log_jacobian, rtol=0, atol=1e-12)


def test_log_jacobian_against_autograd(torch_rng):
    numbers = torch.rand(1000, generator=torch_rng, dtype=torch.float64, requires_grad=True)
    square, log_jacobian = Z.forward(numbers, LOWER, UPPER)
    (slope,) = torch.autograd.grad(square.sum(), numbers)
    torch.testing.assert_close(log_jacobian, slope.log(), rtol=0, atol=1e-9)


def test_propagator_is_flat_and_its_integral_known(torch_rng):
    numbers = torch.rand(1000, generator=torch_rng, dtype=torch.float64)
    square, log_jacobian = Z.forward(numbers, LOWER, UPPER)
    strength = 91.1876 * 2.4952
    weights = log_jacobian.exp() / ((square - 91.1876**2) ** 2 + strength**2)
    ends = [math.atan((end - 91.1876**2) / strength) for end in (20.0**2, 500.0**2)]
    torch.testing.assert_close(weights, torch.full_like(weights, (ends[1] - ends[0]) / strength))


def test_ends_of_the_range_and_range_per_event():
    numbers = torch.tensor([0.0, 1.0], dtype=torch.float64)
    lower, upper = numbers.new_tensor([100.0, 400.0]), numbers.new_tensor([8000.0, 9000.0])
    square, log_jacobian = Z.forward(numbers, lower, upper)
    torch.testing.assert_close(square, numbers.new_tensor([100.0, 9000.0]))
    assert log_jacobian.isfinite().all()


def test_small_range_far_from_the_resonance(torch_rng):
    """Near a threshold the range of s is tiny and all of it far away: there the map is linear."""
    numbers = torch.rand(1000, generator=torch_rng, dtype=torch.float64)
    for lower, length in ((0.0, 1e-12), (400.0, 1e-6), (1e6, 1e-4)):
        ends = numbers.new_tensor(lower), numbers.new_tensor(lower + length)
        square, log_jacobian = BreitWigner(80.4, 0.01).forward(numbers, *ends)
        rounding = 1e-9 + 1e-15 * lower / length
        torch.testing.assert_close((square - ends[0]) / (ends[1] - ends[0]), numbers, rtol=0, atol=rounding)
        torch.testing.assert_close(log_jacobian, (ends[1] - ends[0]).log().expand(1000), rtol=0, atol=1e-6)


@pytest.mark.parametrize(("mass", "width"), [(0.0, 1.0), (91.0, 0.0), (-1.0, 1.0), (91.0, math.nan)])
def test_impossible_resonance(mass, width):
    with pytest.raises(ProcessError, match="Breit-Wigner"):
        BreitWigner(mass, width)

import math

import pytest
import torch

from partonic.errors import ProcessError
from partonic.physics.phasespace.fractions import MomentumFractions

FRACTIONS = MomentumFractions(mass_threshold=470.0, collider_energy=13_000.0)


def test_round_trip_and_support(torch_rng):
    numbers = torch.rand(50_000, 2, generator=torch_rng, dtype=torch.float64)
    x1, x2, log_jacobian = FRACTIONS.forward(numbers)
    assert (x1 <= 1).all()
    assert (x2 <= 1).all()
    assert (x1 * x2 * 13_000.0**2 >= 470.0**2 * (1 - 1e-12)).all()
    back, log_inverse = FRACTIONS.inverse(x1, x2)
    torch.testing.assert_close(back, numbers, rtol=0, atol=1e-9)
    torch.testing.assert_close(log_inverse, -log_jacobian, rtol=0, atol=1e-9)


def test_log_jacobian_against_autograd(torch_rng):
    for numbers in torch.rand(20, 2, generator=torch_rng, dtype=torch.float64):
        jacobian = torch.autograd.functional.jacobian(lambda u: torch.cat(FRACTIONS.forward(u[None])[:2]), numbers)
        _, _, log_jacobian = FRACTIONS.forward(numbers[None])
        expected = torch.linalg.slogdet(jacobian).logabsdet
        torch.testing.assert_close(log_jacobian[0], expected, rtol=0, atol=1e-10)


def test_area_of_the_region(torch_rng):
    # ∫ dx1 dx2 over x1 x2 > τ is 1 − τ + τ ln τ.
    _, _, log_jacobian = FRACTIONS.forward(torch.rand(400_000, 2, generator=torch_rng, dtype=torch.float64))
    weights = log_jacobian.exp()
    tau = (470.0 / 13_000.0) ** 2
    exact = 1 - tau + tau * math.log(tau)
    error = float(weights.std()) / math.sqrt(len(weights))
    assert error < 0.01 * exact
    assert abs(float(weights.mean()) - exact) < 4 * error


def test_the_two_fractions_are_distributed_alike(torch_rng):
    # The triangle is filled uniformly: exchanging x1 and x2 changes nothing, although the map treats them differently.
    x1, x2, _ = FRACTIONS.forward(torch.rand(100_000, 2, generator=torch_rng, dtype=torch.float64))
    difference = torch.log(x1) - torch.log(x2)
    assert abs(float(difference.mean())) < 4 * float(difference.std()) / math.sqrt(len(difference))


def test_corners_are_finite_and_inside():
    ends = torch.tensor([0.0, 1.0], dtype=torch.float64)
    x1, x2, log_jacobian = FRACTIONS.forward(torch.cartesian_prod(ends, ends))
    assert ((x1 > 0) & (x1 <= 1) & (x2 > 0) & (x2 <= 1)).all()
    assert log_jacobian.isfinite().all()
    numbers, _ = FRACTIONS.inverse(x1, x2)
    assert numbers.isfinite().all()


def test_points_outside_give_numbers_outside():
    x1 = torch.tensor([1.1, 0.5, 0.01], dtype=torch.float64)
    x2 = torch.tensor([0.5, 1.1, 0.01], dtype=torch.float64)
    numbers, _ = FRACTIONS.inverse(x1, x2)
    assert ((numbers < 0) | (numbers > 1)).any(dim=1).all()


def test_gradients(torch_rng):
    numbers = 0.1 + 0.8 * torch.rand(3, 2, generator=torch_rng, dtype=torch.float64)
    x1, x2, _ = FRACTIONS.forward(numbers)
    assert torch.autograd.gradcheck(FRACTIONS.forward, (numbers.requires_grad_(),))
    assert torch.autograd.gradcheck(FRACTIONS.inverse, (x1.requires_grad_(), x2.requires_grad_()))


@pytest.mark.parametrize("threshold", [0.0, -1.0, 13_000.0, 20_000.0, math.nan])
def test_impossible_threshold(threshold):
    with pytest.raises(ProcessError, match="threshold"):
        MomentumFractions(threshold, 13_000.0)

"""The map of a resonance over a continuum: one to one, with the density that it says, everywhere."""

import pytest
import torch

from partonic.errors import ProcessError
from partonic.physics.phasespace.breit_wigner import BreitWigner
from partonic.physics.phasespace.resonance_tail import ResonanceWithTail

W = BreitWigner(80.4, 2.1)
SHAPE = ResonanceWithTail(W, share=0.2)


def ends(lower: float, upper: float, points: int) -> tuple[torch.Tensor, torch.Tensor]:
    full = torch.ones(points, dtype=torch.float64)
    return lower * full, upper * full


@pytest.mark.parametrize(("lower", "upper"), [(0.0, 1e6), (5000.0, 9000.0), (0.0, 1e-3), (1e6, 4e6)])
def test_round_trip_and_slope(torch_rng: torch.Generator, lower: float, upper: float) -> None:
    numbers = torch.rand(2000, generator=torch_rng, dtype=torch.float64, requires_grad=True)
    square, log_jacobian = SHAPE.forward(numbers, *ends(lower, upper, 2000))
    assert ((square >= lower) & (square <= upper)).all()
    back, log_inverse = SHAPE.inverse(square, *ends(lower, upper, 2000))
    torch.testing.assert_close(back, numbers, rtol=0, atol=1e-9)
    torch.testing.assert_close(log_inverse, -log_jacobian, rtol=0, atol=1e-9)
    (slope,) = torch.autograd.grad(square.sum(), numbers)
    torch.testing.assert_close(slope.log(), log_jacobian.detach(), rtol=0, atol=1e-6)


def test_density_is_the_sum_of_both(torch_rng: torch.Generator) -> None:
    """The share of points above m = 150 GeV is what both cumulative distributions say."""
    numbers = torch.rand(200_000, generator=torch_rng, dtype=torch.float64)
    square, _ = SHAPE.forward(numbers, *ends(0.0, 1e6, len(numbers)))
    above = (square > 150.0**2).double().mean().item()
    edge = torch.tensor([150.0**2], dtype=torch.float64)
    resonant = 1.0 - W.inverse(edge, *ends(0.0, 1e6, 1))[0].item()
    tail = 1.0 - torch.log1p(edge / 40.0**2).item() / torch.log1p(torch.tensor(1e6 / 40.0**2).double()).item()
    expected = 0.8 * resonant + 0.2 * tail
    assert abs(above - expected) < 4 * (expected * (1 - expected) / len(numbers)) ** 0.5


@pytest.mark.parametrize(("share", "scale"), [(0.0, 40.0), (1.0, 40.0), (0.1, 0.0), (float("nan"), 40.0)])
def test_impossible_tail(share: float, scale: float) -> None:
    with pytest.raises(ProcessError, match="a tail needs a share"):
        ResonanceWithTail(W, share, scale)

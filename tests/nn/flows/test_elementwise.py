"""Affine maps and quadratic splines of single numbers: inverse, derivative, ends, parameters."""

import pytest
import torch

from partonic.nn.flows.elementwise import elementwise

BINS, BOUND = 5, 2.0
each = pytest.mark.parametrize("name", ["affine", "quadratic", "rational_quadratic"])


def draw(name, torch_rng, strength=2.0):
    moves = elementwise(name, BINS, BOUND)
    x = 1.5 * torch.randn(3, 200, generator=torch_rng, dtype=torch.float64)
    raw = strength * torch.randn(3, moves.parameters, 200, generator=torch_rng, dtype=torch.float64)
    return moves, x, raw


@each
def test_inverse_and_derivative(name, torch_rng):
    moves, x, raw = draw(name, torch_rng)
    y, log_slope = moves.forward(x, raw)
    back, same = moves.inverse(y, raw)
    torch.testing.assert_close(back, x, rtol=0.0, atol=1e-8)
    torch.testing.assert_close(same, log_slope, rtol=0.0, atol=1e-5)
    x.requires_grad_()
    (slope,) = torch.autograd.grad(moves.forward(x, raw)[0].sum(), x)
    torch.testing.assert_close(slope.log(), log_slope, rtol=0.0, atol=1e-9)
    assert (y - x).abs().max() > 0.3


@each
def test_monotonic_and_gradients_are_finite(name, torch_rng):
    moves, _, raw = draw(name, torch_rng, 4.0)
    grid = torch.linspace(-3.0, 3.0, 200, dtype=torch.float64).expand(3, -1)
    one = raw[..., :1].expand(-1, -1, 200).clone().requires_grad_()
    y, log_slope = moves.forward(grid, one)
    assert (y.diff(dim=1) > 0.0).all()
    (y.sum() + log_slope.sum()).backward()
    assert one.grad.isfinite().all()


@pytest.mark.parametrize("name", ["quadratic", "rational_quadratic"])
def test_splines_map_their_interval_onto_itself_and_leave_the_rest(name, torch_rng):
    moves, _, raw = draw(name, torch_rng)
    x = torch.tensor([-7.0, -BOUND, BOUND, 3.0], dtype=torch.float64).expand(3, -1)
    y, log_slope = moves.forward(x, raw[..., :4])
    torch.testing.assert_close(y, x, rtol=0.0, atol=1e-12)
    assert (log_slope[:, [0, 3]] == 0.0).all()


def test_quadratic_spline_of_known_derivative():
    """Equal bins, derivatives proportional to 1, 2, 3: y ∝ x/2 + … by hand."""
    softplus_inverse = torch.log(torch.expm1(torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64) - 1e-3))
    raw = torch.cat([torch.zeros(2, dtype=torch.float64), softplus_inverse])[:, None]
    x = torch.tensor([0.5], dtype=torch.float64)  # three quarters of [−1, 1]: v = 1 + 2·0.75 = 2.5
    y, log_slope = elementwise("quadratic", 2, 1.0).forward(x, raw)
    share = (0.75 + 0.75**2) / 2.0  # ∫ (1 + 2u) du over [0, 1] is 2
    assert float(y) == pytest.approx(2.0 * share - 1.0, abs=1e-3)
    assert float(log_slope.exp()) == pytest.approx(2.5 / 2.0, abs=2e-3)

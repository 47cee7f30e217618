"""Splines: one to one, with the derivative that they say, and the identity where nothing was learned."""

import torch

from partonic.generation.channels.spline import knot_bin, learned_bin


def test_forward_and_inverse_undo_each_other(torch_rng: torch.Generator) -> None:
    parameters = torch.randn((5000, 25), generator=torch_rng, dtype=torch.float64)
    x = torch.rand(5000, generator=torch_rng, dtype=torch.float64)
    y, log_slope = learned_bin(parameters, x, inverse=False).forward(x)
    again, log_again = learned_bin(parameters, y, inverse=True).inverse(y)
    torch.testing.assert_close(again, x, rtol=0.0, atol=1e-11)
    torch.testing.assert_close(log_again, log_slope, rtol=0.0, atol=1e-8)
    assert float(log_slope.std()) > 0.3


def test_slope_is_the_derivative(torch_rng: torch.Generator) -> None:
    parameters = torch.randn((500, 19), generator=torch_rng, dtype=torch.float64)
    x = (0.01 + 0.98 * torch.rand(500, generator=torch_rng, dtype=torch.float64)).requires_grad_()
    y, log_slope = learned_bin(parameters, x, inverse=False).forward(x)
    (slope,) = torch.autograd.grad(y.sum(), x)
    torch.testing.assert_close(log_slope.exp(), slope, rtol=1e-9, atol=1e-9)


def test_zeros_are_the_identity_and_ends_stay(torch_rng: torch.Generator) -> None:
    x = torch.rand(100, generator=torch_rng, dtype=torch.float64)
    y, log_slope = learned_bin(torch.zeros((100, 25), dtype=torch.float64), x, inverse=False).forward(x)
    torch.testing.assert_close(y, x, rtol=0.0, atol=1e-12)
    assert float(log_slope.abs().max()) < 1e-9
    ends = torch.tensor([0.0, 1.0], dtype=torch.float64)
    parameters = torch.randn((2, 25), generator=torch_rng, dtype=torch.float64)
    torch.testing.assert_close(learned_bin(parameters, ends, inverse=False).forward(ends)[0], ends, rtol=0, atol=1e-9)


def test_fixed_knots_are_met() -> None:
    knots = torch.tensor([[0.0, 0.1, 0.5, 1.0]], dtype=torch.float64)
    found = knot_bin(knots, torch.ones_like(knots), torch.tensor([[0, 1, 2]]))
    y, _ = found.forward(torch.tensor([[0.0, 1 / 3, 2 / 3]], dtype=torch.float64))
    torch.testing.assert_close(y, knots[:, :3], rtol=0.0, atol=1e-12)

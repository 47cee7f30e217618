"""The coarse map of an object: its inverse, its Jacobian, and the density that it makes of the standard one."""

import math

import pytest
import torch

from mem.transfer.heads.toys import grid, numbers_at, random_flow
from partonic.mem.transfer.heads.whitening import PARAMETERS, Whitening, base_log_prob


def some_map(rows: int, seed: int = 0) -> Whitening:
    generator = torch.Generator().manual_seed(seed)
    raw = 2.0 * torch.randn(rows, PARAMETERS, generator=generator, dtype=torch.float64)
    place, direction = (torch.randn(rows, 2, generator=generator, dtype=torch.float64) for _ in range(2))
    return Whitening.of(raw, place, direction)


def some_numbers(rows: int, seed: int = 1) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    y = torch.randn(rows, 3, generator=generator, dtype=torch.float64)
    y[:, 2] = math.pi * (2.0 * torch.rand(rows, generator=generator, dtype=torch.float64) - 1.0)
    return y


def test_forward_and_inverse_undo_each_other() -> None:
    whitening, y = some_map(500), some_numbers(500)
    at = whitening.inverse(y)
    again, log_slope = whitening.forward(at.line, torch.atan2(at.sine, at.cosine))
    torch.testing.assert_close(again, y, atol=1e-8, rtol=0)
    slopes = torch.cat([at.line_slope, at.angle_slope[:, None]], dim=1)
    torch.testing.assert_close(log_slope, -torch.log(slopes), atol=1e-6, rtol=0)


def test_slopes_are_those_of_finite_differences() -> None:
    whitening, y, step = some_map(300), some_numbers(300), 1e-6
    at, before, after = (whitening.inverse(y + shift) for shift in (0.0, -step, step))
    torch.testing.assert_close((after.line - before.line) / (2 * step), at.line_slope, rtol=1e-5, atol=1e-7)
    turn = after.sine * before.cosine - after.cosine * before.sine
    torch.testing.assert_close(turn / (2 * step), at.angle_slope, rtol=1e-5, atol=1e-7)


def test_the_seam_of_the_circle_is_no_place() -> None:
    """φ = −π and φ = π are one point, and the map is smooth there."""
    whitening = some_map(50)
    line, phi = torch.zeros(50, 2, dtype=torch.float64), torch.full((50,), math.pi, dtype=torch.float64)
    one, other = whitening.forward(line, phi - 1e-9), whitening.forward(line, -phi + 1e-9)
    torch.testing.assert_close(torch.cos(one[0][:, 2]), torch.cos(other[0][:, 2]), atol=1e-6, rtol=0)
    torch.testing.assert_close(one[1], other[1], atol=1e-5, rtol=1e-5)


def test_numbers_of_zero_put_the_object_at_its_place() -> None:
    place, direction = torch.tensor([[0.3, -1.0]]), torch.tensor([[0.0, 0.5]])
    raw = torch.zeros(1, PARAMETERS)
    raw[:, -2:] = 30.0  # trust it
    whitening = Whitening.of(raw, place, direction)
    torch.testing.assert_close(whitening.centre, place)
    assert math.atan2(float(whitening.sine), float(whitening.cosine)) == pytest.approx(0.5 * math.pi, abs=1e-6)


def test_the_coarse_angle_is_a_wrapped_cauchy_distribution() -> None:
    """With ρ = (1 − w)/(1 + w): (1 − ρ²)/(1 + ρ² − 2ρ cos δ)/2π."""
    width = 0.2
    zero, line = torch.zeros(1, 2, dtype=torch.float64), torch.zeros(7, 2, dtype=torch.float64)
    one = Whitening(zero, zero, zero + 1.0, zero[:, 0] + 1.0, zero[:, 0], zero[:, 0] + math.log(width))
    delta = torch.linspace(-3.0, 3.0, 7, dtype=torch.float64)
    whitening = Whitening(**{name: values.expand(7, *values.shape[1:]) for name, values in vars(one).items()})
    y, log_slope = whitening.forward(line, delta)
    rho = (1.0 - width) / (1.0 + width)
    expected = torch.log((1 - rho**2) / (1 + rho**2 - 2 * rho * torch.cos(delta)) / (2 * math.pi))
    torch.testing.assert_close((base_log_prob(y) + log_slope)[:, 2], expected)


def test_the_grid_of_the_other_tests_covers_the_standard_density() -> None:
    points, volume = grid(15, 8)
    assert float(base_log_prob(points).sum(dim=1).exp().sum()) * volume == pytest.approx(1.0, abs=1e-6)
    line, phi, cell = numbers_at(random_flow(len(points)), points)
    assert bool((cell > 0).all())
    assert bool(torch.isfinite(line).all())
    assert bool((phi.abs() <= math.pi).all())

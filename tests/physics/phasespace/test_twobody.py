import math

import pytest
import torch

from partonic.physics.fourvector import mass, minkowski_square, on_shell
from partonic.physics.phasespace import twobody


def numbers(count, generator):
    return torch.rand(count, 2, generator=generator, dtype=torch.float64)


def test_kallen_function_is_symmetric_and_agrees_with_its_product(torch_rng):
    m1, m2, release = (100.0 * torch.rand(100, generator=torch_rng, dtype=torch.float64) for _ in range(3))
    total = m1 + m2 + release
    value = twobody.kallen(total**2, m1**2, m2**2)
    torch.testing.assert_close(value, twobody.kallen(m1**2, total**2, m2**2), rtol=1e-9, atol=1e-6)
    torch.testing.assert_close(value, twobody.kallen_from_release(release, m1, m2), rtol=1e-7, atol=1e-3)


def test_breakup_momentum_keeps_its_precision_at_threshold():
    # Non-relativistic limit: p = √(2 μ Q) (1 + …) with the reduced mass μ.
    release = torch.tensor([1e-12, 1e-9], dtype=torch.float64)
    reduced = 125.0 * 173.0 / 298.0
    momentum = twobody.breakup_momentum(release, 125.0, 173.0)
    torch.testing.assert_close(momentum, (2 * reduced * release).sqrt(), rtol=1e-10, atol=0)


def test_volume():
    total = torch.tensor([10.0, 8.0, 7.0], dtype=torch.float64)
    volume = twobody.two_body_volume(total, 5.0, 3.0)
    assert float(volume[0]) == pytest.approx(math.sqrt(36.0 * 96.0) / (800.0 * math.pi), rel=1e-13)
    assert (volume[1:] < 1e-100).all()
    massless = twobody.two_body_volume(torch.tensor([1.0], dtype=torch.float64), 0.0, 0.0)
    assert float(massless) == pytest.approx(1 / (8 * math.pi), rel=1e-14)


def test_directions_are_uniform_and_invertible(torch_rng):
    values = numbers(100_000, torch_rng)
    direction = twobody.direction_from_numbers(values)
    torch.testing.assert_close(direction.norm(dim=1), torch.ones(100_000, dtype=torch.float64))
    torch.testing.assert_close(twobody.numbers_from_direction(7.0 * direction), values, rtol=0, atol=1e-10)
    # Each component of a uniform direction is uniform on [−1, 1]: mean 0, variance 1/3.
    error = 1 / math.sqrt(3 * 100_000)
    assert (direction.mean(dim=0).abs() < 4 * error).all()
    assert ((direction.square().mean(dim=0) - 1 / 3).abs() < 4 * math.sqrt(4 / 45 / 100_000)).all()


def test_decay_conserves_momentum_on_shell_and_is_undone(torch_rng):
    parent = on_shell(200.0 * torch.randn(1000, 3, generator=torch_rng, dtype=torch.float64), 172.5)
    values = numbers(1000, torch_rng)
    first, second, log_jacobian = twobody.decay(parent, 80.379, 4.7, values)
    torch.testing.assert_close(first + second, parent, rtol=1e-14, atol=1e-12)
    assert (minkowski_square(first) - 80.379**2).abs().max() < 1e-7
    assert (minkowski_square(second) - 4.7**2).abs().max() < 1e-7
    torch.testing.assert_close(log_jacobian.exp(), twobody.two_body_volume(mass(parent), 80.379, 4.7))
    back, log_inverse = twobody.decay_numbers(first, second)
    torch.testing.assert_close(back, values, rtol=0, atol=1e-9)
    torch.testing.assert_close(log_inverse, -log_jacobian, rtol=0, atol=1e-9)


def test_decay_gradient(torch_rng):
    parent = on_shell(torch.randn(3, 3, generator=torch_rng, dtype=torch.float64), 10.0).requires_grad_()
    values = (0.1 + 0.8 * numbers(3, torch_rng)).requires_grad_()
    assert torch.autograd.gradcheck(lambda p, u: twobody.decay(p, 3.0, 0.0, u), (parent, values))

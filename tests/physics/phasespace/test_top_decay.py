"""The phase space of a decaying top: one to one, on shell, its volume, and its resonance."""

import pytest
import torch

from partonic.physics.fourvector import mass, on_shell
from partonic.physics.phasespace.rambo import massless_volume
from partonic.physics.phasespace.top_decay import TopDecayMap

MAP = TopDecayMap(80.379, 2.085)


@pytest.fixture
def numbers(torch_rng):
    return torch.rand(4000, 5, generator=torch_rng, dtype=torch.float64)


@pytest.fixture
def tops(torch_rng):
    three = 200.0 * torch.randn(4000, 3, generator=torch_rng, dtype=torch.float64)
    return on_shell(three, 172.5 + 5.0 * torch.rand(4000, generator=torch_rng, dtype=torch.float64))


def test_forward_and_inverse_undo_each_other(numbers, tops):
    products, log_volume = MAP.forward(numbers, tops)
    again, log_inverse = MAP.inverse(products)
    torch.testing.assert_close(again, numbers, rtol=0.0, atol=1e-7)
    torch.testing.assert_close(log_inverse, -log_volume, rtol=0.0, atol=1e-6)


def test_products_are_massless_and_sum_to_the_top(numbers, tops):
    products, _ = MAP.forward(numbers, tops)
    squares = products[..., 0].square() - products[..., 1:].square().sum(dim=-1)
    assert float((squares.abs() / products[..., 0].square()).max()) < 1e-12
    torch.testing.assert_close(products.sum(dim=1), tops, rtol=1e-10, atol=1e-8)


def test_volume_is_that_of_three_massless_particles(numbers, tops):
    """With a wide W the map is nearly flat, and the mean of the Jacobian is the volume within 4 of its errors."""
    wide = TopDecayMap(80.379, 100.0)
    _, log_volume = wide.forward(numbers, tops)
    ratio = log_volume.exp() / massless_volume(3, mass(tops))
    error = float(ratio.std()) / len(ratio) ** 0.5
    assert error < 0.02
    assert abs(float(ratio.mean()) - 1.0) < 4.0 * error


def test_w_follows_its_resonance(numbers, tops):
    products, _ = MAP.forward(numbers, tops)
    w_mass = mass(products[:, 1] + products[:, 2])
    inside = float(((w_mass - 80.379).abs() < 0.5 * 2.085).double().mean())
    assert inside == pytest.approx(0.5, abs=4.0 * 0.5 / 4000**0.5)


def test_changes_with_the_numbers_and_the_top_are_smooth(numbers, tops):
    few, parents = numbers[:5].requires_grad_(), tops[:5].requires_grad_()
    products, log_volume = MAP.forward(few, parents)
    (products.sum() + log_volume.sum()).backward()
    assert bool(few.grad.isfinite().all() and parents.grad.isfinite().all())

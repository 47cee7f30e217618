import math

import pytest
import torch

from partonic.physics import fourvector as fv


def vectors(count, generator, masses=None):
    three = 100.0 * torch.randn(count, 3, generator=generator, dtype=torch.float64)
    return fv.on_shell(three, 50.0 if masses is None else masses)


def unit(vector):
    return vector / vector.norm(dim=-1, keepdim=True)


def test_minkowski_product_and_its_broadcast():
    first = torch.tensor([5.0, 1.0, 2.0, 3.0], dtype=torch.float64)
    second = torch.tensor([[7.0, -1.0, 0.5, 2.0], [1.0, 0.0, 0.0, 1.0]], dtype=torch.float64)
    assert fv.minkowski_dot(first, second).tolist() == [35.0 - (-1.0 + 1.0 + 6.0), 5.0 - 3.0]
    assert float(fv.minkowski_square(first)) == 25.0 - 14.0


def test_mass_of_one_and_of_a_system(torch_rng):
    momenta = vectors(100, torch_rng)
    torch.testing.assert_close(fv.mass(momenta), torch.full((100,), 50.0, dtype=torch.float64))
    pair = torch.tensor([[[4.0, 0.0, 0.0, 4.0], [4.0, 0.0, 0.0, -4.0]]], dtype=torch.float64)
    assert float(fv.invariant_mass(pair)) == 8.0


@pytest.mark.parametrize("vector", [[5.0, 0.0, 0.0, 5.0], [0.0] * 4, [1.0, 2.0, 0.0, 0.0]])
def test_mass_on_and_below_the_light_cone_has_no_gradient(vector):
    momentum = torch.tensor(vector, dtype=torch.float64, requires_grad=True)
    value = fv.mass(momentum)
    value.backward()
    assert 0 <= value.item() < 1e-150
    assert momentum.grad.isfinite().all()
    if fv.minkowski_square(momentum) < 0:
        assert (momentum.grad == 0).all()


def test_boost_gives_a_particle_at_rest_the_velocity(torch_rng):
    velocity = 0.5 * unit(torch.randn(20, 3, generator=torch_rng, dtype=torch.float64))
    at_rest = torch.tensor([2.0, 0.0, 0.0, 0.0], dtype=torch.float64).expand(20, 4)
    moved = fv.boost(at_rest, velocity)
    torch.testing.assert_close(moved[:, 1:] / moved[:, :1], velocity)
    torch.testing.assert_close(fv.mass(moved), torch.full((20,), 2.0, dtype=torch.float64))


def test_boosts_keep_products_and_undo_each_other(torch_rng):
    first, second, frame = (vectors(200, torch_rng) for _ in range(3))
    moved = fv.boost_to_rest_frame(first, frame), fv.boost_to_rest_frame(second, frame)
    torch.testing.assert_close(fv.minkowski_dot(*moved), fv.minkowski_dot(first, second), rtol=1e-11, atol=1e-8)
    torch.testing.assert_close(fv.boost_from_rest_frame(moved[0], frame), first, rtol=1e-11, atol=1e-9)
    at_rest = fv.boost_to_rest_frame(frame, frame)
    torch.testing.assert_close(at_rest[:, 0], fv.mass(frame))
    assert at_rest[:, 1:].abs().max() < 1e-10


def test_boost_by_velocity_is_the_boost_from_the_rest_frame(torch_rng):
    momenta, frame = vectors(50, torch_rng), vectors(50, torch_rng)
    by_velocity = fv.boost(momenta, frame[:, 1:] / frame[:, :1])
    torch.testing.assert_close(by_velocity, fv.boost_from_rest_frame(momenta, frame), rtol=1e-10, atol=1e-8)


def test_boost_along_z_is_the_boost_along_z(torch_rng):
    momenta = vectors(50, torch_rng).reshape(10, 5, 4)
    rapidity = torch.linspace(-3, 3, 10, dtype=torch.float64)
    velocity = torch.zeros(10, 1, 3, dtype=torch.float64)
    velocity[:, 0, 2] = torch.tanh(rapidity)
    torch.testing.assert_close(
        fv.boost_along_z(momenta, rapidity[:, None]), fv.boost(momenta, velocity), rtol=1e-11, atol=1e-9
    )


def test_boost_of_a_massless_vector_along_the_beam():
    momentum = torch.tensor([[3.0, 0.0, 0.0, 3.0]], dtype=torch.float64)
    rapidity = torch.tensor([1.5], dtype=torch.float64)
    expected = 3.0 * math.exp(1.5)
    torch.testing.assert_close(
        fv.boost_along_z(momentum, rapidity), torch.tensor([[expected, 0.0, 0.0, expected]], dtype=torch.float64)
    )


def test_rotation_is_right_handed_and_an_isometry(torch_rng):
    z, quarter = torch.tensor([0.0, 0.0, 1.0]).double(), torch.tensor(math.pi / 2, dtype=torch.float64)
    turned = fv.rotate(torch.tensor([1.0, 1.0, 0.0, 0.5], dtype=torch.float64), z, quarter)
    torch.testing.assert_close(turned, torch.tensor([1.0, 0.0, 1.0, 0.5], dtype=torch.float64))
    first, second = vectors(30, torch_rng), vectors(30, torch_rng)
    axis = unit(torch.randn(30, 3, generator=torch_rng, dtype=torch.float64))
    angle = 6.0 * torch.rand(30, generator=torch_rng, dtype=torch.float64)
    products = fv.minkowski_dot(fv.rotate(first, axis, angle), fv.rotate(second, axis, angle))
    torch.testing.assert_close(products, fv.minkowski_dot(first, second), rtol=1e-11, atol=1e-9)
    back = fv.rotate(fv.rotate(first, axis, angle), axis, -angle)
    torch.testing.assert_close(back, first)


def test_gradients(torch_rng):
    momenta, frame = vectors(4, torch_rng).requires_grad_(), vectors(4, torch_rng).requires_grad_()
    assert torch.autograd.gradcheck(fv.boost_to_rest_frame, (momenta, frame))
    assert torch.autograd.gradcheck(fv.invariant_mass, (momenta,))
    rapidity = torch.linspace(-1, 1, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(fv.boost_along_z, (momenta, rapidity))

import math

import pytest
import torch

from partonic.physics import kinematics as kin
from partonic.physics.fourvector import boost_along_z, on_shell


def vector(*components):
    return torch.tensor(components, dtype=torch.float64)


def random_vectors(count, generator):
    return on_shell(100.0 * torch.randn(count, 3, generator=generator, dtype=torch.float64), 20.0)


def test_values_of_one_vector():
    momentum = vector(13.0, 3.0, 4.0, 12.0)
    assert kin.transverse_momentum(momentum).item() == 5.0
    assert kin.pseudorapidity(momentum).item() == pytest.approx(math.asinh(12.0 / 5.0), rel=1e-15)
    assert kin.rapidity(momentum).item() == pytest.approx(0.5 * math.log(25.0), rel=1e-15)
    assert kin.azimuth(momentum).item() == pytest.approx(math.atan2(4.0, 3.0), rel=1e-15)
    assert float(kin.transverse_mass(momentum)) == 5.0


def test_pseudorapidity_is_minus_log_tan_half_theta(torch_rng):
    momenta = random_vectors(1000, torch_rng)
    theta = torch.atan2(kin.transverse_momentum(momenta), momenta[:, 3])
    torch.testing.assert_close(kin.pseudorapidity(momenta), -torch.log(torch.tan(theta / 2)), rtol=1e-10, atol=1e-10)


def test_rapidity_adds_up_under_boosts(torch_rng):
    momenta = random_vectors(1000, torch_rng)
    boosts = 2.0 * torch.randn(1000, generator=torch_rng, dtype=torch.float64)
    moved = kin.rapidity(boost_along_z(momenta, boosts))
    torch.testing.assert_close(moved, kin.rapidity(momenta) + boosts, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_along_the_beam(sign):
    momentum = vector(5.0, 0.0, 0.0, sign * 5.0).requires_grad_()
    assert kin.pseudorapidity(momentum).item() == sign * math.inf
    assert kin.rapidity(momentum).item() == sign * math.inf
    assert kin.transverse_momentum(momentum).item() < 1e-150
    assert kin.azimuth(momentum).item() == 0.0
    massive = vector(math.sqrt(26.0), 0.0, 0.0, sign * 5.0)
    assert float(kin.pseudorapidity(massive)) == sign * math.inf
    assert float(kin.rapidity(massive)) == pytest.approx(sign * math.asinh(5.0), rel=1e-12)
    for function in (kin.pseudorapidity, kin.rapidity, kin.transverse_momentum, kin.azimuth):
        (gradient,) = torch.autograd.grad(function(momentum), momentum)
        assert (gradient == 0).all(), function.__name__


def test_the_vector_that_vanishes():
    momentum = torch.zeros(4, dtype=torch.float64, requires_grad=True)
    for function in (kin.pseudorapidity, kin.rapidity, kin.azimuth):
        value = function(momentum)
        assert value.item() == 0.0
        (gradient,) = torch.autograd.grad(value, momentum)
        assert (gradient == 0).all(), function.__name__


def test_delta_phi_is_in_its_interval(torch_rng):
    first = 20.0 * torch.randn(10_000, generator=torch_rng, dtype=torch.float64)
    second = 20.0 * torch.randn(10_000, generator=torch_rng, dtype=torch.float64)
    difference = kin.delta_phi(first, second)
    assert (difference > -math.pi).all()
    assert (difference <= math.pi).all()
    torch.testing.assert_close(torch.cos(difference), torch.cos(first - second), rtol=0, atol=1e-12)
    torch.testing.assert_close(torch.sin(difference), torch.sin(first - second), rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [(math.pi, 0.0, math.pi), (0.0, math.pi, math.pi), (3.0, -3.0, 6.0 - 2 * math.pi), (1.0, 0.75, 0.25)],
)
def test_delta_phi_at_the_seam(first, second, expected):
    assert float(kin.delta_phi(vector(first), vector(second))[0]) == pytest.approx(expected, rel=1e-15)


def test_delta_r_across_the_seam():
    first = kin.from_pt_eta_phi_m(vector(50.0, 1.0, 3.1, 0.0))
    second = kin.from_pt_eta_phi_m(vector(30.0, 0.5, -3.1, 4.7))
    expected = math.hypot(0.5, 2 * math.pi - 6.2)
    assert float(kin.delta_r(first, second)) == pytest.approx(expected, rel=1e-12)


def test_delta_r_of_a_vector_with_itself_has_a_finite_gradient(torch_rng):
    momenta = random_vectors(5, torch_rng).requires_grad_()
    kin.delta_r(momenta, momenta).sum().backward()
    assert (momenta.grad == 0).all()


def test_coordinates_there_and_back(torch_rng):
    momenta = random_vectors(1000, torch_rng)
    torch.testing.assert_close(kin.from_pt_eta_phi_m(kin.to_pt_eta_phi_m(momenta)), momenta, rtol=1e-11, atol=1e-9)


def test_gradients(torch_rng):
    momenta = random_vectors(4, torch_rng).requires_grad_()
    assert torch.autograd.gradcheck(kin.to_pt_eta_phi_m, (momenta,))
    other = random_vectors(4, torch_rng)
    assert torch.autograd.gradcheck(lambda p: kin.delta_r(p, other), (momenta,))

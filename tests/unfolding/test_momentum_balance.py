"""Regressed partons: on shell, balanced, in the unit cube, with finite gradients for any regression."""

import math

import pytest
import torch

from partonic.physics.fourvector import mass
from partonic.processes.tth.settings import TthConfig
from partonic.unfolding.momentum_balance import radiation_of, regressed_numbers, regressed_partons, three_momenta
from partonic.unfolding.view import PartonView

VIEWS = tuple(PartonView.of(name, TthConfig()) for name in ("hard", "with_isr"))
every_view = pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)


def regressed(events: int, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    draws = torch.randn(events, 3, 3, generator=generator, dtype=torch.float64)
    pt = 120.0 * torch.exp(0.5 * draws[..., 0])
    phi = math.pi * (2.0 * torch.rand(events, 3, generator=generator, dtype=torch.float64) - 1.0)
    p_z = 300.0 * torch.randn(events, generator=generator, dtype=torch.float64)
    return torch.stack([pt, 0.8 * draws[..., 1], phi], dim=-1), p_z


@every_view
def test_partons_are_on_shell_and_balanced(view: PartonView, torch_rng: torch.Generator) -> None:
    particles, p_z = regressed(500, torch_rng)
    partons = regressed_partons(view, particles, p_z)
    total = partons.momenta.sum(dim=1)
    torch.testing.assert_close(total[:, 1:3], torch.zeros(500, 2).double(), atol=1e-8, rtol=0.0)
    torch.testing.assert_close(total[:, 3], p_z, atol=1e-7, rtol=1e-9)
    expected = torch.tensor(view.masses, dtype=torch.float64).expand(500, -1)
    torch.testing.assert_close(mass(partons.momenta), expected, atol=2e-4, rtol=1e-8)
    half = 0.5 * view.collider_energy
    torch.testing.assert_close(half * (partons.x1 + partons.x2), total[:, 0])
    torch.testing.assert_close(half * (partons.x1 - partons.x2), p_z)


def test_radiated_parton_takes_what_is_left(torch_rng: torch.Generator) -> None:
    particles, p_z = regressed(100, torch_rng)
    radiation = radiation_of(particles, p_z)
    total = three_momenta(particles).sum(dim=1) + radiation
    torch.testing.assert_close(total[:, 2], p_z)
    torch.testing.assert_close(total[:, :2], torch.zeros(100, 2).double(), atol=1e-10, rtol=0.0)
    partons = regressed_partons(VIEWS[1], particles, p_z)
    torch.testing.assert_close(partons.momenta[:, 3, 1:], radiation)
    torch.testing.assert_close(partons.momenta[:, :3, 1:], three_momenta(particles))


@every_view
def test_numbers_are_those_of_the_partons(view: PartonView, torch_rng: torch.Generator) -> None:
    particles, p_z = regressed(500, torch_rng)
    expected = regressed_partons(view, particles, p_z)
    found, _ = view.partons(regressed_numbers(view, particles, p_z))
    torch.testing.assert_close(found.momenta, expected.momenta, atol=1e-4, rtol=1e-6)
    torch.testing.assert_close(found.x1, expected.x1)
    torch.testing.assert_close(found.x2, expected.x2)


def test_balanced_partons_are_not_changed(torch_rng: torch.Generator) -> None:
    """A hard process without transverse momentum, and with the p_z of its own particles, stays what it is."""
    view = VIEWS[0]
    numbers = 0.05 + 0.9 * torch.rand(200, view.dimensions, generator=torch_rng, dtype=torch.float64)
    partons, _ = view.partons(numbers)
    three = partons.momenta[..., 1:]
    pt = three[..., :2].norm(dim=-1)
    phi = torch.atan2(three[..., 1], three[..., 0])
    particles = torch.stack([pt, torch.asinh(three[..., 2] / pt), phi], dim=-1)
    torch.testing.assert_close(regressed_numbers(view, particles, three[..., 2].sum(dim=1)), numbers)


def test_transverse_boost_leaves_the_shape_in_the_rest_frame(torch_rng: torch.Generator) -> None:
    view = VIEWS[0]
    particles, p_z = regressed(200, torch_rng)
    raw = three_momenta(particles)
    energies = (raw.square().sum(dim=-1) + particles.new_tensor(view.masses).square()).sqrt()
    whole = torch.cat([energies[..., None], raw], dim=-1).sum(dim=1)
    torch.testing.assert_close(mass(regressed_partons(view, particles, p_z).momenta.sum(dim=1)), mass(whole))


@every_view
@pytest.mark.parametrize("pt", [0.05, 10.0, 7000.0])
@pytest.mark.parametrize("eta", [-7.0, 0.0, 7.0])
@pytest.mark.parametrize("p_z", [-7000.0, 0.0, 7000.0])
def test_any_regression_stays_inside_the_cube(view: PartonView, pt: float, eta: float, p_z: float) -> None:
    phi = torch.tensor([[0.0, 0.0, 0.0], [0.0, 2.0, -2.0], [0.1, 3.1, 3.1]], dtype=torch.float64)
    particles = torch.stack([torch.full_like(phi, pt), torch.full_like(phi, eta), phi], dim=-1).requires_grad_()
    longitudinal = torch.full((3,), p_z, dtype=torch.float64, requires_grad=True)
    numbers = regressed_numbers(view, particles, longitudinal)
    assert ((numbers > 0.0) & (numbers < 1.0)).all()
    numbers.sum().backward()
    for leaf in (particles, longitudinal):
        assert leaf.grad is not None
        assert leaf.grad.isfinite().all()


@every_view
def test_gradient_is_that_of_finite_differences(view: PartonView, torch_rng: torch.Generator) -> None:
    particles, p_z = regressed(3, torch_rng)
    assert torch.autograd.gradcheck(
        lambda *values: regressed_numbers(view, *values), (particles.requires_grad_(), p_z.requires_grad_()), rtol=1e-3
    )

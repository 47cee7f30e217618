"""Boosting the recoil away: invariants, rapidity, and the volume element."""

import math

import pytest
import torch

from mem.classical.toys import ToyProcess
from partonic.mem.classical.balance import log_phase_space_constant, log_steepness, without_recoil
from partonic.physics.fourvector import invariant_mass, minkowski_dot, on_shell
from partonic.physics.kinematics import rapidity
from partonic.physics.process import PartonEvents

ENERGY = 13000.0


def momenta(n: int, generator: torch.Generator) -> torch.Tensor:
    three = 150.0 * torch.randn((n, 3, 3), generator=generator, dtype=torch.float64)
    return on_shell(three, torch.tensor([125.0, 172.5, 172.5]).double())


def test_invariants_and_rapidity_are_kept(torch_rng: torch.Generator) -> None:
    before = momenta(200, torch_rng)
    events, possible = without_recoil(before, ENERGY)
    after = events.momenta
    assert possible.all()
    assert after.sum(dim=1)[:, 1:3].abs().max() < 1e-9
    torch.testing.assert_close(invariant_mass(after), invariant_mass(before), rtol=1e-11, atol=0.0)
    torch.testing.assert_close(
        minkowski_dot(after[:, 0], after[:, 1]), minkowski_dot(before[:, 0], before[:, 1]), rtol=1e-10, atol=0.0
    )
    torch.testing.assert_close(rapidity(after.sum(dim=1)), rapidity(before.sum(dim=1)), rtol=0.0, atol=1e-10)
    total = after.sum(dim=1)
    torch.testing.assert_close((events.x1 + events.x2) * ENERGY / 2.0, total[:, 0], rtol=1e-11, atol=0.0)
    torch.testing.assert_close((events.x1 - events.x2) * ENERGY / 2.0, total[:, 3], rtol=0.0, atol=1e-8)


def test_without_recoil_nothing_changes(torch_rng: torch.Generator) -> None:
    events, _ = without_recoil(momenta(100, torch_rng), ENERGY)
    again, _ = without_recoil(events.momenta, ENERGY)
    torch.testing.assert_close(again.momenta, events.momenta, rtol=0.0, atol=1e-8)


def test_energies_beyond_the_collider_are_impossible(torch_rng: torch.Generator) -> None:
    _, possible = without_recoil(100.0 * momenta(50, torch_rng), ENERGY)
    assert not possible.all()


def test_volume_element_of_the_whole() -> None:
    """dx₁ dx₂ d²ρ = (2/S) d⁴Q, which the constant rests on, by automatic differentiation."""

    def total(x: torch.Tensor) -> torch.Tensor:
        transverse = torch.sqrt(x[0] * x[1] * ENERGY**2 + x[2:].square().sum())
        y = 0.5 * torch.log(x[0] / x[1])
        return torch.cat([(transverse * torch.cosh(y))[None], x[2:], (transverse * torch.sinh(y))[None]])

    place = torch.tensor([0.08, 0.02, 40.0, -25.0], dtype=torch.float64)
    volume = torch.linalg.det(torch.autograd.functional.jacobian(total, place)).abs()
    constant = math.exp(log_phase_space_constant(0, ENERGY)) / (2.0 * math.pi) ** 4
    assert constant == pytest.approx(1.0 / float(volume), rel=1e-10)


def test_steepness_is_about_that_of_a_cross_section(torch_rng: torch.Generator) -> None:
    """The toy process has the same powers, up to one of x1 x2."""
    events, _ = without_recoil(momenta(100, torch_rng), ENERGY)
    ratio = torch.log(ToyProcess().coefficients(events)[:, 0]) - log_steepness(events)
    slope = 1.0 - 2.2 - 1.0 + 3.2 - 1.8  # of ln x1 x2
    residue = ratio - (slope + 0.0) * torch.log(events.x1 * events.x2)
    assert residue.std() < 1e-6


def test_steepness_at_the_edge_is_finite() -> None:
    edge = PartonEvents(torch.zeros((1, 3, 4)).double(), torch.ones(1).double(), torch.ones(1).double())
    assert torch.isfinite(log_steepness(edge)).all()

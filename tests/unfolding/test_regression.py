"""Regression losses: scales, periodic azimuths, bounds of network outputs, and what each term sees."""

import math

import pytest
import torch

from partonic.physics.fourvector import on_shell
from partonic.unfolding.momentum_balance import three_momenta
from partonic.unfolding.regression import TargetScales, regression_losses


def truth(events: int, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    draws = torch.randn(events, 3, 3, generator=generator)
    pt, eta = 120.0 * torch.exp(0.6 * draws[..., 0]), 1.1 * draws[..., 1]
    phi = math.pi * (2.0 * torch.rand(events, 3, generator=generator) - 1.0)
    p_z = 400.0 * torch.randn(events, generator=generator)
    return torch.stack([pt, eta, phi], dim=-1), p_z, 60.0 * torch.randn(events, 3, generator=generator)


@pytest.fixture
def scales(torch_rng: torch.Generator) -> TargetScales:
    scales = TargetScales(radiation=True, largest_momentum=6500.0)
    scales.fit(*truth(5000, torch_rng))
    return scales


def test_truth_is_standardised(scales: TargetScales, torch_rng: torch.Generator) -> None:
    vector = scales.standardise(*truth(20_000, torch_rng))
    assert vector.shape == (20_000, 13)
    error = 1.0 / math.sqrt(5000) + 1.0 / math.sqrt(20_000)
    assert float(vector.mean(dim=0).abs().max()) < 5.0 * error
    torch.testing.assert_close(vector.std(dim=0), torch.ones(13), atol=5.0 * error, rtol=0.0)


def test_without_radiation_there_are_ten_numbers(scales: TargetScales, torch_rng: torch.Generator) -> None:
    events = truth(50, torch_rng)
    without = TargetScales(radiation=False, largest_momentum=6500.0)
    without.fit(*truth(5000, torch_rng))
    assert without.standardise(*events).shape == (50, 10)
    losses = regression_losses(without.standardise(*events), without.standardise(*events))
    assert {"huber_boost", "mmd_boost", "mmd_joint"} < losses.parts.keys()
    assert "huber_radiation" not in losses.parts


def test_network_outputs_undo_the_standardisation(scales: TargetScales, torch_rng: torch.Generator) -> None:
    particles, p_z, radiation = truth(200, torch_rng)
    vector = scales.standardise(particles, p_z, radiation)
    kinematics, phi = vector[:, :9].view(-1, 3, 3)[..., :2], particles[..., 2]
    length = 0.1 + torch.rand(200, 3, generator=torch_rng)
    outputs = torch.cat([kinematics, (length * phi.cos())[..., None], (length * phi.sin())[..., None]], dim=-1)
    torch.testing.assert_close(scales.particles(outputs), particles, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(scales.boost(vector[:, 9]), p_z, rtol=1e-4, atol=1e-3)


def test_four_vectors_give_the_same_numbers(scales: TargetScales, torch_rng: torch.Generator) -> None:
    particles, _, radiation = truth(200, torch_rng)
    momenta = on_shell(three_momenta(particles.double()), torch.tensor([125.0, 172.5, 172.5]).double())
    momenta = torch.cat([momenta, on_shell(radiation.double(), 0.0)[:, None]], dim=1)
    expected = scales.standardise(particles.double(), momenta[..., 3].sum(dim=1), radiation.double())
    torch.testing.assert_close(scales.standardise_momenta(momenta), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("size", [0.0, 1.0, 1e6, -1e6])
def test_any_output_gives_finite_partons(scales: TargetScales, size: float) -> None:
    outputs = torch.full((2, 3, 4), size, requires_grad=True)
    boost = torch.full((2,), size, requires_grad=True)
    particles, p_z = scales.particles(outputs), scales.boost(boost)
    assert particles.isfinite().all()
    assert (particles[..., 0] > 0.0).all()
    assert (particles[..., 0] <= 6500.5).all()
    assert (p_z.abs() <= 6500.5).all()
    (particles.sum() + p_z.sum()).backward()
    for leaf in (outputs, boost):
        assert leaf.grad is not None
        assert leaf.grad.isfinite().all()


def test_azimuths_are_compared_around_the_circle(scales: TargetScales, torch_rng: torch.Generator) -> None:
    particles, p_z, radiation = truth(300, torch_rng)
    turned = particles.clone()
    turned[..., 2] = torch.remainder(particles[..., 2] + math.pi + 0.01, 2.0 * math.pi) - math.pi
    losses = regression_losses(
        scales.standardise(turned, p_z, radiation), scales.standardise(particles, p_z, radiation)
    )
    step = 0.01 * math.sqrt(3.0) / math.pi
    expected = torch.tensor(0.5 * step**2 / 3.0)  # one of three numbers of each particle
    torch.testing.assert_close(losses.parts["huber_H"], expected, rtol=1e-3, atol=0.0)
    torch.testing.assert_close(losses.huber, 3.0 * expected / 5.0, rtol=1e-3, atol=0.0)


def test_huber_sees_events_and_mmd_distributions(scales: TargetScales, torch_rng: torch.Generator) -> None:
    vector = scales.standardise(*truth(3000, torch_rng))
    shuffled = regression_losses(vector.roll(1, dims=0), vector, group=None)
    shrunk = regression_losses(0.3 * vector, vector, group=None)
    assert float(shuffled.huber) > 0.3
    assert float(shrunk.huber) < float(shuffled.huber)
    assert abs(float(shuffled.mmd)) < 0.01
    assert float(shrunk.mmd) > 0.05


def test_gradients_reach_every_number(scales: TargetScales, torch_rng: torch.Generator) -> None:
    vector = scales.standardise(*truth(300, torch_rng))
    predicted = (vector + 0.1 * torch.randn(300, 13, generator=torch_rng)).requires_grad_()
    losses = regression_losses(predicted, vector)
    (losses.huber + losses.mmd).backward()
    assert predicted.grad is not None
    assert predicted.grad.isfinite().all()
    assert (predicted.grad.abs().sum(dim=0) > 0.0).all()

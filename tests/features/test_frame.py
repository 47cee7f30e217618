"""The canonical frame: rotations that fix the lepton, undone exactly."""

import math

import torch

from partonic.features.frame import EventFrame
from partonic.physics.fourvector import invariant_mass, minkowski_square
from partonic.physics.kinematics import azimuth, pseudorapidity


def random_momenta(generator: torch.Generator, events: int = 200) -> torch.Tensor:
    three = torch.randn((events, 3, 3), generator=generator, dtype=torch.float64) * 100.0
    energy = (three.square().sum(-1) + 100.0**2).sqrt()
    return torch.cat([energy[..., None], three], dim=-1)


def test_lepton_points_along_x_and_forward(torch_rng: torch.Generator) -> None:
    momenta = random_momenta(torch_rng)
    lepton = momenta[:, 0]
    frame = EventFrame.of_direction(pseudorapidity(lepton), azimuth(lepton))
    turned = frame.momenta_in(momenta)
    assert azimuth(turned[:, 0]).abs().max() < 1e-12
    assert bool((pseudorapidity(turned[:, 0]) >= 0.0).all())
    assert frame.mirrored.any()
    assert not frame.mirrored.all()


def test_momenta_out_undoes_momenta_in_and_keeps_products(torch_rng: torch.Generator) -> None:
    momenta = random_momenta(torch_rng)
    frame = EventFrame.of_direction(pseudorapidity(momenta[:, 0]), azimuth(momenta[:, 0]))
    turned = frame.momenta_in(momenta)
    torch.testing.assert_close(frame.momenta_out(turned), momenta, rtol=1e-13, atol=1e-10)
    torch.testing.assert_close(minkowski_square(turned), minkowski_square(momenta), rtol=1e-10, atol=1e-6)
    torch.testing.assert_close(invariant_mass(turned), invariant_mass(momenta), rtol=1e-12, atol=0.0)


def test_rotation_is_proper(torch_rng: torch.Generator) -> None:
    momenta = random_momenta(torch_rng)
    frame = EventFrame.of_direction(pseudorapidity(momenta[:, 0]), azimuth(momenta[:, 0]))
    before = torch.linalg.det(momenta[..., 1:])
    after = torch.linalg.det(frame.momenta_in(momenta)[..., 1:])
    torch.testing.assert_close(after, before, rtol=1e-9, atol=1e-4)


def test_angles_turn_like_momenta(torch_rng: torch.Generator) -> None:
    momenta = random_momenta(torch_rng)
    frame = EventFrame.of_direction(pseudorapidity(momenta[:, 0]), azimuth(momenta[:, 0]))
    turned = frame.momenta_in(momenta)
    difference = frame.azimuth_in(azimuth(momenta)) - azimuth(turned)
    assert (torch.remainder(difference + math.pi, 2 * math.pi) - math.pi).abs().max() < 1e-12
    torch.testing.assert_close(frame.eta_in(pseudorapidity(momenta)), pseudorapidity(turned))


def test_laboratory_frame_changes_nothing(torch_rng: torch.Generator) -> None:
    momenta = random_momenta(torch_rng, 10)
    assert torch.equal(EventFrame(torch.zeros(10), torch.zeros(10, dtype=torch.bool)).momenta_in(momenta), momenta)

import math

import pytest
import torch

from partonic.physics.fourvector import boost_along_z, on_shell
from partonic.physics.kinematics import azimuth, delta_phi
from partonic.unfolding.quality import observables as obs

MASSES = torch.tensor([125.0, 172.5, 172.5], dtype=torch.float64)


def partons(count, generator):
    return on_shell(100.0 * torch.randn(count, 3, 3, generator=generator, dtype=torch.float64), MASSES)


def test_in_the_centre_of_mass_frame_nothing_moves_along_the_beam(torch_rng):
    momenta = partons(100, torch_rng)
    resting = obs.centre_of_mass(momenta)
    torch.testing.assert_close(resting.sum(dim=1)[:, 3], torch.zeros(100, dtype=torch.float64), atol=1e-9, rtol=0.0)
    energy, p_z = obs.system(momenta)
    torch.testing.assert_close(obs.system(resting)[0], energy, rtol=1e-10, atol=0.0)
    torch.testing.assert_close(obs.centre_of_mass(momenta, p_z), resting, rtol=1e-10, atol=1e-8)
    # A wrong p_z leaves a motion: exactly that of the difference of the rapidities.
    moved = boost_along_z(resting, torch.full((100, 1), 0.3, dtype=torch.float64))
    at_rest = obs.centre_of_mass(moved, torch.zeros(100, dtype=torch.float64))
    torch.testing.assert_close(at_rest, moved)


def test_azimuths_are_relative_to_the_regression(torch_rng):
    momenta = partons(50, torch_rng)
    reference = azimuth(momenta)
    values = obs.physical_values(momenta[:, None].expand(50, 4, 3, 4), reference)
    names = [variable.name for variable in obs.physical_variables()]
    assert values.shape == (50, 4, len(names))
    for particle in obs.PARTICLES:
        assert values[..., names.index(f"phi {particle}")].abs().max() < 1e-12
    shifted = obs.physical_values(momenta, delta_phi(reference - 3.0, torch.zeros_like(reference)))
    torch.testing.assert_close(
        shifted[:, names.index("phi H")], torch.full((50,), 3.0, dtype=torch.float64), rtol=1e-9, atol=0.0
    )
    assert (shifted[:, names.index("sqrt_s")] > MASSES.sum()).all()


def test_periodic_numbers_are_centred_and_others_untouched():
    numbers = torch.tensor([[[0.02, 0.4], [0.97, 0.6]]], dtype=torch.float64)
    centred = obs.numbers_relative_to(numbers, torch.tensor([[0.99, 0.1]], dtype=torch.float64), (0,))
    assert centred[0, :, 0].tolist() == pytest.approx([0.53, 0.48])
    assert centred[..., 1].tolist() == numbers[..., 1].tolist()


def test_ranges_of_the_variables_are_those_of_their_kind():
    assert [(v.low, v.high) for v in obs.unit_cube_variables(3)] == [(0.0, 1.0)] * 3
    assert {(v.low, v.high) for v in obs.physical_variables() if v.name.startswith("phi")} == {(-math.pi, math.pi)}

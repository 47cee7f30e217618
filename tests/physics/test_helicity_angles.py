"""Angles of decay products: chosen in the rest frames, boosted and measured again."""

import math

import pytest
import torch

from partonic.physics.fourvector import boost_along_z, boost_from_rest_frame, mass, on_shell
from partonic.physics.helicity_angles import helicity_angles


def event(cos_theta, phi, *, rapidity=0.7):
    """Two bosons of 80 and 91 GeV back to back at 40° to the beam; the first decays at the given angles."""
    size, tilt = 150.0, math.radians(40.0)
    along = torch.tensor([math.sin(tilt), 0.0, math.cos(tilt)], dtype=torch.float64)
    # x lies in the plane of beam and boson: (beam × z) × z = beam·… with the component along +beam taken out
    across = torch.linalg.cross(torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64), along)
    normal = across / across.norm()
    in_plane = torch.linalg.cross(normal, along)
    sin_theta = math.sqrt(1 - cos_theta**2)
    direction = cos_theta * along + sin_theta * (math.cos(phi) * in_plane + math.sin(phi) * normal)
    first, second = on_shell(size * along, 80.0), on_shell(-size * along, 91.0)
    products = [
        boost_from_rest_frame(on_shell(sign * 0.5 * mass(boson) * towards, 0.0), boson)
        for boson, towards in ((first, direction), (second, normal))
        for sign in (1.0, -1.0)
    ]
    momenta = torch.stack(products)
    return boost_along_z(momenta, torch.full((4,), rapidity, dtype=torch.float64))[None]


@pytest.mark.parametrize(("cos_theta", "phi"), [(0.3, 0.5), (-0.8, 2.9), (0.0, -1.2)])
def test_the_angles_come_back(cos_theta, phi):
    found, azimuth = helicity_angles(event(cos_theta, phi), 0, (0, 1))
    assert float(found) == pytest.approx(cos_theta, abs=1e-10)
    assert float(azimuth) == pytest.approx(phi, abs=1e-10)


def test_rotations_about_the_beam_and_boosts_along_it_change_nothing():
    momenta = event(0.3, 0.5)
    turn = torch.tensor([[0.6, -0.8], [0.8, 0.6]], dtype=torch.float64)
    turned = momenta.clone()
    turned[..., 1:3] = momenta[..., 1:3] @ turn.T
    for other in (turned, event(0.3, 0.5, rapidity=1.9)):
        for mine, theirs in zip(helicity_angles(momenta, 0, (0, 1)), helicity_angles(other, 0, (0, 1)), strict=True):
            torch.testing.assert_close(mine, theirs, atol=1e-9, rtol=0)
    mirrored = event(0.3, 0.5, rapidity=-0.7)
    assert float(helicity_angles(mirrored, 0, (0, 1))[0]) == pytest.approx(0.3, abs=1e-10)
    # the beam that the event moves along is the other one: the plane is the same, seen from the other side
    assert abs(float(helicity_angles(mirrored, 0, (0, 1))[1])) == pytest.approx(math.pi - 0.5, abs=1e-10)

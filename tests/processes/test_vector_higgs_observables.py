"""Angles of V H: an event built from its angles, the beam that counts, and the observables that are drawn."""

import math

import pytest
import torch

from partonic.physics.fourvector import boost, boost_along_z
from partonic.processes.vector_higgs_observables import decay_angles, vector_higgs_observables

STAR, POLAR, PLANE = 0.8, 1.9, -2.2


def vector(*components):
    return torch.tensor(components, dtype=torch.float64)


def event(rapidity, handedness=1.0):
    """H and two leptons with the angles above, V flying at θ* = 0.8 about +z in the plane of x and z."""
    k, momentum = 90.0, 150.0
    energy = math.sqrt(k**2 + momentum**2)
    in_v = vector(math.sin(POLAR) * math.cos(PLANE), handedness * math.sin(POLAR) * math.sin(PLANE), math.cos(POLAR))
    along = vector(math.sin(STAR), 0.0, math.cos(STAR))
    across = vector(math.cos(STAR), 0.0, -math.sin(STAR))
    normal = vector(0.0, 1.0, 0.0)
    direction = in_v[0] * across + in_v[1] * normal + in_v[2] * along
    leptons = [torch.cat([vector(1.0), sign * direction]) * k / 2 for sign in (1.0, -1.0)]
    moving = [boost(lepton, momentum / energy * along) for lepton in leptons]
    higgs = torch.cat([vector(math.sqrt(125.0**2 + momentum**2)), -momentum * along])
    whole = torch.stack([higgs, *moving])[None]
    return boost_along_z(whole, vector(rapidity)[None])


def test_angles_of_an_event_that_moves_along_the_quark():
    cos_star, cos_1, phi = decay_angles(event(0.7))
    assert float(cos_star) == pytest.approx(math.cos(STAR), abs=1e-9)
    assert float(cos_1) == pytest.approx(math.cos(POLAR), abs=1e-9)
    assert float(phi) == pytest.approx(PLANE, abs=1e-9)


def test_quark_from_the_other_side():
    """θ* → π − θ* and φ → φ + π: the same event, seen with the other beam."""
    cos_star, cos_1, phi = decay_angles(event(-0.7))
    assert float(cos_star) == pytest.approx(-math.cos(STAR), abs=1e-9)
    assert float(cos_1) == pytest.approx(math.cos(POLAR), abs=1e-9)
    assert float(phi) == pytest.approx(PLANE + math.pi, abs=1e-9)


def test_parity_turns_the_sign_of_the_angle_between_planes():
    assert float(decay_angles(event(0.7, handedness=-1.0))[2]) == pytest.approx(-PLANE, abs=1e-9)


def test_observables():
    drawn = {each.name: each for each in vector_higgs_observables("Z", decayed=True)}
    assert list(drawn) == ["pt_V", "mass_VH", "cos_theta_star", "cos_theta_1", "phi_planes"]
    momenta, pdg = event(0.7), torch.tensor([[25, 11, -11]])
    assert float(drawn["pt_V"].of(momenta, pdg)) == pytest.approx(150.0 * math.sin(STAR))
    expected = math.sqrt(90.0**2 + 150.0**2) + math.sqrt(125.0**2 + 150.0**2)
    assert float(drawn["mass_VH"].of(momenta, pdg)) == pytest.approx(expected)
    assert float(drawn["phi_planes"].of(momenta, pdg)) == pytest.approx(PLANE)
    assert [each.name for each in vector_higgs_observables("W", decayed=False)] == ["pt_V", "mass_VH"]

"""tHq with the decay of the top in the matrix element: sum over decays, phase space, spin of the top, process."""

import math

import pytest
import torch
from tests.physics.amplitudes.top_decay_quadrature import at_the_pole, quadrature
from tests.processes.cross_section import cross_section

from partonic.physics.amplitudes.top_decay import TopDecay
from partonic.physics.fourvector import mass
from partonic.physics.phasespace.decayed_tops import DecayedTopsCube
from partonic.physics.phasespace.top_decay import TopDecayMap
from partonic.physics.process import PartonEvents
from partonic.processes.definition import build_process, definition_of
from partonic.processes.thq import definition
from partonic.processes.thq.amplitude import SingleTopHiggsAmplitude
from partonic.processes.thq.cube import SingleTopHiggsCube
from partonic.processes.top_decays import DecayedTop

ENERGY = 13_000.0
PRODUCTION = SingleTopHiggsCube(125.0, 172.5, ENERGY)
NARROW = TopDecay(top_width=1e-5, window=0.01)
MAP = TopDecayMap(NARROW.w_mass, NARROW.w_width)


def with_beams(events: PartonEvents):
    """Return momenta with the incoming partons first, in the laboratory."""
    first, second = 0.5 * ENERGY * events.x1, 0.5 * ENERGY * events.x2
    zero = torch.zeros_like(first)
    beams = [torch.stack([e, zero, zero, sign * e], dim=1) for e, sign in ((first, 1.0), (second, -1.0))]
    return torch.cat([torch.stack(beams, dim=1), events.momenta], dim=1)


@pytest.mark.parametrize("initial", [(2, 5), (5, -1), (-2, -5)])
def test_sum_over_decays_is_the_undecayed_amplitude(initial, torch_rng):
    """∫ |M(t → b f f')|² in the narrow-width limit is |M(t)|² times the branching fraction."""
    events, _ = PRODUCTION.forward(0.1 + 0.8 * torch.rand(3, 7, generator=torch_rng, dtype=torch.float64))
    numbers, weights = quadrature(masses=24)
    expected = SingleTopHiggsAmplitude(initial).coefficients(with_beams(events), torch.full((3,), 0.118).double())
    amplitude = SingleTopHiggsAmplitude(initial, decay=DecayedTop(NARROW, 11, 0.1086))
    for number, production in enumerate(with_beams(events)):
        top = events.momenta[number, 1].expand(len(numbers), 4)
        products, log_volume = MAP.forward(numbers, top)
        fixed = production.expand(len(numbers), 5, 4)
        momenta = torch.cat([fixed[:, :3], products, fixed[:, 4:]], dim=1)
        values = amplitude.coefficients(momenta, torch.full((len(numbers),), 0.118).double())
        summed = (values * (weights * log_volume.exp() * at_the_pole(NARROW))[:, None]).sum(dim=0)
        size = float(expected[number].max())
        torch.testing.assert_close(summed, 0.1086 * expected[number], rtol=1e-3, atol=1e-4 * size)


def test_cube_is_one_to_one(torch_rng):
    cube = DecayedTopsCube(PRODUCTION, (1,), 172.5, 1.42, (151.2, 193.8), TopDecayMap(80.379, 2.085))
    numbers = 0.01 + 0.98 * torch.rand(2000, cube.dimensions, generator=torch_rng, dtype=torch.float64)
    events, log_volume = cube.forward(numbers)
    again, log_inverse = cube.inverse(events)
    assert cube.dimensions == 13
    assert events.momenta.shape == (2000, 5, 4)
    torch.testing.assert_close(again, numbers, rtol=0.0, atol=2e-6)
    torch.testing.assert_close(log_inverse, -log_volume, rtol=0.0, atol=2e-5)
    top = mass(events.momenta[:, 1:4].sum(dim=1))
    assert float((top - 172.5).abs().max()) <= 21.3 + 1e-6
    inside = float(((top - 172.5).abs() < 0.71).double().mean())
    assert abs(inside / 0.5106 - 1.0) < 4.0 / 2000**0.5


@pytest.mark.slow
def test_cross_section_is_that_of_the_production_times_the_branching_fraction():
    """Within 1%, what the narrow-width limit leaves out, and the statistical errors of both."""
    inside = definition.settings.model_validate({"decays": "in_matrix_element"})
    (undecayed, error), (decayed, other) = (
        cross_section(build_process(settings), {"kappa_e": 1.0}) for settings in (definition.settings(), inside)
    )
    relative = math.hypot(error / undecayed, other / decayed)
    assert relative < 5e-3
    assert abs(decayed / (0.6741 * undecayed) - 1.0) < 0.01 + 3.0 * relative


def test_channels_and_resonances_follow_the_decay():
    settings = definition.settings.model_validate(
        {"decays": "in_matrix_element", "top_decays": {"tops": "leptonic", "leptons": ["mu"]}}
    )
    own = definition_of(settings)
    assert [particle.name for particle in own.final_state(settings)] == ["H", "b_t", "down_t", "up_t", "q"]
    assert own.final_states(settings)[0] == (25, 5, -13, 14, 1)
    tree = own.decay_tree(settings)
    assert [one.name for one in tree.of_matrix_element] == ["t", "W"]
    assert tree.mother_of(tree.named("W")) is tree.named("t")
    process = build_process(settings)
    finals = {channel.final for channel in process.channels}
    assert finals == set(own.final_states(settings))
    for channel in process.channels:
        assert tree.named("t").pdg_among(channel.final) == (6 if channel.final[1] == 5 else -6)

"""ttH with the decays of both tops in the matrix element: sums over decays, symmetries, spins, phase space, process."""

import math

import pytest
import torch
from tests.physics.amplitudes.top_decay_quadrature import at_the_pole, quadrature
from tests.processes.cross_section import cross_section

from partonic.physics.amplitudes.top_decay import TopDecay
from partonic.physics.fourvector import mass
from partonic.physics.phasespace.decayed_tops import DecayedTopsCube, ProductionCube, RamboProduction
from partonic.physics.phasespace.top_decay import TopDecayMap
from partonic.physics.phasespace.unit_cube import RamboCube
from partonic.processes.decayed_observables import pair_spin_angles, produced_momenta
from partonic.processes.definition import build_process, definition_of
from partonic.processes.top_decays import DecayedTop
from partonic.processes.tth import definition
from partonic.processes.tth.amplitude import gluon_fusion_tth, quark_annihilation_tth

NARROW = TopDecay(top_width=1e-5, window=0.01)
LEPTONIC, HADRONIC = DecayedTop(NARROW, 11, 0.1086), DecayedTop(NARROW, 1, 0.337)
MAP = TopDecayMap(NARROW.w_mass, NARROW.w_width)
CHANNELS = {"gg": gluon_fusion_tth, "uubar": lambda **args: quark_annihilation_tth(2, **args),
            "ubaru": lambda **args: quark_annihilation_tth(-2, **args)}  # fmt: skip


def productions(generator, points, sqrt_s=900.0):
    """Incoming partons, H, t and t̄ in their centre-of-mass frame."""
    from partonic.physics.phasespace.rambo import Rambo

    numbers = torch.rand(points, 5, generator=generator, dtype=torch.float64)
    final, _ = Rambo((125.0, 172.5, 172.5)).forward(numbers, torch.full((points,), sqrt_s, dtype=torch.float64))
    beams = torch.tensor([[1.0, 0, 0, 1], [1, 0, 0, -1]], dtype=torch.float64) * sqrt_s / 2
    return torch.cat([beams.expand(points, 2, 4), final], dim=1)


def alpha_s(momenta):
    return torch.full((len(momenta),), 0.118, dtype=torch.float64)


def decayed(production, numbers, other):
    """Let both tops of productions decay, `(N, 9, 4)`, with the log-volumes of the decays."""
    first, log_first = MAP.forward(numbers, production[:, 3])
    second, log_second = MAP.forward(other, production[:, 4])
    return torch.cat([production[:, :3], first, second], dim=1), log_first + log_second


@pytest.mark.parametrize("channel", list(CHANNELS))
def test_sum_over_all_decays_is_the_undecayed_amplitude(channel, torch_rng):
    """The decays of both tops are summed at once by quadratures in the W of either: 10 coefficients."""
    production = productions(torch_rng, 1)
    # |M|² is a bilinear form of two 2×2 spin densities, each of first degree in the direction of f about its top: the
    # angles of f in a frame in which b, W and f are generated isotropically are integrated by few points
    numbers, weights = quadrature(masses=6, polar=2, turns=3)
    first, second = (part.flatten() for part in torch.meshgrid(*[torch.arange(len(numbers))] * 2, indexing="ij"))
    amplitude = CHANNELS[channel](decays=(LEPTONIC, HADRONIC))
    total = torch.zeros(10, dtype=torch.float64)
    for block in torch.split(torch.arange(len(first)), 20_000):
        one, two = first[block], second[block]
        momenta, log_volume = decayed(production.expand(len(block), 5, 4), numbers[one], numbers[two])
        weight = weights[one] * weights[two] * log_volume.exp() * at_the_pole(NARROW) ** 2
        total += (amplitude.coefficients(momenta, alpha_s(momenta)) * weight[:, None]).sum(dim=0)
    expected = CHANNELS[channel]().coefficients(production, alpha_s(production))[0] * 0.1086 * 0.337
    torch.testing.assert_close(total, expected, rtol=1e-2, atol=1e-2 * float(expected.abs().max()))


@pytest.mark.parametrize("channel", list(CHANNELS))
def test_mean_over_decays_is_the_undecayed_amplitude(channel, torch_rng):
    """The same with random decays, within 4 of their errors, at several points of the production."""
    for production in productions(torch_rng, 3):
        numbers = torch.rand(2, 40_000, 5, generator=torch_rng, dtype=torch.float64)
        momenta, log_volume = decayed(production.expand(40_000, 5, 4), *numbers)
        weights = log_volume.exp() * at_the_pole(NARROW) ** 2 / (0.1086 * 0.337)
        values = CHANNELS[channel](decays=(LEPTONIC, HADRONIC)).coefficients(momenta, alpha_s(momenta))
        values = values * weights[:, None]
        expected = CHANNELS[channel]().coefficients(production[None], alpha_s(production[None]))[0]
        error = values.std(dim=0) / 200.0
        assert float(error[0] / expected[0]) < 0.01
        assert float(((values.mean(dim=0) - expected).abs() / error.clamp(min=1e-9 * expected[0])).max()) < 4.0


@pytest.mark.parametrize("channel", list(CHANNELS))
def test_mirror_image_of_the_decays(channel, torch_rng):
    """CP: t and t̄ with their decays and the incoming partons exchanged, momenta reversed; κ̃_t changes its sign."""
    production = productions(torch_rng, 200)
    numbers = torch.rand(2, 200, 5, generator=torch_rng, dtype=torch.float64)
    momenta, _ = decayed(production, *numbers)
    mirrored = momenta[:, [1, 0, 2, 6, 7, 8, 3, 4, 5]] * torch.tensor([1.0, -1.0, -1.0, -1.0], dtype=torch.float64)
    amplitude = CHANNELS[channel](decays=(LEPTONIC, LEPTONIC))
    values, images = (amplitude.coefficients(each, alpha_s(each)) for each in (momenta, mirrored))
    signs = torch.tensor([(-1.0) ** powers[1] for powers in amplitude.monomials.exponents], dtype=torch.float64)
    size = values.abs().amax(dim=1, keepdim=True)
    assert float(((values - images * signs) / size).abs().max()) < 1e-9
    odd = values[:, [index for index, sign in enumerate(signs) if sign < 0]]
    assert float((odd / size).abs().max()) > 0.05  # the spins see CP violation in a single event


def test_numbers_of_the_cube_come_back(torch_rng):
    production = RamboProduction((125.0, 172.5, 172.5), (1, 2), 13_000.0)
    assert isinstance(production, ProductionCube)
    cube = DecayedTopsCube(production, (1, 2), 172.5, 1.42, (151.2, 193.8), TopDecayMap(80.379, 2.085))
    numbers = 0.01 + 0.98 * torch.rand(2000, cube.dimensions, generator=torch_rng, dtype=torch.float64)
    events, log_volume = cube.forward(numbers)
    again, log_inverse = cube.inverse(events)
    assert cube.dimensions == 19
    torch.testing.assert_close(again, numbers, rtol=0.0, atol=1e-6)
    torch.testing.assert_close(log_inverse, -log_volume, rtol=0.0, atol=1e-5)
    produced = produced_momenta(events.momenta, (1, 2))
    assert float((mass(produced[:, 1:]) - 172.5).abs().max()) <= 21.3 + 1e-6
    torch.testing.assert_close(mass(produced[:, 0]), torch.full((2000,), 125.0).double(), rtol=1e-6, atol=1e-4)


def test_fixed_masses_give_rambo(torch_rng):
    """With the pole masses the production is that of RAMBO, to the digit."""
    numbers = torch.rand(500, 7, generator=torch_rng, dtype=torch.float64)
    masses = (125.0, 172.5, 172.5)
    own, log_own = RamboProduction(masses, (1, 2), 13_000.0).forward_with_masses(
        numbers, torch.full((500, 2), 172.5, dtype=torch.float64)
    )
    events, log_volume = RamboCube(masses, 13_000.0).forward(numbers)
    torch.testing.assert_close(own.momenta, events.momenta, rtol=1e-12, atol=1e-9)
    torch.testing.assert_close(log_own, log_volume, rtol=0.0, atol=1e-11)


@pytest.mark.slow
def test_cross_section_is_that_of_the_production_times_the_branching_fraction():
    """Within 1.5%, what the narrow-width limit leaves out of two tops, and the statistical errors of both."""
    inside = definition.settings.model_validate({"decays": "in_matrix_element"})
    (undecayed, error), (decays, other) = (
        cross_section(build_process(settings), {}) for settings in (definition.settings(), inside)
    )
    relative = math.hypot(error / undecayed, other / decays)
    assert relative < 1e-2
    expected = undecayed * 2.0 * (2 * 0.1086) * 0.6741
    assert abs(decays / expected - 1.0) < 0.015 + 3.0 * relative


def test_channels_and_resonances_follow_the_decays():
    settings = definition.settings.model_validate({"decays": "in_matrix_element"})
    own = definition_of(settings)
    names = ["H", "b_t", "down_t", "up_t", "b_tbar", "down_tbar", "up_tbar"]
    assert [particle.name for particle in own.final_state(settings)] == names
    finals = own.final_states(settings)
    assert len(finals) == 8
    assert finals[0] == (25, 5, -11, 12, -5, 1, -2)
    assert finals[-1] == (25, 5, -3, 4, -5, 13, -14)
    process = build_process(settings)
    assert {channel.final for channel in process.channels} == set(finals)
    tree = own.decay_tree(settings)
    assert tree.has_top_pair
    assert [one.name for one in tree.of_matrix_element] == ["t", "Wplus", "tbar", "Wminus"]
    for channel in process.channels:
        assert [one.pdg_among(channel.final) for one in tree.of_matrix_element] == [6, 24, -6, -24]


@pytest.mark.parametrize(("tops", "number"), [("semileptonic", 8), ("dilepton", 4), ("all_hadronic", 4)])
def test_kinds_of_decay(tops, number):
    settings = definition.settings.model_validate({"decays": "in_matrix_element", "top_decays": {"tops": tops}})
    assert len(definition_of(settings).final_states(settings)) == number


def test_spin_angles_of_a_known_event():
    """Tops back to back along x with H along y in the frame of the pair; leptons along and across the flight."""
    top = torch.tensor([200.0, 100.0, 0.0, 0.0], dtype=torch.float64)
    antitop = torch.tensor([200.0, -100.0, 0.0, 0.0], dtype=torch.float64)
    higgs = torch.tensor([200.0, 0.0, 150.0, 0.0], dtype=torch.float64)
    lepton = torch.tensor([50.0, 50.0, 0.0, 0.0], dtype=torch.float64)
    other = torch.tensor([30.0, 0.0, 0.0, 30.0], dtype=torch.float64)
    rest, remaining = top - lepton, antitop - other
    momenta = torch.stack([higgs, 0.5 * rest, lepton, 0.5 * rest, 0.5 * remaining, other, 0.5 * remaining])[None]
    first, second, _ = pair_spin_angles(momenta)
    assert float(first) == pytest.approx(1.0)
    # across the flight in the frame of the pair: forward in that of its top by the velocity 1/2
    assert float(second) == pytest.approx(-0.5)

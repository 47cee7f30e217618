"""pp → V H: channels, cross sections and their growth, efficiency of VEGAS."""

import math

import pytest
import torch

from partonic.generation.unweight import choose_maximum_weight
from partonic.generation.vegas import VegasSampler
from partonic.physics.amplitudes.amplitude import Amplitude
from partonic.physics.kinematics import transverse_momentum
from partonic.physics.process import Process
from partonic.processes.definition import build_process
from partonic.processes.vector_higgs_observables import decay_angles
from partonic.processes.wh.settings import WhConfig
from partonic.processes.zh.settings import ZhConfig

SETTINGS = {"wh": WhConfig(), "zh": ZhConfig()}


@pytest.fixture(scope="module", params=list(SETTINGS))
def process(request):
    return build_process(SETTINGS[request.param])


@pytest.fixture(scope="module")
def sample(process):
    """Momenta and weighted coefficients in pb of 200,000 points."""
    numbers = torch.rand(200_000, 7, generator=torch.Generator().manual_seed(20261129), dtype=torch.float64)
    events, log_jacobian = process.from_unit_cube(numbers)
    return events.momenta, process.coefficients(events) * log_jacobian.exp()[:, None] / len(numbers)


def column(process, name):
    return process.monomials.names.index(name)


def test_channels(process):
    assert isinstance(process, Process)
    assert all(isinstance(group.amplitude, Amplitude) for group in process.groups)
    channels = {(channel.initial, channel.final) for channel in process.channels}
    assert len(channels) == len(process.channels) == {"wh": 16, "zh": 20}[process.name]
    expected = {
        "wh": [((2, -1), (25, -11, 12)), ((-3, 4), (25, -13, 14)), ((1, -2), (25, 13, -14)), ((-4, 3), (25, 11, -12))],
        "zh": [((5, -5), (25, 11, -11)), ((-2, 2), (25, 13, -13))],
    }[process.name]
    assert channels.issuperset(expected)


def test_on_shell_channels():
    process = build_process(WhConfig(decays="none"))
    assert {channel.final for channel in process.channels} == {(25, 24), (25, -24)}
    assert [particle.mass for particle in process.final_state] == [125.0, 80.379]
    assert process.dimensions == 4


def test_scales(process):
    events, _ = process.from_unit_cube(torch.full((1, 7), 0.5, dtype=torch.float64))
    whole = events.momenta.sum(dim=1)[0]
    mass = math.sqrt(whole[0] ** 2 - whole[3] ** 2)
    assert float(process.scale(events)) == pytest.approx(mass, rel=1e-9)
    settings = SETTINGS[process.name].model_copy(update={"scale": "sum_of_masses", "factorization_scale_factor": 0.5})
    vector = {"wh": settings.w_mass, "zh": settings.z_mass}[process.name]
    assert float(build_process(settings).scale(events)) == pytest.approx(0.5 * (vector + 125.0))


def test_current_of_quarks_grows_with_transverse_momentum(process, sample):
    """Its linear term relative to the SM rises like ŝ/m²: threefold between 75 and 250 GeV of pT."""
    momenta, weights = sample
    pt = transverse_momentum(momenta[:, 0])
    ratios = []
    for lower, upper in ((50.0, 100.0), (200.0, 300.0), (400.0, 600.0)):
        inside = (pt > lower) & (pt < upper)
        ratios.append(float(weights[inside, column(process, "c_Hq3")].sum() / weights[inside, 0].sum()))
    assert 1.0 < ratios[0] < 2.5
    assert ratios[1] > 2.5 * ratios[0]
    assert ratios[2] > 7.0 * ratios[0]


def test_g4_is_seen_in_the_sign_of_the_angle_between_planes_alone(process, sample):
    """Linear terms of g4 vanish in the cross section and in pT, and not in the asymmetry of sin φ or sin 2φ."""
    momenta, weights = sample
    for name in ("g4_ZZ", "c_Hq3*g4_ZZ", "g2_ZZ*g4_ZZ"):
        odd = weights[:, column(process, name)]
        pt = transverse_momentum(momenta[:, 0])
        for inside in (pt < 100.0, pt >= 100.0):
            error = float((odd * inside).square().sum().sqrt())
            assert error < 0.05 * float(weights[:, column(process, "g4_ZZ^2")].sum())
            assert abs(float((odd * inside).sum())) < 4.0 * error
    cos_star, cos_1, phi = decay_angles(momenta)
    odd = weights[:, column(process, "g4_ZZ")]
    shapes = {
        "chiral": phi.sin(),
        "longitudinal": phi.sin() * torch.sign(cos_star * cos_1),
        "transverse": (2.0 * phi).sin(),
    }
    significant = []
    for shape in shapes.values():
        signed = odd * torch.sign(shape)
        significant.append(abs(float(signed.sum())) / float(signed.square().sum().sqrt()))
        even = weights[:, column(process, "g2_ZZ")] * torch.sign(shape)
        assert abs(float(even.sum())) < 4.0 * float(even.square().sum().sqrt())
    assert max(significant) > 20.0


def test_every_theta_has_a_positive_rate(process, sample):
    _, weights = sample
    theta = torch.randn(200, len(process.monomials.parameters), generator=torch.Generator().manual_seed(1)).double()
    values = torch.as_tensor(process.monomials.evaluate(theta.numpy()))
    assert (values @ weights.sum(dim=0) > 0.0).all()


@pytest.mark.parametrize("name", list(SETTINGS))
def test_vegas_alone_unweights(name):
    """A fifth of the points survive, at the SM; the permille of the cross section in the heaviest points set apart."""
    process, generator = build_process(SETTINGS[name]), torch.Generator().manual_seed(5)
    sampler = VegasSampler.uniform(7, 64)
    for _ in range(5):
        numbers, log_density = sampler.sample(20_000, generator)
        events, log_jacobian = process.from_unit_cube(numbers)
        weights = process.coefficients(events)[:, 0] * (log_jacobian - log_density).exp()
        efficiency = float(weights.mean()) / choose_maximum_weight(weights, 0.002)
        sampler = sampler.adapted(numbers, weights, 0.5)
    assert efficiency > 0.2

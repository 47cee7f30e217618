"""dσ/dz of ttH: maps, channels, luminosities, errors."""

import dataclasses
import math

import pytest
import torch

from partonic.config.process import PdfConfig
from partonic.errors import NonFiniteError, PdfError, ProcessError
from partonic.physics.fourvector import mass, minkowski_square
from partonic.physics.hard_process import HardProcess
from partonic.physics.process import PartonEvents, Process
from partonic.physics.scales import FixedScale
from partonic.processes.definition import build_process
from partonic.processes.tth.settings import TthConfig
from partonic.units import GEV2_TO_PB


@pytest.fixture(scope="module")
def process():
    return build_process(TthConfig())


@pytest.fixture
def numbers(process, torch_rng):
    return torch.rand(2000, process.dimensions, generator=torch_rng, dtype=torch.float64)


@pytest.fixture
def events(process, numbers):
    return process.from_unit_cube(numbers)[0]


def test_is_a_process_of_seven_dimensions_and_eleven_channels(process):
    assert isinstance(process, Process)
    assert process.dimensions == 7
    assert [particle.pdg_id for particle in process.final_state] == [25, 6, -6]
    assert len(process.channels) == 11
    assert process.channels[0].initial == (21, 21)
    assert process.monomials.parameters == ("delta_kappa_t", "kappa_tilde_t", "c_tG")


def test_unit_cube_round_trip(process, numbers):
    events, log_jacobian = process.from_unit_cube(numbers)
    back, log_inverse = process.to_unit_cube(events)
    torch.testing.assert_close(back, numbers, rtol=0, atol=1e-9)
    torch.testing.assert_close(log_inverse, -log_jacobian, rtol=1e-9, atol=1e-9)


def test_momenta_are_on_shell_and_balance_the_incoming_partons(process, events):
    masses = torch.tensor([particle.mass for particle in process.final_state], dtype=torch.float64)
    torch.testing.assert_close(mass(events.momenta), masses.expand(len(events.x1), 3), rtol=1e-7, atol=0)
    total = events.momenta.sum(dim=1)
    half = process.collider_energy / 2
    torch.testing.assert_close(total[:, 0], half * (events.x1 + events.x2), rtol=1e-11, atol=0)
    torch.testing.assert_close(total[:, 3], half * (events.x1 - events.x2), rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(
        minkowski_square(total), events.x1 * events.x2 * process.collider_energy**2, rtol=1e-10, atol=0
    )


def test_channels_sum_to_the_total(process, events):
    theta = torch.tensor([0.1, -0.3, 0.4], dtype=torch.float64)
    channels, flow_weights = process.channel_coefficients(events), process.flow_weights(events, theta)
    total = process.coefficients(events)
    assert channels.shape == (2000, 11, 10)
    size = channels.abs().sum(dim=1)  # densities can be negative at large x, and cancel
    assert ((channels.sum(dim=1) - total).abs() / size.amax(dim=1, keepdim=True)).max() < 1e-13
    assert (flow_weights[:, 0] > 0).all()
    assert (flow_weights[:, 1:, 0] > 0).all()
    assert (flow_weights[:, 1:, 1] == 0).all()


def test_differential_cross_section_is_luminosity_times_amplitude(process, events):
    """The master formula, one channel at a time, from its parts in the laboratory frame."""
    some = PartonEvents(events.momenta[:20], events.x1[:20], events.x2[:20])
    scale = torch.full((20,), 172.5 + 62.5, dtype=torch.float64)
    torch.testing.assert_close(process.scale(some), scale)
    half = process.collider_energy / 2
    zero = torch.zeros(20, dtype=torch.float64)
    beams = torch.stack(
        [
            torch.stack([half * some.x1, zero, zero, half * some.x1], dim=1),
            torch.stack([half * some.x2, zero, zero, -half * some.x2], dim=1),
        ],
        dim=1,
    )
    momenta = torch.cat([beams, some.momenta], dim=1)
    channels = process.channel_coefficients(some)
    alpha_s = process.densities.alpha_s(scale)
    for index in (0, 1, 2, 9):
        channel = process.channels[index]
        group = process.groups[0] if index == 0 else process.groups[1]
        f1 = process.densities.x_times_density([channel.initial[0]], some.x1, scale)[:, 0] / some.x1
        f2 = process.densities.x_times_density([channel.initial[1]], some.x2, scale)[:, 0] / some.x2
        flux = 2.0 * some.x1 * some.x2 * process.collider_energy**2
        expected = f1 * f2 * group.amplitude.coefficients(momenta, alpha_s)[:, 0] / flux * GEV2_TO_PB
        torch.testing.assert_close(channels[:, index, 0], expected, rtol=1e-9, atol=0)


def test_proton_exchange_is_a_reflection(process, events):
    """Both beams are protons: exchanging x1 and x2 and reversing pz changes nothing."""
    reflected = PartonEvents(events.momenta * torch.tensor([1.0, 1.0, 1.0, -1.0]), events.x2, events.x1)
    odd = [i for i, powers in enumerate(process.monomials.exponents) if powers[1] % 2]
    even = [i for i in range(10) if i not in odd]
    values, mirrored = process.coefficients(events), process.coefficients(reflected)
    assert ((values - mirrored)[:, even].abs() / values[:, :1]).max() < 1e-10
    assert ((values + mirrored)[:, odd].abs() / values[:, :1]).max() < 1e-10


def test_scale_factors_reach_densities_and_coupling():
    config = TthConfig(factorization_scale_factor=2.0, renormalization_scale_factor=0.5)
    process = build_process(config)
    assert isinstance(process, HardProcess)
    assert process.factorization_scale == FixedScale(470.0)
    assert process.renormalization_scale == FixedScale(117.5)


def test_cross_section_known_effects(process, torch_rng):
    """Integrated effects of θ: δκ_t is (1 + δκ_t)², κ̃_t² about 0.4 of the SM, and c_tG raises the cross section."""
    numbers = torch.rand(200_000, 7, generator=torch_rng, dtype=torch.float64)
    events, log_jacobian = process.from_unit_cube(numbers)
    weights = process.coefficients(events) * log_jacobian.exp()[:, None]
    sigma = dict(zip(process.monomials.names, weights.mean(dim=0).tolist(), strict=True))
    error = float(weights[:, 0].std()) / math.sqrt(len(weights))
    assert error < 0.01 * sigma["1"]
    assert sigma["delta_kappa_t"] == pytest.approx(2.0 * sigma["1"], rel=1e-12)
    assert sigma["delta_kappa_t^2"] == pytest.approx(sigma["1"], rel=1e-12)
    assert 0.35 < sigma["kappa_tilde_t^2"] / sigma["1"] < 0.45
    assert 0.9 < sigma["c_tG"] / sigma["1"] < 1.1
    assert 1.1 < sigma["c_tG^2"] / sigma["1"] < 1.4


def test_nan_is_an_error(process, events):
    broken = PartonEvents(events.momenta.clone(), events.x1, events.x2)
    broken.momenta[7] = math.nan
    with pytest.raises(NonFiniteError, match="event 7"):
        process.coefficients(broken)


def test_unusable_processes_are_refused(process):
    with pytest.raises(ProcessError, match="threshold"):
        build_process(TthConfig(collider_energy=400.0))
    with pytest.raises(ProcessError, match="at least one amplitude"):
        dataclasses.replace(process, groups=())
    with pytest.raises(PdfError, match="NoSuchSet"):
        build_process(TthConfig(pdf=PdfConfig(name="NoSuchSet")))

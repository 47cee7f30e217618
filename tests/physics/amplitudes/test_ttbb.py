"""pp → t t̄ b b̄: symmetries of |M|², its quasi-collinear limit, powers of α_s, colour flows."""

import math

import pytest
import torch

from partonic.physics.amplitudes.amplitude import Amplitude
from partonic.physics.amplitudes.artifacts import GenerationOptions
from partonic.physics.amplitudes.ufo import ExternalMatrixElement
from partonic.physics.fourvector import boost, rotate
from partonic.physics.phasespace.rambo import Rambo
from partonic.processes.ttbb.amplitude import BeamsExchanged, gluon_fusion_ttbb, quark_annihilation_ttbb

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("symbolica")]

TOP, BOTTOM, ALPHA_S = 172.5, 4.7, 0.118


@pytest.fixture(scope="module")
def gluons(generator_cache):
    return gluon_fusion_ttbb(TOP, BOTTOM, generator_cache)


@pytest.fixture(scope="module")
def quarks(generator_cache):
    return quark_annihilation_ttbb(TOP, BOTTOM, generator_cache)


@pytest.fixture
def momenta(torch_rng):
    """Momenta of twelve events at √s = 900 GeV."""
    numbers = torch.rand(12, 8, generator=torch_rng, dtype=torch.float64)
    final, _ = Rambo((TOP, TOP, BOTTOM, BOTTOM)).forward(numbers, torch.full((12,), 900.0, dtype=torch.float64))
    beams = torch.tensor([[1.0, 0, 0, 1], [1, 0, 0, -1]], dtype=torch.float64) * 450.0
    return torch.cat([beams.expand(12, 2, 4), final], dim=1)


def squared(amplitude: Amplitude, momenta: torch.Tensor) -> torch.Tensor:
    return amplitude.coefficients(momenta, torch.full((len(momenta),), ALPHA_S, dtype=torch.float64))[:, 0]


def test_gluons_are_alike_and_so_are_quarks_and_antiquarks(gluons, momenta):
    values = squared(gluons, momenta)
    torch.testing.assert_close(squared(gluons, momenta[:, [1, 0, 2, 3, 4, 5]]), values, rtol=1e-9, atol=0)
    torch.testing.assert_close(squared(gluons, momenta[:, [0, 1, 3, 2, 5, 4]]), values, rtol=1e-9, atol=0)


def test_charge_asymmetry_of_quark_annihilation(quarks, momenta):
    """Exchanging q and q̄ alone changes |M|², exchanging all quarks with their antiquarks does not."""
    values = squared(quarks, momenta)
    exchanged = BeamsExchanged(quarks)
    torch.testing.assert_close(squared(exchanged, momenta[:, [0, 1, 3, 2, 5, 4]]), values, rtol=1e-9, atol=0)
    assert ((squared(exchanged, momenta) - values).abs() / values).max() > 0.1
    assert exchanged.particles == (-2, 2, 6, -6, 5, -5)
    assert exchanged.colour_flows[0] == (
        quarks.colour_flows[0][1],
        *quarks.colour_flows[0][:1],
        *quarks.colour_flows[0][2:],
    )
    weights = exchanged.flow_weights(momenta, torch.ones(12, dtype=torch.float64), torch.zeros(0, dtype=torch.float64))
    direct = quarks.flow_weights(
        momenta[:, [1, 0, 2, 3, 4, 5]], torch.ones(12, dtype=torch.float64), torch.zeros(0, dtype=torch.float64)
    )
    torch.testing.assert_close(weights, direct)


def test_is_lorentz_invariant(gluons, quarks, momenta):
    axis = torch.tensor([0.48, 0.6, 0.64], dtype=torch.float64)
    moved = boost(rotate(momenta, axis, torch.tensor(1.1, dtype=torch.float64)), 0.6 * axis[[2, 0, 1]])
    for amplitude in (gluons, quarks):
        torch.testing.assert_close(squared(amplitude, moved), squared(amplitude, momenta), rtol=1e-8, atol=0)


def test_is_of_the_fourth_order(gluons, momenta):
    strong = torch.full((12,), 2 * ALPHA_S, dtype=torch.float64)
    torch.testing.assert_close(gluons.coefficients(momenta, strong)[:, 0], 16 * squared(gluons, momenta))


def test_colour_flows_of_gluon_fusion(gluons, momenta):
    weights = gluons.flow_weights(
        momenta, torch.full((12,), ALPHA_S, dtype=torch.float64), torch.zeros(0, dtype=torch.float64)
    )
    assert len(gluons.colour_flows) == weights.shape[1] == 12
    # At leading colour the b quark is connected to the t̄ or a gluon; a b b̄ singlet costs a factor 1/9.
    singlet = torch.tensor([flow[4][0] == flow[5][1] for flow in gluons.colour_flows])
    assert (weights[:, singlet].sum(dim=1) < 0.5 * weights.sum(dim=1)).all()


@pytest.mark.parametrize(("initial", "tolerance"), [("g g", 0.02), ("u u~", 0.02)])
def test_splitting_of_a_gluon(initial, tolerance, generator_cache):
    """For a b b̄ pair of mass √s far below its energy, averaged over the azimuth of its decay,

        |M(t t̄ b b̄)|² → 8π α_s/s · T_R [1 − 2 z (1 − z) + 2 m²/s] · |M(t t̄ g)|²

    with z the light-cone share of the b (S. Catani, S. Dittmaier, Z. Trocsanyi, hep-ph/0011222).
    """
    options = GenerationOptions(orders={"QCD": 3, "QED": 0}, cache=generator_cache)
    parent = ExternalMatrixElement.generate(
        f"{initial} > t t~ g", parameters={"MT": TOP, "WT": 0.0, "aS": ALPHA_S}, options=options, colour_flows=False
    )
    of = gluon_fusion_ttbb if initial == "g g" else quark_annihilation_ttbb
    mass, pair_mass, azimuths = 0.5, 2.0, 16
    child = of(TOP, mass, generator_cache)
    numbers = torch.tensor([[0.55, 0.4, 0.2, 0.35, 0.7]], dtype=torch.float64)
    for z in (0.3, 0.5, 0.8):
        energy = torch.full((1,), 1000.0, dtype=torch.float64)
        tops, _ = Rambo((TOP, TOP, pair_mass)).forward(numbers, energy)
        massless, _ = Rambo((TOP, TOP, 0.0)).forward(numbers, energy)
        beams = torch.tensor([[[500.0, 0, 0, 500], [500.0, 0, 0, -500]]], dtype=torch.float64)
        pairs = torch.stack(
            [torch.stack(_split(tops[0, 2], mass, z, 2 * math.pi * k / azimuths)) for k in range(azimuths)]
        )
        momenta = torch.cat([torch.cat([beams, tops[:, :2]], dim=1).expand(azimuths, 4, 4), pairs], dim=1)
        before = parent.squared(torch.cat([beams, massless], dim=1))
        kernel = 0.5 * (1 - 2 * z * (1 - z) + 2 * mass**2 / pair_mass**2)
        expected = 8 * math.pi * ALPHA_S / pair_mass**2 * kernel * float(before[0])
        assert float(squared(child, momenta).mean()) == pytest.approx(expected, rel=tolerance)


def _split(pair: torch.Tensor, mass: float, z: float, azimuth: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Return b and b̄ of a pair of given momentum: b takes the share z of E + |p| of a fast pair."""
    square = float(pair[0] ** 2 - pair[1:].square().sum())
    momentum = math.sqrt(square / 4 - mass**2)
    along = (z - 0.5) * math.sqrt(square)  # in the rest frame: z = ½ + p_∥/√s
    across = math.sqrt(momentum**2 - along**2)
    direction = pair[1:] / pair[1:].norm()
    first = torch.linalg.cross(direction, torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64))
    first = first / first.norm()
    second = torch.linalg.cross(direction, first)
    three = along * direction + across * (math.cos(azimuth) * first + math.sin(azimuth) * second)
    rest = torch.stack(
        [torch.cat([torch.tensor([math.sqrt(square) / 2], dtype=torch.float64), sign * three]) for sign in (1, -1)]
    )
    moved = boost(rest, (pair[1:] / pair[0]).expand(2, 3))
    return moved[0], moved[1]

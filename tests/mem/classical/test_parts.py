"""Parts of an event: maps of the unit cube that miss nothing, and momenta that the jets suggest."""

import math

import pytest
import torch
from torch import Tensor

from mem.classical.toys import MASSES, MASSLESS_TTBB, ToyProcess, quarks, reco, transfer
from partonic.mem.classical.hypothesis import TopPairHypothesis
from partonic.mem.classical.legs import Leg, jet_leg, lost_leg
from partonic.mem.classical.observed import observed_event
from partonic.mem.classical.parts import _neutrino_direction, bottom_pair, had_top, lep_top
from partonic.physics.fourvector import minkowski_square
from partonic.physics.kinematics import azimuth, pseudorapidity

MODEL, FUNCTIONS, EVENT = TopPairHypothesis(ToyProcess()), transfer(), observed_event(reco(), 0)
POINTS = 400


def jet(slot: int, points: int = POINTS) -> Leg:
    return jet_leg(EVENT.jets[slot].expand(points, 3))


def numbers(dimensions: int, generator: torch.Generator, points: int = POINTS) -> Tensor:
    return torch.rand((points, dimensions), generator=generator, dtype=torch.float64)


def test_pair_of_the_true_jets_has_the_mass_of_h(torch_rng: torch.Generator) -> None:
    part = bottom_pair(jet(0), jet(1), numbers(1, torch_rng), MODEL, FUNCTIONS)
    assert torch.isfinite(part.log_weight).all()
    masses = minkowski_square(part.momenta[:, 0]) / part.momenta[:, 0, 0] ** 2
    expected = (MODEL.pair_mass / part.momenta[:, 0, 0]) ** 2
    torch.testing.assert_close(masses, expected, rtol=0.0, atol=1e-9)
    likely = part.momenta[part.log_weight.argmax(), 0, 1:]
    truth = quarks()[0][:2].sum(dim=0)[1:]
    assert float((likely - truth).norm() / truth.norm()) < 0.25


def test_hadronic_top_of_the_true_jets(torch_rng: torch.Generator) -> None:
    legs = (jet(2), jet(3), jet(4))
    part = had_top(legs, torch.ones(2).double(), numbers(1, torch_rng)[:, 0], MODEL, FUNCTIONS)
    truth = quarks()[0][2:5].sum(dim=0)[1:]
    likely = part.momenta[part.log_weight.argmax(), 0, 1:]
    assert float((likely - truth).norm() / truth.norm()) < 0.25


def test_leptonic_top_of_the_true_jet(torch_rng: torch.Generator) -> None:
    points = 20_000
    aim = (EVENT.met.expand(points, 2), FUNCTIONS.missing.width(EVENT.scalar_sum))
    part = lep_top(jet(5, points), EVENT.lepton, aim, numbers(2, torch_rng, points), MODEL, FUNCTIONS)
    met = FUNCTIONS.missing.log_density(aim[0], part.neutrino, part.difference, EVENT.scalar_sum)
    weight = part.log_weight + met
    partons, lepton, neutrino = quarks()
    truth = (partons[5] + lepton + neutrino)[1:]
    likely = part.momenta[weight.argmax(), 0, 1:]
    assert float((likely - truth).norm() / truth.norm()) < 0.4


def test_difference_is_that_of_quarks_and_jets(torch_rng: torch.Generator) -> None:
    """The transverse momentum of H is that of the jets and the difference."""
    part = bottom_pair(jet(0), jet(1), numbers(1, torch_rng), MODEL, FUNCTIONS)
    expected = EVENT.jet_momenta[:2].sum(dim=0) + part.difference
    torch.testing.assert_close(part.momenta[:, 0, 1:3], expected, rtol=1e-9, atol=1e-9)


def test_jets_too_close_for_the_mass_are_impossible(torch_rng: torch.Generator) -> None:
    near = EVENT.jets[0].clone()
    near[1] += 0.01
    part = bottom_pair(jet(0), jet_leg(near.expand(POINTS, 3)), numbers(1, torch_rng), MODEL, FUNCTIONS)
    assert (part.log_weight == -math.inf).all()


def test_lost_leg_is_integrated_over_all_directions(torch_rng: torch.Generator) -> None:
    """The area of (η, φ) is in its weight: with a loss of one, ∫ dΩ = 4π but for what lies beyond |η| = 5."""
    points = 200_000
    leg = lost_leg(numbers(2, torch_rng, points))
    energy = torch.full((points,), 0.1, dtype=torch.float64)  # far below the threshold
    values = torch.exp(leg.log_transfer(energy, FUNCTIONS.light)) / FUNCTIONS.light.loss(energy, leg.eta)
    error = float(values.std()) / math.sqrt(points)
    assert float(values.mean()) == pytest.approx(4.0 * math.pi * math.tanh(5.0), abs=4.0 * error)
    assert error < 0.05


@pytest.mark.parametrize("size", [5.0, 60.0, 300.0])
def test_neutrino_directions_miss_nothing(size: float, torch_rng: torch.Generator) -> None:
    """The integral of a function of the neutrino's direction, with the map's Jacobian and on a grid."""
    points = 400_000
    aim = torch.tensor([size, 0.3 * size]).double().expand(points, 2)
    eta, phi, log_jacobian = _neutrino_direction(EVENT.lepton, aim, 25.0, numbers(2, torch_rng, points), MASSES[1])

    def function(eta: Tensor, phi: Tensor) -> Tensor:
        own = pseudorapidity(EVENT.lepton)
        return torch.exp(-0.5 * (eta - own).square() / 1.5**2 + torch.cos(phi - azimuth(EVENT.lepton) - 0.5))

    values = function(eta, phi) * torch.exp(log_jacobian)
    exact = 1.5 * math.sqrt(2.0 * math.pi) * 2.0 * math.pi * float(torch.special.i0(torch.tensor(1.0)))
    error = float(values.std()) / math.sqrt(points)
    assert error < 0.05 * exact
    assert float(values.mean()) == pytest.approx(exact, abs=4.0 * error + 1e-4 * exact)


def test_free_pair_integrates_like_the_pair_on_its_mass_shell(torch_rng: torch.Generator) -> None:
    """∫ dm² of H → b b̄ at mass m, times its two-body phase space, is the pair without resonance."""
    points = 200_000
    free = TopPairHypothesis(MASSLESS_TTBB)
    both = bottom_pair(jet(0, points), jet(1, points), numbers(2, torch_rng, points), free, FUNCTIONS)
    values = torch.exp(both.log_weight)
    masses = torch.linspace(20.0, 420.0, 201, dtype=torch.float64)
    slices = []
    for mass in masses.tolist():
        at = _with_mass(mass)
        part = bottom_pair(jet(0, 256), jet(1, 256), _middle(256), at, FUNCTIONS)
        # The pair has (1/Φ₂)(2π)^−2 more than d³p/(2E) d³p/(2E) δ(s − m²), with Φ₂ = 1/(8π).
        slices.append(float(torch.exp(part.log_weight).mean()) * (2.0 * math.pi) ** 2 / (8.0 * math.pi))
    expected = float(torch.trapezoid(torch.tensor(slices).double() * 2.0 * masses, masses))
    error = float(values.std()) / math.sqrt(points)
    assert error < 0.01 * expected
    assert float(values.mean()) == pytest.approx(expected, abs=4.0 * error + 0.005 * expected)


def _with_mass(mass: float) -> TopPairHypothesis:
    from partonic.physics.particles import TOP, Particle

    return TopPairHypothesis(ToyProcess((Particle("H", 25, mass), TOP, TOP.antiparticle)))


def _middle(points: int) -> Tensor:
    return ((torch.arange(points).double() + 0.5) / points)[:, None]

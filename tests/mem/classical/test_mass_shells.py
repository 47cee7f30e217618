"""Momenta from masses: on shell, with the Jacobians of the mass constraints, and densities that integrate to one."""

import math

import torch
from torch import Tensor

from mem.classical.toys import MASSES
from partonic.mem.classical.mass_shells import (
    direction,
    hadronic_top,
    leptonic_top,
    log_top_decay,
    massless,
    pair_on_shell,
)
from partonic.physics.fourvector import minkowski_square, on_shell
from partonic.physics.phasespace.twobody import decay, two_body_volume

HIGGS_MASS = 125.0
BOOST = 120.0  # GeV; width of the weight exp(−p²/2w²) with which d³p/(2E) is integrated


def directions(n: int, generator: torch.Generator) -> Tensor:
    """Unit vectors, uniform on the sphere."""
    vectors = torch.randn((n, 3), generator=generator, dtype=torch.float64)
    return vectors / vectors.norm(dim=1, keepdim=True)


def uniform(n: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    return low + (high - low) * torch.rand(n, generator=generator, dtype=torch.float64)


def leptons(n: int, generator: torch.Generator) -> Tensor:
    return massless(uniform(n, 30.0, 200.0, generator), directions(n, generator))


def off_shell(momenta: Tensor, expected: float) -> float:
    """|p² − m²| in units of E², which sets the rounding."""
    return float(((minkowski_square(momenta) - expected**2).abs() / momenta[..., 0] ** 2).max())


def test_pair_is_on_its_mass_shell(torch_rng: torch.Generator) -> None:
    n = 1000
    energy = uniform(n, 20.0, 400.0, torch_rng)
    momenta, _ = pair_on_shell(energy, directions(n, torch_rng), directions(n, torch_rng), HIGGS_MASS)
    assert off_shell(momenta.sum(dim=1), HIGGS_MASS) < 1e-9


def test_hadronic_top_is_on_its_mass_shells(torch_rng: torch.Generator) -> None:
    n = 1000
    energy = uniform(n, 20.0, 400.0, torch_rng)
    momenta, _ = hadronic_top(energy, *(directions(n, torch_rng) for _ in range(3)), MASSES)
    assert off_shell(momenta.sum(dim=1), MASSES[0]) < 1e-9
    assert off_shell(momenta[:, 1:].sum(dim=1), MASSES[1]) < 1e-9
    assert (momenta[..., 0] > 0).all()


def test_neutrino_puts_w_and_top_on_their_mass_shells(torch_rng: torch.Generator) -> None:
    n = 1000
    lepton = leptons(n, torch_rng)
    eta, phi = uniform(n, -2.5, 2.5, torch_rng), uniform(n, -math.pi, math.pi, torch_rng)
    momenta, _ = leptonic_top(lepton, eta, phi, directions(n, torch_rng), MASSES)
    assert off_shell(lepton + momenta[:, 1], MASSES[1]) < 1e-9
    assert off_shell(lepton + momenta.sum(dim=1), MASSES[0]) < 1e-9
    assert off_shell(momenta[:, 1], 0.0) < 1e-9


def test_jacobian_of_the_pair(torch_rng: torch.Generator) -> None:
    first, second = directions(2, torch_rng)
    energy = torch.tensor(80.0).double()
    momenta, log_measure = pair_on_shell(energy, first, second, HIGGS_MASS)
    other = momenta[1, 0]
    slope = torch.autograd.functional.jacobian(
        lambda e: minkowski_square(massless(energy, first) + massless(e, second)), other
    )
    expected = energy * other / 4.0 / slope / (2.0 * math.pi) ** 2 * 8.0 * math.pi
    torch.testing.assert_close(log_measure.exp(), expected, rtol=1e-10, atol=0.0)


def test_jacobian_of_the_hadronic_top(torch_rng: torch.Generator) -> None:
    first, second, bottom = directions(3, torch_rng)
    energy = torch.tensor(70.0).double()
    momenta, log_measure = hadronic_top(energy, first, second, bottom, MASSES)

    def squares(energies: Tensor) -> Tensor:
        w_boson = massless(energy, first) + massless(energies[0], second)
        return torch.stack([minkowski_square(w_boson), minkowski_square(w_boson + massless(energies[1], bottom))])

    slopes = torch.autograd.functional.jacobian(squares, torch.stack([momenta[2, 0], momenta[0, 0]]))
    expected = momenta[:, 0].prod() / 8.0 / torch.linalg.det(slopes).abs() / (2.0 * math.pi) ** 4
    torch.testing.assert_close(log_measure.exp(), expected, rtol=1e-10, atol=0.0)


def test_jacobian_of_the_leptonic_top(torch_rng: torch.Generator) -> None:
    bottom, lepton = directions(1, torch_rng)[0], leptons(1, torch_rng)[0]
    eta, phi = torch.tensor(0.7).double(), torch.tensor(2.0).double()
    momenta, log_measure = leptonic_top(lepton, eta, phi, bottom, MASSES)
    neutrino_pt = torch.hypot(momenta[1, 1], momenta[1, 2])

    def squares(free: Tensor) -> Tensor:
        three = free[0] * torch.stack([torch.cos(phi), torch.sin(phi), torch.sinh(eta)])
        w_boson = lepton + on_shell(three, 0.0)
        return torch.stack([minkowski_square(w_boson), minkowski_square(w_boson + massless(free[1], bottom))])

    slopes = torch.autograd.functional.jacobian(squares, torch.stack([neutrino_pt, momenta[0, 0]]))
    lepton_pt = torch.hypot(lepton[1], lepton[2])
    volumes = (lepton_pt / 2.0) * (neutrino_pt / 2.0) * (momenta[0, 0] / 2.0)  # d³p/(2E) = pT dpT dη dφ/2 = E dE dΩ/2
    expected = volumes / torch.linalg.det(slopes).abs() / (2.0 * math.pi) ** 4
    torch.testing.assert_close(log_measure.exp(), expected, rtol=1e-9, atol=0.0)


def test_decay_of_the_top_integrates_to_one(torch_rng: torch.Generator) -> None:
    n = 200_000
    top = on_shell(torch.tensor([50.0, -30.0, 200.0], dtype=torch.float64), MASSES[0]).expand(n, 4)
    numbers = torch.rand((n, 2, 2), generator=torch_rng, dtype=torch.float64)
    bottom, w_boson, _ = decay(top, 0.0, MASSES[1], numbers[:, 0])
    up, down, _ = decay(w_boson, 0.0, 0.0, numbers[:, 1])
    top_mass, w_mass = (torch.tensor(value, dtype=torch.float64) for value in MASSES)
    volume = two_body_volume(top_mass, 0.0, w_mass) * two_body_volume(w_mass, 0.0, 0.0)
    values = torch.exp(log_top_decay(bottom, up, down, MASSES)) * volume
    error = values.std() / math.sqrt(n)
    assert error < 2e-3
    assert abs(values.mean() - 1.0) < 4.0 * error


def radial_integral(particle_mass: float) -> float:
    """∫ d³p/(2E) exp(−p²/2w²) of a particle, in one dimension."""
    p = torch.linspace(0.0, 10.0 * BOOST, 20_001, dtype=torch.float64)
    density = 4.0 * math.pi * p.square() * torch.exp(-0.5 * (p / BOOST).square())
    return float(torch.trapezoid(density / (2.0 * torch.sqrt(p.square() + particle_mass**2)), p))


def smeared(momentum: Tensor) -> Tensor:
    return torch.exp(-0.5 * momentum[:, 1:].square().sum(dim=1) / BOOST**2)


def check_integral(values: Tensor, particle_mass: float) -> None:
    expected = radial_integral(particle_mass)
    error = values.std() / math.sqrt(len(values))
    assert error < 0.02 * expected
    assert abs(values.mean() - expected) < 4.0 * error


def test_pair_covers_all_decays_of_all_momenta(torch_rng: torch.Generator) -> None:
    """∫ dE₁ dΩ₁ dΩ₂ of the measure and a function of p_H is ∫ d³p_H/(2E_H) of the function."""
    n = 400_000
    span = math.log(2000.0)
    energy = torch.exp(uniform(n, 0.0, span, torch_rng))
    momenta, log_measure = pair_on_shell(energy, directions(n, torch_rng), directions(n, torch_rng), HIGGS_MASS)
    volume = energy * span * (4.0 * math.pi) ** 2
    check_integral(torch.exp(log_measure) * volume * smeared(momenta.sum(dim=1)), HIGGS_MASS)


def test_hadronic_top_covers_all_decays_of_all_momenta(torch_rng: torch.Generator) -> None:
    n = 600_000
    span = math.log(1000.0)
    energy = torch.exp(uniform(n, 0.0, span, torch_rng))
    momenta, log_measure = hadronic_top(energy, *(directions(n, torch_rng) for _ in range(3)), MASSES)
    log_decay = log_top_decay(momenta[:, 0], momenta[:, 1], momenta[:, 2], MASSES)
    volume = energy * span * (4.0 * math.pi) ** 3
    check_integral(torch.exp(log_measure + log_decay) * volume * smeared(momenta.sum(dim=1)), MASSES[0])


def test_leptonic_top_covers_all_decays_of_all_momenta(torch_rng: torch.Generator) -> None:
    n, reach = 800_000, 4.5
    span = math.log(1000.0)
    pt = torch.exp(uniform(n, 0.0, span, torch_rng))
    angles = [uniform(n, -end, end, torch_rng) for end in (reach, math.pi, reach, math.pi)]
    lepton = massless(pt * torch.cosh(angles[0]), direction(angles[0], angles[1]))
    momenta, log_measure = leptonic_top(lepton, angles[2], angles[3], directions(n, torch_rng), MASSES)
    log_decay = log_top_decay(momenta[:, 0], momenta[:, 1], lepton, MASSES)
    volume = pt * span * (2.0 * reach * 2.0 * math.pi) ** 2 * 4.0 * math.pi
    total = momenta.sum(dim=1) + lepton
    check_integral(torch.exp(log_measure + log_decay) * volume * smeared(total), MASSES[0])

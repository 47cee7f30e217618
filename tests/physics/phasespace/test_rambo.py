import math
import time

import pytest
import torch

from partonic.errors import ProcessError
from partonic.physics.fourvector import invariant_mass, mass, minkowski_square
from partonic.physics.phasespace.rambo import Rambo, mass_ratio, massless_volume

TTH = (125.0, 173.0, 173.0)
SHAPES = [
    ((0.0, 0.0), 10.0),
    ((5.0, 3.0), 10.0),
    (TTH, 800.0),
    ((*TTH, 0.0), 800.0),
    ((0.0,) * 4, 800.0),
    ((4.7, 0.0, 173.0, 80.4, 0.0, 1.777), 1500.0),
]


def points(rambo, count, generator):
    return torch.rand(count, rambo.dimensions, generator=generator, dtype=torch.float64)


def energies(value, count):
    return torch.full((count,), value, dtype=torch.float64)


@pytest.mark.parametrize(("masses", "sqrt_s"), SHAPES)
def test_momenta_are_on_shell_and_conserved(masses, sqrt_s, torch_rng):
    rambo = Rambo(masses)
    momenta, _ = rambo.forward(points(rambo, 5000, torch_rng), energies(sqrt_s, 5000))
    assert momenta.dtype == torch.float64
    total = momenta.sum(dim=1)
    torch.testing.assert_close(total[:, 0], energies(sqrt_s, 5000), rtol=1e-13, atol=0)
    assert total[:, 1:].abs().max() < 1e-12 * sqrt_s
    squares = torch.tensor(masses, dtype=torch.float64).square()
    assert (minkowski_square(momenta) - squares).abs().max() < 1e-14 * sqrt_s**2


@pytest.mark.parametrize(("masses", "sqrt_s"), SHAPES)
def test_round_trip(masses, sqrt_s, torch_rng):
    rambo = Rambo(masses)
    numbers, sqrt_s = points(rambo, 20_000, torch_rng), energies(sqrt_s, 20_000)
    momenta, log_jacobian = rambo.forward(numbers, sqrt_s)
    back, log_inverse = rambo.inverse(momenta, sqrt_s)
    torch.testing.assert_close(back, numbers, rtol=0, atol=1e-9)
    torch.testing.assert_close(log_inverse, -log_jacobian, rtol=0, atol=1e-9)
    again, _ = rambo.forward(back, sqrt_s)
    torch.testing.assert_close(again, momenta, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("release", [1e-8, 1e-6, 1e-3, 1.0])
@pytest.mark.parametrize("masses", [TTH, (*TTH, 0.0), (125.0, 173.0)])
def test_round_trip_near_threshold(masses, release, torch_rng):
    rambo = Rambo(masses)
    numbers, sqrt_s = points(rambo, 5000, torch_rng), energies(math.fsum(masses) + release, 5000)
    momenta, log_jacobian = rambo.forward(numbers, sqrt_s)
    back, log_inverse = rambo.inverse(momenta, sqrt_s)
    torch.testing.assert_close(back, numbers, rtol=0, atol=1e-9)
    torch.testing.assert_close(log_inverse, -log_jacobian, rtol=0, atol=1e-9)
    assert log_jacobian.isfinite().all()


def test_corners_of_the_cube_are_finite():
    for masses, sqrt_s in SHAPES:
        rambo = Rambo(masses)
        axes = [torch.tensor([0.0, 0.5, 1.0], dtype=torch.float64)] * min(rambo.dimensions, 8)
        numbers = torch.cartesian_prod(*axes)
        numbers = torch.cat([numbers, numbers[:, :1].expand(-1, rambo.dimensions - len(axes))], dim=1)
        momenta, log_jacobian = rambo.forward(numbers, energies(sqrt_s, len(numbers)))
        assert momenta.isfinite().all()
        assert log_jacobian.isfinite().all()
        back, log_inverse = rambo.inverse(momenta, energies(sqrt_s, len(numbers)))
        assert back.isfinite().all()
        assert ((back >= 0) & (back <= 1)).all()
        assert not log_inverse.isnan().any()


@pytest.mark.parametrize(
    ("masses", "volume"), [(TTH, 25.64131), ((*TTH, 0.0), 4853.716)], ids=["three massive", "three massive, one not"]
)
def test_volume_of_massive_phase_space(masses, volume, torch_rng):
    # References: nested numerical integration of two-body factors.
    rambo = Rambo(masses)
    _, log_jacobian = rambo.forward(points(rambo, 400_000, torch_rng), energies(800.0, 400_000))
    weights = log_jacobian.exp()
    error = float(weights.std()) / math.sqrt(len(weights))
    assert error < 1e-3 * volume
    assert abs(float(weights.mean()) - volume) < 4 * error
    assert float(weights.std() / weights.mean()) == pytest.approx(0.33, abs=0.01)


@pytest.mark.parametrize("particles", [2, 3, 4, 5, 8])
def test_massless_phase_space_is_flat(particles, torch_rng):
    rambo = Rambo((0.0,) * particles)
    _, log_jacobian = rambo.forward(points(rambo, 10_000, torch_rng), energies(800.0, 10_000))
    expected = massless_volume(particles, energies(800.0, 1)).log()
    assert (log_jacobian - expected).abs().max() < 1e-12 * max(1.0, abs(float(expected)))


def test_massless_volume_of_four_particles():
    assert float(massless_volume(4, energies(800.0, 1))) == pytest.approx(54462.7273842230, rel=1e-14)


def test_massive_volume_of_two_is_the_closed_form(torch_rng):
    rambo = Rambo((5.0, 3.0))
    _, log_jacobian = rambo.forward(points(rambo, 10, torch_rng), energies(10.0, 10))
    kallen = (100.0 - 64.0) * (100.0 - 4.0)
    torch.testing.assert_close(log_jacobian.exp(), energies(math.sqrt(kallen) / (8 * math.pi * 100), 10))


def test_dalitz_plot_of_massless_phase_space_is_flat(torch_rng):
    # Three massless bodies: (m12², m23²) fills the triangle m12² + m23² < s uniformly.
    count, cells = 200_000, 8
    rambo = Rambo((0.0, 0.0, 0.0))
    momenta, _ = rambo.forward(points(rambo, count, torch_rng), energies(100.0, count))
    first = (invariant_mass(momenta[:, [0, 1]]) / 100.0).square()
    second = (invariant_mass(momenta[:, [1, 2]]) / 100.0).square()
    # Equal areas: 1 − (1 − a)² is uniform, and b/(1 − a) is uniform for each a.
    columns = (cells * (1 - (1 - first).square())).long()
    rows = (cells * second / (1 - first)).long().clamp(max=cells - 1)
    counts = torch.bincount(columns * cells + rows, minlength=cells**2).double()
    expected = count / cells**2
    chi_square = float(((counts - expected).square() / expected).sum())
    freedom = cells**2 - 1
    assert abs(chi_square - freedom) < 4 * math.sqrt(2 * freedom)


def test_dalitz_plot_of_massive_phase_space_has_weights_that_make_it_flat(torch_rng):
    # The weighted density in (m12², m23²) is constant inside the boundary: compare cells well inside.
    rambo, count = Rambo(TTH), 400_000
    momenta, log_jacobian = rambo.forward(points(rambo, count, torch_rng), energies(800.0, count))
    first = invariant_mass(momenta[:, [0, 1]]).square()
    second = invariant_mass(momenta[:, [1, 2]]).square()
    weights = log_jacobian.exp()
    sums, errors = [], []
    for low_1, low_2 in [(200e3, 200e3), (250e3, 200e3), (200e3, 250e3), (250e3, 250e3)]:
        inside = (first > low_1) & (first < low_1 + 40e3) & (second > low_2) & (second < low_2 + 40e3)
        sums.append(float(weights[inside].sum()))
        errors.append(float(weights[inside].square().sum().sqrt()))
    # Φ₃ = ∫ dm12² dm23² / (128 π³ s) in the normalisation with (2π)^(4−3n): the height is known as well.
    height = 40e3**2 / (128 * math.pi**3 * 800.0**2) * count
    for value, error in zip(sums, errors, strict=True):
        assert error < 0.02 * height
        assert abs(value - height) < 4 * error


@pytest.mark.parametrize("exponent", [1, 2, 3, 5, 12])
def test_mass_ratio_solves_the_polynomial(exponent):
    edge = torch.logspace(-15, -0.31, 500, dtype=torch.float64)
    numbers = torch.cat([edge, 1.0 - edge])
    squared = mass_ratio(numbers, exponent).square()
    solved = squared**exponent * (exponent + 1 - exponent * squared)
    torch.testing.assert_close(solved, numbers, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("exponent", [1, 2, 3, 7])
def test_mass_ratio_gradients(exponent, torch_rng):
    numbers = 0.02 + 0.96 * torch.rand(20, generator=torch_rng, dtype=torch.float64)
    numbers.requires_grad_()
    assert torch.autograd.gradcheck(lambda v: mass_ratio(v, exponent), (numbers,))
    assert torch.autograd.gradgradcheck(lambda v: mass_ratio(v, exponent), (numbers,))


@pytest.mark.parametrize(("masses", "sqrt_s"), [*SHAPES, ((0.1, 0.2, 0.3), 0.601)])
def test_log_jacobian_against_autograd(masses, sqrt_s, torch_rng):
    """Compare with the determinant of (numbers, total energy and momentum of the system) -> all three-momenta.

    dΦ_n δ⁴(P − Σp) d⁴P = (2π)^(4−3n) Π d³p/2E, so with P as four further coordinates
    |dΦ_n/du| = (2π)^(4−3n) |∂(p_1 … p_n)/∂(u, P)| / Π 2E.
    """
    rambo = Rambo(masses)
    particles = len(masses)

    def laboratory(coordinates):
        numbers, energy, three = coordinates[:-4], coordinates[-4], coordinates[-3:]
        total_mass = (energy**2 - three.square().sum()).sqrt()
        momenta, _ = rambo.forward(numbers[None], total_mass[None])
        rest = momenta[0]
        along = rest[:, 1:] @ three
        moved = rest[:, 1:] + three * ((along / (energy + total_mass) + rest[:, 0]) / total_mass)[:, None]
        return moved.reshape(-1)

    for numbers in points(rambo, 5, torch_rng):
        total = torch.tensor([sqrt_s * 1.05, 0.1 * sqrt_s, 0.2 * sqrt_s, -0.15 * sqrt_s], dtype=torch.float64)
        total[0] = (sqrt_s**2 + total[1:].square().sum()).sqrt()
        coordinates = torch.cat([numbers, total])
        jacobian = torch.autograd.functional.jacobian(laboratory, coordinates)
        three = laboratory(coordinates).reshape(-1, 3)
        energy = (three.square().sum(dim=1) + torch.tensor(masses, dtype=torch.float64).square()).sqrt()
        expected = torch.linalg.slogdet(jacobian).logabsdet - torch.log(2 * energy).sum()
        expected = expected + (4 - 3 * particles) * math.log(2 * math.pi)
        _, log_jacobian = rambo.forward(numbers[None], energies(sqrt_s, 1))
        assert float(log_jacobian[0]) == pytest.approx(float(expected), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(("masses", "sqrt_s"), [(TTH, 800.0), ((*TTH, 0.0), 800.0)])
def test_differentiable_in_both_directions(masses, sqrt_s, torch_rng):
    rambo = Rambo(masses)
    numbers = 0.05 + 0.9 * points(rambo, 3, torch_rng)
    sqrt_s = energies(sqrt_s, 3)
    momenta, _ = rambo.forward(numbers, sqrt_s)
    assert torch.autograd.gradcheck(rambo.forward, (numbers.requires_grad_(), sqrt_s.requires_grad_()))
    # The inverse undoes the forward map also in its derivative: d(inverse ∘ forward)/du is the unit matrix.
    unit = torch.autograd.functional.jacobian(
        lambda u: rambo.inverse(*(rambo.forward(u[None], sqrt_s[:1])[0], sqrt_s[:1]))[0][0], numbers[0].detach()
    )
    torch.testing.assert_close(unit, torch.eye(rambo.dimensions, dtype=torch.float64), rtol=0, atol=1e-9)
    assert torch.autograd.gradcheck(rambo.inverse, (momenta.detach().requires_grad_(), sqrt_s))


def test_gradient_exists_for_functional_transforms(torch_rng):
    rambo = Rambo((*TTH, 0.0))
    numbers = points(rambo, 4, torch_rng)
    jacobian = torch.func.vmap(torch.func.jacrev(lambda u: rambo.forward(u[None], energies(800.0, 1))[0][0]))(numbers)
    assert jacobian.shape == (4, 4, 4, rambo.dimensions)
    assert jacobian.isfinite().all()


def test_masses_of_systems_are_what_the_numbers_say(torch_rng):
    # Independent of the inverse: K_2/K_1 = √y with v = 2y − y² for three particles.
    rambo = Rambo(TTH)
    numbers = points(rambo, 1000, torch_rng)
    momenta, _ = rambo.forward(numbers, energies(800.0, 1000))
    kinetic = mass(momenta[:, 1:].sum(dim=1)) - 346.0
    squared = (kinetic / (800.0 - 471.0)).square()
    torch.testing.assert_close(squared * (2 - squared), numbers[:, 0], rtol=1e-10, atol=1e-10)


def test_single_precision_stays_in_single_precision(torch_rng):
    rambo = Rambo(TTH)
    numbers = points(rambo, 100, torch_rng)
    momenta, log_jacobian = rambo.forward(numbers.float(), energies(800.0, 100).float())
    exact, exact_jacobian = rambo.forward(numbers, energies(800.0, 100))
    assert momenta.dtype == torch.float32
    torch.testing.assert_close(momenta.double(), exact, rtol=1e-3, atol=1e-2)
    torch.testing.assert_close(log_jacobian.double(), exact_jacobian, rtol=1e-3, atol=1e-3)


def test_energy_at_and_below_the_threshold(torch_rng):
    # The map of (x1, x2) can end up at the threshold, or below it by rounding.
    rambo = Rambo(TTH)
    numbers = points(rambo, 100, torch_rng)
    for threshold in (471.0, 471.0 * (1 - 1e-15)):
        momenta, log_jacobian = rambo.forward(numbers, energies(threshold, 100))
        assert momenta.isfinite().all()
        assert log_jacobian.isfinite().all()
        torch.testing.assert_close(rambo.inverse(momenta, energies(threshold, 100))[0], numbers, rtol=0, atol=1e-9)
    for wrong in (470.9, math.nan):
        with pytest.raises(ProcessError, match=r"471.0 GeV"):
            rambo.forward(numbers, energies(wrong, 100))
        with pytest.raises(ProcessError, match=r"471.0 GeV"):
            rambo.inverse(momenta, energies(wrong, 100))


@pytest.mark.parametrize("masses", [(), (125.0,), (125.0, -1.0), (125.0, math.nan), (125.0, math.inf)])
def test_impossible_masses(masses):
    with pytest.raises(ProcessError, match=r"particles|masses"):
        Rambo(masses)


def test_fast_enough(torch_rng):
    # A bound that only a loop over points would break (measured: 0.07 s on one core).
    rambo = Rambo(TTH)
    numbers = points(rambo, 100_000, torch_rng)
    start = time.process_time()
    rambo.forward(numbers, energies(800.0, 100_000))
    assert time.process_time() - start < 2.0

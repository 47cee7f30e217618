"""The phase space of H t q: one to one, its volume, its symmetry, and how well a VEGAS grid follows it."""

import math

import pytest
import torch

from partonic.errors import ProcessError
from partonic.generation.unweight import UnweightingTally, choose_maximum_weight
from partonic.generation.vegas import VegasSampler
from partonic.physics.fourvector import mass
from partonic.physics.phasespace.decayed_tops import ProductionCube
from partonic.physics.phasespace.unit_cube import RamboCube, UnitCube
from partonic.physics.process import PartonEvents
from partonic.processes.thq import definition
from partonic.processes.thq.cube import SingleTopHiggsCube

CUBE = SingleTopHiggsCube(125.0, 172.5, 13_000.0)
RAMBO = RamboCube((125.0, 172.5, 0.0), 13_000.0)


@pytest.fixture
def numbers(torch_rng):
    return torch.rand(5000, 7, generator=torch_rng, dtype=torch.float64) * 0.98 + 0.01


def test_forward_and_inverse_undo_each_other(numbers):
    assert isinstance(CUBE, UnitCube)
    events, log_volume = CUBE.forward(numbers)
    again, log_inverse = CUBE.inverse(events)
    torch.testing.assert_close(again, numbers, rtol=0.0, atol=1e-8)
    torch.testing.assert_close(log_inverse, -log_volume, rtol=0.0, atol=1e-7)


def test_momenta_are_on_shell_and_balanced(numbers):
    events, _ = CUBE.forward(numbers)
    scale = events.momenta[..., 0].amax(dim=1, keepdim=True).square()
    squares = events.momenta[..., 0].square() - events.momenta[..., 1:].square().sum(dim=-1)
    assert ((squares - torch.tensor([125.0, 172.5, 0.0]).square()).abs() / scale).max() < 1e-12
    total = events.momenta.sum(dim=1)
    assert float(total[:, 1:3].abs().max()) < 1e-9
    for x, sign in ((events.x1, 1.0), (events.x2, -1.0)):
        torch.testing.assert_close(total[:, 0] + sign * total[:, 3], x * 13_000.0, rtol=1e-10, atol=1e-7)
        assert bool((x > 0).all() and (x <= 1.0).all())


def test_all_of_phase_space_is_covered(numbers):
    """Points of another map have numbers in the unit cube, and come back."""
    events, _ = RAMBO.forward(numbers)
    own, _ = CUBE.inverse(events)
    assert bool(((own > 0.0) & (own < 1.0)).all())
    again, _ = CUBE.forward(own)
    torch.testing.assert_close(again.momenta, events.momenta, rtol=1e-6, atol=1e-4)


def test_jacobian_is_the_derivative(torch_rng):
    """Determinant of finite changes: numbers → numbers of RAMBO, whose own Jacobian is tested elsewhere."""
    points = torch.rand(20, 7, generator=torch_rng, dtype=torch.float64) * 0.8 + 0.1

    def of(u):
        return RAMBO.inverse(CUBE.forward(u[None])[0])[0][0]

    for point in points:
        determinant = torch.linalg.det(torch.autograd.functional.jacobian(of, point)).abs()
        events, log_volume = CUBE.forward(point[None])
        _, log_rambo = RAMBO.inverse(events)
        assert float(determinant) == pytest.approx(float((log_volume + log_rambo).exp()), rel=1e-6)


def test_integrals_agree_with_rambo(torch_rng):
    points = torch.rand(100_000, 7, generator=torch_rng, dtype=torch.float64)

    def integral(cube):
        events, log_volume = cube.forward(points)
        pt_square = events.momenta[:, 2, 1:3].square().sum(dim=-1)
        shape = (events.x1 * events.x2).pow(-1.0) / (pt_square + 1e4) * (2.0 + torch.tanh(events.momenta[:, 1, 3]))
        values = shape * log_volume.exp()
        return float(values.mean()), float(values.std()) / math.sqrt(len(values))

    (own, own_error), (other, other_error) = integral(CUBE), integral(RAMBO)
    error = math.hypot(own_error, other_error)
    assert error < 0.03 * other
    assert abs(own - other) < 4.0 * error


def test_mirror_images_have_mirrored_numbers(numbers):
    """A rotation by π about the y axis exchanges the beams; only the numbers of y_q and of the azimuth change."""
    events, _ = CUBE.forward(numbers)
    turned = PartonEvents(events.momenta * torch.tensor([1.0, -1.0, 1.0, -1.0]), events.x2, events.x1)
    mirrored, _ = CUBE.inverse(turned)
    expected = numbers.clone()
    expected[:, 2] = torch.remainder(0.5 - numbers[:, 2], 1.0)
    expected[:, 4] = 1.0 - numbers[:, 4]
    torch.testing.assert_close(mirrored, expected, rtol=0.0, atol=1e-8)


def test_turns_about_the_beam_change_one_number(numbers):
    turned = numbers.clone()
    turned[:, 2] = torch.remainder(turned[:, 2] + 0.3, 1.0)
    first, second = CUBE.forward(numbers)[0], CUBE.forward(turned)[0]
    torch.testing.assert_close(first.momenta[..., [0, 3]], second.momenta[..., [0, 3]], rtol=1e-9, atol=1e-6)
    torch.testing.assert_close(mass(first.momenta[:, :2].sum(dim=1)), mass(second.momenta[:, :2].sum(dim=1)))


def test_top_masses_can_vary(numbers):
    assert isinstance(CUBE, ProductionCube)
    masses = 172.5 + 10.0 * (numbers[:, 0] - 0.5)
    events, log_volume = CUBE.forward_with_masses(numbers, masses[:, None])
    torch.testing.assert_close(mass(events.momenta[:, 1]), masses, rtol=1e-7, atol=1e-6)
    again, log_inverse = CUBE.inverse_with_masses(events, masses[:, None])
    torch.testing.assert_close(again, numbers, rtol=0.0, atol=1e-8)
    torch.testing.assert_close(log_inverse, -log_volume, rtol=0.0, atol=1e-7)


@pytest.mark.parametrize("masses", [(125.0, 0.0), (-1.0, 172.5), (7_000.0, 6_000.0)])
def test_impossible_masses_are_refused(masses):
    with pytest.raises(ProcessError, match="positive masses"):
        SingleTopHiggsCube(*masses, 13_000.0)


@pytest.mark.slow
def test_vegas_alone_unweights_five_percent():
    generator = torch.Generator().manual_seed(3)
    process = definition.build(definition.settings())
    standard = torch.tensor([1.0, 1.0, 0.0, 1.0, 0.0, 0.0], dtype=torch.float64)
    grid = VegasSampler.uniform(7, 64)

    def weights(points):
        numbers, log_density = grid.sample(points, generator)
        events, log_volume = process.from_unit_cube(numbers)
        return numbers, (process.coefficients(events) @ standard) * (log_volume - log_density).exp()

    for _ in range(10):
        grid = grid.adapted(*weights(30_000), damping=0.7)
    _, values = weights(100_000)
    maximum = choose_maximum_weight(values, 1e-3)
    tally = UnweightingTally.of(weights(100_000)[1], maximum, events=0)
    assert tally.efficiency > 0.05
    assert tally.overweight_fraction < 2e-3

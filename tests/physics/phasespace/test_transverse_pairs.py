"""The phase space of two pairs: one to one, on shell, and with the volume that RAMBO gives."""

import math

import pytest
import torch

from partonic.errors import ProcessError
from partonic.physics.fourvector import mass
from partonic.physics.phasespace.transverse_pairs import TransversePairs
from partonic.physics.phasespace.unit_cube import RamboCube, UnitCube

TOP, BOTTOM, ENERGY = 172.5, 4.7, 13_000.0
MASSES = (TOP, TOP, BOTTOM, BOTTOM)


@pytest.fixture
def cube():
    return TransversePairs(TOP, BOTTOM, ENERGY)


def test_is_a_map_of_ten_numbers(cube):
    assert isinstance(cube, UnitCube)
    assert cube.dimensions == RamboCube(MASSES, ENERGY).dimensions == 10


def test_events_are_on_shell_and_conserve_momentum(cube, torch_rng):
    events, log_jacobian = cube.forward(torch.rand(5000, 10, generator=torch_rng, dtype=torch.float64))
    total = events.momenta.sum(dim=1)
    expected = torch.stack([events.x1 + events.x2, events.x1 - events.x2], dim=1) * ENERGY / 2
    torch.testing.assert_close(total[:, [0, 3]], expected, rtol=1e-12, atol=1e-9)
    assert total[:, 1:3].abs().max() < 1e-10
    squares = mass(events.momenta) / torch.tensor(MASSES, dtype=torch.float64)
    assert (squares - 1).abs()[events.momenta[:, :, 0] < 500].max() < 1e-7
    assert bool(((events.x1 > 0) & (events.x1 <= 1) & (events.x2 > 0) & (events.x2 <= 1)).all())
    assert bool(log_jacobian.isfinite().all())


def test_round_trip(cube, torch_rng):
    numbers = 0.02 + 0.96 * torch.rand(5000, 10, generator=torch_rng, dtype=torch.float64)
    events, log_jacobian = cube.forward(numbers)
    back, log_inverse = cube.inverse(events)
    torch.testing.assert_close(back, numbers, rtol=0, atol=1e-6)
    torch.testing.assert_close(log_inverse, -log_jacobian, rtol=0, atol=1e-6)


def test_reaches_every_event_of_rambo(cube, torch_rng):
    rambo = RamboCube(MASSES, ENERGY)
    events, _ = rambo.forward(torch.rand(5000, 10, generator=torch_rng, dtype=torch.float64))
    numbers, log_inverse = cube.inverse(events)
    assert bool(((numbers >= 0) & (numbers <= 1)).all())
    back, log_jacobian = cube.forward(numbers)
    torch.testing.assert_close(back.momenta, events.momenta, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(log_jacobian, -log_inverse, rtol=0, atol=1e-6)


def test_edges_of_the_cube_are_inside(cube):
    corners = torch.tensor([[float(number >> bit & 1) for bit in range(10)] for number in range(1024)])
    events, log_jacobian = cube.forward(corners.to(torch.float64))
    assert bool(events.momenta.isfinite().all() & log_jacobian.isfinite().all())


def test_same_integral_as_with_rambo(cube, torch_rng):
    """∫ dΦ₄ dx₁ dx₂ of a function that is large where the light pair has little momentum."""
    values = []
    for one in (cube, RamboCube(MASSES, ENERGY)):
        events, log_jacobian = one.forward(torch.rand(200_000, 10, generator=torch_rng, dtype=torch.float64))
        transverse = events.momenta[:, :, 1:3].square().sum(dim=-1)
        energy = (events.x1 * events.x2).sqrt() * ENERGY
        exponent = -(((energy - 700.0) / 200.0) ** 2) - transverse.sum(dim=1) / 300.0**2
        weights = exponent.exp() / (events.x1 * events.x2) * log_jacobian.exp()
        values.append((float(weights.mean()), float(weights.std()) / math.sqrt(len(weights))))
    (first, error_1), (second, error_2) = values
    assert abs(first - second) < 5 * math.hypot(error_1, error_2)
    assert math.hypot(error_1, error_2) < 0.1 * second


def test_rotation_about_the_beam_shifts_one_number(cube, torch_rng):
    numbers = torch.rand(100, 10, generator=torch_rng, dtype=torch.float64)
    turned = numbers.clone()
    turned[:, 1] = torch.remainder(turned[:, 1] + 0.37, 1.0)
    first, second = cube.forward(numbers)[0].momenta, cube.forward(turned)[0].momenta
    angle = 2 * math.pi * 0.37
    rotated = math.cos(angle) * first[..., 1] - math.sin(angle) * first[..., 2]
    torch.testing.assert_close(second[..., 1], rotated, rtol=0, atol=1e-7)
    torch.testing.assert_close(second[..., [0, 3]], first[..., [0, 3]], rtol=0, atol=1e-7)


@pytest.mark.parametrize(
    ("masses", "energy"), [((0.0, 4.7), 13_000.0), ((172.5, -1.0), 13_000.0), ((172.5, 4.7), 350.0)]
)
def test_masses_that_do_not_fit(masses, energy):
    with pytest.raises(ProcessError, match=rf"two pairs need positive masses .*{masses[0]}, {masses[1]} and {energy}"):
        TransversePairs(*masses, energy)

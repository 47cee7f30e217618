"""The unit cube of n partons: there and back, its Jacobian and volume, rotations of events acting on the numbers."""

import math

import pytest
import torch

from partonic.errors import ProcessError
from partonic.physics.phasespace import MassRapidity, PartonCube
from partonic.physics.phasespace.rambo import massless_volume

CUBES = {
    "tth": PartonCube((125.0, 172.5, 172.5), 13_000.0),
    "ttbb": PartonCube((172.5, 172.5, 0.0, 0.0), 13_000.0),
    "two": PartonCube((172.5, 172.5), 13_000.0),
}


@pytest.fixture(params=CUBES)
def cube(request: pytest.FixtureRequest) -> PartonCube:
    return CUBES[request.param]


def random_numbers(cube: PartonCube, events: int, generator: torch.Generator) -> torch.Tensor:
    return torch.rand((events, cube.dimensions), generator=generator, dtype=torch.float64) * 0.98 + 0.01


def test_numbers_by_kind() -> None:
    assert CUBES["ttbb"].dimensions == 10
    assert CUBES["ttbb"].polar_numbers == (4, 6, 8)
    assert CUBES["ttbb"].azimuth_numbers == (5, 7, 9)
    assert CUBES["two"].azimuth_numbers == (3,)


def test_numbers_and_partons_undo_each_other(cube: PartonCube, torch_rng: torch.Generator) -> None:
    numbers = random_numbers(cube, 300, torch_rng)
    events, log_volume = cube.partons(numbers)
    again, log_inverse = cube.numbers(events)
    torch.testing.assert_close(again, numbers, rtol=0.0, atol=1e-8)
    torch.testing.assert_close(log_inverse, -log_volume, rtol=0.0, atol=1e-7)


def test_partons_are_on_shell_and_balanced(cube: PartonCube, torch_rng: torch.Generator) -> None:
    events, _ = cube.partons(random_numbers(cube, 300, torch_rng))
    squares = events.momenta[..., 0].square() - events.momenta[..., 1:].square().sum(-1)
    masses = torch.tensor(cube.masses, dtype=torch.float64)
    assert float((squares - masses.square()).abs().max()) < 1e-9 * float(events.momenta[..., 0].square().max())
    total = events.momenta.sum(dim=1)
    assert float(total[:, 1:3].abs().max()) < 1e-8
    torch.testing.assert_close(total[:, 0] + total[:, 3], events.x1 * cube.collider_energy, rtol=1e-10, atol=1e-8)


def test_volume_is_that_of_massless_phase_space(torch_rng: torch.Generator) -> None:
    """∫ dΦ_3 dx1 dx2 of light partons, against ∫ V_3(ŝ) dx1 dx2 with the closed volume and the same (x1, x2)."""
    cube = PartonCube((1.0, 1.0, 1.0), 13_000.0)
    points = torch.rand((40_000, cube.dimensions), generator=torch_rng, dtype=torch.float64)
    volume = cube.partons(points)[1].exp()
    x1, x2, log_fractions = MassRapidity(3.0, 13_000.0).forward(points[:, :2])
    exact = massless_volume(3, (x1 * x2).sqrt() * 13_000.0) * log_fractions.exp()
    error = float((volume - exact).std()) / math.sqrt(len(points))
    assert error < 1e-3 * float(exact.mean())
    assert abs(float((volume - exact).mean())) < 4.0 * error + 1e-3 * float(exact.mean())


@pytest.mark.parametrize("angle", [0.7, -2.9])
def test_turning_about_the_beam(cube: PartonCube, angle: float, torch_rng: torch.Generator) -> None:
    numbers = random_numbers(cube, 200, torch_rng)
    turns = torch.full((200,), angle / (2.0 * math.pi), dtype=torch.float64)
    before, after = cube.partons(numbers)[0], cube.partons(cube.turned(numbers, turns))[0]
    energy, px, py, pz = before.momenta.unbind(-1)
    cosine, sine = math.cos(angle), math.sin(angle)
    expected = torch.stack([energy, cosine * px - sine * py, sine * px + cosine * py, pz], dim=-1)
    torch.testing.assert_close(after.momenta, expected, rtol=1e-8, atol=1e-6)
    assert torch.equal(after.x1, before.x1)


def test_mirroring_exchanges_the_beams(cube: PartonCube, torch_rng: torch.Generator) -> None:
    numbers = random_numbers(cube, 200, torch_rng)
    where = torch.arange(200) % 2 == 0
    before, log_before = cube.partons(numbers)
    after, log_after = cube.partons(cube.mirrored(numbers, where))
    signs = torch.where(where[:, None], torch.tensor([1.0, 1.0, -1.0, -1.0]), torch.ones(4)).double()
    torch.testing.assert_close(after.momenta, before.momenta * signs[:, None], rtol=1e-8, atol=1e-6)
    torch.testing.assert_close(after.x1, torch.where(where, before.x2, before.x1), rtol=1e-10, atol=0.0)
    torch.testing.assert_close(log_after, log_before, rtol=0.0, atol=1e-9)


@pytest.mark.parametrize("masses", [(0.0, 0.0), (7000.0, 6000.0)])
def test_masses_without_phase_space_are_refused(masses: tuple[float, ...]) -> None:
    with pytest.raises(ProcessError, match="a sum between 0 and the collider energy 13000"):
        PartonCube(masses, 13_000.0)


def test_one_parton_is_refused() -> None:
    with pytest.raises(ProcessError, match="at least two particles"):
        PartonCube((172.5,), 13_000.0)

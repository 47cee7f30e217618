"""The maps of H t q with the b in the second beam: one to one, and of the right volume."""

import pytest
import torch

from partonic.physics.phasespace.unit_cube import RamboCube, UnitCube
from partonic.processes.thq.beam_cube import BottomBehindCube

RAMBO = RamboCube((125.0, 172.5, 0.0), 13_000.0)


@pytest.fixture(params=[(0.05, 150.0), (0.9, 250.0)], ids=["H from W", "H from top"])
def cube(request: pytest.FixtureRequest) -> BottomBehindCube:
    flat, scale = request.param
    return BottomBehindCube(125.0, 172.5, 13_000.0, flat=flat, mass_scale=scale)


def test_forward_and_inverse_undo_each_other(cube: BottomBehindCube, torch_rng: torch.Generator) -> None:
    assert isinstance(cube, UnitCube)
    numbers = torch.rand((3000, 7), generator=torch_rng, dtype=torch.float64) * 0.98 + 0.01
    events, log_volume = cube.forward(numbers)
    again, log_inverse = cube.inverse(events)
    torch.testing.assert_close(again, numbers, rtol=0.0, atol=1e-7)
    torch.testing.assert_close(log_inverse, -log_volume, rtol=0.0, atol=1e-6)


def test_all_of_phase_space_is_covered(cube: BottomBehindCube, torch_rng: torch.Generator) -> None:
    numbers = torch.rand((3000, 7), generator=torch_rng, dtype=torch.float64) * 0.98 + 0.01
    own, _ = cube.inverse(RAMBO.forward(numbers)[0])
    assert bool(((own > 0.0) & (own < 1.0)).all())


def test_jacobian_is_the_derivative(cube: BottomBehindCube, torch_rng: torch.Generator) -> None:
    """Numbers → numbers of RAMBO, whose own Jacobian is tested elsewhere."""
    points = torch.rand((20, 7), generator=torch_rng, dtype=torch.float64) * 0.8 + 0.1
    step = 1e-6
    columns = []
    for index in range(7):
        shift = torch.zeros(7, dtype=torch.float64)
        shift[index] = step
        ahead, behind = (RAMBO.inverse(cube.forward(points + sign * shift)[0])[0] for sign in (1, -1))
        columns.append(((ahead - behind + 0.5).remainder(1.0) - 0.5) / (2.0 * step))
    determinant = torch.linalg.det(torch.stack(columns, dim=2)).abs()
    events, log_jacobian = cube.forward(points)
    expected = (log_jacobian + RAMBO.inverse(events)[1]).exp()
    torch.testing.assert_close(determinant, expected, rtol=1e-4, atol=0.0)

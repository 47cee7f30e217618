"""The map to a particle and the products of a resonance: inverses, Jacobian, volume, axes."""

import math

import pytest
import torch

from partonic.errors import ProcessError
from partonic.physics.fourvector import invariant_mass, minkowski_square
from partonic.physics.phasespace.associated_resonance import AssociatedResonance, flight_axes
from partonic.physics.phasespace.breit_wigner import BreitWigner
from partonic.physics.phasespace.unit_cube import RamboCube, UnitCube

ENERGY = 13600.0
CUBE = AssociatedResonance(125.0, BreitWigner(80.4, 2.1), (1.0, 300.0), ENERGY)


@pytest.fixture
def numbers(torch_rng):
    return torch.rand(20_000, 7, generator=torch_rng, dtype=torch.float64)


def test_round_trip(numbers):
    assert isinstance(CUBE, UnitCube)
    events, log_jacobian = CUBE.forward(numbers)
    back, log_inverse = CUBE.inverse(events)
    assert (back - numbers).abs().max() < 1e-9
    assert (log_inverse + log_jacobian).abs().max() < 1e-7


def test_momenta_are_physical(numbers):
    events, _ = CUBE.forward(numbers)
    total = events.momenta.sum(dim=1)
    expected = torch.stack([events.x1 + events.x2, events.x1 - events.x2], dim=-1) * ENERGY / 2
    torch.testing.assert_close(total[:, [0, 3]], expected, rtol=1e-12, atol=1e-8)
    assert total[:, 1:3].abs().max() < 1e-9
    off_shell = minkowski_square(events.momenta) - events.momenta.new_tensor([125.0, 0.0, 0.0]).square()
    assert (off_shell.abs() / events.momenta[..., 0].square().amax(dim=1, keepdim=True)).max() < 1e-13
    pair = invariant_mass(events.momenta[:, 1:])
    assert ((pair > 1.0 - 1e-6) & (pair < 300.0 + 1e-6)).all()
    assert ((events.x1 <= 1.0) & (events.x2 <= 1.0)).all()


def test_jacobian_against_autograd(torch_rng):
    """d(k², x₁, x₂, cos θ*, φ*, cos θ₁, φ₁)/du by differentiation, times the volumes of the two decays."""
    numbers = torch.rand(20, 7, generator=torch_rng, dtype=torch.float64)
    _, log_jacobian = CUBE.forward(numbers)

    def invariants(u):
        events, _ = CUBE.forward(u[None])
        back, _ = CUBE.inverse(events)
        angles = back[0, 3:] * torch.tensor([2.0, 2.0 * math.pi, 2.0, 2.0 * math.pi], dtype=torch.float64)
        square = minkowski_square(events.momenta[:, 1:].sum(dim=1))
        return torch.cat([square, events.x1, events.x2, angles])

    for u, expected in zip(numbers, log_jacobian, strict=True):
        matrix = torch.autograd.functional.jacobian(invariants, u)
        k_square, x1, x2 = invariants(u)[:3]
        s = x1 * x2 * ENERGY**2
        k = k_square.sqrt()
        momentum = ((s - (125.0 + k) ** 2) * (s - (125.0 - k) ** 2)).sqrt() / (2.0 * s.sqrt())
        # dΦ₂ = |p|/(16π² √s) dΩ, and 1/(32π²) dΩ for massless products
        volume = momentum / (16.0 * math.pi**2 * s.sqrt()) / (32.0 * math.pi**2) / (2.0 * math.pi)
        torch.testing.assert_close(matrix.det().abs().log() + volume.log(), expected, rtol=0, atol=1e-6)


def test_volume_against_rambo(torch_rng):
    """The same integral from a map that knows nothing of resonances."""
    broad = BreitWigner(90.0, 40.0)
    cube = AssociatedResonance(125.0, broad, (20.0, 500.0), ENERGY)

    def integral(map_):
        numbers = torch.rand(200_000, 7, generator=torch_rng, dtype=torch.float64)
        events, log_jacobian = map_.forward(numbers)
        pair = events.momenta[:, 1:].sum(dim=1)
        square = minkowski_square(pair)
        inside = (square > 20.0**2) & (square < 500.0**2)
        s = events.x1 * events.x2 * ENERGY**2
        resonance = 1.0 / ((square - 90.0**2).square() + (90.0 * 40.0) ** 2)
        shape = 1.0 + pair[:, 1].square() / pair[:, 0].square() + (events.momenta[:, 1, 0] / pair[:, 0]).square()
        weights = inside * resonance * shape * s.pow(-1.5) * log_jacobian.exp()
        return weights.mean(), weights.std() / math.sqrt(len(weights))

    ours, ours_error = integral(cube)
    rambo, rambo_error = integral(RamboCube((125.0, 0.0, 0.0), ENERGY))
    error = torch.hypot(ours_error, rambo_error)
    assert error < 0.02 * ours
    assert abs(ours - rambo) < 3.5 * error


def test_ends_of_the_cube_are_finite():
    corners = torch.cartesian_prod(*[torch.tensor([0.0, 1.0], dtype=torch.float64)] * 7)
    events, log_jacobian = CUBE.forward(corners)
    assert events.momenta.isfinite().all()
    assert log_jacobian.isfinite().all()


def test_flight_axes(torch_rng):
    direction = torch.nn.functional.normalize(torch.randn(100, 3, generator=torch_rng, dtype=torch.float64), dim=-1)
    direction = torch.cat([direction, torch.tensor([[0.0, 0.0, 1.0], [0.0, 0.0, -1.0]], dtype=torch.float64)])
    axes = flight_axes(direction)
    torch.testing.assert_close(axes @ axes.transpose(1, 2), torch.eye(3, dtype=torch.float64).expand(102, 3, 3))
    torch.testing.assert_close(torch.linalg.det(axes), torch.ones(102, dtype=torch.float64))
    torch.testing.assert_close(axes[:, 2], direction)
    assert (axes[:, 1, 2] == 0.0).all()  # y' is perpendicular to the beam
    assert (axes[:-2, 0, 2] < 0.0).all()


@pytest.mark.parametrize(
    ("mass", "window"),
    [(0.0, (1.0, 2.0)), (125.0, (0.0, 10.0)), (125.0, (20.0, 10.0)), (125.0, (1.0, 13600.0)), (math.nan, (1.0, 2.0))],
)
def test_impossible_windows(mass, window):
    with pytest.raises(ProcessError, match="window"):
        AssociatedResonance(mass, BreitWigner(80.4, 2.1), window, ENERGY)

"""The map of two decaying bosons: one to one, and of the right volume."""

import math

import pytest
import torch

from partonic.errors import ProcessError
from partonic.physics.fourvector import mass
from partonic.physics.phasespace.boson_pair import BosonPairCube, from_flight, to_flight
from partonic.physics.phasespace.breit_wigner import BreitWigner

ENERGY = 500.0
CUBE = BosonPairCube(BreitWigner(80.4, 2.1), BreitWigner(91.2, 2.5), (60.0, 120.0), ENERGY)


@pytest.fixture
def numbers(torch_rng: torch.Generator) -> torch.Tensor:
    return torch.rand(5000, CUBE.dimensions, generator=torch_rng, dtype=torch.float64)


def test_round_trip(numbers: torch.Tensor) -> None:
    events, log_jacobian = CUBE.forward(numbers)
    back, log_inverse = CUBE.inverse(events)
    torch.testing.assert_close(back, numbers, rtol=0, atol=1e-5)
    torch.testing.assert_close(log_inverse, -log_jacobian, rtol=0, atol=1e-5)


def test_momenta_are_massless_balanced_and_within_the_range(numbers: torch.Tensor) -> None:
    events, _ = CUBE.forward(numbers)
    total = events.momenta.sum(dim=1)
    assert (events.momenta[..., 0] - events.momenta[..., 1:].norm(dim=-1)).abs().max() < 1e-9 * ENERGY
    torch.testing.assert_close(total[:, 0], 0.5 * ENERGY * (events.x1 + events.x2), rtol=1e-11, atol=0)
    torch.testing.assert_close(total[:, 3], 0.5 * ENERGY * (events.x1 - events.x2), rtol=0, atol=1e-9)
    assert total[:, 1:3].abs().max() < 1e-9
    pair = mass(events.momenta[:, 2] + events.momenta[:, 3])
    assert ((pair > 60.0 - 1e-6) & (pair < 120.0 + 1e-6)).all()


def test_volume_is_that_of_four_massless_particles(torch_rng: torch.Generator) -> None:
    """∫dΦ₄ at fixed √ŝ over m(34) = ∫ dm²/(2π) Φ₂ [∫ dm'²/(2π) Φ₂ Φ₂(ŝ; m, m')], by nested quadrature."""
    broad = BosonPairCube(BreitWigner(120.0, 120.0), BreitWigner(90.0, 60.0), (60.0, 120.0), ENERGY)
    lower, upper = broad.second_range
    # From the map: ∫ dx1 dx2 dΦ₄ θ(ŝ in a narrow window), divided by ∫ dx1 dx2 in the window.
    numbers = torch.rand(400_000, broad.dimensions, generator=torch_rng, dtype=torch.float64)
    events, log_jacobian = broad.forward(numbers)
    energy = (events.x1 * events.x2).sqrt() * ENERGY
    window = (energy > 290.0) & (energy < 310.0)
    weights = torch.where(window, log_jacobian.exp(), 0.0)
    volume, error = weights.mean(), weights.std() / math.sqrt(len(weights))
    expected = _window(290.0, 310.0, lower, upper)
    assert abs(volume - expected) < 4 * error
    assert error < 0.02 * expected


def _window(low: float, high: float, lower: float, upper: float) -> float:
    """∫ dx1 dx2 Φ₄(ŝ) for √ŝ in the window: with τ = ŝ/S, ∫ dτ ln(1/τ) Φ₄."""
    edges = torch.linspace(low, high, 41, dtype=torch.float64)
    energies = 0.5 * (edges[1:] + edges[:-1])
    tau_width = (edges[1:] ** 2 - edges[:-1] ** 2) / ENERGY**2
    values = torch.stack([_volume(float(e), lower, upper) for e in energies])
    return float((tau_width * torch.log(ENERGY**2 / energies**2) * values).sum())


def _volume(energy: float, lower: float, upper: float) -> torch.Tensor:
    m = torch.linspace(lower, upper, 401, dtype=torch.float64)
    m = 0.5 * (m[1:] + m[:-1])
    other = torch.linspace(0.0, 1.0, 401, dtype=torch.float64)
    fraction = 0.5 * (other[1:] + other[:-1])
    room = energy - m
    k = fraction[None] * room[:, None]
    kallen = (energy**2 - (m[:, None] + k) ** 2) * (energy**2 - (m[:, None] - k) ** 2)
    two_body = kallen.clamp(min=0.0).sqrt() / (8 * math.pi * energy**2)
    inner = (two_body * 2 * k / (2 * math.pi)).mean(dim=1) * room / (8 * math.pi)
    return (inner * 2 * m / (2 * math.pi)).mean() * (upper - lower) / (8 * math.pi)


def test_turning_to_a_flight_direction_and_back(torch_rng: torch.Generator) -> None:
    vectors, flight = torch.randn(2, 50, 3, generator=torch_rng, dtype=torch.float64)
    flight[0] = torch.tensor([0.0, 0.0, -2.0])
    torch.testing.assert_close(to_flight(from_flight(vectors, flight), flight), vectors)
    axis = torch.tensor([[0.0, 0.0, 1.0]], dtype=torch.float64).expand(50, 3)
    torch.testing.assert_close(from_flight(axis, flight), flight / flight.norm(dim=1, keepdim=True))


def test_range_must_begin_above_zero() -> None:
    with pytest.raises(ProcessError, match="begins above 0 GeV"):
        BosonPairCube(BreitWigner(80.4, 2.1), BreitWigner(91.2, 2.5), (0.0, 120.0), ENERGY)

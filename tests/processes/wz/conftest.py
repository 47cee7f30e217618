"""Momenta of q q̄' → W Z for the tests of its amplitudes."""

from collections.abc import Callable

import pytest
import torch

from partonic.physics.phasespace.rambo import Rambo


@pytest.fixture
def scattering(torch_rng: torch.Generator) -> Callable[..., torch.Tensor]:
    """Return momenta of two massless beams and of final particles, filled uniformly: `(N, 2 + n, 4)`, GeV."""

    def sample(masses: tuple[float, ...], energy: float, points: int) -> torch.Tensor:
        rambo = Rambo(masses)
        numbers = torch.rand(points, rambo.dimensions, generator=torch_rng, dtype=torch.float64)
        half = 0.5 * energy
        beams = torch.tensor([[half, 0, 0, half], [half, 0, 0, -half]], dtype=torch.float64).expand(points, 2, 4)
        final = rambo.forward(numbers, torch.full((points,), energy, dtype=torch.float64))[0]
        return torch.cat([beams, final], dim=1)

    return sample

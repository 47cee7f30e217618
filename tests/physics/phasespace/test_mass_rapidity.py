"""Momentum fractions along mass and rapidity: the map, its Jacobian, and what its axes mean."""

import pytest
import torch

from partonic.errors import ProcessError
from partonic.physics.phasespace import MassRapidity, MomentumFractions

THRESHOLD, ENERGY = 470.0, 13000.0
MAP = MassRapidity(THRESHOLD, ENERGY)


def random_numbers(generator: torch.Generator, count: int = 500) -> torch.Tensor:
    return torch.rand((count, 2), generator=generator, dtype=torch.float64)


def test_there_and_back(torch_rng: torch.Generator) -> None:
    numbers = random_numbers(torch_rng)
    x1, x2, log_jacobian = MAP.forward(numbers)
    again, log_inverse = MAP.inverse(x1, x2)
    torch.testing.assert_close(again, numbers, rtol=0.0, atol=1e-12)
    torch.testing.assert_close(log_inverse, -log_jacobian, rtol=0.0, atol=1e-12)


def test_jacobian_is_that_of_autograd(torch_rng: torch.Generator) -> None:
    for numbers in random_numbers(torch_rng, 20):

        def fractions(values: torch.Tensor) -> torch.Tensor:
            return torch.stack(MAP.forward(values[None])[:2]).flatten()

        log_det = torch.linalg.slogdet(torch.autograd.functional.jacobian(fractions, numbers)).logabsdet
        assert float(log_det) == pytest.approx(float(MAP.forward(numbers[None])[2]), abs=1e-9)


def test_region_is_that_of_the_other_map(torch_rng: torch.Generator) -> None:
    """Both fill 0 < x ≤ 1, ŝ ≥ threshold², and with the same density."""
    x1, x2, log_jacobian = MAP.forward(random_numbers(torch_rng))
    assert bool(((x1 <= 1.0) & (x2 <= 1.0)).all())
    assert float((x1 * x2).min()) * ENERGY**2 >= THRESHOLD**2 * (1.0 - 1e-12)
    other, log_other = MomentumFractions(THRESHOLD, ENERGY).inverse(x1, x2)
    assert bool(((other >= 0.0) & (other <= 1.0)).all())
    torch.testing.assert_close(log_other, -log_jacobian, rtol=0.0, atol=1e-12)


def test_axes_are_mass_and_rapidity(torch_rng: torch.Generator) -> None:
    numbers = random_numbers(torch_rng, 50)
    x1, x2, _ = MAP.forward(numbers)
    exchanged = torch.stack([numbers[:, 0], 1.0 - numbers[:, 1]], dim=-1)
    x2_again, x1_again, _ = MAP.forward(exchanged)
    torch.testing.assert_close(x1_again, x1)
    torch.testing.assert_close(x2_again, x2)
    moved = torch.stack([numbers[:, 0], torch.full_like(numbers[:, 1], 0.5)], dim=-1)
    at_rest_1, at_rest_2, _ = MAP.forward(moved)
    torch.testing.assert_close(at_rest_1, at_rest_2)
    torch.testing.assert_close(at_rest_1 * at_rest_2, x1 * x2)


def test_corners_are_finite() -> None:
    corners = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], dtype=torch.float64)
    assert all(bool(values.isfinite().all()) for values in MAP.forward(corners))


@pytest.mark.parametrize("threshold", [0.0, -1.0, 14000.0])
def test_impossible_thresholds_are_refused(threshold: float) -> None:
    with pytest.raises(ProcessError):
        MassRapidity(threshold, ENERGY)

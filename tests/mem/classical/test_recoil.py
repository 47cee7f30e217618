"""Missing momentum and recoil: normalised in two dimensions, and recovered by the fits."""

import math
from dataclasses import replace

import pytest
import torch

from mem.classical.toys import transfer
from partonic.errors import ModelError
from partonic.mem.classical.recoil import Recoil, fit_missing_momentum, fit_recoil


def plane(reach: float, points: int = 801) -> tuple[torch.Tensor, float]:
    axis = torch.linspace(-reach, reach, points, dtype=torch.float64)
    grid = torch.stack(torch.meshgrid(axis, axis, indexing="ij"), dim=-1).reshape(-1, 2)
    return grid, float(axis[1] - axis[0]) ** 2


def test_missing_momentum_is_normalised() -> None:
    grid, cell = plane(300.0)
    shift = torch.tensor([20.0, -10.0], dtype=torch.float64).expand_as(grid)
    density = transfer().missing.log_density(grid, shift, -shift, 400.0).exp()
    assert float(density.sum()) * cell == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("count", [0, 1, 5])
def test_recoil_is_normalised(count: int) -> None:
    grid, cell = plane(800.0)
    extra = torch.tensor([50.0, 30.0], dtype=torch.float64)
    density = transfer().recoil.log_density(grid, extra, torch.tensor(count)).exp()
    assert float(density.sum()) * cell == pytest.approx(1.0, abs=1e-6)


def test_fit_recovers_the_missing_momentum(torch_rng: torch.Generator) -> None:
    n = 40_000
    truth = transfer().missing
    neutrino, difference, noise = (torch.randn((n, 2), generator=torch_rng, dtype=torch.float64) for _ in range(3))
    scalar_sum = 200.0 + 600.0 * torch.rand(n, generator=torch_rng, dtype=torch.float64)
    width = (truth.noise**2 + truth.stochastic**2 * scalar_sum).sqrt()
    met = 60.0 * neutrino + truth.share * 25.0 * difference + width[:, None] * noise
    fitted = fit_missing_momentum(met, 60.0 * neutrino, 25.0 * difference, scalar_sum)
    assert abs(fitted.share - truth.share) < 5.0 * 20.0 / (25.0 * math.sqrt(2 * n))
    for total in (300.0, 700.0):
        assert fitted.width(total) == pytest.approx(truth.width(total), rel=0.02)


def test_fit_recovers_the_recoil(torch_rng: torch.Generator) -> None:
    n = 60_000
    truth = transfer().recoil
    count = torch.randint(4, (n,), generator=torch_rng)
    row = count.clamp(max=2)
    extra = 60.0 * torch.randn((n, 2), generator=torch_rng, dtype=torch.float64) * (count > 0)[:, None]
    wide = (torch.rand(n, generator=torch_rng, dtype=torch.float64) < truth.wide_fraction[row]).long()
    noise = torch.randn((n, 2), generator=torch_rng, dtype=torch.float64)
    recoil = truth.widths[row, wide][:, None] * noise - truth.balance * extra
    fitted = fit_recoil(recoil, extra, count)
    assert fitted.balance == pytest.approx(truth.balance, abs=0.02)
    torch.testing.assert_close(fitted.widths, truth.widths, rtol=0.08, atol=0.0)
    torch.testing.assert_close(fitted.wide_fraction, truth.wide_fraction, rtol=0.0, atol=0.05)


def test_numbers_must_make_sense() -> None:
    with pytest.raises(ModelError, match="missing momentum must be positive"):
        replace(transfer().missing, noise=-1.0)
    with pytest.raises(ModelError, match="positive widths"):
        replace(transfer().recoil, widths=torch.zeros((3, 2)).double())


def test_json_gives_the_same_recoil() -> None:
    recoil = transfer().recoil
    again = Recoil.from_json(recoil.as_json())
    torch.testing.assert_close(again.widths, recoil.widths)
    torch.testing.assert_close(again.wide_fraction, recoil.wide_fraction)

"""Partons that look alike: the fold of the cube, its inverse, and the coin that is taken from base numbers."""

import math

import pytest
import torch

from partonic.physics.phasespace import PartonCube
from partonic.physics.process import PartonEvents
from partonic.unfolding.decay_channel.pair_exchange import fold_pair, split_noise, unfold_pair

CUBE = PartonCube((172.5, 172.5, 0.0, 0.0), 13_000.0)


def points(events: int, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    numbers = torch.rand((events, CUBE.dimensions), generator=generator, dtype=torch.float64)
    return numbers, 0.5 * torch.rand(events, generator=generator, dtype=torch.float64)


def exchanged(numbers: torch.Tensor) -> torch.Tensor:
    """The numbers of the same partons, the last two exchanged, by way of their momenta."""
    events, _ = CUBE.partons(numbers)
    momenta = events.momenta[:, [0, 1, 3, 2]]
    return CUBE.numbers(PartonEvents(momenta, events.x1, events.x2))[0]


def test_exchanged_partons_are_folded_to_the_same_point(torch_rng: torch.Generator) -> None:
    numbers, axis = points(500, torch_rng)
    first, second = fold_pair(numbers, axis), fold_pair(exchanged(numbers), axis)
    distance = torch.remainder(second - first + 0.5, 1.0) - 0.5
    assert float(distance.abs().max()) < 1e-5


@pytest.mark.parametrize("exchange", [False, True])
def test_unfolding_gives_either_order(exchange: bool, torch_rng: torch.Generator) -> None:
    numbers, axis = points(500, torch_rng)
    coin = torch.full((500,), exchange)
    found = unfold_pair(fold_pair(numbers, axis), axis, coin)
    other = unfold_pair(fold_pair(numbers, axis), axis, ~coin)
    error = torch.stack([(torch.remainder(one - numbers + 0.5, 1.0) - 0.5).abs().amax(1) for one in (found, other)])
    assert float(error.amin(dim=0).max()) < 1e-12
    back = torch.remainder(fold_pair(found, axis) - fold_pair(numbers, axis) + 0.5, 1.0) - 0.5
    assert float(back.abs().max()) < 1e-12


def test_fold_doubles_lengths_of_azimuths_only(torch_rng: torch.Generator) -> None:
    numbers, axis = points(20, torch_rng)
    for one, centre in zip(numbers, axis, strict=True):
        jacobian = torch.autograd.functional.jacobian(lambda u, c=centre: fold_pair(u, c), one)
        assert float(torch.linalg.slogdet(jacobian).logabsdet) == pytest.approx(math.log(2.0), abs=1e-12)


def test_seam_lies_a_quarter_turn_from_the_axis() -> None:
    numbers = torch.full((5, CUBE.dimensions), 0.3, dtype=torch.float64)
    numbers[:, -1] = torch.tensor([0.1, 0.6, 0.349, 0.351, 0.849])
    folded = fold_pair(numbers, torch.full((5,), 0.1, dtype=torch.float64))
    torch.testing.assert_close(folded[:, -1], torch.tensor([0.5, 0.5, 0.998, 0.002, 0.998], dtype=torch.float64))
    torch.testing.assert_close(folded[:, -2], torch.tensor([0.3, 0.7, 0.3, 0.7, 0.7], dtype=torch.float64))


@pytest.mark.parametrize("scale", [1.0, 0.35])
def test_coin_leaves_gaussian_numbers(scale: float, torch_rng: torch.Generator) -> None:
    """The rest of Gaussian numbers is Gaussian, independent of the coin, and the Jacobian is that of two halves."""
    noise = scale * torch.randn((40_000, 3), generator=torch_rng, dtype=torch.float64)
    numbers, coin, log_slope = split_noise(noise, scale)
    assert torch.equal(numbers[:, :-1], noise[:, :-1])
    assert abs(float(coin.double().mean()) - 0.5) < 4.0 * 0.5 / 200.0
    for side in (coin, ~coin):
        last = numbers[side, -1] / scale
        assert abs(float(last.mean())) < 4.0 / math.sqrt(len(last))
        assert abs(float(last.var()) - 1.0) < 4.0 * math.sqrt(2.0 / len(last))
    half = -0.5 * (noise[:, -1] / scale).square() + math.log(2.0)  # twice the density, on half of the line
    torch.testing.assert_close(half, -0.5 * (numbers[:, -1] / scale).square() - log_slope, rtol=0.0, atol=1e-9)


def test_slope_of_the_stretch_agrees_with_autograd(torch_rng: torch.Generator) -> None:
    noise = torch.linspace(-5.0, 5.0, 22, dtype=torch.float64)[:, None].requires_grad_()
    numbers, _, log_slope = split_noise(noise, 1.0)
    (slope,) = torch.autograd.grad(numbers.sum(), noise)
    torch.testing.assert_close(-slope[:, 0].abs().log(), log_slope, rtol=0.0, atol=1e-6)


def test_extreme_noise_is_finite() -> None:
    noise = torch.tensor([[0.0], [1e-200], [12.0], [-12.0]], dtype=torch.float64)
    numbers, _, log_slope = split_noise(noise, 1.0)
    assert bool(numbers.isfinite().all())
    assert bool(log_slope.isfinite().all())

"""Points that are kept stand for all: sums are unbiased, exact where all are kept, and the large ones are there."""

import torch
from torch import Tensor

from partonic.mem.uncertainty.chosen_points import ChosenPoints, KeptPoints

EVENTS = 2_000


def generators(count: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed) for seed in range(count)]


def points(number: int, rounds: int = 2) -> list[tuple[Tensor, Tensor, Tensor]]:
    """Rounds of points with weights over several orders of magnitude, the same in all events."""
    generator = torch.Generator().manual_seed(9)
    found = []
    for _ in range(rounds):
        numbers = torch.rand(1, number, 2, generator=generator, dtype=torch.float64)
        log_weight = 3.0 * torch.randn(1, number, generator=generator, dtype=torch.float64) - 300.0
        log_weight[0, 0] = -torch.inf
        coefficients = torch.randn(1, number, 3, generator=generator, dtype=torch.float64)
        coefficients[..., 0] = 1.0
        coefficients[..., 2] *= 1e-3
        found.append((numbers, log_weight, coefficients))
    return found


def keep(rounds: list[tuple[Tensor, Tensor, Tensor]], events: int, most: int) -> KeptPoints:
    chosen = ChosenPoints(events, 3, most, generators(events))
    rows = torch.arange(events)
    for part in rounds:
        chosen.add(rows, *(values.expand(events, *values.shape[1:]) for values in part))
    return chosen.kept(rows)


def sums(kept: KeptPoints, function: Tensor) -> Tensor:
    """Sums of w c f over the points."""
    return ((kept.log_weight + 300.0).exp()[..., None] * kept.coefficients * function[..., None]).sum(dim=1)


def test_sums_are_unbiased() -> None:
    rounds = points(60)
    kept = keep(rounds, EVENTS, 20)
    found = sums(kept, 1.0 + kept.numbers[..., 0])
    whole = KeptPoints(*(torch.cat(parts, dim=1) for parts in zip(*rounds, strict=True)))
    exact = sums(whole, 1.0 + whole.numbers[..., 0])[0]
    error = found.std(dim=0) / EVENTS**0.5
    assert float(((found.mean(dim=0) - exact) / error).abs().max()) < 4.5
    assert float((found.std(dim=0) / exact.abs())[0]) < 0.3  # far better than 20 of 120 points by chance


def test_few_points_are_all_kept() -> None:
    rounds = points(10)
    kept = keep(rounds, 2, 30)
    whole = KeptPoints(*(torch.cat(parts, dim=1) for parts in zip(*rounds, strict=True)))
    torch.testing.assert_close(sums(kept, torch.ones(2, 30)), sums(whole, torch.ones(1, 20)).expand(2, 3))
    assert int((kept.log_weight > -torch.inf).sum()) == 2 * 18  # but those without weight


def test_an_event_does_not_depend_on_the_others() -> None:
    rounds = points(60)
    together, alone = keep(rounds, 5, 20), keep(rounds, 1, 20)
    assert torch.equal(together.log_weight[:1], alone.log_weight)
    assert not torch.equal(together.log_weight[1:2], alone.log_weight)

"""Whole numbers as Gaussian ones: exact inverses, Gaussian for the shares that they were made with."""

import pytest
import torch

from partonic.rng import torch_generator
from partonic.surrogate.whole_numbers import gaussian_of, shares_of, whole_of

SHARES = (0.5, 0.3, 0.15, 0.05)


@pytest.fixture(scope="module")
def values() -> torch.Tensor:
    return torch.multinomial(torch.tensor(SHARES), 40_000, replacement=True, generator=torch_generator(1, "values"))


def test_inverse(values: torch.Tensor) -> None:
    for shares in (SHARES, (0.25,) * 4, (0.999, 0.0004, 0.0003, 0.0003)):
        assert torch.equal(whole_of(gaussian_of(values, shares, torch_generator(2, "places")), shares), values)


def test_gaussian(values: torch.Tensor) -> None:
    """Moments 0, 1, 0, 3 within 4 errors, and the distance of the distribution to Φ (Kolmogorov)."""
    line = gaussian_of(values, SHARES, torch_generator(2, "places"))
    for power, (moment, variance) in {1: (0.0, 1.0), 2: (1.0, 2.0), 3: (0.0, 15.0), 4: (3.0, 96.0)}.items():
        assert abs(float((line**power).mean()) - moment) < 4 * (variance / len(line)) ** 0.5
    place = torch.special.ndtr(line.sort().values)
    assert float((place - torch.arange(len(line)) / len(line)).abs().max()) < 2.0 / len(line) ** 0.5


def test_shares(values: torch.Tensor) -> None:
    found = shares_of(values, 5)
    assert len(found) == 5
    assert sum(found) == pytest.approx(1.0)
    assert found[:4] == pytest.approx(SHARES, abs=4 * 0.5 / 200)
    assert found[4] == pytest.approx(1 / 40_005)  # never seen, and yet possible


def test_any_number_is_a_whole_one() -> None:
    line = torch.tensor([-50.0, -8.0, 0.0, 8.0, 50.0])
    assert whole_of(line, SHARES).tolist()[0] == 0
    assert whole_of(line, SHARES).tolist()[-1] == 3

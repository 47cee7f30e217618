import numpy as np
import pytest
import torch

from partonic.rng import PYTHIA_SEED_MAX, numpy_generator, pythia_seed, seed_sequence, torch_generator


def test_same_seed_and_name_give_the_same_numbers() -> None:
    assert (numpy_generator(1, "simulate", 3).random(5) == numpy_generator(1, "simulate", 3).random(5)).all()
    first, second = (torch.rand(5, generator=torch_generator(1, "train")) for _ in range(2))
    assert torch.equal(first, second)
    assert pythia_seed(1, "shower", 2) == pythia_seed(1, "shower", 2)


def test_other_seed_or_name_gives_other_numbers() -> None:
    keys: list[tuple[int, tuple[str | int, ...]]] = [
        (1, ("a",)), (2, ("a",)), (1, ("b",)), (1, ("a", 1)), (1, ("a", "1")), (1, ("a1",)), (1, ()),
    ]  # fmt: skip
    assert len({numpy_generator(seed, *key).integers(1 << 62) for seed, key in keys}) == len(keys)
    assert len({int(torch.randint(1 << 62, (), generator=torch_generator(seed, *key))) for seed, key in keys}) == len(
        keys
    )


def test_parts_of_a_name_do_not_run_together() -> None:
    assert numpy_generator(1, "ab", "c").random() != numpy_generator(1, "a", "bc").random()


def test_numbers_are_frozen() -> None:
    """The same analysis gives the same events in every version: these values must not change."""
    assert numpy_generator(1, "generate", 0).integers(1 << 30) == 92194266
    assert pythia_seed(1, "simulate", 0) == 6759262


def test_pythia_accepts_every_seed() -> None:
    seeds = np.array([pythia_seed(7, number) for number in range(2000)])
    assert seeds.min() >= 1
    assert seeds.max() <= PYTHIA_SEED_MAX
    assert len(np.unique(seeds)) == len(seeds)


def test_streams_are_not_correlated() -> None:
    rows = np.stack([numpy_generator(5, "row", number).standard_normal(4000) for number in range(20)])
    correlation = np.corrcoef(rows)[np.triu_indices(20, 1)]
    assert np.abs(correlation).max() * np.sqrt(4000) < 4.5


def test_negative_seed() -> None:
    with pytest.raises(ValueError, match="non-negative, got -1"):
        seed_sequence(-1)

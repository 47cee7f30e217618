"""Events parted into training and validation."""

import torch

from partonic.nn.training import TensorTable, split_table


def table(events: int) -> TensorTable:
    return TensorTable({"number": torch.arange(events)})


def parted(fraction: float, partons: torch.Tensor | None) -> tuple[list[int], list[int]]:
    length = 200 if partons is None else len(partons)
    train, validation = split_table(table(length), fraction, 7, partons)
    return train.columns["number"].tolist(), validation.columns["number"].tolist()


def test_every_event_is_in_one_part() -> None:
    train, validation = parted(0.2, None)
    assert len(validation) == 40
    assert sorted(train + validation) == list(range(200))
    assert parted(0.2, None) == (train, validation)


def test_without_copies_the_parts_are_those_of_events() -> None:
    partons = torch.randn(200, 2, 4, generator=torch.Generator().manual_seed(1))
    assert parted(0.2, partons) == parted(0.2, None)


def test_copies_stay_together() -> None:
    partons = torch.randn(50, 2, 4, generator=torch.Generator().manual_seed(1)).repeat_interleave(4, dim=0)
    rounding = 1e-14 * torch.randn(200, 2, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    train, validation = parted(0.2, partons + rounding)
    assert sorted(train + validation) == list(range(200))
    assert len(validation) == 40
    assert not {number // 4 for number in train} & {number // 4 for number in validation}
    assert train != sorted(train), "the events of the training are in a random order"

"""Tables and their batches."""

from pathlib import Path

import pytest
import torch

from partonic.errors import TrainingError
from partonic.nn.training import BatchLoader, TensorTable


@pytest.fixture
def table() -> TensorTable:
    return TensorTable({"number": torch.arange(103), "pair": torch.arange(206.0).reshape(103, 2)})


def numbers(loader: BatchLoader) -> list[list[int]]:
    return [batch["number"].tolist() for batch in loader]


def test_an_epoch_has_each_event_at_most_once_and_columns_stay_together(table: TensorTable) -> None:
    loader = BatchLoader(table, 10, 1, ("order",))
    batches = list(loader)
    assert len(batches) == len(loader) == 10
    assert all(torch.equal(batch["pair"][:, 0], 2.0 * batch["number"]) for batch in batches)
    seen = [number for batch in batches for number in batch["number"].tolist()]
    assert len(set(seen)) == len(seen) == 100


def test_order_depends_on_seed_key_and_epoch_alone(table: TensorTable) -> None:
    first = BatchLoader(table, 10, 1, ("order",))
    orders = [numbers(first)]
    first.set_epoch(1)
    orders.append(numbers(first))
    orders.append(numbers(BatchLoader(table, 10, 2, ("order",))))
    orders.append(numbers(BatchLoader(table, 10, 1, ("other",))))
    assert len({str(order) for order in orders}) == 4
    again = BatchLoader(table, 10, 1, ("order",))
    again.set_epoch(1)
    assert numbers(again) == orders[1]


def test_epoch_may_be_told_after_the_iteration_began(table: TensorTable) -> None:
    """Lightning asks for the iterator before the epoch starts."""
    loader, other = BatchLoader(table, 10, 1, ("order",)), BatchLoader(table, 10, 1, ("order",))
    iterator = iter(loader)
    loader.set_epoch(3)
    other.set_epoch(3)
    assert next(iterator)["number"].tolist() == numbers(other)[0]


def test_processes_share_the_batches_of_one_process_of_the_same_order(table: TensorTable) -> None:
    alone = numbers(BatchLoader(table, 10, 1, ("order",)))
    shared = []
    for rank in range(2):
        loader = BatchLoader(table, 10, 1, ("order",))
        loader.share(rank, 2)
        assert len(loader) == 5
        shared.append(numbers(loader))
    assert [batch for pair in zip(*shared, strict=True) for batch in pair] == alone


def test_validation_takes_all_events_in_order(table: TensorTable) -> None:
    loader = BatchLoader(table, 10, 1, ("held out",), shuffle=False)
    assert [number for batch in numbers(loader) for number in batch] == list(range(103))
    counts = []
    for rank in range(3):
        loader.share(rank, 3)
        counts.append([number for batch in numbers(loader) for number in batch])
    assert sorted(number for count in counts for number in count) == list(range(103))


def test_table_smaller_than_a_batch_is_one_batch(table: TensorTable) -> None:
    loader = BatchLoader(table.part(0, 7), 10, 1, ("order",))
    assert [sorted(batch) for batch in numbers(loader)] == [list(range(7))]


def test_processes_share_a_table_smaller_than_their_batches(table: TensorTable) -> None:
    shares = []
    for rank in range(3):
        loader = BatchLoader(table.part(0, 11), 10, 1, ("order",))
        loader.share(rank, 3)
        assert len(loader) == 1
        shares += numbers(loader)
    assert [len(share) for share in shares] == [3, 3, 3]
    assert len({number for share in shares for number in share}) == 9


def test_comes_back_from_disk(table: TensorTable, tmp_path: Path) -> None:
    table.save(tmp_path / "table.safetensors")
    other = TensorTable.open(tmp_path / "table.safetensors")
    assert len(other) == 103
    assert all(torch.equal(other.columns[name], column) for name, column in table.columns.items())


def test_parts_and_further_columns(table: TensorTable) -> None:
    part = table.part(3, 5).with_columns({"new": torch.ones(2)})
    assert part.columns["number"].tolist() == [3, 4]
    assert list(part.columns) == ["number", "pair", "new"]
    assert part.to("cpu").rows(torch.tensor([1]))["number"].tolist() == [4]


def test_mistakes_are_named(table: TensorTable, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"one common length, got \{'a': 2, 'b': 3\}"):
        TensorTable({"a": torch.zeros(2), "b": torch.zeros(3)})
    with pytest.raises(TrainingError, match="one common length"):
        TensorTable({})
    with pytest.raises(TrainingError, match="the table has none"):
        BatchLoader(table.part(0, 0), 10, 1, ("order",))
    with pytest.raises(TrainingError, match="cannot read"):
        TensorTable.open(tmp_path / "none.safetensors")

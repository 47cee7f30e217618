"""Training data: read once, found again, and made anew when what it depends on changes."""

from pathlib import Path

import pytest
import torch

from partonic.errors import EventFileError, SchemaError
from partonic.events.store import EventStore, EventWriter
from partonic.features.inputs import event_tokens
from partonic.unfolding.data import frame_of, prepare_data, tokens_of, view_arrays
from unfolding.toys import HARD, WITH_ISR, write_store


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return write_store(tmp_path / "events.parquet", 60)


def test_arrays_are_those_of_the_events(store: Path, tmp_path: Path) -> None:
    data = prepare_data([store], [HARD, WITH_ISR], tmp_path / "data")
    batch = next(iter(EventStore.open(store).batches(selected_only=True, size=100)))
    tokens = event_tokens(batch.reco())
    assert data.events == len(batch)
    assert torch.equal(tokens_of(data.arrays).jets, tokens.trimmed().jets)
    for view in (HARD, WITH_ISR):
        truth = view_arrays(view, data.arrays)
        partons, _ = view.partons(view.numbers_out(truth["numbers"], frame_of(data.arrays)))
        torch.testing.assert_close(partons.momenta, view.truth(batch).momenta, rtol=1e-7, atol=1e-5)


def test_stores_follow_each_other_up_to_the_largest_number(store: Path, tmp_path: Path) -> None:
    other = write_store(tmp_path / "other.parquet", 60, seed=2)
    both = prepare_data([store, other], [HARD], tmp_path / "both")
    first = prepare_data([store], [HARD], tmp_path / "first")
    some = prepare_data([store, other], [HARD], tmp_path / "some", max_events=first.events + 5)
    assert both.events == 2 * first.events
    assert some.events == first.events + 5
    assert torch.equal(both.arrays["jets"][: some.events], some.arrays["jets"])


def test_unusable_events_are_left_out_and_counted(tmp_path: Path) -> None:
    bad = write_store(tmp_path / "bad.parquet", 60, faults=True)
    data = prepare_data([bad], [HARD], tmp_path / "data")
    assert sum(data.skipped.values()) == 3
    assert bool(data.arrays["jets"].isfinite().all())


def test_data_are_found_again_and_made_anew_for_others(store: Path, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    prepare_data([store], [HARD], folder)
    written = (folder / "jets.bin").stat().st_mtime_ns
    prepare_data([store], [HARD], folder)
    assert (folder / "jets.bin").stat().st_mtime_ns == written
    again = prepare_data([store], [HARD], folder, max_events=10)
    assert again.events == 10
    assert (folder / "jets.bin").stat().st_mtime_ns != written


def test_arrays_of_an_interrupted_call_are_not_trusted(store: Path, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    whole = prepare_data([store], [HARD], folder).arrays["jets"].clone()
    (folder / "data.json").unlink()
    (folder / "jets.bin").write_bytes(b"torn")
    assert torch.equal(prepare_data([store], [HARD], folder).arrays["jets"], whole)


def test_a_store_without_selected_events_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EventFileError, match="has no events, so there is nothing to train on"):
        prepare_data([write_store(tmp_path / "none.parquet", 0)], [HARD], tmp_path / "data")
    whole = EventStore.open(write_store(tmp_path / "whole.parquet", 10, faults=True))
    with EventWriter(tmp_path / "bad.parquet", whole.metadata) as writer:
        writer.write(next(whole.batches()).table.slice(1, 3))
    with pytest.raises(SchemaError, match=r"no selected event can be used for training; left out: \{.*: 1"):
        prepare_data([tmp_path / "bad.parquet"], [HARD], tmp_path / "data")


def test_copies_of_parton_events_are_refused(store: Path, tmp_path: Path) -> None:
    plain, copies = EventStore.open(store), tmp_path / "copies.parquet"
    with EventWriter(copies, plain.metadata.with_facts(copies=True)) as writer:
        for batch in plain.batches():
            table = batch.table.append_column("parton_event", batch.table.column("event_id"))
            writer.write(table.select(writer.metadata.event_schema.arrow().names))
    with pytest.raises(
        SchemaError, match=r"copies\.parquet .*several times.*without `simulation\.fractional_smearing`"
    ):
        prepare_data([store, copies], [HARD], tmp_path / "data")
    assert not (tmp_path / "data").exists()

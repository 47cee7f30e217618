"""The fit of all transfer functions: which quarks and jets it takes, and what it refuses."""

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
import torch

from partonic.config.simulation import SelectionConfig
from partonic.errors import SchemaError, TrainingError
from partonic.events.store import EventStore, EventWriter
from partonic.mem.classical.fit import fit_transfer_functions
from partonic.mem.classical.matched import COLUMNS, MatchedEvents, matched_events
from unfolding.toys import write_store


def two_events() -> MatchedEvents:
    """Two events with two quarks and three jets: in the first, quark 0 has jet 1; in the second, both are lost."""
    false, true = False, True
    return MatchedEvents(
        quarks=torch.tensor([[[50.0, 30, 0, 40], [60, 60, 0, 0]]] * 2, dtype=torch.float64),
        is_quark=torch.ones((2, 2), dtype=torch.bool),
        is_bottom=torch.tensor([[true, false]] * 2),
        jet_of=torch.tensor([[1, -1], [-1, -1]]),
        jets=torch.tensor([[[60.0, 0, 0], [40, 1, 0], [35, -1, 1]]] * 2, dtype=torch.float64),
        is_jet=torch.tensor([[true, true, true], [true, true, false]]),
        is_extra=torch.tensor([[true, false, true], [true, true, false]]),
        tagged=torch.tensor([[true, true, false], [true, false, false]]),
        flavour=torch.tensor([[5, 5, 0], [5, 0, 0]]),
        neutrino=torch.zeros((2, 2)).double(),
        total=torch.zeros((2, 2)).double(),
        met=torch.zeros((2, 2)).double(),
    )


def store_with_flavours(folder: Path, events: int) -> EventStore:
    """A store of toy events, whose jets have a flavour."""
    plain = EventStore.open(write_store(folder / "plain.parquet", events=events))
    batch = next(plain.batches())
    flavours = [
        None if tags is None else [5 if tag else 0 for tag in tags] for tags in batch.table["jet_tagged"].to_pylist()
    ]
    column = pa.array(flavours, batch.table.schema.field("jet_flavour").type)
    place = batch.table.schema.get_field_index("jet_flavour")
    with EventWriter(folder / "events.parquet", plain.metadata) as writer:
        writer.write(batch.table.set_column(place, "jet_flavour", column))
    return EventStore.open(folder / "events.parquet")


def test_probes_do_not_need_their_own_jet() -> None:
    events = two_events()
    # Quark 0 of the first event: without its jet there are two jets and one tag.
    assert events.quark_probes(SelectionConfig(jets_min=2, b_tags_min=1)).all()
    assert events.quark_probes(SelectionConfig(jets_min=3, b_tags_min=1)).tolist() == [[False, True], [False, False]]
    assert events.quark_probes(SelectionConfig(jets_min=2, b_tags_min=2)).tolist() == [[False, True], [False, False]]


def test_tag_probes_do_not_need_their_own_tag() -> None:
    probes = two_events().tag_probes(SelectionConfig(jets_min=2, b_tags_min=1))
    assert probes.tolist() == [[True, True, True], [False, True, False]]
    stricter = two_events().tag_probes(SelectionConfig(jets_min=2, b_tags_min=2))
    assert stricter.tolist() == [[False, False, True], [False, False, False]]


def test_momenta_of_padding_vanish() -> None:
    assert two_events().jet_momenta[1, 2].tolist() == [0.0, 0.0]
    assert two_events().quark_eta()[0, 0] == pytest.approx(float(torch.asinh(torch.tensor(4.0 / 3.0))))


def test_quarks_of_a_store_meet_their_jets(tmp_path: Path) -> None:
    """Toy events have a jet near each quark; b quarks come from H and the tops, the others from W."""
    store = store_with_flavours(tmp_path, 40)
    batch = next(store.batches(COLUMNS, selected_only=True))
    events = matched_events(batch)
    assert (events.is_quark.sum(dim=1) == 6).all()
    assert (events.is_bottom.sum(dim=1) == 4).all()
    ratio = (
        events.of_quarks(events.jets[..., 0])[events.found]
        / torch.hypot(events.quarks[..., 1], events.quarks[..., 2])[events.found]
    )
    assert 0.5 < float(ratio.median()) < 1.5
    assert (events.neutrino.norm(dim=1) > 0).all()


def test_small_stores_are_refused(tmp_path: Path) -> None:
    store = store_with_flavours(tmp_path, 40)
    with pytest.raises(TrainingError, match="fit a larger sample"):
        fit_transfer_functions(store)


def test_columns_must_be_there(tmp_path: Path) -> None:
    store = EventStore.open(write_store(tmp_path / "events.parquet", events=20))
    batch = next(store.batches(("jet_pt", "selected"), selected_only=True))
    with pytest.raises(SchemaError, match="matched to quarks, but the column 'decay_partons' was not read"):
        matched_events(batch)


def test_probes_are_quarks() -> None:
    padded = replace(two_events(), is_quark=torch.tensor([[True, False]] * 2))
    assert not padded.quark_probes(SelectionConfig(jets_min=1, b_tags_min=0))[:, 1].any()

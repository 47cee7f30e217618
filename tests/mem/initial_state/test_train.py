"""Training of the network of initial states on toy events whose jets are harder where gluons made them."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch
from tests.mem.channel_toys import write_channel_store
from tests.mem.initial_state.toys import CLASSES, LAYOUT, PROCESS, SMALL, with_initial_states, write_initial_states
from tests.mem.transfer.toys import LAYOUTS
from tests.unfolding.toys import write_store

from partonic.config.mem_training.section import MemNetworksConfig
from partonic.config.mem_training.transfer import MemTrainingConfig
from partonic.errors import SchemaError
from partonic.events.store import EventStore, EventWriter
from partonic.features.decay_channel import DecayChannelName
from partonic.features.object_tokens import ObjectTokens
from partonic.mem.initial_state.model import InitialStateModel
from partonic.mem.initial_state.train import initial_state_tables, train_initial_state
from partonic.mem.train import train_mem
from partonic.processes.tth.settings import TthConfig

TRAINING = MemTrainingConfig(
    epochs=30, batch_size=128, learning_rate=1e-2, average=None, validation_fraction=0.2, weight_decay=0.0
)


def test_hard_jets_tell_gluons(tmp_path: Path) -> None:
    store = write_initial_states(tmp_path / "events.parquet", 3000)
    config = (SMALL.model_copy(update={"share_epochs": 20, "share_batch_size": 256}), TRAINING)
    found = train_initial_state([store], (PROCESS, CLASSES), LAYOUT, config, 1, tmp_path / "model")
    assert found.of_objects < found.of_partons - 0.1
    assert found.of_partons < 0.69 - 0.02, "the energy of the partons tells something, too"
    model = InitialStateModel.load(tmp_path / "model")
    assert model.record["events"] == found.events
    other = write_initial_states(tmp_path / "other.parquet", 1500, seed=7)
    _, table = initial_state_tables([other], LAYOUT, CLASSES)
    x, z = ObjectTokens.of_columns(table.columns), table.columns["momenta"][:, None]
    with torch.no_grad():
        logits = model.network.logits_of_objects(x, z)[:, 0] + model.network.log_shares(z)[:, 0]
    gluons, said = table.columns["label"] == 0, torch.softmax(logits, dim=-1)[:, 0]
    error = float((said * (1.0 - said)).mean() / len(said)) ** 0.5
    assert error < 0.02
    assert abs(float(gluons.float().mean() - said.mean())) < 4.0 * error + 0.03, "of a network of finite training"
    assert float(said[gluons].mean() - said[~gluons].mean()) > 0.2


def test_a_finished_phase_is_not_trained_again(tmp_path: Path) -> None:
    store = write_initial_states(tmp_path / "events.parquet", 200)
    config = (SMALL, TRAINING.model_copy(update={"epochs": 1}))
    first = train_initial_state([store], (PROCESS, CLASSES), LAYOUT, config, 1, tmp_path / "model")
    weights = (tmp_path / "model" / "weights.safetensors").read_bytes()
    again = train_initial_state([store], (PROCESS, CLASSES), LAYOUT, config, 1, tmp_path / "model")
    assert again == first
    assert (tmp_path / "model" / "weights.safetensors").read_bytes() == weights


def test_the_part_is_trained_beside_the_others(tmp_path: Path) -> None:
    store = write_initial_states(tmp_path / "events.parquet", 200)
    config = MemNetworksConfig(preset="tiny", parts=("initial_state",))
    (line,) = train_mem([store], TthConfig(), config, 1, tmp_path / "out")
    assert line.startswith("initial state: cross entropy")
    assert InitialStateModel.load(tmp_path / "out" / "initial_state").classes == ("gg", "qq")


def test_the_selected_events_are_among_the_first_ones_that_are_taken(tmp_path: Path) -> None:
    """With `max_events` both tables have the same mixture, of a part of the second store here."""
    stores = [write_initial_states(tmp_path / f"{seed}.parquet", 100, seed) for seed in (1, 2)]
    everything, selected = initial_state_tables(stores, LAYOUT, CLASSES, 130)
    assert (len(everything), len(selected)) == (130, 104)  # every fifth event is rejected
    taken = everything.columns["momenta"].reshape(130, 12)
    assert all(bool((taken == row).all(dim=1).any()) for row in selected.columns["momenta"].reshape(104, 12))
    whole, _ = initial_state_tables(stores, LAYOUT, CLASSES)
    assert len(whole) == 200
    assert torch.equal(whole.columns["label"][:130], everything.columns["label"])


@pytest.mark.parametrize("name", ["dilepton", "all_hadronic"])
def test_other_channels(tmp_path: Path, name: DecayChannelName) -> None:
    toy = EventStore.open(write_channel_store(tmp_path / "toy.parquet", name, 200))
    store, rng = tmp_path / "events.parquet", np.random.default_rng(1)
    with EventWriter(store, toy.metadata) as writer:
        for batch in toy.batches():
            writer.write(with_initial_states(batch.table, rng.uniform(size=len(batch)) < 0.5, rng))
    config = (SMALL, TRAINING.model_copy(update={"epochs": 1}))
    layout = LAYOUTS[name]
    train_initial_state([store], (PROCESS, CLASSES), layout, config, 1, tmp_path / "model")
    model = InitialStateModel.load(tmp_path / "model")
    batch = next(iter(EventStore.open(store).batches(selected_only=True)))
    ratio = model.log_ratio(batch.reco(), layout.decay_channel.truth(batch).momenta[:, None])
    assert ratio.isfinite().all()
    assert (ratio != 0.0).all()


def test_stores_that_do_not_serve(tmp_path: Path) -> None:
    config = (SMALL, TRAINING)
    with pytest.raises(SchemaError, match=r"a\.parquet does not say which partons came in \(column 'initial_pdg'\)"):
        train_initial_state(
            [write_store(tmp_path / "a.parquet")], (PROCESS, CLASSES), LAYOUT, config, 1, tmp_path / "model"
        )
    store = EventStore.open(write_initial_states(tmp_path / "b.parquet", 60))
    other = tmp_path / "c.parquet"
    with EventWriter(other, store.metadata) as writer:
        for batch in store.batches():
            table, count = batch.table, len(batch)
            mixed = pa.FixedSizeListArray.from_arrays(pa.array([21, 2] * count, pa.int32()), 2)
            writer.write(table.set_column(table.column_names.index("initial_pdg"), "initial_pdg", mixed))
    with pytest.raises(SchemaError, match=r"60 events of .*c\.parquet have an initial state that the process has not"):
        train_initial_state([other], (PROCESS, CLASSES), LAYOUT, config, 1, tmp_path / "model")

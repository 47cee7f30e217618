from pathlib import Path

import pytest
import torch

from mem.transfer.toys import LAYOUTS, PROCESS, TINY, draw_events, some_partons, tiny_transfer
from partonic.config.mem_training.transfer import MemTrainingConfig
from partonic.errors import ConfigError, ModelError, SchemaError
from partonic.mem.transfer.data import objects_of, transfer_table
from partonic.mem.transfer.objects import object_table
from partonic.mem.transfer.train import mirror_events, train_transfer
from partonic.mem.transfer.transfer_function import TransferFunction
from unfolding.toys import write_store

LAYOUT = LAYOUTS["semileptonic"]


def test_training_lowers_the_loss_and_resumes_to_the_same_model(tmp_path: Path) -> None:
    store = write_store(tmp_path / "events.parquet", 300)
    training = MemTrainingConfig(epochs=6, batch_size=32, learning_rate=5e-3, average=None)
    arguments = ([store], PROCESS, LAYOUT, (TINY, training), 1)
    result = train_transfer(*arguments, tmp_path / "model")
    epochs = (tmp_path / "model" / "phase" / "epochs.csv").read_text().splitlines()
    losses = [float(line.split(",")[4]) for line in epochs[1:]]
    assert losses[-1] < losses[0] - 1.0
    weights = (tmp_path / "model" / "weights.safetensors").read_bytes()
    assert str(train_transfer(*arguments, tmp_path / "model")) == str(result)
    assert (tmp_path / "model" / "weights.safetensors").read_bytes() == weights
    assert TransferFunction.load(tmp_path / "model").record["events"] == result.events


def as_start(tmp_path: Path) -> Path:
    """Train one epoch, and put the model into a folder of models."""
    store = write_store(tmp_path / "events.parquet", 120)
    training = MemTrainingConfig(epochs=1, batch_size=32, learning_rate=5e-3, average=None)
    train_transfer([store], PROCESS, LAYOUT, (TINY, training), 1, tmp_path / "models" / "transfer")
    return tmp_path / "models"


def test_training_goes_on_from_a_trained_one(tmp_path: Path) -> None:
    """Weights and scales are those of the start, but for the steps, which are tiny here."""
    start = as_start(tmp_path)
    training = MemTrainingConfig(epochs=1, batch_size=32, learning_rate=1e-9, average=None, weight_decay=0.0)
    stores = [tmp_path / "events.parquet"]
    train_transfer(stores, PROCESS, LAYOUT, (TINY, training), 2, tmp_path / "on", start=start)
    old, new = TransferFunction.load(start / "transfer"), TransferFunction.load(tmp_path / "on")
    assert new.record["started_from"] == old.record
    weights = new.network.state_dict()
    for name, values in old.network.state_dict().items():
        torch.testing.assert_close(weights[name], values, atol=1e-6, rtol=0, msg=name)


def test_one_to_start_from_must_fit(tmp_path: Path) -> None:
    start, training = as_start(tmp_path), MemTrainingConfig(epochs=1)
    arguments = ([tmp_path / "events.parquet"], PROCESS)
    wider = TINY.model_copy(update={"width": 2 * TINY.width})
    with pytest.raises(ConfigError, match="models has a transfer function of other sizes than `transfer` says"):
        train_transfer(*arguments, LAYOUT, (wider, training), 1, tmp_path / "wider", start=start)
    with pytest.raises(ConfigError, match="is for other objects or cuts"):
        train_transfer(*arguments, LAYOUTS["dilepton"], (TINY, training), 1, tmp_path / "other", start=start)
    with pytest.raises(ModelError, match="absent"):
        train_transfer(*arguments, LAYOUT, (TINY, training), 1, tmp_path / "none", start=tmp_path / "absent")


def test_events_outside_the_cuts_are_left_out(tmp_path: Path) -> None:
    """The toy store has a jet that is NaN, a missing momentum that is infinite, and an event with three jets."""
    store = write_store(tmp_path / "events.parquet", 60, faults=True)
    table = transfer_table([store], LAYOUT)
    assert 0 < len(table) <= 48 - 3
    assert all(torch.isfinite(values).all() for values in table.columns.values() if values.is_floating_point())
    assert len(transfer_table([store], LAYOUT, max_events=7)) == 7


def test_no_usable_event_is_an_error(tmp_path: Path) -> None:
    store = write_store(tmp_path / "events.parquet", 5)
    hard = type(LAYOUT)(**{**vars(LAYOUT), "jet_pt_min": 4000.0})
    with pytest.raises(SchemaError, match="lies within the cuts that the transfer function is made for"):
        transfer_table([store], hard)


def test_mirror_is_a_rotation_of_objects_and_partons() -> None:
    """Turned by hand in the laboratory, and by `mirror_events`: the same density."""
    transfer, reco, momenta = tiny_transfer(LAYOUT), draw_events(LAYOUT, 10, seed=3).reco, some_partons(10)
    table = object_table(reco, LAYOUT)
    mirrored, turned = mirror_events(table, momenta, torch.ones(10, dtype=torch.bool))
    jets, leptons, met = reco.jets.clone(), reco.leptons.clone(), reco.met.clone()
    axis = leptons[:, 0, 2]

    def across(phi):
        return torch.remainder(2 * axis.view(-1, *[1] * (phi.dim() - 1)) - phi + torch.pi, 2 * torch.pi) - torch.pi

    jets[..., 1], jets[..., 2] = -jets[..., 1], across(jets[..., 2])
    leptons[..., 1], leptons[..., 2] = -leptons[..., 1], across(leptons[..., 2])
    met[:, 1] = across(met[:, 1])
    by_hand = type(reco)(**{**vars(reco), "jets": jets, "leptons": leptons, "met": met})
    expected = transfer.log_density(by_hand, turned)[:, 0]
    found = transfer.network.log_prob(mirrored, turned).detach()[:, 0].double() + mirrored.log_jacobian
    torch.testing.assert_close(found, expected, atol=5e-3, rtol=1e-4)
    assert (transfer.log_density(reco, momenta[:, None])[:, 0] - expected).abs().max() > 0.1  # it is not symmetric


def test_objects_of_rows_are_those_of_the_events(tmp_path: Path) -> None:
    store = write_store(tmp_path / "events.parquet", 30)
    table = transfer_table([store], LAYOUT)
    objects = objects_of(table.part(0, 5).columns, LAYOUT)
    assert objects.mask.shape == (5, 2 + 6)
    assert objects.kind.tolist() == [0, 1] + [2] * 6

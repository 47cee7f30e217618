"""Training events drawn from acceptance and transfer function."""

import math
from pathlib import Path

import pytest
import torch

from mem.channel_toys import CUBE, channel_of, write_channel_store
from mem.transfer.toys import LAYOUTS, tiny_acceptance, tiny_transfer
from partonic.errors import ModelError, SchemaError
from partonic.events.store import EventStore
from partonic.mem.proposal.drawn_events import Surrogate, drawn_table
from partonic.nn.training import TensorTable
from partonic.unfolding.view import DecayChannelView

CHANNEL = channel_of("semileptonic")
STORE_EVENTS, EVENTS = 4_000, 20_000


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("drawn") / "events.parquet"
    return write_channel_store(path, "semileptonic", STORE_EVENTS)


@pytest.fixture(scope="module")
def surrogate() -> Surrogate:
    layout = LAYOUTS["semileptonic"]
    return Surrogate(tiny_transfer(layout, spread=0.1), tiny_acceptance(layout), "a fingerprint")


def draw(store: Path, surrogate: Surrogate, folder: Path, seed: int = 1, events: int = EVENTS) -> TensorTable:
    return drawn_table([store], surrogate, (DecayChannelView.of(CHANNEL, CUBE), 16), events, seed, folder)


def test_partons_are_taken_as_often_as_they_are_accepted(store: Path, surrogate: Surrogate, tmp_path: Path) -> None:
    """Rejected events of the store, too: what is accepted is for ε to say."""
    table = draw(store, surrogate, tmp_path)
    assert abs(len(table) - EVENTS) < 5.0 * math.sqrt(STORE_EVENTS)
    truth = CHANNEL.truth(next(iter(EventStore.open(store).batches(size=STORE_EVENTS))))
    accepted = surrogate.acceptance.log_probability(truth.momenta).exp()
    assert float(accepted.max() / accepted.min()) > 2.0
    numbers, _ = CUBE.numbers(truth)
    for column in (0, 2):  # masses, which no frame turns
        values = numbers[:, column]
        expected = float((accepted * values).sum() / accepted.sum())
        error = float(values.std()) / math.sqrt(EVENTS)
        assert abs(float(table.columns["numbers"][:, column].mean()) - expected) < 4.0 * error
    plain = float(numbers[:, 0].mean())
    expected = float((accepted * numbers[:, 0]).sum() / accepted.sum())
    assert abs(plain - expected) > 8.0 * float(numbers[:, 0].std()) / math.sqrt(EVENTS)  # ε is seen in it


def test_a_killed_drawing_goes_on(store: Path, surrogate: Surrogate, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("partonic.mem.proposal.drawn_events._PIECE", 1_000)
    whole = draw(store, surrogate, tmp_path, events=2_000)
    pieces = sorted(tmp_path.iterdir())
    assert len(pieces) == 4
    times = {path: path.stat().st_mtime_ns for path in pieces}
    pieces[2].unlink()
    again = draw(store, surrogate, tmp_path, events=2_000)
    assert all(torch.equal(again.columns[name], values) for name, values in whole.columns.items())
    assert [path.stat().st_mtime_ns == times[path] for path in pieces] == [True, True, False, True]


def test_another_seed_or_model_draws_anew(store: Path, surrogate: Surrogate, tmp_path: Path) -> None:
    first = draw(store, surrogate, tmp_path, events=500)
    second = draw(store, surrogate, tmp_path, seed=2, events=500)
    other = Surrogate(surrogate.transfer, surrogate.acceptance, "another fingerprint")
    draw(store, other, tmp_path, events=500)
    assert len(list(tmp_path.iterdir())) == 3
    assert len(first) != len(second) or not torch.equal(first.columns["met"], second.columns["met"])


def test_nothing_accepted_is_said(store: Path, surrogate: Surrogate, tmp_path: Path) -> None:
    closed = tiny_acceptance(LAYOUTS["semileptonic"])
    closed.network.calibration.copy_(torch.tensor([-2000.0, 0.0]))
    with pytest.raises(SchemaError, match="acceptance of all 4000 sets of partons of the stores is 0"):
        draw(store, Surrogate(surrogate.transfer, closed, "closed"), tmp_path)


def test_models_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="transfer"):
        Surrogate.load(tmp_path / "transfer", tmp_path / "acceptance")

"""The network of initial states that ships, on selected events of our simulation that no training has seen."""

from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from partonic.events.batch import EventBatch
from partonic.events.store import EventStore
from partonic.mem.initial_state.classes import labels_of
from partonic.mem.initial_state.model import InitialStateModel
from partonic.pretrained import pretrained_folder


@pytest.fixture(scope="module")
def events() -> EventBatch:
    store = EventStore.open(Path(__file__).parents[1] / "reference" / "tth_selected.parquet")
    return next(iter(store.batches(selected_only=True, size=400)))


@pytest.fixture(scope="module")
def model() -> InitialStateModel:
    return InitialStateModel.load(pretrained_folder("tth") / "mem" / "initial_state")


def shares(events: EventBatch, model: InitialStateModel) -> tuple[Tensor, Tensor]:
    """Return log m_i(z) and log p(i|x, z) of the true partons, each `(N, 2)`."""
    momenta = model.layout.decay_channel.truth(events).momenta
    with torch.no_grad():
        log_shares = model.network.log_shares(momenta).double()
    posterior = log_shares + model.log_ratio(events.reco(), momenta[:, None])[:, 0]
    return log_shares, posterior


def test_objects_tell_gluons_from_quarks(events: EventBatch, model: InitialStateModel) -> None:
    assert model.classes == ("gg", "qq")
    model.check(events.metadata, "the reference events")
    log_shares, posterior = shares(events, model)
    torch.testing.assert_close(posterior.exp().sum(dim=1), torch.ones(len(events)).double(), rtol=0, atol=1e-4)
    label = labels_of(events.column("initial_pdg"), model.classes)
    gain = functional.nll_loss(log_shares, label, reduction="none") - functional.nll_loss(
        posterior, label, reduction="none"
    )
    error = float(gain.std()) / len(gain) ** 0.5
    assert error < 0.02
    assert float(gain.mean()) > 3.0 * error, "0.034 of the held-out events of the training"


def test_many_jets_are_of_gluons(events: EventBatch, model: InitialStateModel) -> None:
    ratio = model.log_ratio(events.reco(), model.layout.decay_channel.truth(events).momenta[:, None])[:, 0]
    jets = events.reco().jet_mask.sum(dim=1)
    gluons = ratio[:, 0] - ratio[:, 1]
    means = [float(gluons[jets == number].mean()) for number in (4, 5, 6, 7)]
    assert means == sorted(means)
    assert means[0] < -0.2
    assert means[-1] > 0.3

"""The network of initial states: normalisation and exact symmetries."""

import torch
from tests.mem.initial_state.toys import LAYOUT, random_model
from tests.mem.transfer.toys import some_partons
from tests.unfolding.toys import write_store
from torch import Tensor

from partonic.events.batch import RecoEvents
from partonic.events.store import EventStore


def reco(tmp_path, events: int = 12) -> RecoEvents:
    store = EventStore.open(write_store(tmp_path / "events.parquet", 4 * events))
    return next(iter(store.batches(selected_only=True, size=events))).reco()


def some_sets(events: int = 12, samples: int = 5) -> Tensor:
    return some_partons(events * samples).view(events, samples, 3, 4)


def test_mean_of_the_ratios_over_the_mixture_is_one(tmp_path) -> None:
    """Σ_i m_i(z) r_i(x, z) = 1: the mixture of all initial states is what ε p_T is."""
    model, x, z = random_model(), reco(tmp_path), some_sets()
    ratio = model.log_ratio(x, z)
    shares = model.network.log_shares(z).detach()
    assert float(ratio.std()) > 0.1
    assert float(shares.exp().std()) > 0.02
    torch.testing.assert_close((shares.double() + ratio).exp().sum(-1), torch.ones(12, 5).double(), rtol=0, atol=1e-5)


def test_symmetries_of_the_collision_are_exact(tmp_path) -> None:
    """Rotations about the beam, and the rotation by π across it that exchanges the beams."""
    model, x, z = random_model(), reco(tmp_path), some_sets()
    value = model.log_ratio(x, z)
    angle = 0.7
    cosine, sine = torch.cos(torch.tensor(angle)).double(), torch.sin(torch.tensor(angle)).double()
    energy, px, py, pz = z.unbind(-1)
    turned = torch.stack([energy, cosine * px - sine * py, sine * px + cosine * py, pz], -1)
    torch.testing.assert_close(model.log_ratio(rotated(x, angle), turned), value, atol=1e-4, rtol=1e-4)
    exchanged = torch.stack([energy, px, -py, -pz], -1)
    torch.testing.assert_close(model.log_ratio(exchanged_beams(x), exchanged), value, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(model.network.log_shares(exchanged), model.network.log_shares(z), atol=1e-4, rtol=1e-4)


def test_sets_of_partons_and_events_do_not_see_each_other(tmp_path) -> None:
    model, x, z = random_model(), reco(tmp_path), some_sets()
    whole = model.log_ratio(x, z)
    alone = model.log_ratio(x.select(torch.tensor([3])), z[3:4, 2:3])[0, 0]
    torch.testing.assert_close(alone, whole[3, 2], atol=1e-4, rtol=1e-4)


def test_only_what_the_transfer_function_knows_is_looked_at(tmp_path) -> None:
    model, x, z = random_model(), reco(tmp_path), some_sets()
    jets = x.jets.clone()
    jets[..., 3] += 7.0  # masses
    torch.testing.assert_close(model.log_ratio(_replaced(x, jets=jets), z), model.log_ratio(x, z), atol=1e-5, rtol=1e-5)
    jets[..., 0] *= 1.2
    assert not torch.allclose(model.log_ratio(_replaced(x, jets=jets), z), model.log_ratio(x, z))


def test_events_without_lepton_have_the_ratio_of_the_mixture(tmp_path) -> None:
    model, x, z = random_model(), reco(tmp_path), some_sets()
    mask = x.lepton_mask.clone()
    mask[4] = False
    ratio = model.log_ratio(_replaced(x, lepton_mask=mask), z)
    assert (ratio[4] == 0.0).all()
    torch.testing.assert_close(ratio[5], model.log_ratio(x, z)[5], atol=1e-4, rtol=1e-4)
    assert model.layout == LAYOUT


def rotated(x: RecoEvents, angle: float) -> RecoEvents:
    return _with_directions(x, lambda eta, phi: (eta, phi + angle))


def exchanged_beams(x: RecoEvents) -> RecoEvents:
    return _with_directions(x, lambda eta, phi: (-eta, -phi))


def _with_directions(x: RecoEvents, change) -> RecoEvents:
    jets, leptons, met = x.jets.clone(), x.leptons.clone(), x.met.clone()
    for objects in (jets, leptons):
        objects[..., 1], objects[..., 2] = change(objects[..., 1].clone(), objects[..., 2].clone())
    met[:, 1] = change(met[:, 1], met[:, 1].clone())[1]
    return _replaced(x, jets=jets, leptons=leptons, met=met)


def _replaced(x: RecoEvents, **parts: Tensor) -> RecoEvents:
    return RecoEvents(**{**vars(x), **parts})

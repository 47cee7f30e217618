"""What is wrong with an event, by decay channel."""

from dataclasses import replace

import pytest
import torch

from mem.channel_toys import channel_of
from partonic.events.batch import RecoEvents
from partonic.features.decay_channel import DecayChannel
from partonic.features.decay_channel_status import decay_channel_status

JET, LEPTON = (50.0, 0.5, 1.0, 8.0, 1.0), (40.0, -0.3, 2.0, 0.0, 0.05)


def good_events(events: int, leptons: int) -> RecoEvents:
    jet_mask = (torch.arange(10) < 6).expand(events, -1).clone()
    lepton_mask = (torch.arange(4) < leptons).expand(events, -1).clone()
    return RecoEvents(
        jets=torch.tensor(JET).expand(events, 10, -1) * jet_mask[..., None],
        jet_tagged=jet_mask.clone(),
        jet_mask=jet_mask,
        leptons=torch.tensor(LEPTON).expand(events, 4, -1) * lepton_mask[..., None],
        lepton_pdg=torch.where(lepton_mask, torch.tensor([13, -11, 11, 11]), 0),
        lepton_mask=lepton_mask,
        met=torch.tensor([30.0, -1.0]).expand(events, -1).clone(),
    )


def test_photons_that_h_decays_to_must_be_there() -> None:
    channel, photons = DecayChannel("hadronic", (25, 6, 1), "photons"), torch.full((4, 2, 4), 40.0)
    photons[1, 1, 1], photons[2, 0, 0] = torch.nan, 0.0
    mask = torch.ones(4, 2, dtype=torch.bool)
    mask[3, 1] = False
    x = replace(good_events(4, 0), photons=photons, photon_mask=mask)
    assert decay_channel_status(x, channel, 3) == (
        "ok", "a photon is NaN or infinite", "a photon has no transverse momentum", "fewer than 2 photons",
    )  # fmt: skip
    assert decay_channel_status(good_events(1, 0), channel, 3) == ("fewer than 2 photons",)
    jets = DecayChannel("hadronic", (25, 6, 1))
    assert set(decay_channel_status(x, jets, 3)) == {"ok"}  # photons are no objects of it


@pytest.mark.parametrize(("name", "leptons"), [("semileptonic", 1), ("dilepton", 2), ("all_hadronic", 0)])
def test_good_events_of_each_channel(name: str, leptons: int) -> None:
    assert decay_channel_status(good_events(2, leptons), channel_of(name), 6) == ("ok", "ok")
    assert decay_channel_status(good_events(1, leptons), channel_of(name), 7) == ("fewer than 7 jets",)


def test_leptons_that_are_missing() -> None:
    assert decay_channel_status(good_events(1, 0), channel_of("semileptonic"), 4) == ("no lepton",)
    assert decay_channel_status(good_events(1, 1), channel_of("dilepton"), 3) == ("fewer than 2 leptons",)


def test_two_leptons_of_the_same_charge() -> None:
    reco = good_events(2, 2)
    reco.lepton_pdg[1, 1] = 11
    assert decay_channel_status(reco, channel_of("dilepton"), 3) == ("ok", "no leptons of opposite charges")


def test_each_fault_is_told() -> None:
    reco = good_events(5, 2)
    reco.jets[0, 2, 4] = torch.nan
    reco.leptons[1, 1, 1] = torch.inf
    reco.met[2, 0] = torch.nan
    reco.leptons[3, 1, 0] = 0.0
    reco.jets[4, 8:] = torch.nan  # no jets
    assert decay_channel_status(reco, channel_of("dilepton"), 4) == (
        "a jet is NaN or infinite",
        "a lepton is NaN or infinite",
        "the missing transverse momentum is NaN or infinite",
        "a jet or a lepton has no transverse momentum",
        "ok",
    )

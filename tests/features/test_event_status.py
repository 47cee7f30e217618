import torch

from partonic.event_status import OK
from partonic.events.batch import RecoEvents
from partonic.features.event_status import event_status, is_usable


def good_events(events: int) -> RecoEvents:
    """Events with five jets, one lepton and missing transverse momentum."""
    jet, lepton = (50.0, 0.5, 1.0, 8.0, 1.0), (40.0, -0.3, 2.0, 0.0, 0.05)
    jet_mask = (torch.arange(16) < 5).expand(events, -1).clone()
    lepton_mask = (torch.arange(4) < 1).expand(events, -1).clone()
    return RecoEvents(
        jets=torch.tensor(jet).expand(events, 16, -1) * jet_mask[..., None],
        jet_tagged=jet_mask.clone(),
        jet_mask=jet_mask,
        leptons=torch.tensor(lepton).expand(events, 4, -1) * lepton_mask[..., None],
        lepton_pdg=torch.where(lepton_mask, 13, 0),
        lepton_mask=lepton_mask,
        met=torch.tensor([30.0, -1.0]).expand(events, -1).clone(),
    )


def test_each_fault_is_told_and_costs_one_event() -> None:
    reco = good_events(8)
    reco.jet_mask[1, 3:] = False
    reco.lepton_mask[2] = False
    reco.jets[3, 2, 4] = torch.nan
    reco.leptons[4, 0, 1] = torch.inf
    reco.met[5, 0] = torch.nan
    reco.jets[6, 4, 0] = 0.0
    assert event_status(reco) == (
        OK,
        "fewer than 4 jets",
        "no lepton",
        "a jet is NaN or infinite",
        "the lepton is NaN or infinite",
        "the missing transverse momentum is NaN or infinite",
        "a jet or the lepton has no transverse momentum",
        OK,
    )
    assert is_usable(reco).tolist() == [status == OK for status in event_status(reco)]


def test_what_is_no_object_does_not_matter() -> None:
    reco = good_events(2)
    reco.jets[0, 5:] = torch.nan
    reco.leptons[1, 1:] = torch.inf
    assert event_status(reco) == (OK, OK)


def test_first_fault_is_the_one_that_is_told() -> None:
    reco = good_events(1)
    reco.jet_mask[0, 2:] = False
    reco.met[0, 0] = torch.nan
    assert event_status(reco) == ("fewer than 4 jets",)

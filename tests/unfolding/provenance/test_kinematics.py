import pytest
import torch

from partonic.events.batch import RecoEvents
from partonic.features.inputs import event_tokens
from partonic.physics.fourvector import boost_along_z, invariant_mass
from partonic.physics.kinematics import azimuth, delta_phi, from_pt_eta_phi_m, rapidity, transverse_momentum
from partonic.unfolding.provenance.kinematics import HIGGS_MASS, TOP_MASS, W_MASS, EventKinematics
from partonic.unfolding.provenance.neutrino import with_neutrino


@pytest.fixture
def reco(torch_rng):
    low, high = torch.tensor([30.0, -2.4, -3.1, 2.0, 0.0]), torch.tensor([400.0, 2.4, 3.1, 30.0, 1.0])
    return RecoEvents(
        jets=low + (high - low) * torch.rand(6, 5, 5, generator=torch_rng),
        jet_tagged=torch.zeros(6, 5, dtype=torch.bool),
        jet_mask=torch.ones(6, 5, dtype=torch.bool),
        leptons=torch.tensor([50.0, -1.5, 2.0, 0.0, 0.0]) * torch.rand(6, 1, 5, generator=torch_rng),
        lepton_pdg=torch.full((6, 1), 13),
        lepton_mask=torch.ones(6, 1, dtype=torch.bool),
        met=torch.tensor([[50.0, 1.0]]).expand(6, 2),
    )


@pytest.fixture
def laboratory(reco):
    """Four-vectors of the jets, as they are measured."""
    return from_pt_eta_phi_m(reco.jets[..., :4].double())


EVENTS = torch.arange(6)


def near(mass, reference):
    return 1.0 / (1.0 + (torch.log(mass / reference) / 0.15) ** 2)


def distance(first, second):
    return torch.hypot(rapidity(first) - rapidity(second), delta_phi(azimuth(first), azimuth(second)))


def test_pairs(reco, laboratory):
    jets = torch.tensor([[0, 1], [4, 2], [1, 3], [0, 4], [3, 2], [1, 2]])
    found = EventKinematics(event_tokens(reco)).pairs(EVENTS, jets).double()
    chosen = laboratory[EVENTS[:, None], jets]
    expected = torch.stack(
        [
            torch.log(invariant_mass(chosen) / 100.0),
            near(invariant_mass(chosen), HIGGS_MASS),
            distance(chosen[:, 0], chosen[:, 1]),
            torch.log(transverse_momentum(chosen.sum(dim=1)) / 100.0),
        ],
        dim=-1,
    )
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-4)


def test_triples(reco, laboratory):
    jets = torch.tensor([[0, 1, 2], [4, 2, 3], [1, 3, 4], [0, 2, 4], [3, 1, 2], [1, 0, 2]])
    found = EventKinematics(event_tokens(reco)).triples(EVENTS, jets).double()
    bottom, first, second = laboratory[EVENTS[:, None], jets].unbind(dim=1)
    of_top = invariant_mass(torch.stack([bottom, first, second], dim=1))
    of_w = invariant_mass(torch.stack([first, second], dim=1))
    expected = torch.stack(
        [
            torch.log(of_top / 100.0),
            near(of_top, TOP_MASS),
            torch.log(of_w / 100.0),
            near(of_w, W_MASS),
            distance(first, second),
            distance(bottom, first + second),
            torch.log(transverse_momentum(bottom + first + second) / 100.0),
        ],
        dim=-1,
    )
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-4)


def test_jets_with_lepton(reco, laboratory):
    lepton = from_pt_eta_phi_m(torch.cat([reco.leptons[:, 0, :3], torch.zeros(6, 1)], dim=1).double())
    lepton = lepton[:, None].expand(6, 5, 4)
    found = EventKinematics(event_tokens(reco)).jets_with_lepton().double()
    expected = torch.stack(
        [torch.log(invariant_mass(torch.stack([laboratory, lepton], dim=2)) / 100.0), distance(laboratory, lepton)],
        dim=-1,
    )
    torch.testing.assert_close(found[..., :2], expected, rtol=0, atol=1e-4)
    met = reco.met.double()
    missing = torch.stack([met[:, 0] * torch.cos(met[:, 1]), met[:, 0] * torch.sin(met[:, 1])], dim=-1)
    top = laboratory + with_neutrino(lepton[:, 0], missing)[:, None]
    torch.testing.assert_close(found[..., 2], torch.log(invariant_mass(top[:, :, None]) / 100.0), rtol=0, atol=2e-3)
    torch.testing.assert_close(found[..., 3], near(invariant_mass(top[:, :, None]), TOP_MASS), rtol=0, atol=2e-2)


def test_boosts_along_the_beam_change_nothing(reco):
    kinematics = EventKinematics(event_tokens(reco))
    kinematics.jets = kinematics.jets.double()
    jets = torch.tensor([[0, 1, 2]]).expand(6, 3)
    before = kinematics.triples(EVENTS, jets)
    kinematics.jets = boost_along_z(kinematics.jets, torch.full((6, 1), 0.7).double())
    torch.testing.assert_close(kinematics.triples(EVENTS, jets), before, rtol=1e-9, atol=1e-9)


def test_degenerate_momenta_stay_finite(reco):
    kinematics = EventKinematics(event_tokens(reco))
    kinematics.jets = torch.zeros_like(kinematics.jets)
    assert torch.isfinite(kinematics.pairs(EVENTS, torch.tensor([[0, 1]]).expand(6, 2))).all()
    assert torch.isfinite(kinematics.triples(EVENTS, torch.tensor([[0, 1, 2]]).expand(6, 3))).all()
    assert torch.isfinite(kinematics.jets_with_lepton()).all()

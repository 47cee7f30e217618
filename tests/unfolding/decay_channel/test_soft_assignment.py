"""Sums of objects shared out among partons."""

import math
from pathlib import Path

import pytest
import torch

from mem.channel_toys import channel_of, reco_of, write_channel_store
from partonic.features.decay_channel import DecayChannelName
from partonic.features.object_tokens import object_tokens
from partonic.nn.packing import Packing
from partonic.physics.kinematics import from_pt_eta_phi_m
from partonic.unfolding.decay_channel.soft_assignment import SoftAssignment, estimate_features


def test_features_are_those_of_the_vector() -> None:
    vector = from_pt_eta_phi_m(torch.tensor([[200.0, -1.2, 0.4, 173.0]], dtype=torch.float64))
    expected = [math.log(200.0 / 50.0), -1.2, math.cos(0.4), math.sin(0.4), math.log(173.0 / 50.0)]
    assert estimate_features(vector)[0].tolist() == pytest.approx(expected, abs=2e-4)


def test_features_of_nothing_are_smooth() -> None:
    zero = torch.zeros((1, 4), dtype=torch.float64, requires_grad=True)
    estimate_features(zero).sum().backward()
    assert zero.grad is not None
    assert bool(zero.grad.isfinite().all())


def test_certain_objects_add_up_to_their_partons() -> None:
    """Two objects that surely come from the first parton, one that surely comes from none, and padding."""
    assignment = SoftAssignment(3, 2)
    with torch.no_grad():
        assignment.scores.weight.copy_(100.0 * torch.eye(3))
        assignment.scores.bias.zero_()
    mask = torch.tensor([[True, True, True, False]])
    encoded = torch.tensor([[[1.0, 0, 0], [1, 0, 0], [0, 0, 1], [0, 1, 0]]])
    momenta = torch.tensor([[[50.0, 30, 0, 0], [80, 0, 40, 10], [20, 5, 5, 5], [0, 0, 0, 0]]])
    packing = Packing.of(mask)
    found = assignment(packing.pack(encoded), packing, momenta)
    assert found.shape == (1, 3, 5)
    assert found.numel() == assignment.features
    sums = torch.stack([momenta[0, :2].sum(dim=0), torch.zeros(4), momenta[0].sum(dim=0)])
    torch.testing.assert_close(found[0], estimate_features(sums))


@pytest.mark.parametrize("name", ["semileptonic", "dilepton", "all_hadronic"])
def test_momenta_of_tokens_are_those_of_the_objects(name: DecayChannelName, tmp_path: Path) -> None:
    reco = reco_of(write_channel_store(tmp_path / "events.parquet", name, 10))
    tokens = object_tokens(reco, channel_of(name))
    jets = torch.where(reco.jet_mask[..., None], from_pt_eta_phi_m(reco.jets[..., :4]), 0.0).sum(dim=1)
    massless = reco.leptons[..., :4] * torch.tensor([1.0, 1.0, 1.0, 0.0])
    leptons = torch.where(reco.lepton_mask[..., None], from_pt_eta_phi_m(massless), 0.0).sum(dim=1)
    zero = torch.zeros_like(reco.met[:, 0])
    met = from_pt_eta_phi_m(torch.stack([reco.met[:, 0], zero, reco.met[:, 1], zero], dim=-1))
    found = tokens.frame.momenta_out(tokens.momenta().sum(dim=1))
    torch.testing.assert_close(found, jets + leptons + met, rtol=1e-4, atol=0.05)

"""First estimates of the partons: exact where the jets are the partons' decay products."""

import math

import pytest
import torch

from partonic.features.frame import EventFrame
from partonic.features.inputs import EventTokens
from partonic.features.jet_sums import SUM_FEATURES, jet_sum_features
from partonic.physics.fourvector import mass, on_shell
from partonic.physics.kinematics import to_pt_eta_phi_m
from partonic.physics.particles import W_BOSON
from partonic.physics.phasespace.twobody import decay


def tokens_of(jets: torch.Tensor, lepton: torch.Tensor, neutrino: torch.Tensor) -> EventTokens:
    """Features of massive jets `(N, J, 4)`, a lepton at φ = 0, and the transverse momentum of a neutrino."""
    pt, eta, phi, masses = to_pt_eta_phi_m(jets).unbind(dim=-1)
    zero = torch.zeros_like(pt)
    features = [torch.log1p(pt), eta, phi.cos(), phi.sin(), torch.log1p(masses), zero]
    lepton_pt, lepton_eta, _, _ = to_pt_eta_phi_m(lepton).unbind(dim=-1)
    met = torch.hypot(neutrino[:, 1], neutrino[:, 2])
    return EventTokens(
        jets=torch.stack(features, dim=-1).float(),
        jet_mask=torch.ones(pt.shape, dtype=torch.bool),
        lepton=torch.stack([torch.log1p(lepton_pt), lepton_eta, zero[:, 0]], dim=-1).float(),
        met=torch.stack([torch.log1p(met), neutrino[:, 1] / met, neutrino[:, 2] / met], dim=-1).float(),
        boost=torch.zeros(len(jets), 4),
        frame=EventFrame(torch.zeros(len(jets)), torch.zeros(len(jets), dtype=torch.bool)),
    )


@pytest.fixture
def event(torch_rng: torch.Generator) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Six jets, and a W of moderate momentum that decays to a lepton, turned to φ = 0, and a neutrino."""
    events = 400
    three = 60.0 * torch.randn(events, 6, 3, generator=torch_rng, dtype=torch.float64)
    jets = on_shell(three, 10.0)
    w = on_shell(40.0 * torch.randn(events, 3, generator=torch_rng, dtype=torch.float64), W_BOSON.mass)
    lepton, neutrino, _ = decay(w, 0.0, 0.0, torch.rand(events, 2, generator=torch_rng, dtype=torch.float64))
    frame = EventFrame(torch.atan2(lepton[:, 2], lepton[:, 1]), torch.zeros(events, dtype=torch.bool))
    return jets, frame.momenta_in(lepton), frame.momenta_in(neutrino)


PROVENANCE = torch.eye(4)[[0, 0, 1, 1, 1, 2], :3]


def test_sums_are_those_of_the_jets(event) -> None:
    jets = event[0]
    features = jet_sum_features(tokens_of(*event), PROVENANCE.expand(len(jets), -1, -1))
    assert features.shape == (len(jets), len(SUM_FEATURES))
    expected = to_pt_eta_phi_m(torch.stack([jets[:, :2].sum(dim=1), jets[:, 2:5].sum(dim=1)], dim=1))
    found = features[:, :10].view(-1, 2, 5)
    hard = expected[..., 0] > 20.0
    torch.testing.assert_close(found[..., 0], torch.log1p(expected[..., 0]).float(), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(found[..., 4], torch.log1p(expected[..., 3]).float(), rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(found[..., 1][hard], expected[..., 1][hard].float(), rtol=1e-2, atol=1e-2)
    torch.testing.assert_close(found[..., 2][hard], expected[..., 2][hard].cos().float(), rtol=0.0, atol=2e-3)


def test_leptonic_top_has_a_neutrino_that_makes_a_w(event) -> None:
    """One of the two solutions is the truth; the smaller |pz| is taken, so that it is right in more than half."""
    jets, lepton, neutrino = event
    none = torch.zeros(len(jets), 6, 3)
    leptonic = jet_sum_features(tokens_of(*event), none)[:, 10:15]
    torch.testing.assert_close(leptonic[:, 4].exp() - 1.0, torch.full((400,), W_BOSON.mass), rtol=1e-2, atol=0.0)
    w = to_pt_eta_phi_m(lepton + neutrino)
    torch.testing.assert_close(leptonic[:, 0], torch.log1p(w[:, 0]).float(), rtol=1e-3, atol=1e-3)
    right = (leptonic[:, 1] - w[:, 1].float()).abs() < 0.05
    assert 0.5 < float(right.double().mean()) < 1.0


def test_whole_event(event) -> None:
    jets, lepton, _ = event
    features = jet_sum_features(tokens_of(*event), PROVENANCE.expand(len(jets), -1, -1))
    visible = jets.sum(dim=1) + lepton
    assert float((torch.sinh(features[:, 15]) - visible[:, 3].float()).abs().median()) < 100.0
    assert (features[:, 16].exp() > mass(visible).float()).all()


def test_padding_and_vanishing_sums_are_finite(event) -> None:
    tokens = tokens_of(*event)
    wild = EventTokens(
        jets=torch.full_like(tokens.jets, math.nan),
        jet_mask=torch.zeros_like(tokens.jet_mask),
        lepton=torch.zeros_like(tokens.lepton),
        met=torch.zeros_like(tokens.met),
        boost=tokens.boost,
        frame=tokens.frame,
    )
    assert jet_sum_features(wild, torch.full((400, 6, 3), math.nan)).isfinite().all()

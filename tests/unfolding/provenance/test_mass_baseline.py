import json

import numpy as np
import pytest
import torch

from partonic.errors import EventFileError
from partonic.events.batch import RecoEvents
from partonic.physics.fourvector import boost_from_rest_frame, invariant_mass, on_shell
from partonic.physics.kinematics import from_pt_eta_phi_m, to_pt_eta_phi_m
from partonic.unfolding.provenance.candidates import candidates
from partonic.unfolding.provenance.mass_baseline import MASSES, MassBaseline
from partonic.unfolding.provenance.truth import AssignmentTruth


def two_body(parent, masses, generator):
    """Decay isotropically to two particles."""
    count = len(parent)
    m = torch.sqrt(parent[:, 0] ** 2 - (parent[:, 1:] ** 2).sum(1))
    energy = (m**2 + masses[0] ** 2 - masses[1] ** 2) / (2 * m)
    size = torch.sqrt(energy**2 - masses[0] ** 2)
    direction = torch.nn.functional.normalize(torch.randn(count, 3, generator=generator, dtype=torch.float64), dim=1)
    first = torch.cat([energy[:, None], size[:, None] * direction], dim=1)
    second = torch.cat([(m - energy)[:, None], -size[:, None] * direction], dim=1)
    return boost_from_rest_frame(first, parent), boost_from_rest_frame(second, parent)


def parent(count, mass, generator):
    return on_shell(150.0 * torch.randn(count, 3, generator=generator, dtype=torch.float64), mass)


def events(count, generator, smear=0.05):
    """H, t_had and t_lep decayed on shell, energies of the jets smeared; two more soft jets; jets in random order."""
    higgs, hadronic, leptonic = (parent(count, mass, generator) for mass in (125.0, 173.0, 173.0))
    jets = [*two_body(higgs, (4.8, 4.8), generator)]
    bottom, of_w = two_body(hadronic, (4.8, 80.4), generator)
    jets += [bottom, *two_body(of_w, (0.0, 0.0), generator)]
    bottom, of_w = two_body(leptonic, (4.8, 80.4), generator)
    lepton, neutrino = two_body(of_w, (0.0, 0.0), generator)
    soft = [on_shell(20.0 * torch.randn(count, 3, generator=generator, dtype=torch.float64), 0.0) for _ in range(2)]
    stacked = torch.stack([*jets, bottom, *soft], dim=1)
    stacked = stacked * (1.0 + smear * torch.randn(count, 8, 1, generator=generator, dtype=torch.float64))
    is_b = torch.tensor([1, 1, 1, 0, 0, 1, 0, 0], dtype=torch.bool)
    tagged = torch.rand(count, 8, generator=generator) < torch.where(is_b, 0.8, 0.1)
    order = torch.argsort(torch.rand(count, 8, generator=generator), dim=1)  # jet k is the particle order[k]
    jet = torch.gather(to_pt_eta_phi_m(stacked), 1, order[..., None].expand(-1, -1, 4))
    tagged = torch.gather(tagged, 1, order)
    place = torch.argsort(order, dim=1)
    provenance = torch.tensor([1, 1, 2, 2, 2, 3, 0, 0])[order]
    assignment = torch.cat([place[:, :2].sort(1).values, place[:, 2:3], place[:, 3:5].sort(1).values, place[:, 5:6]], 1)
    met = to_pt_eta_phi_m(neutrino)[:, [0, 2]]
    reco = RecoEvents(
        jets=torch.cat([jet, tagged[..., None].double()], dim=-1).float(),
        jet_tagged=tagged,
        jet_mask=torch.ones(count, 8, dtype=torch.bool),
        leptons=torch.cat([to_pt_eta_phi_m(lepton), torch.zeros(count, 1).double()], dim=-1)[:, None].float(),
        lepton_pdg=torch.full((count, 1), 13),
        lepton_mask=torch.ones(count, 1, dtype=torch.bool),
        met=met.float(),
    )
    return reco, AssignmentTruth(assignment, provenance)


@pytest.fixture
def sample(torch_rng):
    return events(400, torch_rng)


def test_fit_finds_the_masses(sample):
    reco, truth = sample
    baseline = MassBaseline.fit(reco, truth)
    # A smearing of 5% of each jet spreads a two-jet mass by 5%/√2 or more; the error of the median is 1.25 σ/√400.
    assert (baseline.scale > torch.tensor([2.0, 1.0, 1.0, 1.0])).all()
    assert (baseline.scale < torch.tensor([8.0, 6.0, 8.0, 30.0])).all()
    expected = torch.tensor([125.0, 80.4, 92.6, 173.0], dtype=torch.float64)
    assert ((baseline.location - expected).abs() < 5 * 1.25 * baseline.scale / 20.0 + 0.5).all()
    rates = torch.tensor([0.8, 0.1, 0.1], dtype=torch.float64)
    counts = torch.tensor([1600.0, 800.0, 800.0], dtype=torch.float64)
    assert ((baseline.tag_rates - rates).abs() < 4 * torch.sqrt(rates * (1 - rates) / counts) + 1 / counts).all()
    assert baseline.complete[8].tolist() == pytest.approx([401 / 402] * 3)
    assert baseline.complete[5].tolist() == [0.5] * 3
    assert set(json.loads(json.dumps(baseline.to_json()))) == {"location", "scale", "tag_rates", "complete"}


def test_score_is_the_chi_square_written_out(sample):
    """For one event and every candidate, from the four-vectors."""
    reco, truth = sample
    baseline = MassBaseline.fit(reco, truth)
    scores = baseline.scores(reco)
    momenta = from_pt_eta_phi_m(reco.jets[3, :, :4].double())
    tagged, rates = reco.jet_tagged[3].tolist(), baseline.tag_rates.tolist()

    def tags(jets, kinds):
        total = 0.0
        for jet, kind in zip(jets, kinds, strict=True):
            total += np.log(rates[kind] / rates[2] if tagged[jet] else (1 - rates[kind]) / (1 - rates[2]))
        return total + np.log(401 / 402)

    location, scale = baseline.location.tolist(), baseline.scale.tolist()
    for number, jets in enumerate(candidates(8).jets[0].tolist()):
        pull = (invariant_mass(momenta[jets]).item() - location[0]) / scale[0]
        assert scores.higgs[3, number].item() == pytest.approx(-(pull**2) / 2 + tags(jets, (0, 0)), rel=1e-6)
    for number, jets in enumerate(candidates(8).jets[1].tolist()):
        of_w, of_top = invariant_mass(momenta[jets[1:]]).item(), invariant_mass(momenta[jets]).item()
        pulls = (of_w - location[1]) / scale[1], (of_top - of_w - location[2]) / scale[2]
        expected = -sum(pull**2 for pull in pulls) / 2 + tags(jets, (0, 1, 1))
        assert scores.hadronic_top[3, number].item() == pytest.approx(expected, rel=1e-6)


def test_neutrino_gives_the_w_mass(torch_rng):
    """Unsmeared, one of the two solutions is the true one: the top mass comes out in most events."""
    reco, truth = events(400, torch_rng, smear=0.0)
    baseline = MassBaseline.fit(reco, truth)
    assert MASSES[3] == "m_lnub"
    assert baseline.location[3].item() == pytest.approx(173.0, abs=0.1)
    pull = -2.0 * baseline.scores(reco).leptonic_top.gather(1, truth.assignment[:, 5:])
    assert pull.isfinite().all()


def test_assignment_is_mostly_right(torch_rng):
    reco, truth = events(400, torch_rng, smear=0.02)
    found = MassBaseline.fit(reco, truth).assign(reco)
    right = (found == truth.assignment).all(dim=1).double().mean().item()
    assert right > 0.75


def test_jets_in_another_order(sample, torch_rng):
    reco, truth = sample
    baseline = MassBaseline.fit(reco, truth)
    order = torch.randperm(8, generator=torch_rng)
    shuffled = RecoEvents(
        reco.jets[:, order], reco.jet_tagged[:, order], reco.jet_mask, reco.leptons, reco.lepton_pdg,
        reco.lepton_mask, reco.met,
    )  # fmt: skip
    table = candidates(8)
    first, second = baseline.assign(reco), baseline.assign(shuffled)
    assert torch.equal(table.numbers(first), table.numbers(torch.where(second >= 0, order[second], -1)))


def test_padding_changes_nothing(sample):
    reco, truth = sample
    baseline = MassBaseline.fit(reco, truth)
    padded = RecoEvents(
        torch.nn.functional.pad(reco.jets, (0, 0, 0, 3)), torch.nn.functional.pad(reco.jet_tagged, (0, 3)),
        torch.nn.functional.pad(reco.jet_mask, (0, 3)), reco.leptons, reco.lepton_pdg, reco.lepton_mask, reco.met,
    )  # fmt: skip
    assert torch.equal(baseline.assign(padded), baseline.assign(reco))
    assert torch.equal(baseline.scores(padded).higgs[:, 28:], torch.full((400, 27), -torch.inf).double())


def test_too_few_events(torch_rng):
    reco, truth = events(10, torch_rng)
    with pytest.raises(EventFileError, match="needs 20 events whose m_bb is known, but only 10 of 10"):
        MassBaseline.fit(reco, truth)

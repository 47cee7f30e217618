"""Momenta that partons leave, against sums done by hand."""

import math

import pytest
import torch

from mem.transfer.toys import LAYOUTS, draw_events, some_partons, tiny_transfer
from partonic.mem.transfer.candidates import CandidatePlan, candidates_of, kinds_of_candidates, plan_candidates
from partonic.mem.transfer.layout import TransferLayout

H, HADRONIC, LEPTONIC = 0, 1, 2
LEPTON, MET, JET = 0, 1, 2


def listed(plan: CandidatePlan) -> list[tuple[int, int, int]]:
    return list(zip(plan.parton.tolist(), plan.first.tolist(), plan.second.tolist(), strict=True))


def test_candidates_follow_the_decays() -> None:
    plan = plan_candidates(LAYOUTS["semileptonic"], 6)  # ℓ, missing momentum, four jets; the last is subtracted by none
    expected = {(H, -1, -1), (HADRONIC, -1, -1), (LEPTONIC, -1, -1)}
    expected |= {(parton, JET + jet, -1) for parton in (H, HADRONIC, LEPTONIC) for jet in range(3)}
    expected |= {(HADRONIC, JET + i, JET + j) for i in range(3) for j in range(i + 1, 3)}
    expected |= {(LEPTONIC, LEPTON, -1), (LEPTONIC, MET, -1), (LEPTONIC, LEPTON, MET)}
    assert sorted(listed(plan)) == sorted(expected)
    assert len(plan.kind.unique()) <= kinds_of_candidates(LAYOUTS["semileptonic"])


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_nothing_is_subtracted_before_it_is_known(layout: TransferLayout) -> None:
    slots = layout.missing + 1 + layout.jets_max
    whole = plan_candidates(layout, slots)
    for slot in range(slots):
        known = [max(first, second) < slot for _, first, second in listed(whole)]
        assert known == [True] * whole.counts[slot] + [False] * (len(known) - whole.counts[slot])
        fewer = plan_candidates(layout, slot + 1)  # of a sequence that ends there
        assert listed(fewer) == listed(whole)[: whole.counts[slot]]
        assert fewer.counts[slot] == whole.counts[slot]
        assert torch.equal(fewer.kind, whole.kind[: whole.counts[slot]])


def test_photons_are_taken_from_h_and_jets_from_the_single_top() -> None:
    plan = plan_candidates(LAYOUTS["photons"], 7)  # two photons, missing momentum, four jets
    higgs, top, quark, photons, jets = 0, 1, 2, (0, 1), range(3, 6)
    expected = {(higgs, -1, -1), (top, -1, -1), (quark, -1, -1)}
    expected |= {(higgs, photon, -1) for photon in photons} | {(top, jet, -1) for jet in jets}
    expected |= {(top, i, j) for i in jets for j in jets if i < j}
    assert sorted(listed(plan)) == sorted(expected)
    kinds = kinds_of_candidates(LAYOUTS["photons"])
    assert kinds == 21
    assert int(plan.kind.max()) < kinds


def test_other_partons_have_no_candidates_but_themselves() -> None:
    layout = LAYOUTS["semileptonic"]
    ttbb = TransferLayout(**{**vars(layout), "parton_pdg": (6, -6, 5, -5)})
    subtracted = {parton for parton, first, _ in listed(plan_candidates(ttbb, 7)) if first >= 0}
    assert subtracted == {0, 1}


def test_momenta_are_what_is_left() -> None:
    layout, partons = LAYOUTS["semileptonic"], some_partons(2)[:, None].float()
    objects = torch.tensor(
        [[[0.0, 0.0, 0.0, 0.0], [50.0, 30.0, 40.0, 0.0], [90.0, 60.0, 60.0, 30.0], [1.0, 1.0, 0.0, 0.0]]]
    )
    objects = objects.expand(2, -1, -1)
    tags = torch.tensor([[0.0, 0.0, 1.0, 0.0]]).expand(2, -1)
    plan = plan_candidates(layout, 4)
    found = candidates_of(plan, partons, objects, tags)
    at = listed(plan).index((HADRONIC, JET, -1))
    left = (partons[:, 0, HADRONIC] - objects[:, JET]).double()
    pt = left[:, 1:3].norm(dim=1)
    torch.testing.assert_close(found.log_pt[:, 0, at].double(), pt.log(), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(found.eta[:, 0, at].double(), torch.asinh(left[:, 3] / pt), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(found.cosine[:, 0, at].double(), left[:, 1] / pt, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(found.sine[:, 0, at].double(), left[:, 2] / pt, rtol=1e-4, atol=1e-5)
    assert found.features[0, 0, at, -1] == 1.0  # a tagged jet was taken away
    mass2 = left[:, 0] ** 2 - left[:, 1:].square().sum(dim=1)
    torch.testing.assert_close(
        torch.sinh(found.features[:, 0, at, 2].double() / 0.3) * 2500.0, mass2, rtol=1e-3, atol=1.0
    )  # fmt: skip


def test_no_candidates_beyond_the_decay_of_a_parton_that_vanishes_in_the_objects() -> None:
    """A parton of which nothing is left has a finite candidate."""
    layout, partons = LAYOUTS["semileptonic"], some_partons(1)[:, None].float()
    objects = torch.zeros(1, 4, 4)
    objects[:, JET] = partons[:, 0, H]
    found = candidates_of(plan_candidates(layout, 4), partons, objects, torch.zeros(1, 4))
    assert all(bool(values.isfinite().all()) for values in vars(found).values())


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_density_with_candidates_does_not_depend_on_company_or_the_beam_angle(layout: TransferLayout) -> None:
    events, z = draw_events(layout, 40, seed=3).reco, some_partons(40)[:, None]
    transfer = tiny_transfer(layout, spread=0.1, candidates=4)
    together = transfer.log_density(events, z)
    alone = torch.cat([transfer.log_density(events.select(torch.tensor([i])), z[i : i + 1]) for i in range(40)])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-3)
    assert bool(together.isfinite().all())
    cosine, sine = math.cos(0.9), math.sin(0.9)
    energy, px, py, pz = z.unbind(dim=-1)
    turned = torch.stack([energy, cosine * px - sine * py, sine * px + cosine * py, pz], dim=-1)
    for objects in (events.jets, events.leptons, events.photons):
        objects[..., 2] += 0.9
    events.met[:, 1] += 0.9
    torch.testing.assert_close(transfer.log_density(events, turned), together, rtol=1e-4, atol=2e-2)

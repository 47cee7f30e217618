"""Features of events: the same whichever way an event is turned, and blind to padding."""

import math

import torch

from partonic.events.batch import RecoEvents
from partonic.features.inputs import event_tokens, sum_of_objects


def random_events(generator: torch.Generator, events: int = 50, jets: int = 8) -> RecoEvents:
    def uniform(low: float, high: float, *shape: int) -> torch.Tensor:
        return low + (high - low) * torch.rand(shape, generator=generator)

    def objects(count: int) -> torch.Tensor:
        shape = (events, count)
        columns = [uniform(30, 300, *shape), uniform(-2.4, 2.4, *shape), uniform(-math.pi, math.pi, *shape)]
        return torch.stack([*columns, uniform(2, 20, *shape), uniform(0, 1, *shape).round()], dim=-1)

    mask = torch.arange(jets) < torch.randint(4, jets + 1, (events, 1), generator=generator)
    return RecoEvents(
        jets=torch.where(mask[..., None], objects(jets), 0.0),
        jet_tagged=mask,
        jet_mask=mask,
        leptons=objects(1),
        lepton_pdg=torch.full((events, 1), -13),
        lepton_mask=torch.ones((events, 1), dtype=torch.bool),
        met=torch.stack([uniform(10, 200, events), uniform(-math.pi, math.pi, events)], dim=-1),
    )


def turned(reco: RecoEvents, angle: float, exchange_beams: bool) -> RecoEvents:
    sign = -1.0 if exchange_beams else 1.0

    def phi(values: torch.Tensor) -> torch.Tensor:
        return torch.remainder(sign * (values + angle) + math.pi, 2 * math.pi) - math.pi

    def objects(values: torch.Tensor) -> torch.Tensor:
        return torch.stack(
            [values[..., 0], sign * values[..., 1], phi(values[..., 2]), values[..., 3], values[..., 4]], dim=-1
        )

    return RecoEvents(
        jets=objects(reco.jets),
        jet_tagged=reco.jet_tagged,
        jet_mask=reco.jet_mask,
        leptons=objects(reco.leptons),
        lepton_pdg=reco.lepton_pdg,
        lepton_mask=reco.lepton_mask,
        met=torch.stack([reco.met[:, 0], phi(reco.met[:, 1])], dim=-1),
    )


def test_turning_an_event_changes_no_feature(torch_rng: torch.Generator) -> None:
    reco = random_events(torch_rng)
    before = event_tokens(reco)
    for angle, exchange in ((1.3, False), (-2.0, True)):
        after = event_tokens(turned(reco, angle, exchange))
        for name in ("jets", "lepton", "met"):
            torch.testing.assert_close(getattr(after, name), getattr(before, name), rtol=0.0, atol=2e-5)
        torch.testing.assert_close(after.boost, before.boost, rtol=0.0, atol=2e-3)


def test_padding_is_not_seen(torch_rng: torch.Generator) -> None:
    reco = random_events(torch_rng)
    filled = torch.where(reco.jet_mask[..., None], reco.jets, torch.tensor(777.0))
    other = RecoEvents(**{**vars(reco), "jets": filled})
    assert torch.equal(event_tokens(other).jets, event_tokens(reco).jets)
    assert torch.equal(event_tokens(other).boost, event_tokens(reco).boost)


def test_trimming_drops_empty_slots_only(torch_rng: torch.Generator) -> None:
    reco = random_events(torch_rng, events=5, jets=8)
    tokens = event_tokens(reco)
    trimmed = tokens.trimmed()
    most = int(reco.jet_mask.sum(dim=1).max())
    assert trimmed.jets.shape[1] == most
    assert torch.equal(trimmed.jets, tokens.jets[:, :most])


def test_sum_of_objects_keeps_to_the_central_region(torch_rng: torch.Generator) -> None:
    """An object at |η| > 2.4 does not count; the transverse parts of the others add up."""
    reco = random_events(torch_rng, events=3, jets=4)
    forward = reco.jets.clone()
    forward[:, 0, 1] = 3.0
    without = reco.jet_mask.clone()
    without[:, 0] = False
    outside = sum_of_objects(RecoEvents(**{**vars(reco), "jets": forward}))
    missing = sum_of_objects(RecoEvents(**{**vars(reco), "jet_mask": without}))
    torch.testing.assert_close(outside, missing)
    jets, lepton, met = reco.jets.double(), reco.leptons.double(), reco.met.double()
    px = (jets[..., 0] * jets[..., 2].cos() * reco.jet_mask).sum(1) + lepton[:, 0, 0] * lepton[:, 0, 2].cos()
    torch.testing.assert_close(sum_of_objects(reco)[:, 1], px + met[:, 0] * met[:, 1].cos())

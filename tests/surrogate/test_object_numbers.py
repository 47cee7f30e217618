"""Events as numbers and back: exact inverses, symmetries of the collision, cuts and orders whatever is drawn."""

from dataclasses import replace

import pytest
import torch
from tests.surrogate.toys import LAYOUTS, toy_events

from partonic.events.batch import RecoEvents
from partonic.mem.transfer.layout import TransferLayout
from partonic.mem.transfer.objects import object_table
from partonic.rng import torch_generator
from partonic.surrogate.object_numbers import ObjectNumbers

BY_LAYOUT = pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)


@BY_LAYOUT
def test_decode_inverts_encode(layout: TransferLayout) -> None:
    reco, momenta = toy_events(layout, 400)
    numbers = ObjectNumbers.of(reco, layout, 6)
    drawn = numbers.encode(reco, momenta, torch_generator(1, "spread"))
    assert drawn.shape == (400, numbers.size)
    there = torch.isnan(drawn).any(dim=1)
    assert bool(there.any())  # events with fewer jets than slots
    back = numbers.decode(torch.nan_to_num(drawn), momenta)
    assert bool((back.jet_mask.sum(dim=1) == reco.jet_mask.sum(dim=1).clamp(max=6)).all())
    kept = reco.jet_mask[:, :6]
    torch.testing.assert_close(back.jets[..., :4][kept], reco.jets[:, :6, :4][kept], rtol=2e-4, atol=2e-4)
    assert bool((back.jet_tagged == (reco.jet_tagged[:, :6] & kept)).all())
    torch.testing.assert_close(back.met, reco.met, rtol=2e-4, atol=2e-4)
    n = layout.leptons
    torch.testing.assert_close(back.leptons[:, :n, :3], reco.leptons[:, :n, :3], rtol=2e-4, atol=2e-4)
    if layout.photons:
        torch.testing.assert_close(back.photons[:, :2, :3], reco.photons[:, :2, :3], rtol=1e-3, atol=1e-3)


@BY_LAYOUT
def test_numbers_know_neither_azimuth_nor_beams(layout: TransferLayout) -> None:
    """Turning an event about the beam, or by π across it, changes neither numbers nor conditions."""
    reco, momenta = toy_events(layout, 100)
    numbers = ObjectNumbers(layout, 6)
    before = numbers.encode(reco, momenta, torch_generator(1, "spread"))
    for turned, partons in (_turned(reco, momenta, 0.7), _exchanged(reco, momenta)):
        after = numbers.encode(turned, partons, torch_generator(1, "spread"))
        torch.testing.assert_close(after, before, rtol=1e-3, atol=2e-3, equal_nan=True)
        conditions = numbers.conditions(momenta)
        torch.testing.assert_close(numbers.conditions(partons), conditions, rtol=1e-3, atol=2e-3)


@BY_LAYOUT
def test_whatever_is_drawn_is_within_the_cuts(layout: TransferLayout) -> None:
    _, momenta = toy_events(layout, 500)
    numbers = ObjectNumbers(layout, 6)
    drawn = 4.0 * torch.randn(500, numbers.size, generator=torch_generator(3, "wild"), dtype=torch.float64)
    reco = numbers.decode(drawn, momenta)
    assert bool(object_table(reco, _loosened(layout)).inside.all())
    assert bool((reco.jet_tagged.sum(dim=1) >= layout.b_tags_min).all())
    assert bool((reco.jet_mask.sum(dim=1) >= layout.jets_min).all())


def test_gaussian_numbers_are_events_with_the_right_numbers_of_jets_and_tags() -> None:
    """Before any training: shares of numbers of jets and of tags are those of the events, within 4 errors."""
    layout = LAYOUTS["photons"]
    reco, momenta = toy_events(layout, 4000)
    numbers = ObjectNumbers.of(reco, layout, 8)
    drawn = torch.randn(4000, numbers.size, generator=torch_generator(4, "base"), dtype=torch.float64)
    found = numbers.decode(drawn, momenta)
    for count in (lambda events: events.jet_mask.sum(dim=1), lambda events: events.jet_tagged.sum(dim=1)):
        shares = [torch.bincount(count(events), minlength=9)[:9].double() / 4000 for events in (reco, found)]
        error = (2.0 * shares[0].clamp(min=1e-3) / 4000).sqrt()
        assert bool(((shares[1] - shares[0]).abs() < 4.0 * error).all())


def _loosened(layout: TransferLayout) -> TransferLayout:
    """Return cuts that rounding to single precision does not break."""
    names = ("jet_pt_min", "lepton_pt_min", "photon_pt_min")
    return replace(layout, **{name: 0.999999 * getattr(layout, name) for name in names})


def _turned(reco: RecoEvents, momenta: torch.Tensor, angle: float) -> tuple[RecoEvents, torch.Tensor]:
    cosine, sine = torch.cos(torch.tensor(angle)), torch.sin(torch.tensor(angle))
    energy, px, py, pz = momenta.unbind(dim=-1)
    partons = torch.stack([energy, cosine * px - sine * py, sine * px + cosine * py, pz], dim=-1)

    def moved(objects: torch.Tensor, place: int) -> torch.Tensor:
        result = objects.clone()
        result[..., place] = torch.remainder(result[..., place] + angle + torch.pi, 2 * torch.pi) - torch.pi
        return result

    return replace(
        reco, jets=moved(reco.jets, 2), leptons=moved(reco.leptons, 2), met=moved(reco.met, 1),
        photons=moved(reco.photons, 2),
    ), partons  # fmt: skip


def _exchanged(reco: RecoEvents, momenta: torch.Tensor) -> tuple[RecoEvents, torch.Tensor]:
    """Return events turned by π about the x axis."""

    def moved(objects: torch.Tensor, signs: tuple[int, ...]) -> torch.Tensor:
        result = objects.clone()
        for place in signs:
            result[..., place] *= -1.0
        return result

    return replace(
        reco, jets=moved(reco.jets, (1, 2)), leptons=moved(reco.leptons, (1, 2)), met=moved(reco.met, (1,)),
        photons=moved(reco.photons, (1, 2)),
    ), moved(momenta, (2, 3))  # fmt: skip

"""Events drawn from a transfer function against its density, which other tests show to be normalised."""

import math

import pytest
import torch
from torch import Tensor

from mem.transfer.toys import LAYOUTS, some_partons, tiny_transfer
from partonic.events.batch import RecoEvents
from partonic.features.known_of_event import described
from partonic.mem.transfer.layout import TransferLayout
from partonic.mem.transfer.objects import object_table
from partonic.mem.transfer.transfer_function import TransferFunction

by_channel = pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
EVENTS = 8_000


def drawn(transfer: TransferFunction, count: int = EVENTS, seed: int = 2) -> tuple[RecoEvents, Tensor]:
    """Events drawn for one set of partons, and these partons."""
    momenta = some_partons(1).expand(count, -1, -1)
    return transfer.sample(momenta, torch.Generator().manual_seed(seed)), momenta


def features(reco: RecoEvents) -> dict[str, Tensor]:
    """Functions of x that see every component and how some depend on others; bounded, so that means converge."""
    first, second, met = reco.jets[:, 0].double(), reco.jets[:, 1].double(), reco.met.double()
    of_photons = {}
    if reco.photons.shape[1]:
        hard, soft = reco.photons[:, 0].double(), reco.photons[:, 1].double()
        of_photons = {
            "photon pT": 25.0 / hard[:, 0],
            "second photon of first": torch.log(soft[:, 0] / 25.0) / torch.log(hard[:, 0] / 25.0),
            "photons η η": torch.tanh(hard[:, 1]) * torch.tanh(soft[:, 1]),
            "photons φ φ": torch.cos(hard[:, 2] - soft[:, 2]),
            "photon and jet": torch.sin(hard[:, 2] - first[:, 2]),
        }
    return of_photons | {
        "many jets": (reco.jet_mask.sum(dim=1) > 4).double(),
        "tags": reco.jet_tagged.sum(dim=1).double() / 4.0,
        "first pT": 30.0 / first[:, 0],
        "second pT of first": torch.log(second[:, 0] / 30.0) / torch.log(first[:, 0] / 30.0),
        "η": torch.tanh(first[:, 1]),
        "η η": torch.tanh(first[:, 1]) * torch.tanh(second[:, 1]),
        "φ φ": torch.cos(first[:, 2] - second[:, 2]),
        "φ of the missing momentum": torch.sin(first[:, 2] - met[:, 1]),
        "φ in the laboratory": torch.cos(first[:, 2]),
        "missing momentum": 1.0 / (1.0 + met[:, 0] / 30.0),
        "tag and pT": reco.jet_tagged[:, 1].double() * 30.0 / second[:, 0],
    }


@pytest.mark.parametrize("candidates", [0, 4])
@by_channel
def test_drawn_events_have_the_density(layout: TransferLayout, candidates: int) -> None:
    """E_p[f p'/p] = E_p'[f] for two networks p and p': every component and every Jacobian is in it."""
    first, second = (tiny_transfer(layout, spread=spread, candidates=candidates) for spread in (0.1, 0.12))
    x, z = drawn(first)
    weights = (second.log_density(x, z[:, None]) - first.log_density(x, z[:, None]))[:, 0].exp()
    error = float(weights.std()) / math.sqrt(EVENTS)
    assert error < 0.03
    assert abs(float(weights.mean()) - 1.0) < 4.0 * error
    found = features(drawn(second, seed=3)[0])
    for name, values in features(x).items():
        reweighted = weights * values
        difference = float(reweighted.mean() - found[name].mean())
        error = math.sqrt(float(reweighted.var() + found[name].var()) / EVENTS)
        assert error < 0.03, name
        assert abs(difference) < 4.5 * error, (name, difference, error)


@pytest.mark.parametrize("candidates", [0, 4])
@by_channel
def test_drawn_events_lie_within_the_cuts(layout: TransferLayout, candidates: int) -> None:
    x, _ = drawn(tiny_transfer(layout, spread=0.1, candidates=candidates), 2_000)
    assert bool(object_table(x, layout).inside.all())
    assert int(x.jet_tagged.sum(dim=1).min()) >= layout.b_tags_min
    assert x.jets.shape[1] == layout.jets_max
    numbers = set(x.jet_mask.sum(dim=1).tolist())
    assert len(numbers) > 1
    assert numbers <= set(range(layout.jets_min, layout.jets_max + 1))
    for again, values in zip(vars(described(x, layout.decay_channel)).values(), vars(x).values(), strict=True):
        assert torch.equal(again, values)  # nothing is in them that p_T does not know


def test_same_generator_same_events_and_every_event_its_own_partons() -> None:
    transfer = tiny_transfer(LAYOUTS["semileptonic"], spread=0.1)
    momenta = some_partons(3_000)  # more than one piece
    first, second = (transfer.sample(momenta, torch.Generator().manual_seed(4)) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(vars(first).values(), vars(second).values(), strict=True))
    one, other = (transfer.log_density(first, part[:, None]).mean() for part in (momenta, momenta.roll(1, dims=0)))
    assert float(one) > float(other)


def test_a_turn_of_the_partons_turns_the_events() -> None:
    transfer = tiny_transfer(LAYOUTS["semileptonic"], spread=0.1)
    momenta, angle = some_partons(50), 0.7
    energy, px, py, pz = momenta.unbind(dim=-1)
    cosine, sine = math.cos(angle), math.sin(angle)
    turned = torch.stack([energy, cosine * px - sine * py, sine * px + cosine * py, pz], dim=-1)
    first, second = (transfer.sample(part, torch.Generator().manual_seed(5)) for part in (momenta, turned))
    torch.testing.assert_close(second.jets[..., 0], first.jets[..., 0], rtol=1e-3, atol=1e-2)
    torch.testing.assert_close(
        torch.cos(second.met[:, 1]), torch.cos(first.met[:, 1] + angle), rtol=0.0, atol=1e-3
    )  # fmt: skip


@pytest.mark.parametrize("candidates", [0, 4])
def test_tails_of_a_wild_network_stay_finite(candidates: int) -> None:
    x, _ = drawn(tiny_transfer(LAYOUTS["semileptonic"], spread=0.5, candidates=candidates), 3_000)
    for values in (x.jets, x.leptons, x.met):
        assert bool(values.isfinite().all())
    assert float(x.leptons[..., 0].max()) <= 1e6


def test_no_missing_momentum_at_all() -> None:
    """Tails on the line reach where exp(t) is 0 in floats, of which the next object could not take the logarithm."""
    transfer = tiny_transfer(LAYOUTS["semileptonic"], candidates=4)
    with torch.no_grad():
        transfer.network.met.first_pt.mean.fill_(-150.0)
        transfer.network.met.near.query.bias[transfer.network.met.near.size] = 20.0  # from the splines
    x, _ = drawn(transfer, 50)
    for values in (x.jets, x.leptons, x.met):
        assert bool(values.isfinite().all())
    assert float(x.met[:, 0].min()) > 0.0

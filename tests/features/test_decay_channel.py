"""What is seen of each parton, and which final states and decays have a decay channel."""

import pytest
import torch

from mem.transfer.toys import LAYOUTS, draw_events
from partonic.errors import ProcessError
from partonic.features.decay_channel import DecayChannel

TTH, THQ = (25, 6, -6), (25, 6, 1)


def seen(channel: DecayChannel) -> dict[str, tuple[str, ...]]:
    return {slot.name: slot.objects for slot in channel.slots}


def test_slots_of_a_top_pair() -> None:
    hadronic, leptonic = ("jet", "jet", "jet"), ("jet", "lepton", "missing")
    one = DecayChannel.of_decays("semileptonic", TTH)
    assert seen(one) == {"H": ("jet", "jet"), "t_had": hadronic, "t_lep": leptonic}
    assert [slot.lepton for slot in one.slots] == [None, None, 0]
    two = DecayChannel.of_decays("dilepton", TTH, "gammagamma")
    assert seen(two) == {"H": ("photon", "photon"), "t": leptonic, "tbar": leptonic}
    assert [slot.lepton for slot in two.slots] == [None, 0, 1]
    assert (two.leptons, two.photons) == (2, 2)
    bb = DecayChannel.of_decays("all_hadronic", (6, -6, 5, -5), "gammagamma")
    assert bb.photons == 0  # there is no H
    assert seen(bb)["b"] == ("jet",)


def test_slots_of_a_single_top() -> None:
    channel = DecayChannel.of_decays("hadronic", THQ, "gammagamma")
    assert seen(channel) == {"H": ("photon", "photon"), "t": ("jet", "jet", "jet"), "q": ("jet",)}
    assert (channel.leptons, channel.photons, channel.exchangeable) == (0, 2, False)
    assert seen(DecayChannel.of_decays("hadronic", THQ))["H"] == ("jet", "jet")


def test_a_hadronic_single_top_stays_in_its_place() -> None:
    x = draw_events(LAYOUTS["photons"], 5, seed=1).reco
    momenta = torch.arange(5 * 2 * 3 * 4, dtype=torch.float64).view(5, 2, 3, 4)
    assert torch.equal(DecayChannel("hadronic", THQ, "photons").process_order(momenta, x), momenta)


@pytest.mark.parametrize(
    ("tops", "partons", "message"),
    [
        ("semileptonic", THQ, "the tops decay 'semileptonic'; set simulation.decays.tops to one of: hadronic"),
        ("hadronic", TTH, "to one of: semileptonic, dilepton, all_hadronic"),
        ("inclusive", TTH, "the tops decay 'inclusive'"),
        ("leptonic", THQ, "the charge of its lepton tells which it is: set simulation.decays.tops to hadronic"),
        ("hadronic", (25, 23), r"got PDG ids \[23\]"),
        ("semileptonic", (11, -12, 13, -13), "Decays of the matrix element itself are not integrated over"),
        ("hadronic", (25, 1), "got no top in"),
    ],
)
def test_what_has_no_decay_channel_is_refused(tops: str, partons: tuple[int, ...], message: str) -> None:
    with pytest.raises(ProcessError, match=message):
        DecayChannel.of_decays(tops, partons)


def test_name_and_tops_belong_together() -> None:
    with pytest.raises(ProcessError, match="'hadronic' needs a single t or t̄ in the final state"):
        DecayChannel("hadronic", TTH)
    with pytest.raises(ProcessError, match="needs one t and one t̄"):
        DecayChannel("semileptonic", THQ)

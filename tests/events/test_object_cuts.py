import numpy as np
import pytest

from partonic.config.selection import SelectionConfig
from partonic.config.simulation import JetConfig
from partonic.events.cut_flow import cut_names
from partonic.events.object_cuts import Candidates, best_pair, object_cuts, pair_mass
from partonic.events.selection import SELECTED, counted_jets, jet_cut, object_cut

THREE = {"leptons": 3, "lepton_pt_min": 15.0, "veto_pt_min": 15.0, "lepton_pair_mass": (76.0, 106.0)}


def candidates(*events):
    """Objects (pt, eta, phi, pdg) of each event."""
    rows = np.array([row for event in events for row in event], dtype=float).reshape(-1, 4)
    number = np.repeat(np.arange(len(events)), [len(event) for event in events])
    return Candidates(rows[:, 0], rows[:, 1], rows[:, 2], rows[:, 3].astype(int), number)


def cut(selection, leptons=(), photons=(), met=None):
    """The first cut failed by each event."""
    events = max(len(leptons), len(photons), 0 if met is None else len(met))
    missing = None if met is None else np.array(met, dtype=float)
    empty = [()] * events
    return object_cut(
        candidates(*(leptons or empty)), candidates(*(photons or empty)), missing, events, selection
    ).tolist()


def back_to_back(mass, pdg=11, phi=0.0):
    """Two leptons of opposite charges at η = 0 whose pair has this mass."""
    return [(mass / 2, 0.0, phi, pdg), (mass / 2, 0.0, phi + np.pi, -pdg)]


def test_mass_of_a_pair_is_that_of_the_four_vectors():
    first, second = np.array([[40.0, 1.2, 0.3, 11]]), np.array([[25.0, -0.4, 2.9, -11]])
    momenta = [
        np.array([pt * np.cosh(eta), pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)])
        for pt, eta, phi, _ in (first[0], second[0])
    ]
    total = sum(momenta)
    assert pair_mass(first, second) == pytest.approx(np.sqrt(total[0] ** 2 - (total[1:] ** 2).sum()))


def test_the_pair_nearest_to_the_z_counts():
    far, near = back_to_back(60.0, 11), back_to_back(92.0, 13, 0.7)
    mass, members = best_pair(candidates([*far, *near]).padded(1))
    assert mass == pytest.approx([92.0])
    assert members.sum() == 2
    assert members[0, :2].all()  # the two hardest are those of the nearer pair


@pytest.mark.parametrize(
    "pair", [[(45, 0, 0, 11), (45, 0, 3.1, 11)], [(45, 0, 0, 11), (45, 0, 3.1, -13)], [], [(9, 0, 0, 11)]]
)
def test_equal_charges_and_other_flavours_make_no_pair(pair):
    mass, members = best_pair(candidates(pair).padded(1))
    assert np.isnan(mass).all()
    assert not members.any()


def test_three_leptons():
    selection = SelectionConfig(**THREE, remaining_lepton_pt_min=20.0, jets_min=0, b_tags_min=0)
    third = (25.0, 0.5, 1.0, 13)
    events = [
        [*back_to_back(91.0), third],  # good
        back_to_back(91.0),  # two leptons
        [*back_to_back(91.0), third, (16.0, 0.0, 2.0, 13)],  # a fourth one
        [*back_to_back(70.0), third],  # wrong mass
        [(45, 0, 0, 11), (45, 0, 3.1, 11), third],  # no pair
        [*back_to_back(91.0), (18.0, 0.5, 1.0, 13)],  # the lepton that remains is soft
    ]
    assert cut(selection, events) == [SELECTED, 0, 0, 2, 2, 3]
    assert jet_cut(np.array([0]), np.array([0]), SelectionConfig(**THREE, jets_min=1)).tolist() == [3]


def test_transverse_mass_is_that_of_the_lepton_outside_the_pair():
    selection = SelectionConfig(**THREE, transverse_mass_min=50.0)
    event = [*back_to_back(91.0), (30.0, 0.5, 1.0, 13)]
    # m_T = 2 √(30 · pT(miss)) opposite to the lepton, and 0 along it
    assert cut(selection, [event] * 3, met=[(25.0, 1.0 + np.pi), (25.0, 1.0), (20.0, 1.0 + np.pi)]) == [SELECTED, 3, 3]
    single = SelectionConfig(transverse_mass_min=50.0)
    assert cut(single, [[(30.0, 0, 1.0, 13)]] * 2, met=[(25.0, 1.0 + np.pi), (25.0, 1.0)]) == [SELECTED, 2]


def test_missing_momentum():
    selection = SelectionConfig(leptons=0, met_min=40.0)
    assert cut(selection, met=[(41.0, 0.0), (39.0, 0.0)]) == [SELECTED, 2]


def photon(pt, phi=0.0):
    return (pt, 0.0, phi, 22)


def test_photons():
    pair = SelectionConfig(
        leptons=0, photons_min=2, photon_pt_min=25.0, leading_photon_pt_min=35.0, photon_pair_mass=(100.0, 180.0)
    )
    two = [photon(62.5), photon(62.5, np.pi)]
    soft, light = [photon(34), photon(34, np.pi)], [photon(40), photon(40, np.pi)]
    events = [two, [photon(62.5)], soft, light, [*two, photon(30, 2)]]
    assert cut(pair, photons=events) == [SELECTED, 2, 2, 3, SELECTED]
    exact = SelectionConfig(leptons=0, photons=2)
    assert cut(exact, photons=[two, [*two, photon(30, 2)], [*two, photon(24, 2)]]) == [SELECTED, 2, SELECTED]
    veto = SelectionConfig(leptons=0, photons=0)
    assert cut(veto, photons=[[photon(30)], [photon(20)], []]) == [2, SELECTED, SELECTED]


def test_flavours():
    selection = SelectionConfig(leptons=2, lepton_flavours=("mu", "e"))
    events = [[(40, 0, 0, 11), (40, 0, 1, 13)], [(40, 0, 0, 13), (40, 0, 1, -13)], [(40, 0, 0, -11), (40, 0, 1, 11)]]
    assert cut(selection, events) == [SELECTED, 0, 0]


def test_smallest_pt_of_tagged_and_other_jets():
    selection = SelectionConfig(tagged_jet_pt_min=30.0, untagged_jet_pt_min=40.0)
    pt = np.array([35.0, 35.0, 45.0, 25.0])
    tagged = np.array([True, False, False, True])
    jets, tags = counted_jets(pt, tagged, np.array([0, 0, 0, 1]), 2, selection)
    assert jets.tolist() == [2, 0]
    assert tags.tolist() == [1, 0]


def test_names_of_the_cuts_are_in_the_order_of_their_numbers():
    names = cut_names(SelectionConfig(), JetConfig())
    assert names == (
        "1 isolated e, μ with pT > 29 GeV", "no further lepton with pT > 15 GeV", "≥ 4 jets with pT > 30 GeV",
        "≥ 3 b tags",
    )  # fmt: skip
    selection = SelectionConfig(
        **THREE, remaining_lepton_pt_min=20.0, photons=0, met_min=30.0, transverse_mass_min=30.0, jets_min=0,
        tagged_jet_pt_min=40.0,
    )  # fmt: skip
    names = cut_names(selection, JetConfig())
    assert names[2:] == (
        "pair of leptons with m in 76–106 GeV", "lepton outside the pair with pT > 20 GeV",
        "0 photons with pT > 25 GeV", "pT(miss) > 30 GeV", "transverse mass of lepton and pT(miss) > 30 GeV",
        "≥ 0 jets with pT > 30 GeV, b-tagged ones > 40 GeV", "≥ 3 b tags",
    )  # fmt: skip
    assert len(object_cuts(selection)) == 5

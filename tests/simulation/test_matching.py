import numpy as np
import pytest

from partonic.processes.decay_tree import DecayTree, Resonance
from partonic.simulation.harvest import DecayTable
from partonic.simulation.jets import JetTable
from partonic.simulation.matching import hadronic_tops, jet_provenance, match_jets, nearest_pt
from partonic.simulation.particles import ParticleTable, delta_phi, event_offsets

PDG = np.array([5, -5, 5, 2, -1, -5, 13, -14])
ORIGIN = np.array([25, 25, 6, 6, 6, -6, -6, -6], dtype=np.int8)


def momenta(pt, eta, phi):
    return np.stack([pt * np.cosh(eta), pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)], axis=-1)


def random_case(rng, events):
    decays = DecayTable(
        ParticleTable(
            np.tile(PDG, events),
            momenta(rng.uniform(20, 99, 8 * events), rng.normal(0, 0.4, 8 * events), rng.normal(3.1, 0.4, 8 * events)),
            8 * np.arange(events + 1),
        ),
        np.tile(ORIGIN, events),
    )
    counts = rng.integers(0, 9, events)
    number = counts.sum()
    jets = momenta(rng.uniform(20, 99, number), rng.normal(0, 0.4, number), rng.normal(3.1, 0.4, number))
    return JetTable(jets, event_offsets(counts)), decays


def greedy(jets, quarks, radius):
    """Nearest pair first, one after another."""
    eta = [np.arcsinh(p[:, 3] / np.hypot(p[:, 1], p[:, 2])) for p in (jets, quarks)]
    phi = [np.arctan2(p[:, 2], p[:, 1]) for p in (jets, quarks)]
    distance = np.hypot(eta[0][:, None] - eta[1], delta_phi(phi[0][:, None], phi[1]))
    match = np.full(len(jets), -1)
    while distance.size and distance.min() < radius:
        i, j = np.unravel_index(np.argmin(distance), distance.shape)
        match[i] = j
        distance[i, :] = distance[:, j] = np.inf
    return match


def test_match_is_the_greedy_one(rng):
    jets, decays = random_case(rng, 60)
    match = match_jets(jets, decays, 0.4)
    quark = np.flatnonzero(np.abs(PDG) <= 5)
    for event in range(60):
        of_event = slice(jets.offsets[event], jets.offsets[event + 1])
        expected = greedy(jets.momenta[of_event], decays.particles.momenta[8 * event : 8 * event + 8][quark], 0.4)
        np.testing.assert_array_equal(match[of_event], np.where(expected < 0, -1, quark[expected]))
    assert (match >= 0).mean() > 0.3


def test_provenance_without_a_top_pair_is_the_place_of_the_resonance(rng):
    jets, decays = random_case(rng, 60)
    match = match_jets(jets, decays, 0.4)
    tree = DecayTree((Resonance("t", (6, -6), (0,)), Resonance("H", (25,), (1,))))
    decays = DecayTable(decays.particles, decays.origin, tree)
    expected = {-1: 0, 0: 2, 1: 2, 2: 1, 3: 1, 4: 1, 5: 1}
    assert jet_provenance(jets, match, decays).tolist() == [expected[index] for index in match.tolist()]


def test_provenance_follows_the_match(rng):
    jets, decays = random_case(rng, 60)
    match = match_jets(jets, decays, 0.4)
    expected = {-1: 0, 0: 1, 1: 1, 2: 2, 3: 2, 4: 2, 5: 3}
    assert jet_provenance(jets, match, decays).tolist() == [expected[index] for index in match.tolist()]


def test_hadronic_tops(rng):
    _, decays = random_case(rng, 3)
    assert hadronic_tops(decays).tolist() == [[True, False]] * 3


def test_nearest_true_jet():
    jets = JetTable(momenta(np.array([50.0, 40.0]), np.array([0.0, 1.5]), np.zeros(2)), np.array([0, 2]))
    true = JetTable(momenta(np.array([48.0, 44.0]), np.array([0.3, -0.1]), np.zeros(2)), np.array([0, 2]))
    near = nearest_pt(jets, true, 0.4)
    assert near[0] == pytest.approx(44.0)
    assert np.isnan(near[1])

"""From particles to selected events, on events whose result is known, and on showered ones."""

import numpy as np
import pytest

from partonic.config.simulation import SimulationConfig
from partonic.events.selection import SELECTED
from partonic.simulation.particles import ParticleTable, event_offsets
from partonic.simulation.reconstruct import ParticleLevel, reconstruct

NOTHING = ParticleTable(np.zeros(0, dtype=int), np.zeros((0, 4)), np.array([0, 0]))
ALWAYS = ({"eta_max": 2.5, "pt_above": [0.0], "efficiency": [1.0]},)
EXACT = ({"eta_max": 2.5, "constant": 0.0, "slope": 0.0},)
CALORIMETER = ({"eta_max": 5.0, "linear": 0.0, "stochastic_squared": 0.0},)
TRACKS = {"efficiency": ALWAYS, "resolution": EXACT}
PERFECT = {
    "charged_hadrons": TRACKS,
    "electrons": TRACKS,
    "muons": TRACKS,
    "electromagnetic": CALORIMETER,
    "hadronic": CALORIMETER,
    "electron_identification": {"identification": ALWAYS, "isolation_max": 0.12},
    "muon_identification": {"identification": ALWAYS, "isolation_max": 0.25},
    "jet_scale_constant": 0.0,
    "jet_scale_slope": 0.0,
    "b_tagging": {"b_plateau": 1e9, "c_plateau": 0.0, "light_constant": 0.0, "light_slope": 0.0},
}
"""A detector that measures everything as it is, and tags b jets without a mistake."""


@pytest.fixture
def perfect():
    return SimulationConfig(detector=PERFECT)


def particles(*rows):
    pdg, pt, eta, phi = np.array(rows, dtype=float).T
    momenta = np.stack([pt * np.cosh(eta), pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)], axis=-1)
    return ParticleTable(pdg.astype(int), momenta, np.array([0, len(pdg)]))


EVENT = [(-13, 45, 0.1, 2.5), (211, 90, 0.5, 0.0), (22, 20, 0.6, 0.1), (130, 70, -1.0, 1.5), (211, 50, 1.5, -2.0),
         (22, 35, -2.0, -0.8), (12, 60, 0.0, -2.6), (211, 25, 0.0, 0.9)]  # fmt: skip
B_HADRONS = [(511, 80, 0.5, 0.05), (-521, 60, -1.0, 1.5), (5122, 40, 1.5, -2.0)]


def test_a_perfect_detector(perfect, rng):
    events = ParticleLevel(particles(*EVENT), particles(*B_HADRONS))
    reco = reconstruct(events, rng, perfect)
    assert reco.cut.tolist() == [SELECTED]
    np.testing.assert_allclose(reco.jets.pt[1:], [70, 50, 35])
    assert reco.jets.counts.tolist() == [4]
    assert reco.flavour.tolist() == [5, 5, 5, 0]
    assert reco.tagged.tolist() == [True, True, True, False]
    np.testing.assert_allclose(reco.true_pt, reco.jets.pt)
    assert reco.leptons.pdg.tolist() == [-13]
    assert reco.leptons.isolation.tolist() == [0.0]
    visible = events.particles.momenta[[0, 1, 2, 3, 4, 5, 7]].sum(axis=0)
    np.testing.assert_allclose(reco.met, [-visible[1:3]])


def joined(*events):
    """Put events of one event each into one table."""
    return ParticleTable(
        np.concatenate([event.pdg for event in events]),
        np.concatenate([event.momenta for event in events]),
        event_offsets(np.array([len(event.pdg) for event in events])),
    )


def test_events_that_cannot_pass_do_not_disturb_the_others(perfect, rng):
    muon, rest = EVENT[0], EVENT[1:]
    soft, central, second = (-13, 28, 0.1, 2.5), (-13, 45, 2.45, 2.5), (11, 40, -1.0, -3.0)
    samples = [rest, [soft, *rest], EVENT, [central, *rest], [second, *EVENT], EVENT]
    table = joined(*(particles(*sample) for sample in samples))
    heavy = joined(*(particles(*B_HADRONS) for _ in samples))
    reco = reconstruct(ParticleLevel(table, heavy), rng, perfect)
    assert reco.cut.tolist() == [0, 0, SELECTED, 0, 0, SELECTED]
    np.testing.assert_allclose(reco.leptons.momenta, [particles(muon).momenta[0]] * 2)
    assert reco.flavour.tolist() == [5, 5, 5, 0] * 2
    np.testing.assert_allclose(reco.true_pt, reco.jets.pt)
    np.testing.assert_allclose(reco.met[0], reco.met[1])


@pytest.mark.parametrize(
    ("change", "cut"),
    [
        ([(-13, 45, 0.1, 2.5)], 0),  # no lepton
        ([], SELECTED),
        ([(22, 35, -2.0, -0.8)], 2),  # three jets
    ],
)
def test_first_cut_failed(perfect, rng, change, cut):
    events = ParticleLevel(particles(*[row for row in EVENT if row not in change]), particles(*B_HADRONS))
    assert reconstruct(events, rng, perfect).cut.tolist() == [cut]


def test_second_lepton_and_missing_tag(perfect, rng):
    second = ParticleLevel(particles(*EVENT, (11, 20, -0.5, -2.9)), particles(*B_HADRONS))
    assert reconstruct(second, rng, perfect).cut.tolist() == [1]
    two_tags = ParticleLevel(particles(*EVENT), particles(*B_HADRONS[:2]))
    assert reconstruct(two_tags, rng, perfect).cut.tolist() == [3]


def test_lepton_in_a_jet_is_part_of_the_jet(perfect, rng):
    events = ParticleLevel(particles(*EVENT, (13, 30, 0.5, -0.05)), particles(*B_HADRONS))
    reco = reconstruct(events, rng, perfect)
    assert reco.cut.tolist() == [SELECTED]
    assert reco.jets.pt[0] > 135


def test_at_most_so_many_jets(rng):
    config = SimulationConfig(detector=PERFECT, jets={"max_jets": 3}, selection={"jets_min": 3})
    reco = reconstruct(ParticleLevel(particles(*EVENT), particles(*B_HADRONS)), rng, config)
    assert reco.jets.counts.tolist() == [3]


def test_no_event_is_selected(perfect, rng):
    empty = reconstruct(ParticleLevel(NOTHING, NOTHING), rng, perfect)
    assert empty.cut.tolist() == [0]
    assert len(empty.jets.pt) == len(empty.leptons.pdg) == len(empty.met) == 0


def test_showered_events(showered, rng):
    config = SimulationConfig()
    reco = reconstruct(ParticleLevel(showered.particles, showered.heavy), rng, config)
    selected = int(reco.selected.sum())
    assert 0.08 < selected / 400 < 0.22
    assert reco.jets.pt.min() > 30
    assert np.abs(reco.jets.eta).max() < 2.4
    assert reco.jets.counts.min() >= 4
    tags = np.bincount(reco.jets.event[reco.tagged])
    assert tags.min() >= 3
    assert np.diff(reco.leptons.offsets).tolist() == [1] * selected
    response = reco.jets.pt / reco.true_pt
    assert np.isfinite(response).mean() > 0.97
    error = np.nanstd(response) / np.sqrt(len(response))
    assert abs(np.nanmedian(response) - 1.0) < 0.03 + 4 * error
    assert np.nanstd(response) < 0.2


def test_same_generator_same_result(showered):
    level = ParticleLevel(showered.particles, showered.heavy)
    one, two = (reconstruct(level, np.random.default_rng(3), SimulationConfig()) for _ in range(2))
    np.testing.assert_array_equal(one.jets.momenta, two.jets.momenta)
    np.testing.assert_array_equal(one.cut, two.cut)


def test_events_do_not_mix(perfect, rng):
    one = ParticleLevel(particles(*EVENT), particles(*B_HADRONS))
    table = one.particles
    twice = ParticleTable(
        np.tile(table.pdg, 2), np.tile(table.momenta, (2, 1)), event_offsets(np.array([len(EVENT), len(EVENT)]))
    )
    heavy = ParticleTable(one.heavy.pdg, one.heavy.momenta, np.array([0, 3, 3]))
    reco = reconstruct(ParticleLevel(twice, heavy), rng, perfect)
    assert reco.cut.tolist() == [SELECTED, 3]

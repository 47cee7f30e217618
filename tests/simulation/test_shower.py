"""Showered events: conservation laws, decays, independence of what came before."""

import dataclasses

import numpy as np
import pytest

from partonic.config.simulation import SimulationConfig
from partonic.errors import SimulationError
from partonic.physics.particles import W_BOSON
from partonic.simulation.matching import hadronic_tops
from partonic.simulation.shower import Shower
from partonic.simulation.species import has_heavy_quark


def summed(table, mask=None):
    mask = np.ones(len(table.pdg), dtype=bool) if mask is None else mask
    total = np.zeros((table.num_events, 4))
    np.add.at(total, table.event[mask], table.momenta[mask])
    return total


def mass(p):
    return np.sqrt(p[:, 0] ** 2 - (p[:, 1:] ** 2).sum(axis=1))


def few(chunk, number):
    particles = int(chunk.offsets[number])
    return dataclasses.replace(
        chunk,
        facts=chunk.facts[:number],
        particles=chunk.particles[:particles],
        offsets=chunk.offsets[: number + 1],
        named_weights=chunk.named_weights[:number],
    )


def test_momentum_is_conserved(showered):
    np.testing.assert_allclose(summed(showered.particles), [[13000, 0, 0, 0]] * 400, atol=1e-3)
    assert not showered.failed.any()


def test_decays_sum_to_the_resonances(showered):
    decays = showered.decays
    of_higgs = summed(decays.particles, decays.origin == 25)
    np.testing.assert_allclose(of_higgs, showered.resonances[:, 0], atol=1e-6)
    np.testing.assert_allclose(mass(of_higgs), 125.0, atol=0.01)
    of_top = summed(decays.particles, decays.origin == 6)
    radiated = showered.resonances[:, 1, 0] - of_top[:, 0]
    assert (np.abs(radiated) < 1e-6).mean() < 1.0
    assert np.median(np.abs(radiated)) < 20.0  # what the b and the W radiate before the W decays


def test_w_mass_from_the_decay_partons(showered):
    """The W lines have the pole and width of Pythia's table; the median of a Breit–Wigner is its pole."""
    decays = showered.decays
    light = np.isin(np.abs(decays.particles.pdg), (1, 2, 3, 4, 11, 12, 13, 14)) & (decays.origin != 25)
    for origin in (6, -6):
        w = mass(summed(decays.particles, light & (decays.origin == origin)))
        error = 0.5 * np.pi * W_BOSON.width / 2 / np.sqrt(len(w))  # of the median of a Cauchy distribution
        assert abs(np.median(w) - W_BOSON.mass) < 4 * error
        assert error < 0.2


def test_half_of_the_events_are_the_mirror_image(showered, shower_order):
    order, leptonic_plus = shower_order
    assert sorted(order.tolist()) == list(range(400))
    hadronic = hadronic_tops(showered.decays)
    np.testing.assert_array_equal(hadronic[:, 1], leptonic_plus)
    np.testing.assert_array_equal(hadronic[:, 0], ~leptonic_plus)
    assert abs(leptonic_plus.mean() - 0.5) < 4 * 0.5 / np.sqrt(400)


def test_w_flavours_have_the_right_fractions(showered):
    pdg = np.abs(showered.decays.particles.pdg)
    electrons, muons = (pdg == 11).sum(), (pdg == 13).sum()
    assert electrons + muons == 400
    assert abs(electrons - 200) < 4 * 10
    charm = ((pdg == 4) & (np.abs(showered.decays.origin) == 6)).sum()
    assert abs(charm - 200) < 4 * 10
    assert ((pdg == 5) & (showered.decays.origin == 25)).sum() == 800
    assert not (pdg == 15).any()


def test_every_b_quark_gives_a_b_hadron(showered):
    b_hadrons = has_heavy_quark(showered.heavy.pdg, 5)
    per_event = np.bincount(showered.heavy.event[b_hadrons], minlength=400)
    assert per_event.min() >= 4
    assert per_event.mean() < 4.5
    assert (per_event % 2 == 0).all()


def test_a_chunk_does_not_depend_on_what_was_showered_before(shower, showered, chunk, facts):
    list(shower.run(few(chunk, 10), 7))
    (again,) = shower.run(chunk, 0)
    np.testing.assert_array_equal(again.particles.momenta, showered.particles.momenta)
    (fresh,) = Shower(SimulationConfig(), facts, seed=11).run(few(chunk, 30), 2)
    (used,) = shower.run(few(chunk, 30), 2)
    np.testing.assert_array_equal(fresh.particles.momenta, used.particles.momenta)
    (other,) = shower.run(few(chunk, 30), 3)
    assert len(other.particles.pdg) != len(used.particles.pdg)


def test_multiparton_interactions_and_tune(facts, chunk, showered):
    config = SimulationConfig(multiparton_interactions=True, tune=21)
    shower = Shower(config, facts, seed=11)
    (first,) = shower.run(few(chunk, 15), 0)
    list(shower.run(few(chunk, 5), 1))
    (again,) = shower.run(few(chunk, 15), 0)
    np.testing.assert_array_equal(first.particles.momenta, again.particles.momenta)
    assert first.particles.counts.mean() > 1.5 * showered.particles.counts.mean()
    assert np.isfinite(first.initiators).all()


def test_without_hadronization_flavour_comes_from_quarks(facts, chunk):
    (events,) = Shower(SimulationConfig(hadronization=False), facts, seed=1).run(few(chunk, 20), 0)
    assert set(np.abs(events.heavy.pdg)) <= {4, 5}
    assert np.bincount(events.heavy.event[np.abs(events.heavy.pdg) == 5]).min() >= 4


@pytest.mark.parametrize(
    ("tops", "higgs", "expected"),
    [
        ("dilepton", "tautau", {11: 1, 13: 1, 15: 2}),
        ("all_hadronic", "gammagamma", {22: 2}),
        ("inclusive", "inclusive", {}),
    ],
)
def test_other_channels(facts, chunk, tops, higgs, expected):
    config = SimulationConfig(decays={"tops": tops, "higgs": higgs})
    (events,) = Shower(config, facts, seed=1).run(few(chunk, 30), 0)
    pdg, origin = np.abs(events.decays.particles.pdg), events.decays.origin
    leptons_of_tops = np.isin(pdg, (11, 13)) & (origin != 25)
    hadronic = hadronic_tops(events.decays)
    if tops == "dilepton":
        assert leptons_of_tops.sum() == 60
        assert not hadronic.any()
    if tops == "all_hadronic":
        assert not leptons_of_tops.any()
        assert hadronic.all()
    if tops == "inclusive":
        assert 0 < hadronic.sum() < 60
    for particle in set(expected) & {15, 22}:
        assert ((pdg == particle) & (origin == 25)).sum() == 60


def test_why_pythia_cannot_start_is_told(facts, capfd):
    config = SimulationConfig(pythia_settings=("PDF:pSet = LHAGrid1:nonsense.dat",))
    with pytest.raises(SimulationError, match=r"could not be initialised.*nonsense"):
        Shower(config, facts, seed=1)
    assert "did not find data file" in capfd.readouterr().out


def test_hopeless_events_are_an_error(facts, chunk):
    colourless = chunk.particles.copy()
    colourless[:, 4:6] = 0
    with pytest.raises(SimulationError, match="Pythia gave up on each of the first"):
        list(
            Shower(SimulationConfig(shower_attempts=2), facts, seed=1).run(
                dataclasses.replace(chunk, particles=colourless), 0
            )
        )


def test_a_hopeless_event_among_good_ones_is_counted(facts, chunk):
    some = few(chunk, 40)
    particles = some.particles.copy()
    particles[5 * 20 : 5 * 21, 4:6] = 0
    broken = dataclasses.replace(some, particles=particles)
    shower = Shower(SimulationConfig(shower_attempts=2), facts, seed=1)
    (events,) = shower.run(broken, 0)
    order, _ = shower.order(40, 0)
    assert order[events.failed].tolist() == [20]
    particles[:, 4:6][5 * 10 : 5 * 15] = 0
    with pytest.raises(SimulationError, match=r"6 of 40 events.*max_failed_fraction"):
        list(shower.run(dataclasses.replace(some, particles=particles), 0))

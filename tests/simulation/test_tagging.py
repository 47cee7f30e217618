import numpy as np
import pytest

from partonic.config.detector import FlavourTagConfig
from partonic.simulation.jets import JetTable
from partonic.simulation.particles import ParticleTable, event_offsets
from partonic.simulation.tagging import jet_flavour, tag, tag_probability

CARD = FlavourTagConfig()


def momenta(pt, eta, phi):
    pt, eta, phi = np.broadcast_arrays(*(np.asarray(x, dtype=float) for x in (pt, eta, phi)))
    return np.stack([pt * np.cosh(eta), pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)], axis=-1)


@pytest.mark.parametrize("pt", [30.0, 80.0, 300.0])
@pytest.mark.parametrize("flavour", [5, 4, 0])
def test_rates(rng, pt, flavour):
    expected = {
        5: 0.85 * np.tanh(0.0025 * pt) * 25 / (1 + 0.063 * pt),
        4: 0.25 * np.tanh(0.018 * pt) / (1 + 0.0013 * pt),
        0: 0.01 + 3.8e-5 * pt,
    }[flavour]
    number = 40_000
    jets = JetTable(momenta(np.full(number, pt), 0.5, 0.0), event_offsets(np.ones(number, dtype=int)))
    tagged = tag(jets, np.full(number, flavour), CARD, rng)
    assert abs(tagged.mean() - expected) < 4.5 * np.sqrt(expected * (1 - expected) / number)


def test_probability_stays_a_probability():
    absurd = tag_probability(np.array([1e6]), np.array([0]), CARD)
    assert absurd.tolist() == [1.0]


def test_flavour_is_the_heaviest_near_hadron():
    jets = JetTable(momenta([50, 40, 35, 60], [0, 1, 2, 0], [0, 0, 0, 3]), np.array([0, 3, 4]))
    heavy = ParticleTable(
        np.array([421, 511, -4122, 521, 511]),
        momenta([20, 20, 20, 4.9, 30], [0.1, 0.3, 1.3, 2.0, 0.0], [0, 0, 0, 0, 0]),
        np.array([0, 4, 5]),
    )
    # jet 0: b and c near -> 5; jet 1: c baryon -> 4; jet 2: b hadron too soft -> 0; jet 3: b hadron on the other side
    assert jet_flavour(jets, heavy, CARD).tolist() == [5, 4, 0, 0]

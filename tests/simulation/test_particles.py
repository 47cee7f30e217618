import numpy as np
import pytest

from partonic.simulation.particles import (
    ParticleTable,
    azimuth,
    delta_phi,
    event_offsets,
    pairs_within_events,
    pseudorapidity,
)


@pytest.fixture
def table():
    momenta = np.arange(24.0).reshape(6, 4) + 1.0
    return ParticleTable(np.array([11, 13, 22, 211, 130, 310]), momenta, np.array([0, 2, 2, 5, 6]))


def test_counts_and_event(table):
    assert table.num_events == 4
    assert table.counts.tolist() == [2, 0, 3, 1]
    assert table.event.tolist() == [0, 0, 2, 2, 2, 3]


def test_select_keeps_empty_events(table):
    kept = table.select(np.array([False, False, True, False, True, False]))
    assert kept.pdg.tolist() == [22, 130]
    assert kept.counts.tolist() == [0, 0, 2, 0]


def test_select_events(table):
    kept = table.select_events(np.array([True, True, False, True]))
    assert kept.pdg.tolist() == [11, 13, 310]
    assert kept.counts.tolist() == [2, 0, 1]


def test_pairs_are_all_pairs_within_events(rng):
    first, second = event_offsets(rng.integers(0, 4, 20)), event_offsets(rng.integers(0, 5, 20))
    expected = [
        (i, j)
        for event in range(20)
        for i in range(first[event], first[event + 1])
        for j in range(second[event], second[event + 1])
    ]
    assert list(zip(*pairs_within_events(first, second), strict=True)) == expected


def test_angles_round_trip(rng):
    eta, phi, pt = rng.uniform(-6, 6, 100), rng.uniform(-np.pi, np.pi, 100), rng.uniform(0.1, 500, 100)
    momenta = np.stack([pt * np.cosh(eta), pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)], axis=-1)
    np.testing.assert_allclose(pseudorapidity(momenta), eta, atol=1e-12)
    np.testing.assert_allclose(azimuth(momenta), phi, atol=1e-12)


def test_angles_along_the_beam_and_at_the_seam():
    along = np.array([[5.0, 0, 0, 5], [5, 0, 0, -5], [1, 0, 0, 0]])
    assert pseudorapidity(along).tolist() == [np.inf, -np.inf, 0.0]
    assert azimuth(np.array([[1.0, -1.0, -0.0, 0.0]])).tolist() == [np.pi]
    np.testing.assert_allclose(
        delta_phi(np.array([3.1, -3.1]), np.array([-3.1, 3.1])), [6.2 - 2 * np.pi, 2 * np.pi - 6.2]
    )

import numpy as np
import pytest

from partonic.simulation.jets import JetTable, cluster, energy_scale, uncorrected_pt
from partonic.simulation.particles import ParticleTable, delta_phi, event_offsets

fastjet = pytest.importorskip("fastjet")


def random_events(rng, events, most):
    counts = rng.integers(0, most, events)
    number = counts.sum()
    pt, eta, phi = rng.exponential(3.0, number) + 0.1, rng.normal(0, 2, number), rng.uniform(-np.pi, np.pi, number)
    momenta = np.stack([pt * np.cosh(eta), pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)], axis=-1)
    return ParticleTable(np.full(number, 211), momenta, event_offsets(counts))


def slow_antikt(momenta, radius):
    """Anti-kT by its definition, O(N³)."""
    objects, jets = [np.array(p) for p in momenta], []
    while objects:
        pt = np.array([np.hypot(p[1], p[2]) for p in objects])
        y = np.array([0.5 * np.log((p[0] + p[3]) / (p[0] - p[3])) for p in objects])
        phi = np.array([np.arctan2(p[2], p[1]) for p in objects])
        distance = np.minimum.outer(pt**-2.0, pt**-2.0)
        distance *= ((y[:, None] - y) ** 2 + delta_phi(phi[:, None], phi) ** 2) / radius**2
        np.fill_diagonal(distance, pt**-2.0)
        i, j = np.unravel_index(np.argmin(distance), distance.shape)
        if i == j:
            jets.append(objects.pop(i))
        else:
            merged = objects[i] + objects[j]
            objects = [p for k, p in enumerate(objects) if k not in (i, j)] + [merged]
    return np.array(jets)


def test_jets_against_the_definition_of_the_algorithm(rng):
    events = random_events(rng, 12, 40)
    jets = cluster(events, 0.4, 5.0)
    for index in range(events.num_events):
        inside = slice(events.offsets[index], events.offsets[index + 1])
        expected = slow_antikt(events.momenta[inside], 0.4).reshape(-1, 4)
        pt = np.hypot(expected[:, 1], expected[:, 2])
        expected = expected[np.argsort(-pt)][: (pt > 5.0).sum()]
        np.testing.assert_allclose(jets.momenta[jets.offsets[index] : jets.offsets[index + 1]], expected, rtol=1e-9)
    assert jets.counts.sum() > 10


def test_no_particles():
    empty = ParticleTable(np.zeros(0, dtype=int), np.zeros((0, 4)), np.zeros(6, dtype=int))
    assert cluster(empty, 0.4, 5.0).counts.tolist() == [0] * 5


def test_energy_scale_and_its_inverse():
    assert energy_scale(np.array([25.0]), np.array([-2.0]), 2.5, 0.15) == pytest.approx([np.sqrt(2.2**2 / 25 + 1)])
    raw = uncorrected_pt(30.0, 2.5)
    assert raw * energy_scale(np.array([raw]), np.array([0.0]), 2.5, 0.15)[0] == pytest.approx(30.0)


def test_leading_keeps_the_hardest_of_each_event():
    pt = np.array([50.0, 40, 30, 60, 20])
    jets = JetTable(np.stack([pt, pt, 0 * pt, 0 * pt], axis=-1), np.array([0, 3, 3, 5]))
    assert jets.leading(2).pt.tolist() == [50, 40, 60, 20]
    assert jets.leading(2).counts.tolist() == [2, 0, 2]
    assert jets.select_events(np.array([False, True, True])).pt.tolist() == [60, 20]


def test_scaling_sorts_again():
    pt = np.array([50.0, 40.0])
    jets = JetTable(np.stack([2 * pt, pt, 0 * pt, 0 * pt], axis=-1), np.array([0, 2]))
    scaled = jets.scaled(np.array([1.0, 2.0]))
    assert scaled.pt.tolist() == [80, 50]
    np.testing.assert_allclose(scaled.mass, np.sqrt(3) * scaled.pt)

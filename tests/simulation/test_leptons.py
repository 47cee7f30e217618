import numpy as np
import pytest

from partonic.config.detector import DetectorConfig
from partonic.simulation.detector import MeasuredParticles
from partonic.simulation.leptons import isolated_leptons, relative_isolation
from partonic.simulation.particles import ParticleTable
from partonic.simulation.species import species_of

CARD = DetectorConfig()
N = 20_000


def measured(particles):
    return MeasuredParticles(particles, species_of(particles.pdg), np.arange(len(particles.pdg)))


@pytest.mark.parametrize(
    ("pdg", "eta", "efficiency"), [(11, 1.0, 0.95), (-11, -2.0, 0.85), (13, 2.3, 0.95), (13, 2.45, 0.0), (11, 2.6, 0.0)]
)
def test_identification(toys, rng, pdg, eta, efficiency):
    found = isolated_leptons(measured(toys(pdg, np.full(N, 20.0), eta)), CARD, rng)
    assert abs(len(found.row) / N - efficiency) <= 4.5 * np.sqrt(efficiency * (1 - efficiency) / N)


def test_soft_leptons_are_not_identified(toys, rng):
    assert len(isolated_leptons(measured(toys(11, np.full(100, 9.9), 0.0)), CARD, rng).row) == 0


def event(*particles):
    """One event from (pdg, pt, eta, phi)."""
    pdg, pt, eta, phi = np.array(particles, dtype=float).T
    momenta = np.stack([pt * np.cosh(eta), pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)], axis=-1)
    return ParticleTable(pdg.astype(int), momenta, np.array([0, len(pt)]))


def test_isolation_sums_what_is_near_and_hard():
    table = event((13, 40, 0, 3.1), (211, 4, 0.3, -3.1), (22, 3, -0.3, 3.1), (211, 0.4, 0, 3.1), (211, 90, 0, 2.5))
    assert relative_isolation(measured(table), np.array([0]), CARD) == pytest.approx([7 / 40])


def test_flavours_have_their_own_limit(rng):
    always = ({"eta_max": 2.5, "pt_above": [10], "efficiency": [1]},)
    certain = DetectorConfig.model_validate(
        {
            "electron_identification": {"identification": always, "isolation_max": 0.12},
            "muon_identification": {"identification": always, "isolation_max": 0.25},
        }
    )
    table = event((13, 50, 0, 0), (11, 40, 2, 0), (13, 60, -2, 0), (22, 8, 0, 0.2), (22, 8, 2, 0.2))
    found = isolated_leptons(measured(table), certain, rng)
    assert found.row.tolist() == [2, 0]  # 8/50 < 0.25, 8/40 > 0.12; descending in pT
    np.testing.assert_allclose(found.isolation, [0, 8 / 50])


def test_leptons_of_other_events_do_not_matter(rng):
    one = event((13, 40, 0, 0), (22, 30, 0, 0.1))
    two = ParticleTable(one.pdg, one.momenta, np.array([0, 1, 2]))
    assert relative_isolation(measured(two), np.array([0]), CARD) == [0]

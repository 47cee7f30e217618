import numpy as np
import pyarrow as pa
import pytest

from partonic.config.detector import DetectorConfig
from partonic.config.simulation import SimulationConfig
from partonic.events.selection import SELECTED
from partonic.simulation.detector import MeasuredParticles, measure
from partonic.simulation.event_table import reco_columns
from partonic.simulation.leptons import isolated_leptons
from partonic.simulation.particles import ParticleTable
from partonic.simulation.photons import isolated_photons
from partonic.simulation.reconstruct import ParticleLevel, reconstruct
from partonic.simulation.species import species_of

N = 20_000
ALWAYS = ({"eta_max": 2.5, "pt_above": [0.0], "efficiency": [1.0]},)
SURE = {
    name: {"identification": ALWAYS, "isolation_max": 0.12}
    for name in ("photon_identification", "electron_identification", "muon_identification")
}
CARD = DetectorConfig()
CERTAIN = DetectorConfig(**SURE)


def measured(particles):
    return MeasuredParticles(particles, species_of(particles.pdg), np.arange(len(particles.pdg)))


def event(*particles):
    """One event from (pdg, pt, eta, phi)."""
    pdg, pt, eta, phi = np.array(particles, dtype=float).T
    momenta = np.stack([pt * np.cosh(eta), pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)], axis=-1)
    return ParticleTable(pdg.astype(int), momenta, np.array([0, len(pt)]))


def photons_of(table, config, rng):
    seen = measured(table)
    return isolated_photons(seen, isolated_leptons(seen, config, rng), config, rng)


@pytest.mark.parametrize(
    ("pt", "eta", "efficiency"), [(20.0, 1.0, 0.95), (20.0, -2.0, 0.85), (20.0, 2.55, 0.0), (9.9, 0.0, 0.0)]
)
def test_identification(toys, rng, pt, eta, efficiency):
    found = photons_of(toys(22, np.full(N, pt), eta), CARD, rng)
    assert abs(len(found.row) / N - efficiency) <= 4.5 * np.sqrt(efficiency * (1 - efficiency) / N)


def test_energy_resolution_is_that_of_the_calorimeter(toys, rng):
    """σ(E) = √((0.008 E)² + 0.11² E + 0.4²) in GeV at η = 0."""
    table = toys(22, np.full(N, 60.0), 0.0)
    energy = measure(table, CARD, rng).particles.momenta[:, 0]
    sigma = np.sqrt((0.008 * 60) ** 2 + 0.11**2 * 60 + 0.4**2)
    assert abs(energy.mean() - 60.0) < 4.5 * sigma / np.sqrt(N)
    assert abs(energy.std() / sigma - 1.0) < 4.5 / np.sqrt(2 * N)


def test_isolation(rng):
    alone, busy = (22, 50, 0.0, 0.0), (22, 50, -2.0, 2.0)
    found = photons_of(event(alone, (211, 4, 0.3, 0.3), busy, (211, 7, -2.3, 2.1), (211, 50, 0.6, 0.0)), CERTAIN, rng)
    assert found.row.tolist() == [0]
    assert found.isolation == pytest.approx([4 / 50])


def test_radiation_of_a_lepton_is_no_photon(rng):
    hard = (22, 400, 0.3, 0.0)  # so hard that the lepton in its cone does not spoil its isolation
    detector = CERTAIN.model_copy(
        update={"electron_identification": CERTAIN.electron_identification.model_copy(update={"isolation_max": 100.0})}
    )
    assert photons_of(event((11, 20, 0.0, 0.0), hard), detector, rng).row.tolist() == []
    assert photons_of(event((11, 20, 0.0, 0.45), hard), detector, rng).row.tolist() == [1]


def test_photons_are_in_descending_pt_event_by_event(rng):
    first = event((22, 20, 0.0, 0.0), (22, 50, 0.0, 2.0))
    second = event((22, 30, 0.0, 0.0))
    both = ParticleTable(
        np.concatenate([first.pdg, second.pdg]), np.concatenate([first.momenta, second.momenta]), np.array([0, 2, 3])
    )
    found = photons_of(both, CERTAIN, rng)
    assert found.row.tolist() == [1, 0, 2]
    assert found.offsets.tolist() == [0, 2, 3]


TWO = [(22, 60, 0.2, 0.0), (22, 65, -0.2, 3.0), (211, 40, 1.0, 1.5)]
OPEN = {"leptons": 0, "jets_min": 0, "b_tags_min": 0}


def reconstructed(particles, rng, **settings):
    config = SimulationConfig(detector=SURE, **settings)
    heavy = ParticleTable(np.zeros(0, dtype=int), np.zeros((0, 4)), np.array([0, 0]))
    return reconstruct(ParticleLevel(event(*particles), heavy), rng, config)


def test_a_photon_is_no_jet(rng):
    """Without photons the same deposits are jets, and nothing is stored of photons."""
    without = reconstructed(TWO, np.random.default_rng(1), selection=OPEN)
    assert without.photons is None
    assert without.jets.counts.tolist()[0] >= 2
    assert not any(name.startswith("photon") for name in reco_columns(without, None, 0.4))
    found = reconstructed(TWO, np.random.default_rng(1), photons=True, selection=OPEN)
    assert found.cut.tolist() == [SELECTED]
    assert len(found.photons.momenta) == 2
    assert found.jets.counts.tolist()[0] == without.jets.counts.tolist()[0] - 2
    columns = reco_columns(found, None, 0.4)
    assert isinstance(columns["photon_pt"], pa.ListArray)
    assert columns["photon_identification"].to_pylist() == [[1, 1]]
    pt = columns["photon_pt"].to_pylist()[0]
    assert pt == sorted(pt, reverse=True)


@pytest.mark.parametrize(
    ("cuts", "number"),
    [
        ({"photons": 2, "photon_pair_mass": (100.0, 160.0)}, SELECTED),
        ({"photons": 2, "photon_pair_mass": (200.0, 300.0)}, 3),
        ({"photons": 1}, 2),
        ({"photons_min": 3}, 2),
        ({"photons_min": 2, "photon_eta_max": 0.1}, 2),
        ({"met_min": 200.0}, 2),
    ],
)
def test_the_selection_sees_the_photons(rng, cuts, number):
    assert reconstructed(TWO, rng, selection=OPEN | cuts).cut.tolist() == [number]

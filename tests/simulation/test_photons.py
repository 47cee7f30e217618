import numpy as np
import pyarrow as pa
import pytest

from partonic.config.detector import DetectorConfig
from partonic.config.simulation import SimulationConfig
from partonic.events.selection import SELECTED
from partonic.events.store import EventStore
from partonic.report.candidates import matched_objects
from partonic.simulation.detector import MeasuredParticles, measure
from partonic.simulation.event_table import reco_columns
from partonic.simulation.leptons import isolated_leptons
from partonic.simulation.particles import ParticleTable
from partonic.simulation.photons import isolated_photons
from partonic.simulation.pipeline import simulate
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


def test_higgs_to_photons(write_lhe, tth, tmp_path):
    """ttH, H → γγ, tops to anything: the pair has the mass of H, and is what the truth says."""
    config = SimulationConfig(
        workers=1,
        decays={"higgs": "gammagamma", "tops": "inclusive"},
        selection=OPEN
        | {"lepton_pt_min": 1e4, "veto_pt_min": 1e4, "photons_min": 2, "photon_pair_mass": (100.0, 180.0)},
    )
    path = tmp_path / "events.parquet"
    simulate(write_lhe(tmp_path / "tth.lhe", 150), tth, config, 5, path)
    store = EventStore.open(path)
    assert store.metadata.photons
    assert [step.name for step in store.metadata.cut_flow[4:6]] == [
        "≥ 2 photons with pT > 25 GeV", "photon pair with m in 100–180 GeV",
    ]  # fmt: skip
    (batch,) = store.batches(selected_only=True)
    pt, eta, phi, _ = batch.reco().photons.double().unbind(dim=-1)
    mass = (2 * pt[:, 0] * pt[:, 1] * ((eta[:, 0] - eta[:, 1]).cosh() - (phi[:, 0] - phi[:, 1]).cos())).sqrt()
    chance, lonely = _truth(store)
    kept = next(iter(store.batches())).column("selected").astype(bool)
    # All that pass were expected to; of those away from decay products most are isolated.
    assert kept.sum() < chance.sum() + 4.5 * np.sqrt((chance * (1.0 - chance)).sum())
    expected = chance[lonely].sum()
    assert 0.75 * expected < kept[lonely].sum() < expected + 4.5 * np.sqrt((chance * (1.0 - chance))[lonely].sum())
    peak = (mass - 125.0).abs() < 8.0
    assert peak.double().mean() > 0.9
    assert (mass[peak].mean() - 125.0).abs() < 4.5 * 2.5 / len(batch) ** 0.5
    assert 0.5 < mass[peak].std() < 3.0
    directions = {"eta": eta.numpy(), "phi": phi.numpy()}
    matched = matched_objects(batch, directions, np.where(pt > 0.0, 22.0, 0.0), (25,))
    assert (matched.sum(axis=1) == 2).mean() > 0.85


def _truth(store):
    """For each event: chance that both true photons are in the acceptance and identified; are they away from quarks?"""
    chances, lonely = [], []
    (batch,) = store.batches()
    columns = (batch.table.column(name).to_pylist() for name in ("decay_pdg", "decay_partons"))
    for pdg, momenta in zip(*columns, strict=True):
        table = ParticleTable(np.array(pdg), np.array(momenta).reshape(-1, 4), np.array([0, len(pdg)]))
        photons, others = table.select(table.pdg == 22), table.select(table.pdg != 22)
        eta = np.abs(photons.eta)
        chances.append(np.prod(np.select([eta <= 1.5, eta <= 2.5], [0.95, 0.85], 0.0) * (photons.pt > 25.0)))
        turn = np.angle(np.exp(1j * (photons.phi[:, None] - others.phi)))
        visible = ~np.isin(np.abs(others.pdg), (12, 14, 16))
        lonely.append(np.hypot(photons.eta[:, None] - others.eta, turn)[:, visible].min() > 0.9)
    return np.array(chances), np.array(lonely)

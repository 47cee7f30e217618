"""Particle-level events of another program: HepMC files made from our own shower must give what the shower gives."""

import numpy as np
import pyarrow as pa
import pytest

from partonic.config.importing import ImportConfig
from partonic.config.simulation import SimulationConfig
from partonic.errors import EventFileError
from partonic.events.readers.hepmc.reader import PARTICLE_COLUMNS
from partonic.events.store import EventStore
from partonic.simulation.event_record import read_publicly
from partonic.simulation.import_particles import import_particles, particle_level

EVENTS = 40


@pytest.fixture(scope="module")
def records(shower, chunk):
    """Whole event records of the shower."""
    shower._feed.load(chunk)
    shower._pythia.rndm.init(99)
    found = []
    for index in range(EVENTS):
        assert shower._shower_one(index, leptonic_plus=bool(index % 2))
        found.append(read_publicly(shower._pythia.event)[1:])
    return found


@pytest.fixture(scope="module")
def hepmc(records, tmp_path_factory):
    pyhepmc = pytest.importorskip("pyhepmc")
    path = tmp_path_factory.mktemp("hepmc") / "events.hepmc"
    with pyhepmc.open(str(path), "w") as file:
        for number, rows in enumerate(records):
            file.write(as_hepmc(pyhepmc, number, rows))
    return path


def as_hepmc(pyhepmc, number, rows):
    """A tree of first mothers; what Pythia's space-like shower made before its mother comes from the first beam."""
    event = pyhepmc.GenEvent(pyhepmc.Units.GEV, pyhepmc.Units.MM)
    event.event_number = number
    event.weights = [0.5]
    section = pyhepmc.GenCrossSection()
    event.cross_section = section
    section.set_cross_section(0.5, 0.01)
    particles = []
    for index, row in enumerate(rows):
        status = 1 if row["status"] > 0 else 4 if index == 0 else 2
        momentum = pyhepmc.FourVector(row["px"], row["py"], row["pz"], row["e"])
        particles.append(pyhepmc.GenParticle(momentum, int(row["id"]), status))
    vertices = {}
    for index, row in list(enumerate(rows))[1:]:
        mother = int(row["mother1"]) - 1
        mother = mother if 0 <= mother < index else 0
        if mother not in vertices:
            vertices[mother] = pyhepmc.GenVertex()
            vertices[mother].add_particle_in(particles[mother])
        vertices[mother].add_particle_out(particles[index])
    for mother in sorted(vertices):
        event.add_vertex(vertices[mother])
    return event


def as_table(records):
    columns = {
        "event_id": pa.array(range(len(records))),
        "particle_pdg": [rows["id"] for rows in records],
        "particle_status": [np.where(rows["status"] > 0, 1, 2) for rows in records],
        "particle_momentum": [
            np.stack([rows[name] for name in ("e", "px", "py", "pz")], axis=-1).ravel() for rows in records
        ],
        "particle_mother": [rows["mother1"] - 1 for rows in records],
        "particle_vertex": [np.zeros(4 * len(rows)) for rows in records],
    }
    return pa.table({name: pa.array(values, PARTICLE_COLUMNS.get(name)) for name, values in columns.items()})


def test_particle_level_of_a_record(records):
    events, decays = particle_level(as_table(records))
    assert events.particles.num_events == EVENTS
    total = np.zeros((EVENTS, 4))
    np.add.at(total, events.particles.event, events.particles.momenta)
    np.testing.assert_allclose(total, [[13000, 0, 0, 0]] * EVENTS, atol=1e-3)
    b_hadrons = np.bincount(events.heavy.event[np.abs(events.heavy.pdg) // 100 % 10 == 5], minlength=EVENTS)
    assert b_hadrons.max() < 8
    assert decays.particles.counts.tolist() == [8] * EVENTS
    assert sorted(decays.origin[:8].tolist()) == [-6, -6, -6, 6, 6, 6, 25, 25]


def test_file_to_store(hepmc, tth, tmp_path):
    config = ImportConfig(format="hepmc", files=(hepmc,), theta_independent=True)
    result = import_particles(config, tth, SimulationConfig(), 3, tmp_path / "events.parquet")
    store = EventStore.open(result.path)
    assert store.num_events == EVENTS
    assert store.metadata.cross_section.coefficients[0] == pytest.approx(0.5)
    assert store.metadata.cut_flow[-1].events == result.num_selected > 0
    (batch,) = store.batches()
    assert batch.counts("decay_pdg").tolist() == [8] * EVENTS
    selected = batch.filter(batch.column("selected"))
    assert (selected.counts("jet_pt") >= 4).all()
    assert (selected.flat("jet_provenance") > 0).mean() > 0.5
    import_particles(config, tth, SimulationConfig(), 3, tmp_path / "again.parquet")
    assert next(EventStore.open(tmp_path / "again.parquet").batches()).table.equals(batch.table)


def test_parton_level_events_are_refused(records):
    empty = records[0].copy()
    empty["status"] = -1
    with pytest.raises(EventFileError, match="event 1 has no final particle"):
        particle_level(as_table([records[0], empty]))

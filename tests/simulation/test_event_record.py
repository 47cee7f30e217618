"""Reading the record from memory gives what the public interface gives, or is not done."""

import logging

import numpy as np
import pytest

from partonic.config.simulation import SimulationConfig
from partonic.simulation import shower as shower_module
from partonic.simulation.event_record import FIELDS, RecordBuffer, find_layout, read_publicly
from partonic.simulation.shower import Shower


@pytest.fixture
def record(shower, chunk):
    list(shower.run(chunk, 3))
    return shower._pythia.event


def test_layout_is_found(record):
    layout = find_layout(record)
    assert layout is not None
    assert list(layout.names) == list(FIELDS)


def test_buffer_equals_public_interface(record):
    buffer = RecordBuffer(find_layout(record))
    truth = read_publicly(record)
    for _ in range(30):  # more than the raw buffer holds
        buffer.add(record)
        buffer.add_nothing()
    taken = buffer.take()
    assert np.diff(taken.offsets).tolist() == [len(truth), 0] * 30
    for name in FIELDS:
        np.testing.assert_array_equal(taken[name], np.tile(truth[name], 30))
    assert buffer.take().offsets.tolist() == [0]


def test_a_record_larger_than_the_buffer(record, monkeypatch):
    monkeypatch.setattr("partonic.simulation.event_record._RAW_PARTICLES", 7)
    buffer = RecordBuffer(find_layout(record))
    buffer.add(record)
    np.testing.assert_array_equal(buffer.take()["px"], read_publicly(record)["px"])


class Copies:
    """A record whose `at` gives copies, as another binding might."""

    def __init__(self, record):
        self.record = record
        self.kept = []

    def size(self):
        return self.record.size()

    def at(self, index):
        self.kept.append(type(self.record.at(index))(self.record.at(index)))
        return self.kept[-1]


def test_copies_are_not_taken_for_the_record(record):
    assert find_layout(Copies(record)) is None


def test_few_particles_are_not_enough(record):
    class Short(Copies):
        def size(self):
            return 5

    assert find_layout(Short(record)) is None


def test_fallback_gives_the_same_events(facts, chunk, shower, caplog, monkeypatch):
    few = type(chunk)(0, chunk.facts[:20], chunk.particles[:100], chunk.offsets[:21], chunk.named_weights[:20])
    (fast,) = shower.run(few, 5)
    monkeypatch.setattr(shower_module, "find_layout", lambda record: None)
    slow_shower = Shower(SimulationConfig(), facts, seed=11)
    with caplog.at_level(logging.WARNING):
        (slow,) = slow_shower.run(few, 5)
    assert "particle by particle" in caplog.text
    np.testing.assert_array_equal(fast.particles.momenta, slow.particles.momenta)
    np.testing.assert_array_equal(fast.heavy.pdg, slow.heavy.pdg)
    np.testing.assert_array_equal(fast.resonances, slow.resonances)

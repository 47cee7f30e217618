"""Files cut, changed and doubled at random places: a clear error comes out, or a result; never anything else."""

import os
import random

import numpy as np
import pytest
from tests.events.readers.test_files_once_read_wrongly import DELPHES, HEPMC, LHE, NANO

from partonic.config.importing import ImportConfig
from partonic.config.simulation import SimulationConfig
from partonic.errors import PartonicError
from partonic.events.importing import import_events
from partonic.events.schema import ProcessInfo
from partonic.events.store import EventStore
from partonic.processes.tth.settings import TthConfig
from partonic.simulation.import_particles import import_particles

TRIALS = int(os.environ.get("PARTONIC_DAMAGED_FILES", "30"))
"""Damaged copies of each file."""
FILES = {
    "base.lhe": LHE,
    "nested.lhe": LHE,
    "cat.lhe": LHE | {"duplicates": "drop"},
    "wscale.hepmc": HEPMC,
    "noweights.hepmc": {"format": "hepmc", "theta_independent": True},
    "nano_base.root": NANO,
    "nano_rnt.root": NANO,
    "delphes_base.root": DELPHES,
}
WORDS = (b"nan", b"-1", b"1e400", b"", b"abc", b"0", b"9" * 20, b"<", b"&", b"\xe9", b"1.0D+02", b"-inf")


def cut(data, rng):
    return data[: rng.randrange(len(data))]


def changed(data, rng):
    content = bytearray(data)
    for _ in range(rng.choice([1, 1, 3, 20])):
        content[rng.randrange(len(content))] = rng.randrange(256)
    return bytes(content)


def removed(data, rng):
    start = rng.randrange(len(data))
    return data[:start] + data[start + rng.choice([1, 5, 80, 1000]) :]


def doubled(data, rng):
    start = rng.randrange(len(data))
    return data[:start] + data[start : start + rng.choice([5, 80, 1000])] + data[start:]


def exchanged_lines(data, rng):
    lines = data.split(b"\n")
    first, second = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[first], lines[second] = lines[second], lines[first]
    return b"\n".join(lines)


def another_word(data, rng):
    lines = data.split(b"\n")
    line = rng.randrange(len(lines))
    words = lines[line].split(b" ")
    words[rng.randrange(len(words))] = rng.choice(WORDS)
    lines[line] = b" ".join(words)
    return b"\n".join(lines)


def refusal(config, process, store):
    """Import; return the message of the error, None if there is none."""
    try:
        if config.format == "hepmc":
            import_particles(config, process, SimulationConfig(), 1, store)
        else:
            import_events(config, process, store)
    except PartonicError as error:
        return str(error)
    return None


@pytest.mark.parametrize("name", FILES)
def test_damaged_files_give_an_error_or_a_result(name, repository, tmp_path):
    data = (repository / "tests" / "reference" / "event_files" / name).read_bytes()
    ways = [cut, changed, removed, doubled]
    if not name.endswith(".root"):
        ways += [exchanged_lines, another_word]
    tth = ProcessInfo.of_config(TthConfig(collider_energy=13_000.0))
    refused = 0
    for trial in range(TRIALS):
        rng = random.Random(f"{name} {trial}")
        path = tmp_path / f"{trial}_{name}"
        path.write_bytes(rng.choice(ways)(data, rng))
        store = tmp_path / f"{trial}.parquet"
        message = refusal(ImportConfig(**FILES[name], files=[path]), tth, store)
        if message is None:
            assert np.isfinite(EventStore.open(store).metadata.cross_section.coefficients).all()
        else:
            refused += 1
            assert str(path) in message or "import." in message, "the message names the file or the key"
            assert not store.exists()
    assert refused >= TRIALS // 3, "most of this damage can be seen"

"""Reading HepMC in a child process: what it passes on, and what becomes of a child that dies."""

import sys

import numpy as np
import pytest
from tests.events.readers.hepmc.test_reader import write

from partonic.errors import DependencyError, EventFileError
from partonic.events.readers.hepmc import process as hepmc_process
from partonic.events.readers.hepmc.process import record_batches

DYING = """
import os, signal, struct, sys
os.write(2, b"what the library printed\\n")
if {events}:
    os.pwrite(int(sys.argv[3]), struct.pack("<q", {events} - 1), 0)
{end}
"""


def dying_child(tmp_path, monkeypatch, events, end):
    """Put a child in place of ours that reports the event before and ends as it is told."""
    (tmp_path / "dying_child.py").write_text(DYING.format(events=events, end=end))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(hepmc_process, "_CHILD", "dying_child")


def test_events_of_a_child(tmp_path):
    batches = list(record_batches(write(tmp_path / "e.hepmc3", count=120), "hepmc3"))
    assert [len(batch) for batch in batches] == [50, 50, 20]
    numbers = np.concatenate([batch.column("event_number") for batch in batches])
    assert numbers.tolist() == list(range(120))
    assert batches[0].column("pdf")[0].as_py() == [21.0, 2.0, 0.1, 0.2, 235.0]
    assert batches[2].column("problem").null_count == 20


@pytest.mark.parametrize(
    ("events", "end", "message"),
    [
        (4, "os.kill(os.getpid(), signal.SIGSEGV)", r"event 3 \(the first is 0\): .* crashed at it \(SIGSEGV\)"),
        (1, "os.abort()", r"event 0 \(the first is 0\): .* crashed at it \(SIGABRT\); it printed: what the library"),
        (1, "os.kill(os.getpid(), signal.SIGKILL)", r".* \(SIGKILL\).* perhaps the system because memory ran out"),
        (0, "os.kill(os.getpid(), signal.SIGSEGV)", "before the first event: the HepMC library crashed"),
        (
            2,
            "sys.exit(3)",
            "event 1 .*: the process that reads HepMC files ended with the code 3; it printed: what the",
        ),
        (2, "sys.exit(0)", "event 1 .*: the process that reads HepMC files ended with the code 0"),
        (1, "os.kill(os.getpid(), signal.SIGRTMIN + 1)", "event 0 .*: the HepMC library was stopped by signal"),
    ],
)
def test_children_that_die(tmp_path, monkeypatch, events, end, message):
    dying_child(tmp_path, monkeypatch, events, end)
    with pytest.raises(EventFileError, match=rf"e\.hepmc: {message}"):
        list(record_batches(tmp_path / "e.hepmc", "hepmc3"))


def test_a_child_that_dies_while_it_sends(tmp_path, monkeypatch):
    end = """
import pyarrow as pa
from partonic.events.readers.hepmc.child import SCHEMA
stream = pa.ipc.new_stream(pa.PythonFile(sys.stdout.buffer, "w"), SCHEMA)
stream.write_batch(pa.RecordBatch.from_pylist([{"event_number": 5}], SCHEMA))
sys.stdout.buffer.flush()
os.kill(os.getpid(), signal.SIGSEGV)
"""
    dying_child(tmp_path, monkeypatch, 2, end)
    batches = record_batches(tmp_path / "e.hepmc", "hepmc3")
    assert next(batches).column("event_number").to_pylist() == [5]
    with pytest.raises(EventFileError, match=r"event 1 .* crashed at it \(SIGSEGV\)"):
        next(batches)


def test_a_reader_that_stops_early_ends_its_child(tmp_path, monkeypatch):
    children = []

    class Watched(hepmc_process.subprocess.Popen):
        def __init__(self, *args, **options):
            super().__init__(*args, **options)
            children.append(self)

    monkeypatch.setattr(hepmc_process.subprocess, "Popen", Watched)
    batches = record_batches(write(tmp_path / "e.hepmc3", count=120), "hepmc3")
    next(batches)
    batches.close()
    assert len(children) == 1
    assert children[0].returncode is not None


def test_a_problem_of_the_library_is_a_row(tmp_path):
    path = tmp_path / "e.hepmc3.gz"
    path.write_bytes(b"\x1f\x8b nothing")
    rows = [row for batch in record_batches(path, "hepmc3") for row in batch.to_pylist()]
    assert len(rows) == 1
    assert "truncated or damaged" in rows[0]["problem"]


def test_without_the_library(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyhepmc", None)
    monkeypatch.setattr(hepmc_process.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DependencyError, match=r"pip install 'partonic\[readers\]'"):
        list(record_batches(tmp_path / "e.hepmc", "hepmc3"))

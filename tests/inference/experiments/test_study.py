import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from tests.inference.line_toy import grid, pool_of, setup

from partonic.errors import InferenceError
from partonic.inference.experiments.study import CHUNK, Plan, Workers, run_study
from partonic.parts import remove_parts


class Recorder:
    """Notes what a study says of its progress."""

    def __init__(self):
        self.begun, self.done = [], 0

    def start(self, description, total, unit, done=0):
        self.begun.append((description, total, unit, done))

    def advance(self, amount=1, **figures):
        self.done += amount

    def finish(self):
        pass


@pytest.fixture(scope="module")
def pool():
    return pool_of(grid(400))


def points(study):
    return [study.mixture.point(), study.mixture.point({"b": 0.8})]


def test_chunks_are_kept_and_found_again(tmp_path, pool):
    study, recorder = setup(), Recorder()
    output = tmp_path / "out" / "coverage"
    first = run_study(study, pool, points(study), Plan(CHUNK + 3, output, progress=recorder))
    assert [len(each.phi) for each in first] == [CHUNK + 3, CHUNK + 3]
    assert recorder.begun == [("pseudo-experiments", 2 * CHUNK + 6, "fits", 0)]
    assert recorder.done == 2 * CHUNK + 6
    parts = sorted((output.parent / "coverage.parts").rglob("*.parquet"))
    assert len(parts) == 4
    parts[1].unlink()
    again = Recorder()
    second = run_study(study, pool, points(study), Plan(CHUNK + 3, output, progress=again))
    assert again.begun[0][3] == 2 * CHUNK + 3
    assert again.done == 3
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one.phi, other.phi)
    remove_parts(output)
    assert list(output.parent.iterdir()) == []


def test_other_settings_begin_anew(tmp_path, pool):
    study, output = setup(), tmp_path / "coverage"
    run_study(study, pool, points(study)[:1], Plan(2, output))
    recorder = Recorder()
    run_study(setup(luminosity_uncertainty=0.1), pool, points(study)[:1], Plan(2, output, progress=recorder))
    assert recorder.begun[0][3] == 0
    assert len(list(tmp_path.rglob("*.parquet"))) == 1


@pytest.mark.slow
def test_worker_processes_give_the_same(tmp_path, pool):
    study = setup()
    here = run_study(study, pool, points(study), Plan(4, tmp_path / "one"))
    there = run_study(study, pool, points(study), Plan(4, tmp_path / "two", Workers(2)))
    for one, other in zip(here, there, strict=True):
        np.testing.assert_array_equal(one.phi, other.phi)


SCRIPT = """
import sys
from pathlib import Path
sys.path[:0] = [{tests!r}, {root!r}]
from tests.inference.line_toy import grid, pool_of, setup
from partonic.errors import InferenceError
from partonic.inference.experiments.study import Plan, run_study
study = setup()
run_study(study, pool_of(grid(400)), [study.mixture.point()], Plan(2000, Path({output!r})))
"""


@pytest.mark.slow
def test_a_killed_study_goes_on(tmp_path, repository, pool):
    """What a killed process has finished is found again, and the rest gives what an undisturbed run gives."""
    output = tmp_path / "coverage"
    script = SCRIPT.format(tests=str(repository / "tests"), root=str(repository), output=str(output))
    process = subprocess.Popen([sys.executable, "-c", script], env=os.environ | {"OMP_NUM_THREADS": "1"})
    deadline = time.monotonic() + 60
    while len(list(tmp_path.rglob("*.parquet"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    study, recorder = setup(), Recorder()
    count = 4 * CHUNK
    found = run_study(study, pool, [study.mixture.point()], Plan(count, output, progress=recorder))
    assert 2 * CHUNK <= recorder.begun[0][3] <= count
    assert not list(tmp_path.rglob("*.partial"))
    fresh = run_study(study, pool, [study.mixture.point()], Plan(count, tmp_path / "fresh"))
    np.testing.assert_array_equal(found[0].phi, fresh[0].phi)


def test_a_worker_that_dies_is_one_of_the_inference(tmp_path, pool, monkeypatch):
    """The message names the section whose workers died, not that of the simulation."""
    told = {}

    def run_tasks(function, tasks, config, section, error):
        told.update(section=section, error=error, workers=config.workers)
        message = "a worker process died"
        raise error(message)

    monkeypatch.setattr("partonic.inference.experiments.study.run_tasks", run_tasks)
    with pytest.raises(InferenceError, match="a worker process died"):
        run_study(setup(), pool, points(setup())[:1], Plan(2, tmp_path / "coverage", Workers(2)))
    assert told == {"section": "inference", "error": InferenceError, "workers": 2}

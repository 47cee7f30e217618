import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
from tests.inference.experiments.kill_worker import study as killed_study
from tests.inference.line_toy import coefficients, grid, pool_of, setup

from partonic.errors import InferenceError
from partonic.inference.experiments import study
from partonic.inference.experiments.pseudo_experiments import Setup
from partonic.inference.experiments.study import Plan
from partonic.inference.experiments.toy_coverage import toy_coverage
from partonic.inference.likelihood.intervals import threshold

DATA, TOYS = 60, 60


@pytest.mark.slow
def test_a_squared_coupling_is_covered_as_often_as_it_says(tmp_path):
    """At b = 0 asymptotic 68% intervals cover 84%; those from toys 68%, with a threshold of 0.22 for 0.99."""
    found = toy_coverage(setup(), pool_of(grid(2000)), "b", {}, Plan(DATA, tmp_path / "data"), TOYS)
    assert (found.name, found.experiments, found.toys) == ("b", DATA, TOYS)
    assert found.theta == {"a": 0.0, "b": 0.0}
    for level in ("0.68", "0.95"):
        share = float(level)
        # Quantiles of 60 toys scatter, too: both errors are binomial ones.
        error = np.sqrt(share * (1 - share) * (1 / DATA + 1 / TOYS))
        assert abs(found.coverage[level].value - share) < 3.5 * error
    assert found.threshold["0.68"] < 0.6 < threshold(0.68)
    assert 1.5 < found.threshold["0.95"] < threshold(0.95)


def test_resumed_with_the_same_result(tmp_path):
    pool = pool_of(grid(500))
    first = toy_coverage(setup(), pool, "a", {"b": 0.8}, Plan(4, tmp_path / "data"), 5)
    kept = sorted(path.name for path in tmp_path.iterdir())
    assert kept == ["data.parts", "data.toys.parts"]
    assert toy_coverage(setup(), pool, "a", {"b": 0.8}, Plan(4, tmp_path / "data"), 5) == first


def test_nothing_can_be_fitted(tmp_path):
    empty = Setup(replace(setup().mixture, luminosity=1e-9), ("a",), shape_only=True)
    pool = pool_of(grid(50), coefficients(grid(50)))
    with pytest.raises(InferenceError, match=r"none of 2 pseudo-experiments at .* has a maximum"):
        toy_coverage(empty, pool, "a", {}, Plan(2, tmp_path / "data"), 3)


def test_killed_study_goes_on_where_it_was(tmp_path, monkeypatch, repository):
    """A process that is killed between two chunks leaves those that are whole; the result is that of one run."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(repository), *sys.path])}
    script = [sys.executable, "-m", "tests.inference.experiments.kill_worker", str(tmp_path / "killed")]
    with subprocess.Popen(script, env=environment, cwd=repository) as worker:
        stop = time.monotonic() + 60
        while len(chunks(tmp_path / "killed")) < 2 and worker.poll() is None and time.monotonic() < stop:
            time.sleep(0.002)
        worker.kill()
    assert worker.returncode == -signal.SIGKILL
    kept = chunks(tmp_path / "killed")
    assert 2 <= len(kept) < 7  # one of the data sets, and two of toys for each of the three
    before = {path: path.stat().st_mtime_ns for path in kept}
    made = []
    original = study.run_experiments
    monkeypatch.setattr(study, "run_experiments", lambda *arguments: made.append(1) or original(*arguments))
    found = killed_study(tmp_path / "killed")
    assert len(made) == 7 - len(kept)
    assert {path: path.stat().st_mtime_ns for path in kept} == before
    assert found == killed_study(tmp_path / "whole")


def chunks(folder):
    """Return the files of finished chunks."""
    return sorted(folder.glob("*.parts/**/*.parquet"))

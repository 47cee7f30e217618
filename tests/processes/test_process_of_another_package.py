"""A process of another package goes from its matrix element to a fit of parton truth without a line of ours."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from partonic.events import EventStore

ANALYSIS = """\
name: toy
seed: 5
process: {name: toy_bosons}
generation:
  events: 400
  sampler:
    {vegas_iterations: 3, vegas_points: 2000, vegas_bins: 16, bins: 4, units: 8, rounds: 2, points_per_round: 2000,
     steps_per_round: 5, batch_size: 256}
  pilot_points: 10000
  chunk_points: 10000
  overweight_limit: 0.05
simulation:
  workers: 1
  hadronization: false
  selection: {lepton_pt_min: 15.0}
inference: {source: truth, data: events, luminosity: 1.0}
report: {sections: [summary], formats: [png]}
"""


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [sys.executable, "-c", "from partonic.cli import main; main()", *arguments]
    return subprocess.run(
        command, env={**os.environ, "PYTHONPATH": paths}, cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package, and the results of the analysis."""
    folder = tmp_path_factory.mktemp("package")
    source = Path(__file__).parent / "toy_bosons.py"
    (folder / "toy_bosons.py").write_text(source.read_text(encoding="utf-8"), encoding="utf-8")
    info = folder / "toy_bosons-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toy_bosons\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text("[partonic.processes]\ntoy_bosons = toy_bosons:definition\n")
    (folder / "analysis.yaml").write_text(ANALYSIS, encoding="utf-8")
    done = run(folder, "run", "analysis.yaml")
    assert done.returncode == 0, done.stdout + done.stderr
    return folder

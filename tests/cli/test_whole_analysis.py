"""An analysis from the command line, from the matrix element to the report, at the scale of a few hundred events."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from partonic.cli import main

pytestmark = pytest.mark.xdist_group("whole analysis")

ANALYSIS = """\
name: small
seed: 11
generation:
  events: 300
  sampler:
    {vegas_iterations: 2, vegas_points: 2000, vegas_bins: 16, bins: 4, units: 8, rounds: 2, points_per_round: 2000,
     steps_per_round: 5, batch_size: 256}
  pilot_points: 5000
  chunk_points: 2000
simulation:
  chunk_events: 50
  workers: 1
report:
  sections: [summary, cut_flow]
  formats: [png]
"""


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def rows(store: Path) -> str:
    """All rows as text, in which NaN equals NaN."""
    return json.dumps(pq.read_table(store).to_pylist())


@pytest.fixture(scope="module")
def analysis(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("small") / "analysis.yaml"
    path.write_text(ANALYSIS, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def output(analysis: Path) -> Path:
    """Folder of a run from beginning to end."""
    folder = analysis.parent / "out"
    result = run("run", analysis, "-o", folder)
    assert result.exit_code == 0, result.stderr
    assert f"report: the report is {folder / 'report' / 'index.html'}" in result.stdout
    return folder


def test_every_step_leaves_its_result(output: Path) -> None:
    assert (output / "generate" / "events.lhe.gz").is_file()
    assert pq.read_metadata(output / "simulate" / "events.parquet").num_rows == 300
    assert "<html" in (output / "report" / "index.html").read_text(encoding="utf-8")
    steps = json.loads((output / "workflow.json").read_text(encoding="utf-8"))["steps"]
    assert all(steps[name]["finished"] for name in ("generate", "simulate", "report"))
    assert not list(output.rglob("*.partial"))


def test_nothing_is_done_twice(analysis: Path, output: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in output.rglob("*") if path.is_file()}
    result = run("run", analysis, "-o", output)
    assert [line.split(":")[1].strip() for line in result.stdout.splitlines()] == ["up to date"] * 3
    assert {path: path.stat().st_mtime_ns for path in output.rglob("*") if path.is_file()} == before


def test_check_finds_all_in_order(analysis: Path, output: Path) -> None:
    result = run("check", analysis, "-o", output)
    assert result.exit_code == 0, result.stderr
    assert "steps done there: generate, simulate, report" in result.stdout


def test_changed_report_leaves_the_events(analysis: Path, output: Path) -> None:
    other = analysis.with_name("other.yaml")
    other.write_text(analysis.read_text(encoding="utf-8") + "  title: Another title\n", encoding="utf-8")
    result = run("run", other, "-o", output)
    assert [": up to date" in line for line in result.stdout.splitlines()] == [True, True, False]
    assert "Another title" in (output / "report" / "index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("process: {pdf: {name: NoSuchSet}}\n", "NoSuchSet"),
        ("process: {collider_energy: 300}\n", "threshold"),
    ],
)
def test_what_cannot_be_generated(analysis: Path, tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(ANALYSIS + text, encoding="utf-8")
    result = run("run", path, "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert message in result.stderr
    assert not list((tmp_path / "out").rglob("*.lhe*"))


def test_setting_that_pythia_rejects(analysis: Path, output: Path, tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    setting = '  pythia_settings: ["TimeShower:alphasValeu = 0.13"]\n'
    path.write_text(ANALYSIS.replace("  workers: 1\n", f"  workers: 1\n{setting}"), encoding="utf-8")
    result = run("simulate", path, "-o", output)
    assert result.exit_code == 1
    assert "Pythia rejects the setting 'TimeShower:alphasValeu = 0.13'" in result.stderr
    assert not list(output.rglob("*.partial"))


def test_output_that_takes_no_files(analysis: Path) -> None:
    result = run("run", analysis, "-o", "/proc/partonic")
    assert result.exit_code == 1
    assert "cannot write" in result.stderr
    assert "--output" in result.stderr


class Process:
    """`partonic run` as a process of its own, which is stopped when something has happened."""

    def __init__(self, analysis: Path, output: Path) -> None:
        command = [Path(sys.executable).parent / "partonic", "run", analysis, "-o", output]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def stop_when(self, happened: Callable[[], bool], how: signal.Signals) -> tuple[int, str]:
        """Send the signal when `happened`; return status and stderr."""
        deadline = time.monotonic() + 120
        while not happened() and self.process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.002)
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.process.pid, how)
        return self.process.wait(), self.process.communicate()[1]


@pytest.mark.slow
def test_killed_at_any_moment_gives_the_same_events(analysis: Path, output: Path, tmp_path: Path) -> None:
    folder = tmp_path / "killed"
    parts = folder / "simulate" / "events.parquet.parts"
    moments: list[tuple[Callable[[], bool], signal.Signals]] = [
        ((folder / "workflow.json").exists, signal.SIGKILL),
        ((folder / "generate" / "work").exists, signal.SIGKILL),
        (lambda: len(list(parts.glob("*/*.parquet"))) >= 2, signal.SIGKILL),
        (lambda: len(list(parts.glob("*/*.parquet"))) >= 4, signal.SIGINT),
    ]
    for happened, how in moments:
        status, stderr = Process(analysis, folder).stop_when(happened, how)
        assert status == (130 if how == signal.SIGINT else -how)
        assert not (folder / "simulate" / "events.parquet").exists()
    assert "interrupted; run the same command to continue" in stderr
    assert "Traceback" not in stderr
    result = run("run", analysis, "-o", folder)
    assert result.exit_code == 0, result.stderr
    assert rows(folder / "simulate" / "events.parquet") == rows(output / "simulate" / "events.parquet")
    assert not parts.exists()

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

import numpy as np
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from partonic.cli import main
from partonic.events import EventStore

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
  chunk_events: 25
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
    assert "look at" in result.stdout.partition("\n\n")[2], "the result in a box comes last"
    return folder


def test_every_step_leaves_its_result(output: Path) -> None:
    assert (output / "generate" / "events.lhe.gz").is_file()
    assert pq.read_metadata(output / "simulate" / "events.parquet").num_rows == 300
    assert "<html" in (output / "report" / "index.html").read_text(encoding="utf-8")
    steps = json.loads((output / "workflow.json").read_text(encoding="utf-8"))["steps"]
    assert all(steps[name]["finished"] for name in ("generate", "simulate", "report"))
    assert not list(output.rglob("*.partial"))


def steps_in(stdout: str) -> list[str]:
    """Return the lines on the steps, without the result in a box that follows."""
    return stdout.partition("\n\n")[0].splitlines()


def test_nothing_is_done_twice(analysis: Path, output: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in output.rglob("*") if path.is_file()}
    result = run("run", analysis, "-o", output)
    assert [line.split(":")[1].strip() for line in steps_in(result.stdout)] == ["up to date"] * 3
    assert {path: path.stat().st_mtime_ns for path in output.rglob("*") if path.is_file()} == before


def test_check_finds_all_in_order(analysis: Path, output: Path) -> None:
    result = run("check", analysis, "-o", output)
    assert result.exit_code == 0, result.stderr
    assert "steps done there: generate, simulate, report" in result.stdout


def test_changed_report_leaves_the_events(analysis: Path, output: Path) -> None:
    other = analysis.with_name("other.yaml")
    other.write_text(analysis.read_text(encoding="utf-8") + "  title: Another title\n", encoding="utf-8")
    result = run("run", other, "-o", output)
    assert [": up to date" in line for line in steps_in(result.stdout)] == [True, True, False]
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
        # a test run in the background may ignore SIGINT, and its children would inherit that
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - no threads here
        )  # fmt: skip

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
        (lambda: len(list(parts.glob("*/*.parquet"))) >= 3, signal.SIGINT),
    ]
    for happened, how in moments:
        status, stderr = Process(analysis, folder).stop_when(happened, how)
        assert status == (130 if how == signal.SIGINT else -how)
        assert not (folder / "simulate" / "events.parquet").exists()
    assert "to go on: partonic run" in stderr
    assert "Traceback" not in stderr
    result = run("run", analysis, "-o", folder)
    assert result.exit_code == 0, result.stderr
    assert rows(folder / "simulate" / "events.parquet") == rows(output / "simulate" / "events.parquet")
    assert not parts.exists()


def test_events_of_another_program_are_imported(output: Path, tmp_path: Path) -> None:
    """The LHE file of the generation, read as anyone's file: same events and coefficients, no detector."""
    path = tmp_path / "import.yaml"
    events = output / "generate" / "events.lhe.gz"
    path.write_text(
        f"name: imported\nimport:\n  format: lhe\n  files: [{events}]\n"
        "report: {sections: [summary], formats: [png]}\n",
        encoding="utf-8",
    )
    result = run("run", path, "-o", tmp_path / "out")
    assert result.exit_code == 0, result.stderr
    assert [line.partition(":")[0] for line in steps_in(result.stdout)] == ["import", "report"]
    imported = pq.read_table(tmp_path / "out" / "import" / "events.parquet", columns=["coefficients", "partons"])
    simulated = pq.read_table(output / "simulate" / "events.parquet", columns=["coefficients", "partons"])
    for name, factor in (("partons", 1.0), ("coefficients", branching_fraction(output))):
        theirs, ours = (np.stack(table[name].to_numpy()) for table in (imported, simulated))
        np.testing.assert_allclose(theirs * factor, ours, rtol=1e-9, atol=1e-15 * np.abs(ours).max())


def branching_fraction(output: Path) -> float:
    """Fraction of the decays that the simulation forces."""
    return EventStore.open(output / "simulate" / "events.parquet").metadata.facts["branching_fraction"]


def test_events_of_the_experiment_are_imported(real_data: Path, tmp_path: Path) -> None:
    path = tmp_path / "import.yaml"
    path.write_text(
        f"""\
name: cms
import:
  format: nanoaod
  files: [{real_data / "nanoAOD_2015_CMS_Open_Data_ttbar.root"}]
  sample: wjets
  partons: []
  theta_independent: true
  cross_section: 831.76
  btag: {{branch: Jet_btagCSVV2, working_point: 0.8}}
  selection: {{b_tags_min: 1}}
report: {{sections: [summary, cut_flow], formats: [png]}}
""",
        encoding="utf-8",
    )
    result = run("run", path, "-o", tmp_path / "out")
    assert result.exit_code == 0, result.stderr
    assert "200 events imported" in result.stdout


def test_missing_event_file(tmp_path: Path) -> None:
    path = tmp_path / "import.yaml"
    path.write_text("name: imported\nimport: {format: lhe, files: [absent.lhe]}\n", encoding="utf-8")
    result = run("run", path, "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert "absent.lhe" in result.stderr
    assert run("generate", path, "-o", tmp_path / "out").exit_code == 1

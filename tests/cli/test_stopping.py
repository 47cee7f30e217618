"""What a command says and leaves when it is stopped, in a real step of a real process."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

import partonic.workflow
from partonic.cli import main
from partonic.cli.stopping import how_to_go_on, stop_signals
from partonic.workflow import StepInterrupted
from partonic.workflow.interruption import kept_work

ANALYSIS = """\
name: small
generation:
  events: 400
  sampler:
    {vegas_iterations: 2, vegas_points: 2000, vegas_bins: 16, bins: 4, units: 8, rounds: 2, points_per_round: 2000,
     steps_per_round: 5, batch_size: 256}
  pilot_points: 5000
  chunk_points: 2000
simulation:
  chunk_events: 20
  workers: 1
report: {sections: [summary], formats: [png]}
"""


def stopped(
    command: list[object], happened: Callable[[], bool], how: signal.Signals
) -> subprocess.CompletedProcess[str]:
    """Run a command, and send it a signal when something has happened."""
    process = subprocess.Popen(
        [Path(sys.executable).parent / "partonic", *map(str, command)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        # a test run in the background may ignore SIGINT, and its children would inherit that
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - no threads here
    )  # fmt: skip
    deadline = time.monotonic() + 120
    while not happened() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    with contextlib.suppress(ProcessLookupError):
        os.kill(process.pid, how)
    stdout, stderr = process.communicate()
    return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)


@pytest.mark.slow
@pytest.mark.xdist_group("whole analysis")
@pytest.mark.parametrize(("how", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_stopped_in_a_step(tmp_path: Path, how: signal.Signals, status: int) -> None:
    analysis, output = tmp_path / "my analysis.yaml", tmp_path / "out"
    analysis.write_text(ANALYSIS, encoding="utf-8")
    parts = output / "simulate" / "events.parquet.parts"
    command = ["run", analysis, "-o", output, "--force", "--json"]
    found = stopped(command, lambda: len(list(parts.glob("*/*.parquet"))) >= 2, how)
    assert found.returncode == status
    assert "Traceback" not in found.stderr
    assert "interrupted in the step 'simulate', after " in found.stderr
    assert "kept: the finished chunks of events (" in found.stderr
    assert f"MB in {output / 'simulate'}); 'simulate' goes on from there" in found.stderr
    go_on = f"to go on: partonic run '{analysis}' -o {output} --json (without --force, which would begin anew)"
    assert go_on in found.stderr
    error = json.loads(found.stdout)["error"]
    assert (error["kind"], error["step"]) == ("Interrupted", "simulate")
    assert go_on in error["message"]

    asked = CliRunner().invoke(main, ["run", str(analysis), "-o", str(output), "--dry-run"])
    assert "simulate: would go on" in asked.stdout
    said = CliRunner().invoke(main, ["status", str(output)]).stdout
    assert "simulate: interrupted " in said
    assert "report: never ran" in said
    finished = CliRunner().invoke(main, ["run", str(analysis), "-o", str(output)])
    assert finished.exit_code == 0, finished.stderr
    assert "generate: up to date" in finished.stdout


def interrupted(monkeypatch: pytest.MonkeyPatch, error: KeyboardInterrupt) -> None:
    def run_analysis(*_: object, **__: object) -> object:
        raise error

    monkeypatch.setattr(partonic.workflow, "run_analysis", run_analysis)


def test_step_of_which_nothing_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    analysis = tmp_path / "a.yaml"
    analysis.write_text("name: toy\n")
    interrupted(monkeypatch, StepInterrupted("report", tmp_path / "report", 130.0))
    found = CliRunner().invoke(main, ["-v", "run", str(analysis)])
    assert found.exit_code == 130
    assert found.stderr == (
        "interrupted in the step 'report', after 2 min 10 s of work\n"
        "nothing of 'report' is kept, it begins anew; the steps before it stay finished\n"
        f"to go on: partonic -v run {analysis}\n"
    )


def test_what_is_kept(tmp_path: Path) -> None:
    assert "had not finished anything yet" in kept_work("mem", tmp_path / "mem")
    (tmp_path / "mem").mkdir()
    (tmp_path / "mem" / "part").write_bytes(b"0" * 2_000_000)
    assert kept_work("mem", tmp_path / "mem") == (
        f"kept: the finished batches of events (1 file, 2.0 MB in {tmp_path / 'mem'}); 'mem' goes on from there"
    )


def test_only_an_import_with_reweighting_keeps_something(tmp_path: Path) -> None:
    (tmp_path / "import").mkdir()
    (tmp_path / "import" / "imported.parquet").write_bytes(b"0")
    assert "nothing of 'import' is kept" in kept_work("import", tmp_path / "import")
    parts = tmp_path / "import" / "events.parquet.parts" / "hash"
    parts.mkdir(parents=True)
    (parts / "part-000000.parquet").write_bytes(b"0")
    assert "finished chunks of the reweighting" in kept_work("import", tmp_path / "import")


def test_work_on_a_store_names_the_folder_of_what_is_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from partonic.unfolding import sample_events

    def sampling(*_: object, **__: object) -> None:
        (tmp_path / "s.parquet.parts").mkdir()
        raise KeyboardInterrupt

    monkeypatch.setattr(sample_events, "sample_events", sampling)
    found = CliRunner().invoke(main, ["sample", "--store", "a.parquet", "-o", str(tmp_path / "s.parquet")])
    assert found.exit_code == 130
    assert f"kept: what was finished, in {tmp_path / 's.parquet.parts'}; the same command goes on" in found.stderr


def test_command_to_go_on_with() -> None:
    assert how_to_go_on(["run", "a b.yaml"]) == "to go on: partonic run 'a b.yaml'"


def test_sigterm_is_a_keyboard_interrupt_and_the_handler_goes() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with stop_signals() as stop, pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGTERM)
    assert stop.exit_status == 143
    assert signal.getsignal(signal.SIGTERM) is before
    with stop_signals() as stop:
        pass
    assert stop.exit_status == 130


def test_forked_process_ends_by_sigterm_as_ever() -> None:
    code = (
        "import os, signal, time\n"
        "from partonic.cli.stopping import stop_signals\n"
        "ready, begun = os.pipe()\n"
        "with stop_signals():\n"
        "    child = os.fork()\n"
        "    if child == 0:\n"
        "        os.write(begun, b'x')\n"
        "        time.sleep(30)\n"
        "        os._exit(0)\n"
        "    os.read(ready, 1)\n"  # a signal right after the fork would be lost
        "    os.kill(child, signal.SIGTERM)\n"
        "    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == f"{-signal.SIGTERM}\n"


def test_thread_that_gets_no_signals() -> None:
    statuses = []

    def work() -> None:
        with stop_signals() as stop:
            statuses.append(stop.exit_status)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert statuses == [130]

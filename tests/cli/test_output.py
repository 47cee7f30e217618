"""Text in the encoding of the terminal, JSON for programs, and nothing else on stdout."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import partonic.workflow
from partonic.cli import main
from partonic.errors import SimulationError
from partonic.workflow import Finding, Outcome


@pytest.fixture
def analysis(tmp_path: Path) -> Path:
    path = tmp_path / "analysis.yaml"
    path.write_text(f"name: toy\noutput: {tmp_path / 'out'}\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("encoding", "written"),
    [("utf-8", "κ̃_t = 1 ± 2 in runs/c_tG, σ"), ("ascii", "kappa_tilde_t = 1 +- 2 in runs/c_tG, sigma"),
     ("latin-1", "kappa_tilde_t = 1 ± 2 in runs/c_tG, sigma")],
)  # fmt: skip
def test_parameters_are_written_as_the_terminal_can(encoding: str, written: str) -> None:
    code = "from partonic.cli.output import say; say('kappa_tilde_t = 1 ± 2 in runs/c_tG, σ')"
    environment = os.environ | {"PYTHONIOENCODING": encoding}
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, env=environment, check=True)
    assert found.stdout.decode(encoding) == f"{written}\n"


def test_nothing_but_results_on_stdout() -> None:
    """Neither what Python prints, nor C libraries (which hold it back), nor worker processes."""
    code = (
        "import ctypes, subprocess\n"
        "from partonic.cli.output import print_json, results_only_on_stdout\n"
        "with results_only_on_stdout(True):\n"
        "    print('python', flush=True)\n"
        "    ctypes.CDLL(None).printf(b'library\\n')\n"
        "    subprocess.run(['echo', 'worker'], check=True)\n"
        "print_json({'sigma': 'σ'})\n"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(found.stdout) == {"sigma": "σ"}
    assert found.stdout.isascii()
    assert sorted(found.stderr.split()) == ["library", "python", "worker"]


def test_stdout_that_is_closed() -> None:
    code = (
        "import os, sys\nos.close(1)\n"
        "from partonic.cli.output import results_only_on_stdout\n"
        "with results_only_on_stdout(True):\n    print('work', flush=True)\n"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (found.stdout, found.stderr) == ("", "work\n")


@pytest.mark.parametrize(
    "command", ["run", "generate", "simulate", "import", "train", "sample", "mem", "infer", "report"]
)
def test_outcomes_as_json(command: str, analysis: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = tmp_path / "result.json"
    best = {"c_tG": {"value": 0.25, "total": 0.1, "free": True}}
    content = {"best_fit": best, "valid": True, "luminosity": 30.0, "data": {"events": 5.0}, "intervals": {}}
    result.write_text(json.dumps(content))

    def run_analysis(*_: object, **__: object) -> list[Outcome]:
        sys.stdout.write("chatter")
        return [
            Outcome("generate", ran=True, summary="σ = 1 pb", seconds=1.23456, files=(tmp_path / "a.lhe",)),
            Outcome("infer", ran=False, summary="up to date", files=(result,)),
        ]

    monkeypatch.setattr(partonic.workflow, "run_analysis", run_analysis)
    found = CliRunner().invoke(main, [command, str(analysis), "--json"])
    assert found.exit_code == 0, found.output
    assert json.loads(found.stdout) == {
        "analysis": "toy",
        "output": str(tmp_path / "out"),
        "steps": [
            {
                "name": "generate", "ran": True, "summary": "σ = 1 pb", "seconds": 1.235,
                "files": [str(tmp_path / "a.lhe")],
            },
            {"name": "infer", "ran": False, "summary": "up to date", "seconds": 0.0, "files": [str(result)]},
        ],
        "result": content,
    }  # fmt: skip
    assert "chatter" in found.stderr


def test_error_as_json(analysis: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    message = "Pythia refused `x = 1`"

    def run_analysis(*_: object, **__: object) -> object:
        raise SimulationError(message)

    monkeypatch.setattr(partonic.workflow, "run_analysis", run_analysis)
    found = CliRunner().invoke(main, ["run", str(analysis), "--json"])
    assert found.exit_code == 1
    assert json.loads(found.stdout) == {"error": {"kind": "SimulationError", "message": message}}
    assert found.stderr == f"Error: {message}\n"


@pytest.mark.parametrize("passed", [True, False])
def test_check_as_json(analysis: Path, monkeypatch: pytest.MonkeyPatch, passed: bool) -> None:
    findings = [Finding("output", True, "can be written"), Finding("process", passed, "PDF set X")]
    monkeypatch.setattr(partonic.workflow, "check_analysis", lambda _: iter(findings))
    found = CliRunner().invoke(main, ["check", str(analysis), "--json"])
    assert found.exit_code == (0 if passed else 1)
    assert json.loads(found.stdout) == {
        "analysis": "toy",
        "passed": passed,
        "findings": [
            {"subject": "output", "passed": True, "detail": "can be written"},
            {"subject": "process", "passed": passed, "detail": "PDF set X"},
        ],
    }


def test_work_on_a_store_as_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from partonic.unfolding import sample_events

    monkeypatch.setattr(sample_events, "sample_events", lambda *_, **__: "5 events")
    output = tmp_path / "samples.parquet"
    found = CliRunner().invoke(main, ["sample", "--store", "a.parquet", "-o", str(output), "--json"])
    assert found.exit_code == 0, found.output
    content = json.loads(found.stdout)
    assert content["result"] is None
    (step,) = content["steps"]
    assert (step["name"], step["ran"], step["summary"], step["files"]) == ("sample", True, "5 events", [str(output)])
    assert step["seconds"] >= 0.0

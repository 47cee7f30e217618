"""What a user of the command line sees, whatever the steps do."""

import subprocess
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import partonic.workflow
from partonic.cli import main
from partonic.config.unfolding import SamplingConfig
from partonic.errors import SimulationError
from partonic.workflow import Finding, Outcome


@pytest.fixture
def analysis(tmp_path: Path) -> Path:
    path = tmp_path / "analysis.yaml"
    path.write_text(f"name: toy\noutput: {tmp_path / 'out'}\n", encoding="utf-8")
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, object]]]:
    """Stand-in for the workflow: notes what the commands ask for."""
    asked: list[dict[str, object]] = []

    def run_analysis(config: object, **options: object) -> list[Outcome]:
        asked.append({"config": config, **options})
        return [Outcome("generate", ran=True, summary="16 events")]

    monkeypatch.setattr(partonic.workflow, "run_analysis", run_analysis)
    return asked


def test_help_lists_the_commands_in_the_order_of_their_use() -> None:
    result = run("--help")
    assert result.exit_code == 0
    listed = [line.split()[0] for line in result.stdout.partition("Commands:")[2].splitlines() if line.strip()]
    assert listed == [
        "new",
        "processes",
        "run",
        "generate",
        "simulate",
        "import",
        "reweight",
        "train",
        "sample",
        "mem",
        "sbi",
        "calibrate",
        "infer",
        "discriminate",
        "report",
        "export",
        "check",
        "status",
        "doctor",
    ]


def test_version() -> None:
    assert run("--version").stdout == f"partonic, version {partonic.__version__}\n"


def test_console_script_is_installed() -> None:
    script = Path(sys.executable).parent / "partonic"
    assert "Commands:" in subprocess.run([script, "--help"], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("command", ["generate", "simulate", "import", "train", "sample", "mem", "infer", "report"])
def test_command_runs_its_step(command: str, analysis: Path, calls: list[dict[str, object]]) -> None:
    result = run(command, analysis)
    assert result.exit_code == 0
    assert result.stdout == "generate: 16 events\n"
    assert calls[0]["steps"] == [command]
    assert calls[0]["force"] is False


def test_run_does_all_steps(analysis: Path, tmp_path: Path, calls: list[dict[str, object]]) -> None:
    assert run("run", analysis, "--force", "-o", tmp_path / "elsewhere").exit_code == 0
    assert calls[0]["steps"] is None
    assert calls[0]["force"] is True
    assert calls[0]["config"].output == tmp_path / "elsewhere"


@pytest.mark.parametrize(
    "command",
    ["run", "generate", "simulate", "import", "train", "sample", "mem", "infer", "report", "check"],
)
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("generation:\n  evnts: 5\n", "analysis.yaml:4: generation.evnts: unknown key 'evnts'; did you mean 'events'?"),
        ("generation:\n  theta: {ctG: 1.0}\n", "analysis.yaml:4: generation.theta.ctG: the process 'tth' has no"),
    ],
)
def test_bad_file_is_one_message_and_a_status(command: str, analysis: Path, text: str, message: str) -> None:
    analysis.write_text(analysis.read_text(encoding="utf-8") + text, encoding="utf-8")
    result = run(command, analysis)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("Error: ")
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert not (analysis.parent / "out").exists()


def test_missing_file(tmp_path: Path) -> None:
    result = run("run", tmp_path / "absent.yaml")
    assert result.exit_code == 1
    assert "there is no file" in result.stderr


@pytest.mark.parametrize("arguments", [["run"], ["fly"], ["run", "a.yaml", "--fast"]])
def test_wrong_usage(arguments: list[str]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert "Usage: " in result.stderr


@pytest.fixture
def sampled(monkeypatch: pytest.MonkeyPatch) -> list[tuple[tuple[object, ...], dict[str, object]]]:
    """Stand-in for the sampling of a store: notes what the command asks for."""
    asked: list[tuple[tuple[object, ...], dict[str, object]]] = []

    def sample_events(*arguments: object, **options: object) -> str:
        asked.append((arguments, options))
        return "5 events"

    module = types.ModuleType("partonic.unfolding.sample_events")
    module.sample_events = sample_events
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return asked


def test_sample_takes_any_store(sampled: list[tuple[tuple[object, ...], dict[str, object]]]) -> None:
    result = run(
        "sample", "--store", "a.parquet", "--output", "b.parquet", "--samples", 7, "--view", "hard", "--seed", 3
    )
    assert result.exit_code == 0, result.stderr
    assert result.stdout == "sample: 5 events\n"
    (store, output, model, view, config, seed), options = sampled[0]
    assert (store, output, model, view, seed) == (Path("a.parquet"), Path("b.parquet"), "pretrained", "hard", 3)
    assert config == SamplingConfig(samples_per_event=7)
    assert options["force"] is False


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give an ANALYSIS, or --store"),
        (["--store", "a.parquet"], "give an ANALYSIS, or --store"),
        (["a.yaml", "--samples", "5"], "--samples: the analysis file has these settings"),
        (["a.yaml", "--store", "b.parquet", "--max-events", "5"], "--store, --max-events: the analysis file has"),
        (["--store", "a.parquet", "-o", "b.parquet", "--samples", "0"], "0 is not in the range"),
        (["--store", "a.parquet", "-o", "b.parquet", "--view", "soft"], "'soft' is not one of 'hard', 'with_isr'"),
        (["--store", "a.parquet", "-o", "b.parquet", "--sample", "5"], "Did you mean"),
    ],
)
def test_wrong_use_of_sample(arguments: list[str], message: str) -> None:
    result = run("sample", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr


def failing(error: BaseException) -> object:
    def run_analysis(*_: object, **__: object) -> object:
        raise error

    return run_analysis


def test_error_of_a_step(analysis: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partonic.workflow, "run_analysis", failing(SimulationError("Pythia refused `x = 1`")))
    result = run("run", analysis)
    assert result.exit_code == 1
    assert result.stderr == "Error: Pythia refused `x = 1`\n"


@pytest.mark.parametrize("verbose", [True, False])
def test_messages_of_other_packages_are_shown_only_when_asked_for(analysis: Path, verbose: bool) -> None:
    code = (
        "import logging, sys, partonic.workflow; from partonic.cli import main\n"
        "def talk(*_, **__):\n"
        "    logging.getLogger('distributed').setLevel('INFO')\n"
        "    logging.getLogger('distributed').info('started')\n"
        "    logging.getLogger('distributed').warning('lost')\n"
        "    return []\n"
        "partonic.workflow.run_analysis = talk\n"
        "main(sys.argv[1:])"
    )
    options = ["--verbose"] if verbose else []
    command = [sys.executable, "-c", code, *options, "run", str(analysis)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stderr.splitlines()
    assert told == (["distributed: started"] if verbose else []) + ["distributed: lost"]


def test_interruption(analysis: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partonic.workflow, "run_analysis", failing(KeyboardInterrupt()))
    result = run("run", analysis)
    assert result.exit_code == 130
    assert f"to go on: partonic run {analysis}\n" in result.stderr


def test_bug_keeps_its_traceback(analysis: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partonic.workflow, "run_analysis", failing(ZeroDivisionError("a bug")))
    result = run("run", analysis)
    assert isinstance(result.exception, ZeroDivisionError)


@pytest.mark.parametrize(("passed", "status"), [(True, 0), (False, 1)])
def test_check_tells_every_finding(analysis: Path, monkeypatch: pytest.MonkeyPatch, passed: bool, status: int) -> None:
    findings = [Finding("output", True, "can be written"), Finding("process", passed, "PDF set X")]
    monkeypatch.setattr(partonic.workflow, "check_analysis", lambda _: iter(findings))
    result = run("check", analysis)
    assert result.exit_code == status
    assert "ok     output: can be written" in result.stdout
    assert f"{'ok    ' if passed else 'FAILED'} process: PDF set X" in (result.stdout if passed else result.stderr)

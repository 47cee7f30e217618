"""`partonic run --dry-run` and `partonic status` as a user meets them."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.workflow.conftest import TextStep
from tests.workflow.test_status import RESULT

import partonic.workflow
from partonic.cli import main
from partonic.config import AnalysisConfig, load_analysis
from partonic.workflow import PlannedStep, run_analysis
from partonic.workflow.plan import Estimate


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def analysis(tmp_path: Path) -> Path:
    path = tmp_path / "analysis.yaml"
    path.write_text(f"name: toy\noutput: {tmp_path / 'out'}\n", encoding="utf-8")
    return path


@pytest.fixture
def config(analysis: Path) -> AnalysisConfig:
    """An analysis of which two steps have run."""
    config = load_analysis(analysis)
    run_analysis(config, available=[TextStep("generate"), TextStep("simulate", before="generate")])
    (config.output / "infer").mkdir()
    (config.output / "infer" / "result.json").write_text(json.dumps(RESULT))
    return config


PLAN = [
    PlannedStep("generate", "up to date"),
    PlannedStep("simulate", "go on", ("was interrupted and goes on",), Estimate(100.0, "as the last time")),
    PlannedStep("mem", "run", ("never ran here", "kappa_tilde_t: 0 → 1"), Estimate(None, "no earlier run")),
]


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch) -> list[PlannedStep]:
    """Stand-in for the planning: the plan that it returns."""
    plan = list(PLAN)
    monkeypatch.setattr(partonic.workflow, "plan_analysis", lambda config, force: plan)
    return plan


def test_plan(analysis: Path, planned: list[PlannedStep]) -> None:
    found = run("run", analysis, "--dry-run")
    assert found.exit_code == 0, found.stderr
    assert found.stdout.splitlines() == [
        "generate: up to date",
        "simulate: would go on, about 1 min 40 s (as the last time)",
        "    was interrupted and goes on",
        "mem: would run, time unknown (no earlier run)",
        "    never ran here",
        "    κ̃_t: 0 → 1",
        "in all about 1 min 40 s, and 1 step whose time is unknown",
        "nothing was done (--dry-run)",
    ]


def test_plan_that_cannot_be_carried_out(analysis: Path, planned: list[PlannedStep]) -> None:
    planned[:] = [PlannedStep("import", "cannot run", ("it reads a.lhe, but there is no such file",))]
    found = run("run", analysis, "--dry-run")
    assert found.exit_code == 1
    assert found.stdout.startswith("import: cannot run\n    it reads a.lhe, but there is no such file\n")
    assert "in all" not in found.stdout


def test_plan_as_json(analysis: Path, planned: list[PlannedStep], tmp_path: Path) -> None:
    content = json.loads(run("run", analysis, "--dry-run", "--json").stdout)
    assert (content["analysis"], content["output"]) == ("toy", str(tmp_path / "out"))
    assert content["steps"][1:] == [
        {
            "name": "simulate", "action": "go on", "reasons": ["was interrupted and goes on"], "seconds": 100.0,
            "seconds_basis": "as the last time",
        },
        {
            "name": "mem", "action": "run", "reasons": ["never ran here", "kappa_tilde_t: 0 → 1"], "seconds": None,
            "seconds_basis": "no earlier run",
        },
    ]  # fmt: skip


def test_plan_of_a_real_analysis_writes_nothing(analysis: Path, tmp_path: Path) -> None:
    found = run("run", analysis, "--dry-run")
    assert found.exit_code == 0, found.stderr
    assert [line for line in found.stdout.splitlines() if not line.startswith(" ")] == [
        "generate: would run, time unknown (no earlier run here that tells)",
        "simulate: would run, time unknown (no earlier run here that tells)",
        "report: would run, time unknown (no earlier run here that tells)",
        "nothing was done (--dry-run)",
    ]
    assert list(tmp_path.iterdir()) == [analysis]


@pytest.mark.parametrize("named", ["folder", "analysis"])
def test_status(config: AnalysisConfig, analysis: Path, named: str) -> None:
    found = run("status", config.output if named == "folder" else analysis)
    assert found.exit_code == 0, found.stderr
    lines = found.stdout.splitlines()
    assert lines[0] == f"{config.output}: analysis 'toy'"
    assert lines[1].startswith("generate: finished 20")
    assert lines[1].endswith(" s of work")
    assert lines[2:4] == ["    generate done", "    generate/text, 0.00 MB, as it was left"]
    assert ("report: never ran" in lines) is (named == "analysis")
    assert lines[-1].startswith("result: κ̃_t in [-0.7, -0.44] ∪ [0.5, 0.6] (68%), best fit -0.569 ± 0.12 (*), c_tG")


def test_status_as_json(config: AnalysisConfig) -> None:
    content = json.loads(run("status", config.output, "--json").stdout)
    assert content["result"] == RESULT
    step = content["steps"][0]
    assert (step["name"], step["condition"], step["summary"]) == ("generate", "finished", "generate done")
    assert step["files"] == [{"path": str(config.output / "generate/text"), "size": 11, "condition": "as it was left"}]
    assert step["when"].endswith("+00:00")


def test_status_before_the_first_run(analysis: Path, tmp_path: Path) -> None:
    found = run("status", analysis)
    assert found.exit_code == 0
    assert found.stdout.splitlines()[1:] == [
        "generate: never ran",
        "simulate: never ran",
        "report: never ran",
        "result: none yet",
    ]
    nothing = run("status", tmp_path)
    assert nothing.exit_code == 1
    assert "no analysis has run in" in nothing.stderr
    absent = run("status", tmp_path / "absent")
    assert absent.exit_code == 1
    assert f"there is no {tmp_path / 'absent'}; give the folder of the results of `partonic run`" in absent.stderr


def test_output_goes_with_an_analysis(config: AnalysisConfig, tmp_path: Path) -> None:
    found = run("status", config.output, "-o", tmp_path / "elsewhere")
    assert found.exit_code == 2
    assert "--output goes with an analysis file" in found.stderr

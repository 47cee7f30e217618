import json
import os
import re
from pathlib import Path

import click
import pytest
from tests.workflow.conftest import TextStep

from partonic.cli.group import main
from partonic.config import AnalysisConfig
from partonic.errors import ConfigError, OutputError, WorkflowError
from partonic.workflow import run_analysis
from partonic.workflow.lock import folder_lock
from partonic.workflow.runner import not_up_to_date, step_identity
from partonic.workflow.state import WorkflowState
from partonic.workflow.step import Step


def ran(config: AnalysisConfig, available: list[TextStep], **options: object) -> list[str]:
    """Names of the steps that did work."""
    return [outcome.step for outcome in run_analysis(config, available=available, **options) if outcome.ran]


ALL = ["generate", "simulate", "report"]


def test_toy_steps_are_steps(steps: list[TextStep]) -> None:
    assert isinstance(steps[0], Step)


def test_first_run_does_all_and_second_nothing(config: AnalysisConfig, steps: list[TextStep]) -> None:
    assert ran(config, steps) == ALL
    assert (config.output / "report" / "text").read_text() == "generate 3\nsimulate \nreport \n"
    outcomes = run_analysis(config, available=steps)
    assert [outcome.ran for outcome in outcomes] == [False] * 3
    assert outcomes[2].summary == "up to date: report done"


def test_changed_setting_runs_the_step_and_those_after_it(config: AnalysisConfig, steps: list[TextStep]) -> None:
    ran(config, steps)
    assert ran(config.model_copy(update={"seed": 4}), steps) == ALL


def test_step_after_an_unchanged_file_does_not_run(config: AnalysisConfig, steps: list[TextStep]) -> None:
    ran(config, steps)
    steps[0].version = 2
    assert ran(config, steps) == ["generate"], "it wrote the same content, so nothing that reads it changes"


@pytest.mark.parametrize("damage", ["change", "remove"])
def test_damaged_output_is_made_again(config: AnalysisConfig, steps: list[TextStep], damage: str) -> None:
    ran(config, steps)
    text = config.output / "simulate" / "text"
    text.unlink()
    if damage == "change":
        text.write_text("other")
    assert ran(config, steps) == ["simulate"]


def test_touched_file_is_compared_by_content(config: AnalysisConfig, steps: list[TextStep]) -> None:
    ran(config, steps)
    os.utime(config.output / "generate" / "text", ns=(1, 1))
    assert ran(config, steps) == []


def test_outdated_work_is_removed_before_the_step_runs(config: AnalysisConfig, steps: list[TextStep]) -> None:
    ran(config, steps)
    leftover = config.output / "generate" / "part"
    leftover.write_text("of other settings")
    ran(config.model_copy(update={"seed": 4}), steps)
    assert steps[0].runs == ["began", "began"]
    assert not leftover.exists()


def test_step_that_knows_its_work_finds_it_again(config: AnalysisConfig, steps: list[TextStep]) -> None:
    steps[0].knows_its_work = True
    ran(config, steps)
    (config.output / "generate" / "part").write_text("a trained network")
    ran(config.model_copy(update={"seed": 4}), steps)
    assert steps[0].runs == ["began", "went on"]
    (config.output / "generate" / "part").write_text("a trained network")
    ran(config, steps, force=True)
    assert steps[0].runs[-1] == "began"


def test_folder_that_no_run_made_is_left_alone(config: AnalysisConfig, steps: list[TextStep]) -> None:
    (config.output / "generate").mkdir(parents=True)
    (config.output / "generate" / "thesis.tex").write_text("precious")
    ran(config, steps, force=True)
    assert (config.output / "generate" / "thesis.tex").read_text() == "precious"


def test_interrupted_step_goes_on(config: AnalysisConfig, steps: list[TextStep]) -> None:
    steps[1].interrupt = True
    with pytest.raises(KeyboardInterrupt):
        ran(config, steps)
    assert not (config.output / "report").exists()
    steps[1].interrupt = False
    assert ran(config, steps) == ["simulate", "report"]
    assert steps[1].runs == ["began", "went on"]


def test_interrupted_step_does_not_go_on_with_other_settings(config: AnalysisConfig, steps: list[TextStep]) -> None:
    steps[0].interrupt = True
    with pytest.raises(KeyboardInterrupt):
        ran(config, steps)
    steps[0].interrupt = False
    ran(config.model_copy(update={"seed": 4}), steps)
    assert steps[0].runs == ["began", "began"]


def test_force_runs_what_is_up_to_date(config: AnalysisConfig, steps: list[TextStep]) -> None:
    ran(config, steps)
    assert ran(config, steps, steps=["simulate"], force=True) == ["simulate"]
    assert ran(config, steps, force=True) == ALL


def test_single_step_needs_those_before_it(config: AnalysisConfig, steps: list[TextStep]) -> None:
    with pytest.raises(WorkflowError, match=r"step 'generate' has not run .* `partonic generate`"):
        ran(config, steps, steps=["simulate"])
    assert ran(config, steps, steps=["generate"]) == ["generate"]
    assert ran(config, steps, steps=["simulate"]) == ["simulate"]
    with pytest.raises(WorkflowError, match="step 'generate' has not run with these settings"):
        ran(config.model_copy(update={"seed": 4}), steps, steps=["simulate"])


def test_step_that_the_analysis_has_not(config: AnalysisConfig, steps: list[TextStep]) -> None:
    with pytest.raises(ConfigError, match=r"has no step 'import'; it has: generate, simulate, report"):
        ran(config, steps, steps=["import"])


def test_missing_input_file(config: AnalysisConfig) -> None:
    with pytest.raises(WorkflowError, match=r"the step 'report' reads .*elsewhere.*no such file"):
        ran(config, [TextStep("report", before="elsewhere")])


def test_missing_file_of_a_step_that_the_analysis_has_not(config: AnalysisConfig) -> None:
    step = TextStep("report", before="mem")
    with pytest.raises(WorkflowError, match=r"no such file: an analysis with the section `mem` makes it"):
        ran(config, [step])


def test_two_runs_in_one_folder_do_not_collide(config: AnalysisConfig, steps: list[TextStep]) -> None:
    with folder_lock(config.output), pytest.raises(WorkflowError, match="another partonic is at work"):
        ran(config, steps)
    assert ran(config, steps) == ALL


def test_output_that_cannot_be_written(config: AnalysisConfig, steps: list[TextStep], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot write"):
        ran(config.model_copy(update={"output": tmp_path / "file" / "out"}), steps)


def test_lock_that_cannot_be_made(config: AnalysisConfig, steps: list[TextStep]) -> None:
    (config.output / ".lock").mkdir(parents=True)
    with pytest.raises(OutputError, match="cannot write in"):
        ran(config, steps)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is damaged"),
        ("[]", r"is damaged \(it holds no mapping\)"),
        ('{"format": 99, "steps": {}}', "has format 99"),
        ('{"format": 1, "steps": {"generate": {"unknown": 1}}}', "is damaged"),
        ('{"format": 1, "steps": {"generate": {"fingerprint": "x", "files": 1}}}', "is damaged"),
    ],
)
def test_damaged_records(config: AnalysisConfig, steps: list[TextStep], content: str, message: str) -> None:
    config.output.mkdir()
    (config.output / "workflow.json").write_text(content)
    with pytest.raises(WorkflowError, match=message):
        ran(config, steps)


def test_records_name_versions_and_files(config: AnalysisConfig, steps: list[TextStep]) -> None:
    ran(config, steps)
    record = json.loads((config.output / "workflow.json").read_text())["steps"]["simulate"]
    assert set(record["files"]) == {"generate/text", "simulate/text"}
    assert "numpy" in record["versions"]
    assert record["fingerprint"] == step_identity(steps[1], WorkflowState(config.output), config).fingerprint


def test_folder_can_be_moved(config: AnalysisConfig, steps: list[TextStep], tmp_path: Path) -> None:
    ran(config, steps)
    config.output.rename(tmp_path / "elsewhere")
    assert ran(config.model_copy(update={"output": tmp_path / "elsewhere"}), steps) == []


def test_nothing_runs_if_a_later_step_lacks_a_file(config: AnalysisConfig, steps: list[TextStep]) -> None:
    with pytest.raises(WorkflowError, match=r"the step 'report' reads .*elsewhere.*no such file"):
        run_analysis(config, available=[*steps[:2], TextStep("report", before="elsewhere")])
    assert steps[0].runs == steps[1].runs == []


@pytest.mark.parametrize(
    ("name", "command"),
    [("mem", "`partonic mem` first"), ("train_sbi", "`partonic train` first"), ("classical", "; run `partonic run`$")],
)
def test_the_command_that_is_proposed_exists(config: AnalysisConfig, name: str, command: str) -> None:
    message = not_up_to_date(TextStep(name), config)
    assert re.search(command, message), message
    for proposed in re.findall(r"`partonic (\w+)`", message):
        assert main.get_command(click.Context(main), proposed) is not None

import json
from pathlib import Path

import pytest
from tests.workflow.conftest import TextStep
from tests.workflow.test_plan import old_records

from partonic.config import AnalysisConfig
from partonic.errors import InferenceError, WorkflowError
from partonic.workflow import run_analysis, run_status
from partonic.workflow.inference_result import result_line
from partonic.workflow.lock import folder_lock, is_locked
from partonic.workflow.state import StepIdentity, WorkflowState


def conditions(folder: Path, config: AnalysisConfig | None = None) -> dict[str, str]:
    return {step.step: step.condition for step in run_status(folder, config).steps}


def test_finished_run(config: AnalysisConfig, steps: list[TextStep]) -> None:
    run_analysis(config, available=steps)
    found = run_status(config.output)
    assert (found.analysis, found.at_work, found.result, found.result_text) == ("toy", False, None, "")
    assert conditions(config.output) == dict.fromkeys(("generate", "simulate", "report"), "finished")
    step = found.steps[1]
    assert step.summary == "simulate done"
    assert step.when is not None
    assert step.seconds is not None
    assert 0.0 <= step.seconds < 60.0
    (file,) = step.files
    path = config.output / "simulate" / "text"
    assert (file.path, file.size, file.condition) == (path, path.stat().st_size, "as it was left")


def test_files_that_changed(config: AnalysisConfig, steps: list[TextStep]) -> None:
    run_analysis(config, available=steps)
    (config.output / "generate" / "text").write_text("other")
    (config.output / "simulate" / "text").unlink()
    found = run_status(config.output)
    assert [step.files[0].condition for step in found.steps] == ["changed", "missing", "as it was left"]


def test_interrupted_run(config: AnalysisConfig, steps: list[TextStep]) -> None:
    steps[1].interrupt = True
    with pytest.raises(KeyboardInterrupt):
        run_analysis(config, available=steps)
    assert conditions(config.output) == {"generate": "finished", "simulate": "interrupted", "report": "never"}
    with folder_lock(config.output):
        assert conditions(config.output)["simulate"] == "interrupted", "another process works, but not on this step"


def test_step_at_work_and_step_that_was_killed(config: AnalysisConfig) -> None:
    config.output.mkdir()
    state = WorkflowState(config.output)
    state.begin("simulate", StepIdentity("x"))
    assert conditions(config.output) == {"simulate": "interrupted"}
    assert run_status(config.output).steps[0].when == state.records["simulate"].started
    with folder_lock(config.output):
        assert run_status(config.output).at_work
        assert conditions(config.output) == {"simulate": "at work"}
    assert not run_status(config.output).at_work


def test_records_of_an_earlier_version(config: AnalysisConfig, steps: list[TextStep]) -> None:
    run_analysis(config, available=steps)
    old_records(config)
    found = run_status(config.output)
    assert found.analysis is None
    assert [(step.condition, step.seconds) for step in found.steps] == [("finished", None)] * 3
    assert found.steps[0].when is not None, "the time of its files"


def test_analysis_tells_what_never_ran(config: AnalysisConfig, steps: list[TextStep]) -> None:
    assert conditions(config.output, config) == dict.fromkeys(("generate", "simulate", "report"), "never")
    assert not config.output.exists()
    run_analysis(config, available=[*steps, TextStep("my own step")])
    more = AnalysisConfig(name="toy", output=config.output, inference={})
    found = conditions(config.output, more)
    assert list(found) == ["generate", "simulate", "infer", "report", "my own step"]
    assert found["infer"] == "never"


def test_folder_without_a_run(tmp_path: Path) -> None:
    with pytest.raises(WorkflowError, match=r"no analysis has run in .*: there is no file .*workflow\.json; give the"):
        run_status(tmp_path)
    assert not list(tmp_path.iterdir())


def test_folder_is_free_or_held(tmp_path: Path) -> None:
    assert not is_locked(tmp_path)
    assert not list(tmp_path.iterdir())
    with folder_lock(tmp_path):
        assert is_locked(tmp_path)
    assert not is_locked(tmp_path)


RESULT = {
    "best_fit": {
        "kappa_tilde_t": {"value": -0.56899, "total": 0.1198, "free": True, "parabola_misleads": True},
        "c_tG": {"value": 0.26071, "total": None, "free": True},
        "signal_strength": {"value": 1.0, "total": 0.0, "free": False},
    },
    "intervals": {
        "kappa_tilde_t": [
            {"kind": "total", "level": 0.95, "segments": [[-0.8, 0.9]]},
            {"kind": "total", "level": 0.68, "segments": [[-0.7, -0.44], [0.5, 0.6]]},
        ]
    },
    "valid": True,
    "luminosity": 100.0,
    "data": {"events": 1773.0},
}


def test_result_in_a_line(config: AnalysisConfig, steps: list[TextStep]) -> None:
    run_analysis(config, available=steps)
    (config.output / "infer").mkdir()
    (config.output / "infer" / "result.json").write_text(json.dumps(RESULT))
    found = run_status(config.output)
    assert found.result == RESULT
    assert found.result_text == (
        "kappa_tilde_t in [-0.7, -0.44] ∪ [0.5, 0.6] (68%), best fit -0.569 ± 0.12 (*), c_tG = 0.2607 ± unknown "
        "(1773 events, 100 fb⁻¹)"
    )
    assert result_line(RESULT | {"valid": False}).endswith("fb⁻¹); the fit is not valid")


@pytest.mark.parametrize("content", ["{", "[]", '{"best_fit": {}}', '{"best_fit": []}', '{"best_fit": {"a": 1}}'])
def test_damaged_result(config: AnalysisConfig, steps: list[TextStep], content: str) -> None:
    run_analysis(config, available=steps)
    (config.output / "infer").mkdir()
    (config.output / "infer" / "result.json").write_text(content)
    with pytest.raises(
        InferenceError, match=r"the result .*result\.json cannot be read .*; run `partonic infer` again"
    ):
        run_status(config.output)


def test_angle_is_told_with_its_unit() -> None:
    name = next(name for name, found in RESULT["best_fit"].items() if found["free"])
    curve = {"settings": {"curves": {name: {"kind": "circle", "unit": "degrees"}}}}
    assert f"{name} [°]" in result_line(RESULT | curve)
    assert "[" not in result_line(RESULT).split(" in ")[0]

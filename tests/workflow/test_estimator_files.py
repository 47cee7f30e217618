"""Which estimators an analysis compares, with which calibration."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from partonic.config.analysis import AnalysisConfig
from partonic.pretrained import pretrained_folder
from partonic.workflow.estimator_files import calibration_of, compared_estimators, estimator_names_of
from partonic.workflow.inference_steps import InferStep
from partonic.workflow.limit_files import limit_files
from partonic.workflow.state import StepIdentity, WorkflowState


def analysis(tmp_path: Path, **inference: object) -> AnalysisConfig:
    section = {"source": "sbi", "compare": True, **inference}
    content = {
        "name": "x", "output": str(tmp_path), "mem": {}, "inference": section,
        "sbi": {"also": {"trees": {"method": "trees", "shares": {"calibration": 0.0}}}},
    }  # fmt: skip
    return AnalysisConfig.model_validate(content)


def test_all_estimators_of_the_events_are_compared(tmp_path: Path) -> None:
    config = analysis(tmp_path, calibrations={"mem": "pretrained"})
    assert estimator_names_of(config) == ("mem", "sbi", "sbi.trees")
    found = compared_estimators(config)
    assert list(found) == ["mem", "sbi", "sbi.trees"]
    assert found["mem"].coefficients == tmp_path / "mem" / "tth.parquet"
    assert found["mem"].calibration == pretrained_folder("tth") / "mem" / "calibration.json"
    assert found["mem"].members is None
    assert found["sbi"].calibration == tmp_path / "sbi" / "calibration.json"
    assert found["sbi.trees"].calibration is None
    assert found["sbi.trees"].members == tmp_path / "sbi.trees" / "members.safetensors"
    read = set(InferStep().inputs(config))
    assert {path for each in found.values() for path in (each.coefficients, each.calibration) if path} <= read
    assert compared_estimators(analysis(tmp_path, compare=False)) == {}
    assert tmp_path / "mem" / "tth.parquet" not in InferStep().inputs(analysis(tmp_path, compare=False))


def test_estimators_of_other_events_are_not(tmp_path: Path) -> None:
    content = analysis(tmp_path).model_dump(mode="json", by_alias=True, exclude_unset=True)
    content["mem"] = {"store": str(tmp_path / "other.parquet")}
    assert list(compared_estimators(AnalysisConfig.model_validate(content))) == ["sbi", "sbi.trees"]
    content["inference"]["source"] = "mem"
    assert list(compared_estimators(AnalysisConfig.model_validate(content))) == ["mem"]
    elsewhere = analysis(tmp_path, coefficients=str(tmp_path / "mine.parquet"))
    assert list(compared_estimators(elsewhere)) == ["mem", "sbi.trees"]


def test_the_calibration_that_is_named_wins(tmp_path: Path) -> None:
    named = {"sbi.trees": str(tmp_path / "a.json")}
    config = analysis(tmp_path, calibration=str(tmp_path / "b.json"), calibrations=named)
    assert calibration_of(config, "sbi") == tmp_path / "b.json"
    assert calibration_of(config, "sbi.trees") == tmp_path / "a.json"
    assert calibration_of(config, "mem") is None


@pytest.mark.parametrize(
    ("calibrations", "message"),
    [({"men": "a.json"}, "did you mean 'mem'"), ({"sbi": "pretrained"}, "of coefficients of 'mem', not of 'sbi'")],
)
def test_calibrations_of_nobody_are_refused(tmp_path: Path, calibrations: dict[str, str], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        analysis(tmp_path, calibrations=calibrations)


def test_the_report_gets_the_other_estimators_and_their_times(tmp_path: Path) -> None:
    config = analysis(tmp_path)
    for name in ("mem", "sbi", "sbi.trees"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "tth.parquet").write_text("x")
    state = WorkflowState(tmp_path)
    for step in ("train_sbi.trees", "sbi.trees"):
        state.begin(step, StepIdentity("f"))
    state.end("train_sbi.trees", [], "done")
    found = limit_files(config)
    assert found is not None
    assert list(found.coefficients.values()) == [tmp_path / "sbi" / "tth.parquet"]
    assert list(found.others) == ["mem", "sbi.trees"]
    assert found.seconds["sbi.trees"][0] is not None
    assert found.seconds["sbi.trees"][1] is None, "it has not ended"
    assert found.seconds["mem"] == (None, None)

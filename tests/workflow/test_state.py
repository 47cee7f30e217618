"""How long steps worked, over interruptions and kills, and what old records look like to this version."""

import json
from pathlib import Path

import pytest

from partonic.errors import WorkflowError
from partonic.workflow import state as module
from partonic.workflow.state import StepIdentity, WorkflowState


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return now


def identity(fingerprint: str = "x", **workload: float) -> StepIdentity:
    return StepIdentity(fingerprint, 2, {"views": ("a", "b")}, (), workload)


def test_duration_counts_interrupted_runs(tmp_path: Path, clock: list[float]) -> None:
    state = WorkflowState(tmp_path)
    state.begin("mem", identity(events=5.0))
    clock[0] += 10.0
    state.interrupt("mem")
    state = WorkflowState(tmp_path)
    assert state.records["mem"].ended is not None
    clock[0] += 1000.0
    state.begin("mem", identity(events=5.0))
    clock[0] += 3.0
    state.end("mem", [], "done")
    record = WorkflowState(tmp_path).records["mem"]
    assert record.seconds == 13.0
    assert record.last_duration() == (13.0, {"events": 5.0})
    assert (record.version, record.settings, record.inputs) == (2, {"views": ["a", "b"]}, [])


def test_time_before_a_kill_is_not_known(tmp_path: Path, clock: list[float]) -> None:
    WorkflowState(tmp_path).begin("mem", identity())
    state = WorkflowState(tmp_path)
    state.begin("mem", identity())
    clock[0] += 3.0
    state.end("mem", [], "done")
    assert state.records["mem"].seconds is None
    assert state.records["mem"].last_duration() is None


def test_work_with_other_settings_does_not_count(tmp_path: Path, clock: list[float]) -> None:
    state = WorkflowState(tmp_path)
    state.begin("mem", identity("x"))
    clock[0] += 10.0
    state.interrupt("mem")
    state.begin("mem", identity("y"))
    clock[0] += 3.0
    state.end("mem", [], "done")
    assert state.records["mem"].seconds == 3.0


def test_last_whole_run_is_remembered_while_the_next_goes_on(tmp_path: Path, clock: list[float]) -> None:
    state = WorkflowState(tmp_path)
    state.begin("mem", identity("x", events=5.0))
    clock[0] += 10.0
    state.end("mem", [], "done")
    for _ in range(2):
        state.begin("mem", identity("y", events=50.0))
        clock[0] += 1.0
        state.interrupt("mem")
        assert WorkflowState(tmp_path).records["mem"].last_duration() == (10.0, {"events": 5.0})


@pytest.mark.parametrize(
    ("entry", "value"),
    [
        ("settings", 3), ("inputs", ["a"]), ("inputs", 3), ("workload", {"events": "many"}),
        ("workload", {"events": 0}), ("workload", [1]), ("seconds", "long"), ("earlier_seconds", []),
        ("started", "yesterday"), ("ended", 7),
    ],
)  # fmt: skip
def test_damaged_entries_are_one_message(tmp_path: Path, entry: str, value: object) -> None:
    step = {"fingerprint": "x", "finished": True, entry: value}
    (tmp_path / "workflow.json").write_text(json.dumps({"format": 1, "steps": {"mem": step}}))
    with pytest.raises(WorkflowError, match=r"workflow\.json is damaged \(.*\); remove that file to begin anew"):
        WorkflowState(tmp_path)


def test_records_of_an_earlier_version(tmp_path: Path) -> None:
    file = {"size": 1, "modified": 2, "digest": "d"}
    step = {"fingerprint": "x", "finished": True, "summary": "s", "files": {"mem/a": file}, "versions": {"numpy": "2"}}
    (tmp_path / "workflow.json").write_text(json.dumps({"format": 1, "steps": {"mem": step}}))
    state = WorkflowState(tmp_path)
    record = state.records["mem"]
    assert record.files["mem/a"].digest == "d"
    assert (record.settings, record.inputs, record.seconds, record.last_duration()) == (None, None, None, None)
    assert state.analysis == {}

"""What has been done in a folder of results: each step, its files, and the result if there is one."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from partonic.config.analysis import AnalysisConfig
from partonic.errors import WorkflowError
from partonic.workflow.inference_result import inference_result, result_line
from partonic.workflow.lock import is_locked
from partonic.workflow.runner import applicable_steps
from partonic.workflow.state import FileRecord, StepRecord, WorkflowState
from partonic.workflow.step import family_of_step
from partonic.workflow.steps import STEPS

__all__ = ["FileStatus", "RunStatus", "StepStatus", "run_status"]

StepCondition = Literal["finished", "interrupted", "at work", "never"]


@dataclass(frozen=True)
class FileStatus:
    """A file that a step left.

    Attributes:
        path: of the file.
        size: in bytes, as the step left it.
        condition: whether it is still so.
    """

    path: Path
    size: int
    condition: Literal["as it was left", "changed", "missing"]


@dataclass(frozen=True)
class StepStatus:
    """What has become of a step.

    Attributes:
        step: its name.
        condition: whether it came to its end.
        when: it ended, was interrupted or, while it works, was begun; UTC in ISO format, None if not known.
        seconds: that it has worked; None if not known.
        summary: one line on its result, empty if it has not ended.
        files: that it left.
    """

    step: str
    condition: StepCondition
    when: str | None = None
    seconds: float | None = None
    summary: str = ""
    files: tuple[FileStatus, ...] = ()


@dataclass(frozen=True)
class RunStatus:
    """What has been done in a folder.

    Attributes:
        folder: of the results.
        analysis: its name; None if an earlier version of partonic, which did not record it, worked there.
        at_work: whether a process works in it now.
        steps: in the order of their work.
        result: the content of the result file of the inference; None if there is none.
        result_text: that result in one line, with the ASCII names of the parameters; empty if there is none.
    """

    folder: Path
    analysis: str | None
    at_work: bool
    steps: tuple[StepStatus, ...]
    result: dict[str, Any] | None
    result_text: str


def run_status(folder: Path, config: AnalysisConfig | None = None) -> RunStatus:
    """Return what has been done in a folder of results. Nothing is written.

    Args:
        folder: of the results.
        config: the analysis, if it is at hand: then the steps that never ran are those of the analysis as it is now.

    Raises:
        WorkflowError: if no analysis has run in the folder, or its records cannot be read.
        InferenceError: if the result of the inference cannot be read.
    """
    state = WorkflowState(folder)
    if not state.records and config is None:
        raise WorkflowError(
            f"no analysis has run in {folder}: there is no file {state.path}; give the folder of the results of "
            "`partonic run` (the key `output`, by default runs/<name>), or the analysis file"
        )
    at_work = is_locked(folder)
    working = _latest_begun(state) if at_work else None
    name = config.name if config else state.analysis.get("name")
    result = inference_result(folder / "infer" / "result.json")
    return RunStatus(
        folder,
        None if name is None else str(name),
        at_work,
        tuple(_step_status(step, state, step == working) for step in _names(state, config)),
        result,
        "" if result is None else result_line(result),
    )


def _names(state: WorkflowState, config: AnalysisConfig | None) -> list[str]:
    """Return the steps of the analysis, and whatever else was done in the folder, in order."""
    recorded = state.analysis.get("steps")
    of_analysis = applicable_steps(config) if config else tuple(recorded if isinstance(recorded, list) else ())
    order = [step.name for step in STEPS]
    names = dict.fromkeys((*of_analysis, *state.records))
    known = [name for first in order for name in names if family_of_step(name) == first]
    return known + [name for name in names if family_of_step(name) not in order]


def _latest_begun(state: WorkflowState) -> str | None:
    """Return the step that was begun last and has not ended."""
    begun = {name: each.started for name, each in state.records.items() if each.started and not each.ended}
    return max(begun, key=lambda name: begun[name]) if begun else None


def _step_status(name: str, state: WorkflowState, working: bool) -> StepStatus:
    record = state.records.get(name)
    if record is None:
        return StepStatus(name, "never")
    if not record.finished:
        when = record.started if working else record.ended or record.started
        return StepStatus(name, "at work" if working else "interrupted", when, None if working else record.seconds)
    files = tuple(_files(name, state, record))
    return StepStatus(name, "finished", record.ended or _latest(record, name), record.seconds, record.summary, files)


def _files(step: str, state: WorkflowState, record: StepRecord) -> Iterator[FileStatus]:
    for name, known in _left(record, step):
        path = state.folder / name
        if not path.is_file():
            yield FileStatus(path, known.size, "missing")
        else:
            yield FileStatus(path, known.size, "as it was left" if state.is_intact(path, record) else "changed")


def _left(record: StepRecord, step: str) -> list[tuple[str, FileRecord]]:
    """Return the records of the files that a step left: those in its own folder."""
    return [(name, known) for name, known in record.files.items() if name.startswith(f"{step}/")]


def _latest(record: StepRecord, step: str) -> str | None:
    """Return when the last file of a step was written, for records without a time."""
    times = [known.modified for _, known in _left(record, step)]
    return datetime.fromtimestamp(max(times) / 1e9, UTC).isoformat(timespec="seconds") if times else None

"""`partonic status`."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from partonic.cli.options import output_option
from partonic.cli.output import json_option, print_json, say
from partonic.progress import duration_text

if TYPE_CHECKING:
    from partonic.workflow import RunStatus
    from partonic.workflow.status import FileStatus, StepStatus

__all__ = ["status"]


@click.command()
@click.argument("run", metavar="RUN", type=click.Path(path_type=Path))
@output_option
@json_option
def status(run: Path, output: Path | None, as_json: bool) -> None:
    """Say what has been done: each step, its files, and the result.

    RUN is the folder of the results, e.g. runs/tth_quick, or the analysis file.
    """
    found = _status(run, output)
    if as_json:
        print_json(_as_json(found))
    else:
        _tell(found)


def _status(run: Path, output: Path | None) -> "RunStatus":
    from partonic.config import load_analysis
    from partonic.errors import WorkflowError
    from partonic.workflow import run_status

    if not run.exists():
        message = f"there is no {run}; give the folder of the results of `partonic run`, or the analysis file"
        raise WorkflowError(message)
    if run.is_dir():
        if output is not None:
            message = f"{run} is a folder of results itself: --output goes with an analysis file"
            raise click.UsageError(message)
        return run_status(run)
    config = load_analysis(run, output)
    return run_status(config.output, config)


def _tell(found: "RunStatus") -> None:
    name = f"analysis '{found.analysis}'" if found.analysis else "an analysis"
    say(f"{found.folder}: {name}{', at work now' if found.at_work else ''}")
    for step in found.steps:
        say(f"{step.step}: {_condition(step)}")
        for line in step.summary.splitlines():
            say(f"    {line.strip()}")
        for file in step.files:
            say(f"    {_file(file, found.folder)}")
    say(f"result: {found.result_text or 'none yet'}")


def _condition(step: "StepStatus") -> str:
    if step.condition == "never":
        return "never ran"
    when = f" {_local(step.when)}" if step.when else ""
    took = f", after {duration_text(step.seconds)} of work" if step.seconds is not None else ""
    since = " since" if step.condition == "at work" else ""
    return f"{step.condition}{since}{when}{took}"


def _local(when: str) -> str:
    return datetime.fromisoformat(when).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _file(file: "FileStatus", folder: Path) -> str:
    return f"{file.path.relative_to(folder)}, {file.size / 1e6:.2f} MB, {file.condition}"


def _as_json(found: "RunStatus") -> dict[str, Any]:
    return {
        "folder": str(found.folder),
        "analysis": found.analysis,
        "at_work": found.at_work,
        "steps": [
            {
                "name": step.step,
                "condition": step.condition,
                "when": step.when,
                "seconds": step.seconds,
                "summary": step.summary,
                "files": [
                    {"path": str(file.path), "size": file.size, "condition": file.condition} for file in step.files
                ],
            }
            for step in found.steps
        ],
        "result": found.result,
    }

"""What the commands share: the analysis file, the output folder, and starting the steps."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from partonic.cli.output import json_option, print_json, results_only_on_stdout, say
from partonic.cli.result_box import print_result_box

if TYPE_CHECKING:
    from partonic.config.analysis import AnalysisConfig
    from partonic.workflow import Outcome

__all__ = [
    "KEPT",
    "analysis_argument",
    "execute",
    "execute_alone",
    "force_option",
    "given_options",
    "json_option",
    "output_option",
]

KEPT = "partonic.kept"
"""Key of `click.Context.meta` with the folders where a command without steps keeps what it has finished."""

analysis_argument = click.argument("analysis", type=click.Path(dir_okay=False, path_type=Path))

output_option = click.option(
    "-o", "--output", type=click.Path(file_okay=False, path_type=Path), help="Folder of the results [key: output]."
)

force_option = click.option("--force", is_flag=True, help="Do the work again even if nothing changed.")


def execute(
    analysis: Path,
    output: Path | None,
    steps: Sequence[str] | None,
    force: bool,
    change: "Callable[[AnalysisConfig], AnalysisConfig] | None" = None,
    *,
    any_of: bool = False,
    as_json: bool = False,
) -> None:
    """Run steps of an analysis (None: all that it needs), changed by an option, and say where the results are.

    With `any_of`, only those of the steps that the analysis has, one at least.
    """
    from partonic.cli.progress import TerminalProgress
    from partonic.config import load_analysis
    from partonic.workflow import applicable_steps, run_analysis
    from partonic.workflow.step import family_of_step

    config = load_analysis(analysis, output)
    chosen = _with_consent(config if change is None else change(config))
    if steps is not None and any_of:
        steps = [name for name in applicable_steps(chosen) if family_of_step(name) in steps] or steps[:1]
    with results_only_on_stdout(as_json):
        outcomes = run_analysis(chosen, steps=steps, force=force, progress=TerminalProgress())
    if as_json:
        print_json({"analysis": chosen.name, "output": str(chosen.output), **_as_json(outcomes)})
        return
    for outcome in outcomes:
        say(f"{outcome.step}: {outcome.summary}")
    if any(outcome.step == "report" for outcome in outcomes):
        print_result_box(chosen.output)


def _with_consent(config: "AnalysisConfig") -> "AnalysisConfig":
    """Ask for consent to run the code of a model that imported events are reweighted with, if it is still missing."""
    section = config.import_
    if section is None or section.reweight is None:
        return config
    from partonic.cli.reweight import asked

    changed = section.model_copy(update={"reweight": asked(section.reweight)})
    return config.model_copy(update={"import_": changed})


def execute_alone(name: str, files: Sequence[Path], work: "Callable[[], object]", as_json: bool) -> None:
    """Do the work of a step on files that are no analysis, and say what came out.

    Args:
        name: of the step.
        files: that it leaves.
        work: does it, and returns what reads as a line on the result.
        as_json: print JSON in place of that line.
    """
    from partonic.workflow import Outcome

    click.get_current_context().meta[KEPT] = [f"{path}.parts" for path in files]
    began = time.monotonic()
    with results_only_on_stdout(as_json):
        summary = str(work())
    if as_json:
        print_json(_as_json([Outcome(name, True, summary, time.monotonic() - began, tuple(files))]))
    else:
        say(f"{name}: {summary}")


def given_options(ctx: click.Context, names: Sequence[str]) -> str:
    """Return those of the options that stand on the command line, as they are written there; empty if none does."""
    from click.core import ParameterSource

    given = [name for name in names if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE]
    return ", ".join(f"--{name.replace('_', '-')}" for name in given)


def _as_json(outcomes: "Sequence[Outcome]") -> dict[str, Any]:
    """Return the outcomes of steps as JSON has them, and the result of the inference if that is one of them."""
    from partonic.workflow.inference_result import inference_result

    results = [path for each in outcomes if each.step == "infer" for path in each.files if path.name == "result.json"]
    return {
        "steps": [
            {
                "name": outcome.step,
                "ran": outcome.ran,
                "summary": outcome.summary,
                "seconds": round(outcome.seconds, 3),
                "files": [str(path) for path in outcome.files],
            }
            for outcome in outcomes
        ],
        "result": inference_result(results[0]) if results else None,
    }

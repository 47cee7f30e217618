"""What the commands share: the analysis file, the output folder, and starting the steps."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from partonic.cli.result_box import print_result_box

if TYPE_CHECKING:
    from partonic.config.analysis import AnalysisConfig

__all__ = ["analysis_argument", "execute", "force_option", "output_option"]

analysis_argument = click.argument("analysis", type=click.Path(dir_okay=False, path_type=Path))

output_option = click.option(
    "-o", "--output", type=click.Path(file_okay=False, path_type=Path), help="Folder of the results [key: output]."
)

force_option = click.option("--force", is_flag=True, help="Do the work again even if nothing changed.")

Command = Callable[..., Any]


def execute(
    analysis: Path,
    output: Path | None,
    steps: Sequence[str] | None,
    force: bool,
    change: "Callable[[AnalysisConfig], AnalysisConfig] | None" = None,
    *,
    any_of: bool = False,
) -> None:
    """Run steps of an analysis (None: all that it needs), changed by an option, and say where the results are.

    With `any_of`, only those of the steps that the analysis has, one at least.
    """
    from partonic.cli.progress import TerminalProgress
    from partonic.config import load_analysis
    from partonic.workflow import applicable_steps, run_analysis

    config = load_analysis(analysis, output)
    chosen = config if change is None else change(config)
    if steps is not None and any_of:
        steps = [name for name in applicable_steps(chosen) if name in steps] or steps[:1]
    outcomes = run_analysis(chosen, steps=steps, force=force, progress=TerminalProgress())
    for outcome in outcomes:
        click.echo(f"{outcome.step}: {outcome.summary}")
    if any(outcome.step == "report" for outcome in outcomes):
        print_result_box(chosen.output)

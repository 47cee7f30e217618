"""What the commands share: the analysis file, the output folder, and starting the steps."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

__all__ = ["analysis_argument", "execute", "force_option", "output_option"]

analysis_argument = click.argument("analysis", type=click.Path(dir_okay=False, path_type=Path))

output_option = click.option(
    "-o", "--output", type=click.Path(file_okay=False, path_type=Path), help="Folder of the results [key: output]."
)

force_option = click.option("--force", is_flag=True, help="Do the work again even if nothing changed.")

Command = Callable[..., Any]


def execute(analysis: Path, output: Path | None, steps: Sequence[str] | None, force: bool) -> None:
    """Run steps of an analysis (None: all that it needs) and say where the results are."""
    from partonic.cli.progress import TerminalProgress
    from partonic.config import load_analysis
    from partonic.workflow import run_analysis

    outcomes = run_analysis(load_analysis(analysis, output), steps=steps, force=force, progress=TerminalProgress())
    for outcome in outcomes:
        click.echo(f"{outcome.step}: {outcome.summary}")
